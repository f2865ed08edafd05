import { coding } from '../../src/embeddings/codec/coding.js'
import { expect } from 'vitest'
import { codecOf, type Codec } from '../../src/embeddings/codec/codec.js'
import { createFront } from '../../src/embeddings/codec/front.js'
import { openFloat32 } from '../../src/embeddings/codec/methods/floats.js'
import type { Metric } from '../../src/embeddings/codec/quantizer.js'
import type { SearchResult } from '../../src/embeddings/search/searchResult.js'
import type { PlainHit } from '../oracle/embeddings/search/search.js'
import { index, seeded } from './random.js'

export const METRICS: readonly Metric[] = ['cosine', 'dot', 'l2']

/** A codec that keeps vectors as they are: what an index finds by it is exact. */
export function plainCodec(dimensions: number, metric: Metric): Codec {
  const quantizer = openFloat32(dimensions, metric, {}, {})
  return codecOf({ front: createFront(dimensions, metric), quantizer, seed: 0 }, coding)
}

/** Vectors of few small whole numbers, whose products are exact and often equal. */
export function wholeVectors(count: number, dimensions: number, seed: number): number[][] {
  const random = seeded(seed)
  return Array.from({ length: count }, () => Array.from({ length: dimensions }, () => index(random, 5) - 2))
}

export function flat(vectors: readonly ArrayLike<number>[], dimensions: number) {
  const data = new Float32Array(vectors.length * dimensions)
  vectors.forEach((vector, i) => data.set(vector, i * dimensions))
  return { data, shape: [vectors.length, dimensions] }
}

export function hitsOf({ ids, scores, counts }: SearchResult, row = 0): PlainHit[] {
  const k = ids.shape[1]
  return Array.from({ length: counts[row] }, (_, i) => ({ id: ids.data[row * k + i], score: scores.data[row * k + i] }))
}

/** The same rows in the same order; scores to within `tolerance`, behind which equal ones may change places. */
export function expectHits(actual: readonly PlainHit[], expected: readonly PlainHit[], tolerance = 0): void {
  if (tolerance === 0) {
    expect(actual).toEqual(expected)
    return
  }
  expect(actual.length).toBe(expected.length)
  actual.forEach(({ score }, i) => expect(Math.abs(score - expected[i].score)).toBeLessThanOrEqual(tolerance))
  const known = new Map(expected.map(({ id, score }) => [id, score]))
  const last = expected.at(-1)?.score ?? 0
  for (const { id, score } of actual) {
    if (!known.has(id)) expect(Math.abs(score - last)).toBeLessThanOrEqual(2 * tolerance)
    else expect(Math.abs(score - known.get(id)!)).toBeLessThanOrEqual(tolerance)
  }
}
