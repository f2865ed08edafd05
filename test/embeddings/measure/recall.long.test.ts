import { describe, expect, it } from 'vitest'
import { createIndex, fitCodec } from '../../../src/embeddings/index.js'
import { GOALS, hasTables, recallOf, splitOf, TARGETS, truthOf, type TableName } from '../../support/embeddings.js'

const TRAINED = /^(o?pq|residual)$/

describe.skipIf(!hasTables)('recall@10 on real embeddings', () => {
  for (const name of ['ada', 'glosses'] as TableName[]) {
    const targets = TARGETS[name].filter(({ options }) => !TRAINED.test(options.method ?? ''))
    it.each(targets)(`${name}, $options: $recall in $bytes bytes`, ({ options, bytes, recall, rescored = 0 }) => {
      const codec = fitCodec(splitOf(name).rows, options)
      expect(codec.bytesPerVector).toBeLessThanOrEqual(bytes)
      const found = recallOf(codec, name)
      expect(found.raw).toBeGreaterThanOrEqual(recall - 0.01)
      expect(found.rescored).toBeGreaterThanOrEqual(rescored - 0.01)
    })
  }

  it.each(GOALS)('%s, %o: %f, %f after rescoring three times as many', (name, options, recall, rescored) => {
    const found = recallOf(fitCodec(splitOf(name).rows, options), name)
    expect(found.raw).toBeGreaterThanOrEqual(recall)
    expect(found.rescored).toBeGreaterThanOrEqual(rescored)
  })

  it('256 centroids cost one byte more for a vector, and their table', () => {
    const { rows } = splitOf('glosses')
    const [one, many] = [1, 256].map((centroids) => fitCodec(rows, { bits: 1, centroids }))
    expect(many!.bytesPerVector - one!.bytesPerVector).toBe(1)
    expect(many!.tableBytes).toBeGreaterThanOrEqual(256 * 384)
  })

  it('is everything where nothing is lost, of copies those that stand first', () => {
    for (const name of ['ada', 'glosses'] as TableName[]) {
      expect(recallOf(fitCodec(splitOf(name).rows, { method: 'float32' }), name).raw).toBeGreaterThanOrEqual(0.999)
    }
  })

  it.each(['float32', 'float16', 'int8'] as const)(
    'rescoring by originals in %s finds what is among the candidates',
    (originals) => {
      const { rows, queries } = splitOf('ada')
      const codec = fitCodec(rows, { bits: 1 })
      const index = createIndex(codec, { originals })
      index.add(rows)
      const { ids } = index.search(queries, { k: 10, oversampling: 3 })
      let hits = 0
      truthOf('ada').forEach((nearest, q) => {
        const found = Array.from(ids.data.subarray(10 * q, 10 * q + 10))
        hits += nearest.filter((row) => found.includes(row)).length
      })
      expect(hits / 1000).toBeGreaterThanOrEqual(Math.min(recallOf(codec, 'ada').rescored, 0.995) - 0.005)
    }
  )
})
