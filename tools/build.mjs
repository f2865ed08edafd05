// npm run build: assembly -> build/core (wasm, its base64, kernel types), src -> build/*.js and build/types.
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const require = createRequire(import.meta.url)

/** Runs the command of an installed package with this Node, wherever npm has put it. */
function run(packageName, command, ...args) {
  const manifest = require.resolve(`${packageName}/package.json`)
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8'))
  const script = join(dirname(manifest), typeof bin === 'string' ? bin : bin[command])
  execFileSync(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' })
}

/** Leaves the declarations that entry points lead to, with paths in place of the package's own `#` imports. */
function tidyDeclarations(types, entries) {
  const reached = new Set()
  const visit = (file) => {
    if (reached.has(file)) return
    reached.add(file)
    const text = readFileSync(file, 'utf8').replaceAll("'#core'", "'../../core/bytes.js'")
    writeFileSync(file, text)
    for (const { fileName } of ts.preProcessFile(text).importedFiles) {
      visit(resolve(dirname(file), fileName.replace(/js$/, 'd.ts')))
    }
  }
  for (const entry of entries) visit(join(types, entry))
  for (const { parentPath, name } of readdirSync(types, { recursive: true, withFileTypes: true })) {
    const file = join(parentPath, name)
    if (name.endsWith('.d.ts') && !reached.has(file)) rmSync(file)
  }
}

const folder = join(root, 'build/core')
for (const stale of ['esm', 'types', 'chunks', 'isolate'])
  rmSync(join(root, 'build', stale), { recursive: true, force: true })
mkdirSync(folder, { recursive: true })

run('assemblyscript', 'asc', '--config', 'asconfig.json', '--target', 'release')
// Declarations that a project without the web's types can read.
const declarations = join(folder, 'core.d.ts')
writeFileSync(declarations, readFileSync(declarations, 'utf8').replace(/WebAssembly\.\w+/g, 'unknown'))
const wasm = readFileSync(join(folder, 'core.wasm'))
// What '#core' is: the bytes, or, for bundlers whose runtimes compile none, an import that they turn into a module.
const core = {
  'bytes.js': [`export const base64 = '${wasm.toString('base64')}'`, 'export const module = undefined'],
  'workerd.js': ["import module from './core.wasm'", "export const base64 = ''", 'export { module }'],
  'edge-light.js': ["import module from './core.wasm?module'", "export const base64 = ''", 'export { module }']
}
for (const [name, lines] of Object.entries(core)) writeFileSync(join(folder, name), `${lines.join('\n')}\n`)
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

run('typescript', 'tsc', '-p', 'tsconfig.build.json')
tidyDeclarations(join(root, 'build/types'), ['index.d.ts', 'model/index.d.ts', 'pool/index.d.ts'])
run('rollup', 'rollup', '-c', '--silent')
chmodSync(join(root, 'build/cli.js'), 0o755)
