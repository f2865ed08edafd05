// npm run build: assembly -> build/kernels, src -> build/*.js, their isolate twins, the worker script and *.d.ts.
// What is current is not built again: each module of kernels, and all else as one.
import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, run, start } from './commands.mjs'
import { compileKernels, folder as kernels, MODULES } from './kernels.mjs'
import { hashOf, isCurrent, writeStamp } from './stamps.mjs'

const SETTINGS = ['asconfig.json', 'package.json', 'package-lock.json', 'rollup.config.js', 'tsconfig.json']
const INPUTS = ['assembly', 'src', 'tools', ...SETTINGS, 'tsconfig.build.json']
/** What the build makes, below build/. */
const OUTPUTS = ['chunks', 'core', 'esm', 'isolate', 'kernels', 'worker']

const folder = join(root, 'build/core')
const workers = join(root, 'build/worker')

/** Declares `#worker/…`. */
const workerChunk = `/** A part of the worker's script; src/pool/script.ts says what the fields are. */
interface WorkerChunk {
  readonly id: string
  readonly text: string
  readonly needs: readonly WorkerChunk[]
}
export declare const chunk: WorkerChunk
`

/** Tells builds apart: a pool and the worker script that it is given have to be of one. */
function writeFingerprint() {
  const hash = createHash('sha256')
  for (const name of Object.keys(MODULES)) hash.update(readFileSync(join(kernels, `${name}.wasm`)))
  const esm = join(root, 'build/esm')
  for (const file of readdirSync(esm, { recursive: true }).sort()) {
    if (file.endsWith('.js')) hash.update(readFileSync(join(esm, file)))
  }
  const text = `export const fingerprint = '${hash.digest('hex').slice(0, 16)}'\n`
  writeFileSync(join(folder, 'fingerprint.js'), text)
}

async function build() {
  for (const old of ['esm', 'chunks', 'isolate', 'worker']) {
    rmSync(join(root, 'build', old), { recursive: true, force: true })
  }
  for (const path of [folder, workers]) mkdirSync(path, { recursive: true })
  const declaration = '/** tells builds apart */\nexport declare const fingerprint: string\n'
  writeFileSync(join(folder, 'fingerprint.d.ts'), declaration)
  const programs = readdirSync(join(root, 'src/pool/programs')).map((file) => file.replace('.ts', ''))
  for (const name of ['runtime', ...programs]) writeFileSync(join(workers, `${name}.d.ts`), workerChunk)
  const declared = start(join(root, 'tools/declarations.mjs'))
  await run('typescript', 'tsc', '-p', 'tsconfig.build.json')
  writeFingerprint()
  await run('rollup', 'rollup', '-c', '--silent')
  await declared
  chmodSync(join(root, 'build/cli.js'), 0o755)
}

await compileKernels()
const stamp = join(root, 'build/package.stamp')
const inputs = hashOf(root, INPUTS, process.version)
if (!isCurrent(stamp, inputs)) {
  rmSync(stamp, { force: true })
  await build()
  const entries = readdirSync(join(root, 'build')).filter((name) => /\.(js|d\.ts|txt)$/.test(name))
  writeStamp(stamp, inputs, [...OUTPUTS, ...entries])
}
