import { frame, type Engine } from '../../engine.js'
import type { CentroidTables } from '../methods/centroids.js'
import type { Sample } from './fitter.js'
import { kmeans } from './kmeans.js'

const ITERATIONS = 16

/** The mean of the rows and, of more than one centroid, k-means centroids. */
export function fitCentroids(engine: Engine, { rows, count, dimensions, seed }: Sample, k: number): CentroidTables {
  const { memory } = engine
  const mean = sumUpMean(memory.f32(rows, count * dimensions), count, dimensions)
  const shaped = { data: mean, shape: [dimensions] }
  if (k === 1) return { count: 1, tables: { mean: shaped } }
  return frame(engine, () => {
    const centroids = memory.alloc(4 * k * dimensions)
    kmeans(engine, centroids, rows, count, dimensions, k, { seed, iterations: ITERATIONS })
    const exact = memory.f32(centroids, k * dimensions)
    const offsets = new Int8Array(k * dimensions)
    const scales = new Float32Array(k)
    for (let i = 0; i < k; i++) {
      let most = 0
      for (let j = 0; j < dimensions; j++) most = Math.max(most, Math.abs(exact[i * dimensions + j]! - mean[j]!))
      const scale = Math.fround(most / 127)
      scales[i] = scale
      if (scale === 0) continue
      for (let j = 0; j < dimensions; j++) {
        offsets[i * dimensions + j] = Math.round((exact[i * dimensions + j]! - mean[j]!) / scale)
      }
    }
    return {
      count: k,
      tables: {
        mean: shaped,
        offsets: { data: offsets, shape: [k, dimensions] },
        scales: { data: scales, shape: [k] }
      }
    }
  })
}

/** The mean of rows, summed in their order. */
function sumUpMean(rows: Float32Array, count: number, dimensions: number): Float32Array<ArrayBuffer> {
  const sums = new Float64Array(dimensions)
  for (let at = 0; at < rows.length; at += dimensions) for (let j = 0; j < dimensions; j++) sums[j]! += rows[at + j]!
  return Float32Array.from(sums, (sum) => sum / count)
}
