// npm run build: assembly -> build/core (wasm, its base64, kernel types), src -> build/*.js and build/types.
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const require = createRequire(import.meta.url)

/** Runs the command of an installed package with this Node, wherever npm has put it. */
function run(packageName, command, ...args) {
  const manifest = require.resolve(`${packageName}/package.json`)
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8'))
  const script = join(dirname(manifest), typeof bin === 'string' ? bin : bin[command])
  execFileSync(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' })
}

const core = join(root, 'build/core')
for (const stale of ['esm', 'types', 'chunks']) rmSync(join(root, 'build', stale), { recursive: true, force: true })
mkdirSync(core, { recursive: true })

run('assemblyscript', 'asc', '--config', 'asconfig.json', '--target', 'release')
// Declarations that a project without the web's types can read.
const declarations = join(core, 'core.d.ts')
writeFileSync(declarations, readFileSync(declarations, 'utf8').replace(/WebAssembly\.\w+/g, 'unknown'))
const wasm = readFileSync(join(core, 'core.wasm'))
writeFileSync(join(core, 'bytes.js'), `export const base64 = '${wasm.toString('base64')}'\n`)
writeFileSync(
  join(core, 'bytes.d.ts'),
  [
    "import type { instantiate } from './core.js'",
    '/** The exports of the core, as the AssemblyScript compiler lists them. */',
    'export type Kernels = Awaited<ReturnType<typeof instantiate>>',
    'export declare const base64: string',
    ''
  ].join('\n')
)

run('typescript', 'tsc', '-p', 'tsconfig.build.json')
run('rollup', 'rollup', '-c', '--silent')
chmodSync(join(root, 'build/cli.js'), 0o755)
