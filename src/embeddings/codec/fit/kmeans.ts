import { frame, type Engine } from '../../engine.js'
import type { Pointer } from '../../../core/memory.js'
import { nearest, packCentroids, roomForCentroids, type PackedCentroids } from '../nearest.js'

export interface KmeansOptions {
  seed: number
  /** rounds of assigning and averaging; fewer where nothing changes any more */
  iterations: number
  /** numbers from one row to the next; default `dimensions` */
  stride?: number
  /** one of many independent choices of first rows for a seed; default 0 */
  stream?: number
  /** go on from the centroids that are there; default false: from rows chosen by seed and stream */
  warm?: boolean
}

/** Streams of random numbers from here on choose the first rows. */
const STREAMS = 1 << 20
/** What an empty cluster's centroid and its donor's are moved apart by, of their distance from the middle. */
const SPLIT = 1 / 1024
/**
 * The k centroids of Lloyd's iteration (S. P. Lloyd, IEEE Trans. Inf. Theory 28, 1982), from k rows chosen by the seed.
 * Ties go to the lowest number; sums run in f64 over the rows in order. An empty cluster takes half of the cluster with
 * the largest error (ties: lowest number); the two centroids are nudged apart.
 *
 * centroids: f32 (k, dimension), written; rows: f32 (count, stride), finite, count >= k.
 */
export function kmeans(
  engine: Engine,
  centroids: Pointer,
  rows: Pointer,
  count: number,
  dimensions: number,
  k: number,
  { seed, iterations, stride = dimensions, stream = 0, warm = false }: KmeansOptions
): void {
  frame(engine, (memory, kernels) => {
    if (!warm) {
      chooseRows(engine, count, k, seed, stream).forEach((row, i) => {
        memory.f32(centroids + 4 * i * dimensions, dimensions).set(memory.f32(rows + 4 * row * stride, dimensions))
      })
    }
    const numbers = memory.alloc(2 * count)
    memory.u16(numbers, count).fill(0xffff)
    const sums = memory.alloc(8 * k * dimensions)
    const counts = memory.alloc(4 * k)
    const packed = roomForCentroids(engine, k, dimensions)
    for (let round = 0; round < iterations; round++) {
      packCentroids(engine, packed, centroids)
      if (nearest(engine, numbers, rows, count, packed, { stride }) === 0) break
      memory.f64(sums, k * dimensions).fill(0)
      memory.i32(counts, k).fill(0)
      kernels.sumByNumberF32(sums, counts, rows, count, stride, dimensions, numbers)
      kernels.meansByNumberF32(centroids, sums, counts, k, dimensions)
      if (memory.i32(counts, k).includes(0)) {
        const errors = sums
        memory.f64(errors, k).fill(0)
        kernels.errorsByNumberF32(errors, rows, count, stride, dimensions, numbers, centroids)
        refill(engine, centroids, counts, errors, packed)
      }
    }
  })
}

/** k of the numbers below count, all different: the first of a shuffle (R. A. Fisher and F. Yates, 1938). */
export function chooseRows(engine: Engine, count: number, k: number, seed: number, stream: number): Uint32Array {
  return frame(engine, (memory, kernels) => {
    const uniforms = memory.alloc(8 * k)
    kernels.randomUniforms(uniforms, k, 1, seed, STREAMS + stream, 0)
    const order = Uint32Array.from({ length: count }, (_, i) => i)
    memory.f64(uniforms, k).forEach((uniform, i) => {
      const other = Math.min(i + Math.floor(((uniform + 1) / 2) * (count - i)), count - 1)
      const row = order[other]!
      order[other] = order[i]!
      order[i] = row
    })
    return order.subarray(0, k)
  })
}

/** Gives each empty cluster half of the one with the greatest error. */
function refill(
  { memory }: Engine,
  centroids: Pointer,
  counts: Pointer,
  errors: Pointer,
  { k, dimensions, shift }: PackedCentroids
): void {
  const sizes = memory.i32(counts, k)
  const left = memory.f64(errors, k)
  const middle = memory.f32(shift, dimensions)
  for (let empty = sizes.indexOf(0); empty >= 0; empty = sizes.indexOf(0, empty + 1)) {
    let donor = 0
    for (let i = 1; i < k; i++) if (left[i]! > left[donor]!) donor = i
    if (left[donor] === 0) return
    left[donor]! /= 2
    left[empty] = left[donor]!
    const from = memory.f32(centroids + 4 * donor * dimensions, dimensions)
    const to = memory.f32(centroids + 4 * empty * dimensions, dimensions)
    for (let j = 0; j < dimensions; j++) {
      const x = from[j]!
      const apart = (j & 1 ? -SPLIT : SPLIT) * (x - middle[j]!)
      from[j] = x - apart
      to[j] = x + apart
    }
  }
}
