import { describe, expect, it } from 'vitest'
import { fitCodec } from '../../../src/embeddings/codec/fit/fitCodec.js'
import { createIndex, openIndex } from '../../../src/embeddings/search/createIndex.js'
import { PlainIndex } from '../../oracle/embeddings/search/search.js'
import { expectError, wrong } from '../../support/errors.js'
import { normals } from '../../support/random.js'
import { expectHits, flat, hitsOf, METRICS, plainCodec, wholeVectors } from '../../support/indices.js'

describe.each(METRICS)('candidates scored again: %s', (metric) => {
  const dimensions = 7
  const vectors = wholeVectors(300, dimensions, 1)
  const ids = vectors.map((_, i) => 1000 - i)
  const plain = new PlainIndex(metric)
  plain.add(vectors, ids)
  const queries = wholeVectors(4, dimensions, 2)
  const tolerance = metric === 'cosine' ? 1e-6 : 0

  it('by originals in the index', () => {
    for (const originals of ['float32', 'float16'] as const) {
      const index = createIndex(plainCodec(dimensions, metric), { originals })
      index.add(vectors, { ids })
      const results = index.search(queries, { k: 5 })
      queries.forEach((query, row) => {
        expectHits(hitsOf(results, row), plain.search(query, 5), tolerance * (originals === 'float16' ? 1000 : 1))
      })
      expect([...results.rescored]).toEqual([15, 15, 15, 15])
      expect([...index.search(queries, { k: 5, rescore: false }).rescored]).toEqual([0, 0, 0, 0])
      expect([...index.search(queries, { k: 5, oversampling: 1.5 }).rescored]).toEqual([8, 8, 8, 8])
      expect([...index.search(queries, { k: 200 }).rescored]).toEqual([300, 300, 300, 300])
    }
  })

  it('by a function, now or later, of ids that are each asked for once', async () => {
    const index = createIndex(plainCodec(dimensions, metric))
    index.add(vectors, { ids })
    let asked = 0
    const rescore = (wanted: Uint32Array) => {
      asked++
      expect(new Set(wanted).size).toBe(wanted.length)
      return flat(
        Array.from(wanted, (id) => plain.vectors.get(id)!),
        dimensions
      )
    }
    const now = index.search(queries, { k: 5, rescore })
    queries.forEach((query, row) => expectHits(hitsOf(now, row), plain.search(query, 5), tolerance))
    expect(asked).toBe(1)
    expect(await index.searchAsync(queries, { k: 5, rescore })).toEqual(now)
    expect(await index.searchAsync(queries, { k: 5, rescore: async (wanted) => rescore(wanted) })).toEqual(now)
    const plainly = index.search(queries, { k: 5 })
    expect(await index.searchAsync(queries, { k: 5 })).toEqual(plainly)
    expect(index.search([], { rescore }).counts.length).toBe(0)
  })
})

describe.each(METRICS)('originals of few bits, of vectors far from 0: %s', (metric) => {
  const dimensions = 24
  const data = normals(2000 * dimensions, 4).map((x) => x + 20)
  const noise = normals(40 * dimensions, 5, 0.3)
  const table = { data, shape: [2000, dimensions] }
  const queries = { data: noise.map((x, i) => x + data[i]), shape: [40, dimensions] }
  const plain = createIndex(plainCodec(dimensions, metric))
  plain.add(table)
  const truth = plain.search(queries)

  it.each(['float16', 'int8'] as const)('%s finds what whole ones find', (originals) => {
    const index = createIndex(fitCodec(table, { metric, bits: 8 }), { originals })
    index.add(table)
    const found = openIndex(index.toBytes()).search(queries)
    expect(found).toEqual(index.search(queries))
    let hits = 0
    truth.ids.data.forEach((id, at) => {
      const row = Math.floor(at / 10)
      if (found.ids.data.subarray(10 * row, 10 * row + 10).includes(id)) hits++
    })
    expect(hits / 400).toBeGreaterThan(0.95)
  })

  it('vectors of zeros keep their scores', () => {
    const zeros = new Float32Array(2 * dimensions)
    for (const originals of ['float16', 'int8'] as const) {
      const index = createIndex(fitCodec(table, { metric, bits: 8 }), { originals })
      index.add({ data: zeros, shape: [2, dimensions] })
      const { scores } = index.search(queries, { k: 1 })
      const exact = createIndex(plainCodec(dimensions, metric))
      exact.add({ data: zeros, shape: [2, dimensions] })
      exact.search(queries, { k: 1 }).scores.data.forEach((score, i) => {
        const size = metric === 'cosine' ? 1 : Math.abs(score) + 20 * 20 * dimensions
        expect(Math.abs(scores.data[i] - score)).toBeLessThan(0.01 * size)
      })
    }
  })
})

