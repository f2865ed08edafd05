import { readdirSync, readFileSync } from 'node:fs'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type * as EngineModule from '../../src/core/engine.js'
import type { KernelModule } from '../../src/core/modules.js'
import { embeddingOperations } from '../conformance/embeddings.mjs'
import { hashOf, operations } from '../conformance/rows.mjs'
import { seeded } from '../support/random.js'

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8')
const expected = JSON.parse(read('../conformance/expected.json')) as Record<string, string>
const folder = new URL('../../build/kernels/', import.meta.url)
const modules = await Promise.all(
  readdirSync(folder)
    .filter((file) => file.endsWith('.wasm'))
    .map(async (file) => {
      const { kernels } = (await import(new URL(file.replace('.wasm', '.js'), folder).href)) as {
        kernels: KernelModule
      }
      return kernels
    })
)

/** Some rows of the conformance table: of each domain, and of those that join domains. */
const ROWS = [
  ...['quantize', 'fakeQuantize', 'applyMask', 'softmax', 'distillationLoss', 'matmul', 'svd', 'ridge', 'gram'],
  ...['compare', 'lowRank', 'compressModel', 'createCodecFit', 'openIndex', 'fileVectors']
]

function shuffled<T>(items: readonly T[], seed: number): T[] {
  const next = seeded(seed)
  const rest = [...items]
  return items.map(() => rest.splice(Math.floor(next() * rest.length), 1)[0]!)
}

const ORDERS = [modules, [...modules].reverse(), ...Array.from({ length: 14 }, (_, i) => shuffled(modules, i + 1))]

afterEach(() => {
  vi.doUnmock('../../src/core/engine.js')
  vi.resetModules()
})

describe.each(ORDERS.map((order) => ({ order, names: order.map(({ name }) => name).join(', ') })))(
  'modules that come over one memory as $names',
  ({ order }) => {
    it('compute the same bytes', async () => {
      vi.resetModules()
      // Engines of indexes and of passes over a matrix have memories of their own: all modules in these, too.
      vi.doMock('../../src/core/engine.js', async (original) => {
        const engine = await original<typeof EngineModule>()
        const createEngineOf: typeof engine.createEngineOf = (wanted, options) =>
          engine.engineOver(engine.createEngineOf(order, options).memory, wanted)
        return { ...engine, createEngineOf }
      })
      const { startEngine } = await import('../../src/core/engine.js')
      await startEngine(order)
      const [tersor, model, embeddings] = await Promise.all([
        import('../../src/index.js'),
        import('../../src/model/index.js'),
        import('../../src/embeddings/index.js')
      ])
      const rows = { ...operations(tersor, model), ...embeddingOperations(embeddings) }
      const hashes: [string, string][] = []
      for (const name of ROWS) hashes.push([name, await hashOf(await rows[name as keyof typeof rows]())])
      expect(Object.fromEntries(hashes)).toEqual(Object.fromEntries(ROWS.map((name) => [name, expected[name]])))
    })
  }
)
