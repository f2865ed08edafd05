// npm run conformance [-- --update]: the grid runtime x operation against the table in git; --update writes the table from Node.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const here = new URL('./', import.meta.url)
/** Whether what is installed is what the lock file says, as far as this platform has it. */
function isInstalled() {
  const read = (file) => JSON.parse(readFileSync(new URL(file, here), 'utf8')).packages
  if (!existsSync(new URL('node_modules/.package-lock.json', here))) return false
  const [locked, installed] = [read('package-lock.json'), read('node_modules/.package-lock.json')]
  return Object.entries(locked).every(
    ([path, { version, optional }]) => !path || installed[path]?.version === version || (optional && !installed[path])
  )
}

if (!isInstalled()) {
  console.log('installing the runtimes of test/conformance')
  execFileSync('npm', ['ci', '--loglevel=error'], { cwd: fileURLToPath(here), stdio: 'inherit' })
}
// What is found is found at import.
const { conform, targets } = await import('./targets.mjs')
const { createProject, removeFolder } = await import('./project.mjs')
const { grid } = await import('./grid.mjs')
const { host } = await import('./targets/processes.mjs')
const { stop } = await import('./targets/scope.mjs')

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop.abort())

const project = createProject()
const results = {}
const failures = []
for (const target of targets.filter(({ found }) => found)) {
  const start = performance.now()
  try {
    results[target.name] = await conform(target, project)
    results[target.name].seconds = (performance.now() - start) / 1000
  } catch (error) {
    failures.push(error.message)
  }
  if (stop.signal.aborted) break
}
await removeFolder(project)
if (stop.signal.aborted) process.exit(1)

const file = new URL('expected.json', here)
const own = results[host.name]
if (process.argv.includes('--update') && own) writeFileSync(file, `${JSON.stringify(own.table, null, 2)}\n`)
const { text, cells, wrong } = grid(results, JSON.parse(readFileSync(file, 'utf8')))
console.log(text)
console.log(wrong ? `${wrong} of ${cells} DIFFERENT` : `${cells} the same`)
const skipped = targets.filter(({ found }) => !found).map(({ name }) => name)
if (skipped.length) console.log(`not installed, skipped: ${skipped.join(', ')}`)
for (const failure of failures) console.log(`FAILED ${failure}`)
process.exitCode = wrong || failures.length ? 1 : 0