describe('a function that gives something else', () => {
  const index = createIndex(plainCodec(2, 'dot'))
  index.add([
    [1, 2],
    [2, 1],
    [0, 1]
  ])

  it('is told so, and the index works on', async () => {
    const search = (rescore: unknown) => () => index.search([1, 1], { rescore: wrong(rescore), k: 2 })
    expectError(
      search(() => [[1, 2]]),
      RangeError,
      'search: "rescore" expected 3 vectors',
      'got 1'
    )
    expectError(
      search(() => [
        [1, 2, 3],
        [1, 2, 3],
        [1, 2, 3]
      ]),
      RangeError,
      'search: "rescore"',
      '2',
      '3'
    )
    expectError(
      search(() => [
        [1, NaN],
        [1, 2],
        [3, 4]
      ]),
      RangeError,
      'search: "rescore"',
      'NaN',
      'row 0'
    )
    expectError(
      search(() => undefined),
      TypeError,
      'search: "rescore"'
    )
    expectError(
      search(() =>
        Promise.resolve([
          [1, 2],
          [1, 2],
          [1, 2]
        ])
      ),
      TypeError,
      'searchAsync'
    )
    expectError(
      search(() => index.remove(0)),
      Error,
      'in the middle of a search'
    )
    await expect(index.searchAsync([1, 1], { rescore: () => Promise.reject(new Error('gone')) })).rejects.toThrow(
      'gone'
    )
    expect([...index.search([1, 1], { k: 2 }).ids.data]).toEqual([0, 1])
  })

  it('rows may come and go while it is waited for', async () => {
    const own = createIndex(plainCodec(2, 'dot'))
    own.add(Array.from({ length: 400 }, (_, i) => [i, 1]))
    const queries = Array.from({ length: 300 }, () => [1, 0])
    let calls = 0
    const results = await own.searchAsync(queries, {
      k: 4,
      filter: (id) => id % 2 === 0,
      rescore: async (ids) => {
        await Promise.resolve()
        if (calls++ === 0) own.remove([398, 396, 0])
        return Array.from(ids, (id) => [id, 1])
      }
    })
    expect(calls).toBeGreaterThan(1)
    expect(hitsOf(results, 0).map(({ id }) => id)).toEqual([394, 392, 390, 388])
    expect(hitsOf(results, 299).map(({ id }) => id)).toEqual([394, 392, 390, 388])
  })

  it('what the caller writes to while it is waited for does not matter', async () => {
    const own = createIndex(plainCodec(2, 'dot'))
    own.add(Array.from({ length: 400 }, (_, i) => [i, 1]))
    const queries = new Float32Array(600).map((_, i) => (i % 2 ? 0 : 1))
    const filter = new Uint8Array(50).fill(0x55)
    const found = own.searchAsync(queries, {
      k: 4,
      filter,
      rescore: async (ids) => {
        await Promise.resolve()
        queries.fill(-1)
        filter.fill(0xaa)
        return Array.from(ids, (id) => [id, 1])
      }
    })
    const results = await found
    for (const row of [0, 299]) expect(hitsOf(results, row).map(({ id }) => id)).toEqual([398, 396, 394, 392])
  })
})

it('more results than fit are refused', () => {
  const index = createIndex(plainCodec(2, 'dot'))
  const queries = new Float32Array(2000)
  expectError(
    () => index.search(queries, { k: 2 ** 24 }),
    RangeError,
    'search: "k"',
    '268435 for 1000 queries',
    'fewer'
  )
})
