import { describe, expect, it } from 'vitest'
import { createIndex, fitCodec, openIndex, type CodecOptions, type Metric } from '../../../src/embeddings/index.js'
import { scoreOracle } from '../../oracle/embeddings/search/search.js'
import { expectSameBits } from '../../support/bits.js'
import { hitsOf, METRICS } from '../../support/indices.js'
import { normals } from '../../support/random.js'

const COUNT = 300

/** Rows about a few centroids: neighbours are nearer than strangers. */
function clustered(count: number, dimensions: number, seed: number) {
  const centroids = normals(8 * dimensions, 1)
  const noise = normals(count * dimensions, seed)
  return {
    data: noise.map((x, i) => 0.6 * x + centroids[(Math.floor(i / dimensions) % 8) * dimensions + (i % dimensions)]),
    shape: [count, dimensions]
  }
}

/** What a score may differ from that of the decoded vector by, in parts of |q| |x|: a scan rounds the query. */
const TOLERANCE = 0.05

const CASES: readonly CodecOptions[] = [
  ...[1, 2, 3, 4, 8].map((bits) => ({ method: 'turbo' as const, bits })),
  { method: 'turbo', bits: 2, centroids: 16 },
  ...[1, 2, 5, 8].map((bits) => ({ method: 'rabitq' as const, bits })),
  ...[1, 4].map((bits) => ({ method: 'osq' as const, bits })),
  { method: 'int8' },
  { method: 'float16' },
  { method: 'pq', subspaces: 16 },
  { method: 'opq', subspaces: 16 },
  { method: 'residual' }
]

describe.each(METRICS)('an index of codes: %s', (metric: Metric) => {
  const dimensions = 64
  const rows = clustered(COUNT, dimensions, 2)
  const queries = clustered(16, dimensions, 3)

  it.each(CASES)('finds what their scores say: %o', (options) => {
    const codec = fitCodec(rows, { ...options, metric })
    const index = createIndex(codec)
    const codes = codec.encode(rows)
    index.add({ data: rows.data.subarray(0, 100 * dimensions), shape: [100, dimensions] })
    index.addCodes({
      data: codes.data.subarray(100 * codec.bytesPerVector),
      shape: [COUNT - 100, codec.bytesPerVector]
    })
    const results = index.search(queries, { k: COUNT })
    const decoded = codec.decode(codes).data
    for (let row = 0; row < 16; row++) {
      const query = queries.data.subarray(row * dimensions, (row + 1) * dimensions)
      const hits = hitsOf(results, row)
      expect(new Set(hits.map(({ id }) => id)).size).toBe(COUNT)
      hits.forEach(({ score, id }, i) => {
        const before = hits[i - 1]
        if (before) expect(before.score > score || (before.score === score && before.id < id)).toBe(true)
        const vector = decoded.subarray(id * dimensions, (id + 1) * dimensions)
        const length = Math.sqrt(scoreOracle(query, query, 'dot'))
        const size = metric === 'cosine' ? 1 : length * Math.sqrt(scoreOracle(vector, vector, 'dot'))
        // Decoded vectors are about of unit length where the metric is the cosine.
        const expected =
          metric === 'cosine' ? scoreOracle(query, vector, 'dot') / length : scoreOracle(query, vector, metric)
        if (options.method !== 'osq' && (options.bits ?? 8) > 2) {
          expect(Math.abs(score - expected), `${id}: ${score}, ${expected}`).toBeLessThan(TOLERANCE * 2 * size)
        }
      })
    }
    const few = index.search(queries, { k: 9 })
    for (let row = 0; row < 16; row++) expect(hitsOf(few, row)).toEqual(hitsOf(results, row).slice(0, 9))
  })

  it.each(CASES)('removes, saves and opens: %o', (options) => {
    const codec = fitCodec(rows, { ...options, metric })
    const index = createIndex(codec, { originals: 'int8' })
    index.add(rows)
    const gone = Array.from({ length: 133 }, (_, i) => 2 * i)
    expect(index.remove(gone)).toBe(133)
    const hits = index.search(queries, { k: 20, rescore: false })
    const whole = createIndex(codec)
    whole.add(rows)
    const kept = whole.search(queries, { k: 20, filter: (id) => id > 264 || id % 2 === 1 })
    expect(hits).toEqual(kept)
    const again = openIndex(index.toBytes())
    expect(again.search(queries)).toEqual(index.search(queries))
    expectSameBits(again.toBytes(), index.toBytes())
  })
})
