// Whether what was built is still what its inputs give.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The files below a path, or the path itself, in a fixed order. */
function filesOf(root, path) {
  if (!statSync(join(root, path)).isDirectory()) return [path]
  return readdirSync(join(root, path))
    .sort()
    .flatMap((name) => filesOf(root, `${path}/${name}`))
}

/** Changes with the names and texts of all files below `paths`, and with `more`. */
export function hashOf(root, paths, more = '') {
  const hash = createHash('sha256').update(more)
  for (const path of paths.flatMap((path) => filesOf(root, path))) {
    hash.update(`\n${path}\n`).update(readFileSync(join(root, path)))
  }
  return hash.digest('hex')
}

/** Says what was built of `inputs`: files, also those below folders, with their sizes, beside the stamp. */
export function writeStamp(stamp, inputs, outputs) {
  const folder = dirname(stamp)
  const files = outputs.flatMap((path) => filesOf(folder, path))
  const sizes = Object.fromEntries(files.map((path) => [path, statSync(join(folder, path)).size]))
  writeFileSync(stamp, JSON.stringify({ inputs, sizes }))
}

/** Whether a stamp is of these inputs, and all that it names is there, in its size. */
export function isCurrent(stamp, inputs) {
  const text = existsSync(stamp) ? readFileSync(stamp, 'utf8') : ''
  // A stamp of an earlier form is a hash alone.
  if (!text.startsWith('{')) return false
  const { inputs: before, sizes } = JSON.parse(text)
  const isThere = ([path, size]) => {
    const file = join(dirname(stamp), path)
    return existsSync(file) && statSync(file).size === size
  }
  return before === inputs && Object.entries(sizes).every(isThere)
}
