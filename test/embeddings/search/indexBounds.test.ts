import { coding } from '../../../src/embeddings/codec/coding.js'
import { describe, expect, it } from 'vitest'
import { createFitEngine } from '../../../src/embeddings/codec/fit/fitter.js'
import { codecOf } from '../../../src/embeddings/codec/codec.js'
import { createFront } from '../../../src/embeddings/codec/front.js'
import { createIndex, type Metric } from '../../../src/embeddings/index.js'
import { rabitq } from '../../../src/embeddings/codec/fit/rabitq.js'
import { PlainIndex } from '../../oracle/embeddings/search/search.js'
import { expectHits, flat, hitsOf, METRICS } from '../../support/indices.js'
import { normals } from '../../support/random.js'

const DIMENSION = 48
const COUNT = 2000

function codecWithBounds(data: Float32Array, metric: Metric, bits: number) {
  const engine = createFitEngine()
  const rows = engine.memory.alloc(data.byteLength)
  engine.memory.f32(rows, data.length).set(data)
  const sample = { rows, count: COUNT, dimensions: DIMENSION, metric, total: COUNT, seed: 0 }
  const quantizer = rabitq.fit(engine, sample, { bits, epsilon: 5 })
  return codecOf({ front: createFront(DIMENSION, metric), quantizer, seed: 0 }, coding)
}

describe.each(METRICS)('codes with bounds of their error: %s', (metric) => {
  const data = normals(COUNT * DIMENSION, 1)
  const vectors = Array.from({ length: COUNT }, (_, i) => data.subarray(i * DIMENSION, (i + 1) * DIMENSION))
  const plain = new PlainIndex(metric)
  plain.add(vectors)
  const noise = normals(20 * DIMENSION, 2, 0.5)
  const queries = Array.from({ length: 20 }, (_, i) => vectors[i * 90].map((x, j) => x + noise[i * DIMENSION + j]))

  it.each([2, 4])('score fewer rows again, and find the same, at %i bits', (bits) => {
    const index = createIndex(codecWithBounds(data, metric, bits), { originals: 'float32' })
    index.add({ data, shape: [COUNT, DIMENSION] })
    const all = index.search(queries, { k: 5, oversampling: Infinity })
    queries.forEach((query, row) => expectHits(hitsOf(all, row), plain.search(query, 5), 3e-4))
    const mean = all.rescored.reduce((sum, n) => sum + n) / 20
    expect(mean).toBeLessThan(bits === 2 ? COUNT / 2 : COUNT / 20)

    const some = index.search(queries, { k: 5, oversampling: 20 })
    const most = index.search(queries, { k: 5, oversampling: 400 })
    expect(most.ids).toEqual(all.ids)
    expect(most.scores).toEqual(all.scores)
    for (let row = 0; row < 20; row++) {
      expect(some.rescored[row]).toBeLessThanOrEqual(100)
      expect(most.rescored[row]).toBeLessThan(COUNT)
    }
    if (bits === 4) expect(some.rescored.some((n) => n < 100)).toBe(true)
  })

  it('by a function in rounds, with filters, in lists', async () => {
    const index = createIndex(codecWithBounds(data, metric, 4), { lists: 4 })
    index.add({ data, shape: [COUNT, DIMENSION] })
    const filter = (id: number) => id % 5 < 2
    const asked = new Set<number>()
    const results = await index.searchAsync(queries, {
      ...{ k: 6, oversampling: Infinity, filter, probes: 4 },
      rescore: async (ids) => {
        ids.forEach((id) => asked.add(id))
        return flat(
          Array.from(ids, (id) => vectors[id]),
          DIMENSION
        )
      }
    })
    queries.forEach((query, row) => expectHits(hitsOf(results, row), plain.search(query, 6, filter), 3e-4))
    expect([...asked].every(filter)).toBe(true)
    const few = index.search(queries, {
      k: 6,
      oversampling: Infinity,
      filter: (id) => id < 3,
      probes: 4,
      rescore: (ids) =>
        flat(
          Array.from(ids, (id) => vectors[id]),
          DIMENSION
        )
    })
    expect([...few.counts]).toEqual(Array.from({ length: 20 }, () => 3))
  })

  it('in rounds that grow, of rows that are there', async () => {
    const codec = codecWithBounds(data, metric, 2)
    const filter = (id: number) => id % 2 === 0
    const there = (id: number) => filter(id) && id % 3 !== 0
    for (const query of queries.slice(0, 4)) {
      const own = createIndex(codec)
      own.add({ data, shape: [COUNT, DIMENSION] })
      let rounds = 0
      const results = await own.searchAsync([query], {
        ...{ k: 6, oversampling: Infinity, filter },
        rescore: async (ids) => {
          await Promise.resolve()
          if (rounds > 0) expect([...ids].every(there)).toBe(true)
          // Others take the places of those that go.
          if (rounds++ === 0) own.remove(Array.from({ length: Math.ceil(COUNT / 3) }, (_, i) => 3 * i))
          return flat(
            Array.from(ids, (id) => vectors[id]),
            DIMENSION
          )
        }
      })
      expectHits(hitsOf(results), plain.search(query, 6, there), 3e-4)
      expect(rounds).toBeLessThan(20)
    }
  })
})
