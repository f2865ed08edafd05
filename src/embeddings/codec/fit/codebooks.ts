import { frame, type Engine } from '../../engine.js'
import type { Pointer } from '../../../core/memory.js'
import { subspacesOf, type Split } from '../codebooks.js'
import { lookUpRows } from '../kernelCalls.js'
import { loadCentroids, nearest } from '../nearest.js'
import { kmeans } from './kmeans.js'

/**
 * centroids: f32[2^bits * dimension] of rows: f32 (count, dimension), each sub-space by itself.
 * `warm` goes on from the centroids that are there.
 */
export function fitCodebooks(
  engine: Engine,
  centroids: Pointer,
  rows: Pointer,
  count: number,
  split: Split,
  { seed, iterations, warm = false }: { seed: number; iterations: number; warm?: boolean }
): void {
  const { dimensions: stride, bits } = split
  const k = 2 ** bits
  subspacesOf(split).forEach(({ start, width }, stream) => {
    const to = centroids + 4 * k * start
    kmeans(engine, to, rows + 4 * start, count, width, k, { seed, iterations, stride, stream, warm })
  })
}

/** One round of k-means in all sub-spaces. to: f32 (count, dimension), the new centroids that rows are nearest to. */
export function refineCodebooks(
  engine: Engine,
  to: Pointer,
  centroids: Pointer,
  rows: Pointer,
  count: number,
  split: Split
): void {
  const { dimensions: stride, bits } = split
  const k = 2 ** bits
  for (const { start, width } of subspacesOf(split)) {
    frame(engine, (memory, kernels) => {
      const own = centroids + 4 * k * start
      const part = rows + 4 * start
      const numbers = memory.alloc(2 * count)
      const sums = memory.alloc(8 * k * width)
      const counts = memory.alloc(4 * k)
      nearest(engine, numbers, part, count, loadCentroids(engine, own, k, width), { stride })
      memory.f64(sums, k * width).fill(0)
      memory.i32(counts, k).fill(0)
      kernels.sumByNumberF32(sums, counts, part, count, stride, width, numbers)
      kernels.meansByNumberF32(own, sums, counts, k, width)
      // The lower bytes of the numbers are all of them.
      lookUpRows(engine, {
        ...{ rows: to + 4 * start, stride, codes: numbers, step: 2, count },
        ...{ width, words: own, shift: 0, mask: k - 1, add: false }
      })
    })
  }
}
