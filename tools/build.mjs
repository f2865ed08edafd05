// npm run build: assembly -> build/core (wasm, its base64), src -> build/*.js, their isolate twins, the worker script and *.d.ts.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const require = createRequire(import.meta.url)

/** The script of an installed package's command, wherever npm has put it. */
function commandOf(packageName, command) {
  const manifest = require.resolve(`${packageName}/package.json`)
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8'))
  return join(dirname(manifest), typeof bin === 'string' ? bin : bin[command])
}

/** Runs a script with this Node; fails when it does. */
function start(script, ...args) {
  const child = spawn(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${script} ended with ${code}`))))
  })
}

/** Tells builds apart: a pool and the worker script that it is given have to be of one. */
function writeFingerprint() {
  const hash = createHash('sha256').update(readFileSync(join(folder, 'core.wasm')))
  const esm = join(root, 'build/esm')
  for (const file of readdirSync(esm, { recursive: true }).sort()) {
    if (file.endsWith('.js')) hash.update(readFileSync(join(esm, file)))
  }
  const text = `export const fingerprint = '${hash.digest('hex').slice(0, 16)}'\n`
  writeFileSync(join(folder, 'fingerprint.js'), text)
}

const folder = join(root, 'build/core')
for (const stale of ['esm', 'chunks', 'isolate']) rmSync(join(root, 'build', stale), { recursive: true, force: true })
mkdirSync(folder, { recursive: true })

await start(commandOf('assemblyscript', 'asc'), '--config', 'asconfig.json', '--target', 'release')
// Declarations that a project without the web's types can read.
const kernelTypes = join(folder, 'core.d.ts')
writeFileSync(kernelTypes, readFileSync(kernelTypes, 'utf8').replace(/WebAssembly\.\w+/g, 'unknown'))
const wasm = readFileSync(join(folder, 'core.wasm'))
// What '#core' is: the bytes, or, for bundlers whose runtimes compile none, an import that they turn into a module.
const core = {
  'bytes.js': [`export const base64 = '${wasm.toString('base64')}'`, 'export const module = undefined'],
  'workerd.js': ["import module from './core.wasm'", "export const base64 = ''", 'export { module }'],
  'edge-light.js': ["import module from './core.wasm?module'", "export const base64 = ''", 'export { module }']
}
for (const [name, lines] of Object.entries(core)) writeFileSync(join(folder, name), `${lines.join('\n')}\n`)
writeFileSync(join(folder, 'fingerprint.d.ts'), '/** tells builds apart */\nexport declare const fingerprint: string\n')
writeFileSync(
  join(folder, 'workerSource.d.ts'),
  "/** the pool's worker script; empty where there are no workers */\nexport declare const source: string\n"
)
writeFileSync(
  join(folder, 'bytes.d.ts'),
  [
    "import type { instantiate } from './core.js'",
    '/** The exports of the core, as the AssemblyScript compiler lists them. */',
    'export type Kernels = Awaited<ReturnType<typeof instantiate>>',
    '/** the core as base64; empty where `module` is there */',
    'export declare const base64: string',
    '/** the core as the bundler compiled it */',
    'export declare const module: object | undefined',
    ''
  ].join('\n')
)

const declared = start(join(root, 'tools/declarations.mjs'))
await start(commandOf('typescript', 'tsc'), '-p', 'tsconfig.build.json')
writeFingerprint()
await start(commandOf('rollup', 'rollup'), '-c', '--silent')
await declared
chmodSync(join(root, 'build/cli.js'), 0o755)
