import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '../..')

/** Imports run from a higher layer to a lower one, or stay inside a domain; domains of one layer do not know each other. */
const LAYERS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  src: {
    ...{ core: 1, files: 2, linalg: 3, quantize: 4, prune: 4, distill: 4, lowRank: 5 },
    ...{ embeddings: 6, train: 6, model: 6, pool: 6, cli: 7 },
    // What stands above the domains: init over those of the main entry, that entry over them and lowRank.
    ...{ 'init.js': 5, 'index.js': 6 }
  },
  assembly: { common: 0, linalg: 1, quantize: 2, prune: 2, distill: 2, embeddings: 3, train: 3 }
}

interface Module {
  path: string
  text: string
  imports: string[]
}

function modules(folder: string): Module[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => {
      const path = join(folder, file)
      const text = readFileSync(join(root, path), 'utf8')
      const imports = ts.preProcessFile(text).importedFiles.map(({ fileName }) => fileName)
      return { path, text, imports }
    })
}

function domainOf(folder: string, path: string): string {
  return relative(folder, path).split('/')[0]!.replace(/\.ts$/, '.js')
}

/** Constants of the ABI, which a domain's kernels and its face share: the one way from src to assembly. */
const isConstants = (own: string, target: string): boolean => target === `assembly/${own}/constants.js`

/** What is wrong with the imports of a module, in words; nothing when all is well. */
function wrongImports(folder: string, { path, imports }: Module): string[] {
  const layers = LAYERS[folder]!
  const own = domainOf(folder, path)
  return imports
    .filter((name) => name.startsWith('.'))
    .map((name) => relative(root, resolve(root, dirname(path), name)))
    .filter((target) => !isConstants(own, target))
    .map((target) => domainOf(folder, target))
    .filter((other) => other !== own && !(layers[other]! < layers[own]!))
    .map((other) => `${path} (layer ${layers[own]}) imports ${other} (layer ${layers[other]})`)
}

describe.each(['src', 'assembly'])('the modules of %s', (folder) => {
  const all = modules(folder)

  it('are found', () => {
    expect(all.length).toBeGreaterThan(10)
  })

  it('stand in a known domain', () => {
    const unknown = all.map(({ path }) => domainOf(folder, path)).filter((domain) => !(domain in LAYERS[folder]!))
    expect(unknown).toEqual([])
  })

  it('import lower layers only', () => {
    expect(all.flatMap((module) => wrongImports(folder, module))).toEqual([])
  })

  it('have at most 400 lines', () => {
    const long = all.filter(({ text }) => text.split('\n').length > 401).map(({ path }) => path)
    expect(long).toEqual([])
  })
})

it('sees an import that runs the wrong way', () => {
  const upward: Module = { path: 'src/core/x.ts', text: '', imports: ['../quantize/quantize.js'] }
  const sideways: Module = { path: 'src/prune/x.ts', text: '', imports: ['../quantize/quantize.js'] }
  expect(wrongImports('src', upward)).toHaveLength(1)
  expect(wrongImports('src', sideways)).toHaveLength(1)
})

it('lets a domain read the constants of its own kernels alone', () => {
  const from = (...imports: string[]): Module => ({ path: 'src/prune/x.ts', text: '', imports })
  expect(wrongImports('src', from('../../assembly/prune/constants.js'))).toEqual([])
  expect(wrongImports('src', from('../../assembly/prune/select.js'))).toHaveLength(1)
  expect(wrongImports('src', from('../../assembly/linalg/constants.js'))).toHaveLength(1)
})

describe('the rules of the house', () => {
  const src = modules('src')
  const assembly = modules('assembly')
  const offenders = (all: Module[], pattern: RegExp): string[] =>
    all.filter(({ text }) => pattern.test(text)).map(({ path }) => path)

  it('one file of src touches the buffer of linear memory', () => {
    expect(offenders(src, /\b(wasm|memory)\.buffer\b/)).toEqual(['src/core/memory.ts'])
  })

  it('the command line stands on the public entry points', () => {
    const inner = src
      .filter(({ path }) => path.startsWith('src/cli/'))
      .flatMap(({ imports }) => imports)
      .filter((name) => name.startsWith('../') && !/^\.\.\/((embeddings\/|model\/)?index)\.js$/.test(name))
    expect(inner).toEqual([])
  })

  it('kernels neither throw nor allocate', () => {
    expect(offenders(assembly, /\b(throw|assert|new|heap)\b(?=[\s(.])(?![^\n]*\*)/)).toEqual([])
  })

  it('results use no relaxed SIMD', () => {
    expect(offenders(assembly, /relaxed_/)).toEqual([])
  })

  // A power of two is exact everywhere.
  it('results use no function of the host whose last bits are its own', () => {
    const inexact =
      /\bMath\.(?!(floor|ceil|round|trunc|min|max|abs|sign|clz32|fround|imul)\b)\w+|(?<!\b2 )\*\*(?! -?\d)/
    const library = src.filter(({ path }) => !path.startsWith('src/cli/'))
    const code = library.map((module) => ({ ...module, text: withoutComments(module.text) }))
    expect(offenders(code, inexact)).toEqual([])
    expect(offenders(assembly, /\b(Math|NativeMath|JSMath)\.\w+/)).toEqual([])
  })
})

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
}
