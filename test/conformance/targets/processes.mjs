// Runtimes with a standard output.
import { json } from './children.mjs'
import { packaged } from './find.mjs'

/** @param args what goes before the script */
export function processTarget(name, found, args = []) {
  return {
    name,
    found,
    run: (path, { project, defer }) => json(defer, path, [...args, 'main.mjs'], { cwd: project })
  }
}

const [major] = process.versions.node.split('.')
const platform = `${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
const program = process.platform === 'win32' ? 'bin/node.exe' : 'bin/node'

/** The Node that runs this comes first: the table in git is its own. */
export const host = processTarget(`Node ${major}`, process.execPath)

export const processes = [
  host,
  ...['20', '22', '24', '26']
    .filter((other) => other !== major)
    .map((other) => processTarget(`Node ${other}`, packaged(`node-${other}-${platform}/${program}`))),
  // No permission flag: the package needs none.
  processTarget('Deno', packaged('.bin/deno'), ['run', '--no-lock', '--no-prompt']),
  processTarget('Bun', packaged('.bin/bun'), ['run', '--no-install'])
]
