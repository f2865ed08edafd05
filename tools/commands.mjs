// Commands of installed packages, as child processes.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'

export const root = resolve(import.meta.dirname, '..')
const require = createRequire(import.meta.url)

/** The script of an installed package's command, wherever npm has put it. */
function commandOf(packageName, command) {
  const manifest = require.resolve(`${packageName}/package.json`)
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8'))
  return join(dirname(manifest), typeof bin === 'string' ? bin : bin[command])
}

/** Runs a script with this Node; fails when it does. */
export function start(script, ...args) {
  const child = spawn(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${script} ended with ${code}`))))
  })
}

/** The same for a package's command. */
export function run(packageName, command, ...args) {
  return start(commandOf(packageName, command), ...args)
}
