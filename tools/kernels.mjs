// The modules of kernels: assembly -> build/kernels (wasm, and the file of each condition that carries it).
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { instantiateSync } from '@assemblyscript/loader'
import { root, run } from './commands.mjs'
import { isCurrent, writeStamp } from './stamps.mjs'

/** The ABI of each module. Its name is that of its domain, and of what it does where a domain has several. */
export const MODULES = {
  common: 'assembly/common/index.ts',
  quantize: 'assembly/quantize/index.ts',
  'prune-masks': 'assembly/prune/abi/masks.ts',
  'prune-storage': 'assembly/prune/abi/storage.ts',
  distill: 'assembly/distill/index.ts',
  'linalg-products': 'assembly/linalg/abi/products.ts',
  'linalg-decompositions': 'assembly/linalg/abi/decompositions.ts',
  'embeddings-scan': 'assembly/embeddings/abi/scan.ts',
  'embeddings-codec': 'assembly/embeddings/abi/codec.ts',
  'embeddings-fit': 'assembly/embeddings/abi/fit.ts'
}

export const folder = join(root, 'build/kernels')

/** All files that a source is made of, with their texts. */
function sources(entry, found = new Map()) {
  if (found.has(entry)) return found
  const text = readFileSync(entry, 'utf8')
  found.set(entry, text)
  for (const [, name] of text.matchAll(/from '(\.[^']+)'/g)) {
    const path = resolve(dirname(entry), name)
    sources(existsSync(`${path}.ts`) ? `${path}.ts` : join(path, 'index.ts'), found)
  }
  return found
}

/** What a module depends on: its sources, the compiler, its options, this file. */
function stampOf(entry) {
  const hash = createHash('sha256')
  for (const [path, text] of [...sources(join(root, entry))].sort()) hash.update(`${relative(root, path)}\n${text}\n`)
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
  const compiler = ['assemblyscript', 'binaryen'].map((name) => lock[`node_modules/${name}`]?.version)
  hash.update(JSON.stringify(compiler)).update(readFileSync(join(root, 'asconfig.json')))
  return hash.update(readFileSync(import.meta.filename)).digest('hex')
}

/** FNV-1a over the words of the module (G. Fowler, L. C. Noll, K.-P. Vo): src/core/modules.ts asks for it. */
export function checksumOf(bytes) {
  const whole = new Uint8Array(Math.ceil(bytes.length / 4) * 4)
  whole.set(bytes)
  return new Uint32Array(whole.buffer).reduce((sum, word) => Math.imul(sum ^ word, 16777619), -2128831035)
}

/** The bytes as text: src/core/modules.ts decodes it, and says how. */
export function textOf(bytes) {
  const character = (digit) => (digit === 57 ? '!' : String.fromCharCode(35 + digit))
  const one = (byte) => {
    const value = (byte + 4) & 255
    if (value < 90) return character(value)
    return value < 182 ? character(90) + character(value - 90) : character(91) + character(value - 182)
  }
  const text = Array.from(bytes, one).join('')
  if (/<\/script|<!--/i.test(text)) throw new Error('the text would end a script in a page: change the digits')
  return text
}

/** `#kernels/NAME` of each condition: the bytes as text, or an import that bundlers for isolates turn into a module. */
export function carriers(name, bytes) {
  const [text, sum] = [textOf(bytes), checksumOf(bytes)]
  const brought = "text: '', sum: 0, module }"
  return {
    [`${name}.js`]: `export const kernels = { name: '${name}', text: "${text}", sum: ${sum}, module: undefined }\n`,
    [`${name}.workerd.js`]: `import module from './${name}.wasm'\nexport const kernels = { name: '${name}', ${brought}\n`,
    [`${name}.edge-light.js`]: `import module from './${name}.wasm?module'\nexport const kernels = { name: '${name}', ${brought}\n`
  }
}

/** Fails where a module does not start over a memory, or has another export than a function. */
function check(name, bytes) {
  const { instance } = instantiateSync(bytes, { env: { memory: new WebAssembly.Memory({ initial: 1 }) } })
  for (const [key, value] of Object.entries(instance.exports)) {
    if (typeof value !== 'function') throw new Error(`${name} exports ${key}, which is no function`)
  }
}

/** The exports as the compiler lists them, without the web's types, which not every project has. */
function declarationOf(name, compiled) {
  const kernels = [...compiled.matchAll(/^ {2}export function \w+\(.*\): \w+;$/gm)]
    .map(([line]) => line.replace('  export function ', '  '))
    .filter((line) => !line.startsWith('  __'))
  return [
    '/** The module; src/core/modules.ts says what the fields are. */',
    'export declare const kernels: {',
    ...['name: string', 'text: string', 'sum: number', 'module: object | undefined'].map(
      (field) => `  readonly ${field}`
    ),
    '}',
    `/** The kernels of ${name}. */`,
    `export interface Kernels {`,
    ...kernels.map((line) => line.replace(/;$/, '')),
    `}`,
    ''
  ].join('\n')
}

/** Compiles an ABI to a module, which its sources alone decide; the compiler writes its declarations beside it. */
export function compileTo(out, entry) {
  return run('assemblyscript', 'asc', entry, '--config', 'asconfig.json', '--outFile', out)
}

async function compile(name, entry) {
  const stamp = join(folder, `${name}.stamp`)
  const wanted = stampOf(entry)
  if (isCurrent(stamp, wanted)) return
  rmSync(stamp, { force: true })
  const out = join(folder, `${name}.wasm`)
  await compileTo(out, entry)
  check(name, readFileSync(out))
  const declared = readFileSync(join(folder, `${name}.d.ts`), 'utf8')
  rmSync(join(folder, `${name}.js`))
  const made = carriers(name, readFileSync(out))
  for (const [file, text] of Object.entries(made)) writeFileSync(join(folder, file), text)
  writeFileSync(join(folder, `${name}.d.ts`), declarationOf(name, declared))
  writeStamp(stamp, wanted, [`${name}.wasm`, `${name}.d.ts`, ...Object.keys(made)])
}

/** Compiles the modules whose sources have changed, two at a time. */
export async function compileKernels() {
  mkdirSync(folder, { recursive: true })
  for (const file of readdirSync(folder)) {
    if (!(file.split('.')[0] in MODULES)) rmSync(join(folder, file))
  }
  const queue = Object.entries(MODULES)
  const work = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) await compile(...next)
  }
  await Promise.all([work(), work()])
}
