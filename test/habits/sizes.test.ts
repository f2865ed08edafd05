import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bundlers, weigh } from '../../tools/bundlers.mjs'
import { root } from '../../tools/commands.mjs'
import { committed, ENTRIES, modulesIn, sourceOf, summary } from '../../tools/sizes.mjs'
import { isCurrent, limited, LIMITS } from '../support/sizes.js'

const table = committed()

/** The modules of kernels that names may bring along, by themselves: their domain's, and what is computed with them. */
const MODULES: readonly [entry: string, names: string[], modules: string[]][] = [
  ['tersor', ['quantize', 'dequantize', 'fakeQuantize'], ['quantize']],
  ['tersor', ['prune', 'applyMask'], ['prune-masks']],
  ['tersor', ['distillationLoss', 'klDivergence', 'crossEntropy', 'softmax', 'logSoftmax'], ['distill']],
  ['tersor', ['matmul', 'compare'], ['linalg-products']],
  ['tersor', ['svd', 'qr', 'ridge'], ['linalg-decompositions', 'linalg-products']],
  ['tersor', ['FormatError', 'MemoryLimitError'], []],
  ['tersor/quantize', ['quantize'], ['quantize']],
  ['tersor/prune', ['prune'], ['prune-masks']],
  ['tersor/distill', ['softmax'], ['distill']],
  ['tersor/linalg', ['matmul'], ['linalg-products']],
  ['tersor/model', ['encodeNpy', 'encodeSafetensors', 'openTensors'], []],
  ['tersor/model', ['openModel'], ['linalg-products', 'prune-storage', 'quantize']],
  ['tersor/pool', ['createPoolOf'], []],
  ['tersor/pool', ['createPoolOf', 'quantizing'], ['quantize']],
  ['tersor/pool', ['createPoolOf', 'pruning', 'distilling'], ['distill', 'prune-masks']],
  ['tersor/pool', ['createPoolOf', 'multiplying'], ['linalg-decompositions', 'linalg-products']],
  ['tersor/embeddings', ['paretoPlot'], []],
  // Halves in files and for databases.
  ['tersor/embeddings', ['readVectors', 'fileVectors'], ['quantize']],
  ['tersor/embeddings', ['exportVectors'], ['quantize']]
]

describe('an import pays for what it uses', () => {
  it.each(limited)('$title: at most $limit bytes, as docs/sizes.md says', { timeout: 60_000 }, async (imported) => {
    const bytes = weigh(await bundlers.rollup(sourceOf(imported)))
    expect(bytes).toBeLessThanOrEqual(imported.limit)
    expect(isCurrent(bytes, table.get(imported.title)?.[0]), `run node tools/sizes.mjs: ${bytes}`).toBe(true)
  })

  it.each(MODULES)('%s: %j', { timeout: 60_000 }, async (entry, names, modules) => {
    const code = await bundlers.rollup(sourceOf({ entry, names }))
    expect(modulesIn(code)).toEqual(modules)
  })

  it('a page that opens an index carries nothing to fit one', { timeout: 60_000 }, async () => {
    const code = await bundlers.rollup(sourceOf({ entry: 'tersor/embeddings', names: ['openIndex'] }))
    const modules = modulesIn(code)
    expect(modules).toContain('embeddings-scan')
    expect(modules).not.toContain('embeddings-fit')
    expect(modules).not.toContain('linalg-decompositions')
  })

  it('modules in a bundle are seen', async () => {
    const code = await bundlers.rollup(sourceOf({ entry: 'tersor', names: undefined }))
    expect(modulesIn(code)).toEqual(expect.arrayContaining(['distill', 'linalg-products', 'prune-masks', 'quantize']))
  })
})

describe('the tables of sizes', () => {
  it('have every group that has a limit', () => {
    expect([...table.keys()]).toEqual(expect.arrayContaining(Object.keys(LIMITS)))
    expect(limited).toHaveLength(Object.keys(LIMITS).length)
  })

  it('have every public name', async () => {
    for (const entry of ['tersor', 'tersor/embeddings', 'tersor/model', 'tersor/pool'] as const) {
      const names = Object.keys((await import(join(root, 'build', `${ENTRIES[entry]}.js`))) as object)
      const titles = names.map((name) => `\`${name}\` of \`${entry}\``)
      expect([...table.keys()]).toEqual(expect.arrayContaining(titles))
    }
  })

  it('say the same in README.md and in docs/sizes.md', () => {
    const rows = [...table].map(([title, sizes]) => ({ title, sizes }))
    expect(readFileSync(join(root, 'README.md'), 'utf8')).toContain(summary(rows))
  })
})
