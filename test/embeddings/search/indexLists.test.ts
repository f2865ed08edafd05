import { describe, expect, it } from 'vitest'
import { createIndex, fitCodec, openIndex } from '../../../src/embeddings/index.js'
import { expectSameBits } from '../../support/bits.js'
import { METRICS, plainCodec } from '../../support/indices.js'
import { normals } from '../../support/random.js'

const DIMENSION = 24
const COUNT = 6000

/** Rows about 40 centroids, in turn. */
function clustered(count: number, seed: number) {
  const centroids = normals(40 * DIMENSION, 1)
  const data = normals(count * DIMENSION, seed, 0.5)
  data.forEach((x, i) => {
    data[i] = x + centroids[((Math.floor(i / DIMENSION) * 7) % 40) * DIMENSION + (i % DIMENSION)]
  })
  return { data, shape: [count, DIMENSION] }
}

const rows = clustered(COUNT, 2)
const queries = clustered(60, 3)

/** Of what a search of all finds, the part that another finds. */
function recall(found: Uint32Array, truth: Uint32Array, k: number): number {
  let hits = 0
  for (let first = 0; first < truth.length; first += k) {
    const wanted = new Set(truth.subarray(first, first + k))
    hits += found.subarray(first, first + k).filter((id) => wanted.has(id)).length
  }
  return hits / truth.length
}

describe.each(METRICS)('lists: %s', (metric) => {
  const flat = createIndex(plainCodec(DIMENSION, metric))
  flat.add(rows)
  const truth = flat.search(queries)

  it('some of them have most of the nearest, all of them have all', () => {
    const index = createIndex(plainCodec(DIMENSION, metric), { lists: 50 })
    index.add(rows)
    const found = [1, 4, undefined, 50].map((probes) =>
      recall(index.search(queries, { probes }).ids.data, truth.ids.data, 10)
    )
    expect(found[1]).toBeGreaterThan(found[0])
    expect(found[2]).toBeGreaterThan(0.95)
    const all = index.search(queries, { probes: 1000 })
    expect(all.ids).toEqual(truth.ids)
    expectSameBits(all.scores.data, truth.scores.data)
  })

  it('are made at the first search or save, of rows enough, by the seed', () => {
    const make = (seed: number) => createIndex(plainCodec(DIMENSION, metric), { lists: 20, seed })
    const [searched, saved, other, few] = [make(0), make(0), make(1), make(0)]
    for (const index of [searched, saved, other]) index.add(rows)
    searched.search(queries)
    expectSameBits(searched.toBytes(), saved.toBytes())
    expect(other.toBytes()).not.toEqual(saved.toBytes())
    few.add({ data: rows.data.subarray(0, 639 * DIMENSION), shape: [639, DIMENSION] })
    expect(few.search(queries, { probes: 1 }).ids).not.toEqual(searched.search(queries, { probes: 1 }).ids)
    expect(openIndex(few.toBytes()).search(queries, { probes: 1 })).toEqual(few.search(queries, { probes: 1 }))
    few.add({ data: rows.data.subarray(639 * DIMENSION), shape: [COUNT - 639, DIMENSION] })
    expectSameBits(few.toBytes(), saved.toBytes())
  })

  it('take codes of few bits, originals, ids; rows come and go', () => {
    const codec = fitCodec(rows, { bits: 2, metric })
    const ids = Array.from({ length: COUNT }, (_, i) => 7 * i)
    const index = createIndex(codec, { lists: 30, originals: 'float32' })
    const plain = createIndex(codec, { originals: 'float32' })
    for (const one of [index, plain]) {
      one.add(rows, { ids })
      one.search(queries)
      expect(one.remove(ids.filter((_, i) => i % 3 === 0))).toBe(COUNT / 3)
      one.add(clustered(500, 5))
    }
    const options = { k: 10, filter: (id: number) => id % 2 === 0 }
    const expected = plain.search(queries, options)
    expect(index.search(queries, { ...options, probes: 30 })).toEqual(expected)
    expect(openIndex(index.toBytes()).search(queries, { ...options, probes: 30 })).toEqual(expected)
    expect(recall(index.search(queries, options).ids.data, expected.ids.data, 10)).toBeGreaterThan(0.95)
  })
})
