import { frame, type Engine } from '../../engine.js'
import { FormatError } from '../../../core/errors.js'
import type { Tensor } from '../../../core/tensor.js'
import { malformed } from '../../../files/entry.js'
import { kmeans } from '../kmeans.js'
import type { Sample, Tables } from '../quantizer.js'

/** What rows are centered on: their mean, or k centroids as int8 steps from it. */
export interface CentroidTables {
  readonly count: number
  readonly tables: {
    readonly mean: Tensor<Float32Array<ArrayBuffer>>
    /** (count, dimension) and (count): a centroid is mean + scale offset; none of one centroid */
    readonly offsets?: Tensor<Int8Array<ArrayBuffer>>
    readonly scales?: Tensor<Float32Array<ArrayBuffer>>
  }
}

const ITERATIONS = 16

/** The mean of the rows and, of more than one centroid, k-means centroids. */
export function fitCentroids(engine: Engine, { rows, count, dimensions, seed }: Sample, k: number): CentroidTables {
  const { memory } = engine
  const mean = meanOf(memory.f32(rows, count * dimensions), count, dimensions)
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

/** The centroids that the tables stand for: (count, dimension). */
export function centroidsOf(dimensions: number, { count, tables }: CentroidTables): Float32Array {
  const { mean, offsets, scales } = tables
  if (!offsets || !scales) return mean.data
  return Float32Array.from(offsets.data, (offset, at) => {
    const row = Math.floor(at / dimensions)
    return mean.data[at - row * dimensions]! + scales.data[row]! * offset
  }).subarray(0, count * dimensions)
}

/** Centroids of a codec's file. Throws FormatError. */
export function openCentroids(dimensions: number, count: unknown, tables: Tables): CentroidTables {
  if (!Number.isInteger(count) || (count as number) < 1 || (count as number) > 65536) {
    throw malformed('expected 1 to 65536 centroids', count)
  }
  const k = count as number
  const { mean, offsets, scales, ...others } = tables
  const is = (
    table: Tables[string] | undefined,
    type: typeof Float32Array | typeof Int8Array,
    shape: number[]
  ): boolean => table?.data instanceof type && table.shape.join() === shape.join()
  const fits =
    is(mean, Float32Array, [dimensions]) &&
    (k === 1 ? !offsets && !scales : is(offsets, Int8Array, [k, dimensions]) && is(scales, Float32Array, [k]))
  if (!fits || Object.keys(others).length > 0) {
    throw new FormatError('bad-tensor', `the codec's tables do not fit ${k} centroids of ${dimensions} dimensions`)
  }
  return { count: k, tables: tables as unknown as CentroidTables['tables'] }
}

/** Sums in the order of the rows. */
function meanOf(rows: Float32Array, count: number, dimensions: number): Float32Array<ArrayBuffer> {
  const sums = new Float64Array(dimensions)
  for (let at = 0; at < rows.length; at += dimensions) for (let j = 0; j < dimensions; j++) sums[j]! += rows[at + j]!
  return Float32Array.from(sums, (sum) => sum / count)
}
