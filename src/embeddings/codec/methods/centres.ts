import { frame, type Engine } from '../../../core/engine.js'
import { FormatError } from '../../../core/errors.js'
import type { Tensor } from '../../../core/tensor.js'
import { malformed } from '../../../files/entry.js'
import { kmeans } from '../kmeans.js'
import type { Sample, Tables } from '../quantizer.js'

/** What rows are centred on: their mean, or k centroids as int8 steps from it. */
export interface CentreTables {
  readonly count: number
  readonly tables: {
    readonly mean: Tensor<Float32Array<ArrayBuffer>>
    /** (count, dimension) and (count): a centroid is mean + scale offset; none of one centre */
    readonly offsets?: Tensor<Int8Array<ArrayBuffer>>
    readonly scales?: Tensor<Float32Array<ArrayBuffer>>
  }
}

const ITERATIONS = 16

/** The mean of the rows and, of more than one centre, k-means centroids. */
export function fitCentres(engine: Engine, { rows, count, dimension, seed }: Sample, k: number): CentreTables {
  const { memory } = engine
  const mean = meanOf(memory.f32(rows, count * dimension), count, dimension)
  const shaped = { data: mean, shape: [dimension] }
  if (k === 1) return { count: 1, tables: { mean: shaped } }
  return frame(engine, () => {
    const centroids = memory.alloc(4 * k * dimension)
    kmeans(engine, centroids, rows, count, dimension, k, { seed, iterations: ITERATIONS })
    const exact = memory.f32(centroids, k * dimension)
    const offsets = new Int8Array(k * dimension)
    const scales = new Float32Array(k)
    for (let i = 0; i < k; i++) {
      let most = 0
      for (let j = 0; j < dimension; j++) most = Math.max(most, Math.abs(exact[i * dimension + j]! - mean[j]!))
      const scale = Math.fround(most / 127)
      scales[i] = scale
      if (scale === 0) continue
      for (let j = 0; j < dimension; j++) {
        offsets[i * dimension + j] = Math.round((exact[i * dimension + j]! - mean[j]!) / scale)
      }
    }
    return {
      count: k,
      tables: {
        mean: shaped,
        offsets: { data: offsets, shape: [k, dimension] },
        scales: { data: scales, shape: [k] }
      }
    }
  })
}

/** The centroids that the tables stand for: (count, dimension). */
export function centroidsOf(dimension: number, { count, tables }: CentreTables): Float32Array {
  const { mean, offsets, scales } = tables
  if (!offsets || !scales) return mean.data
  return Float32Array.from(offsets.data, (offset, at) => {
    const row = Math.floor(at / dimension)
    return mean.data[at - row * dimension]! + scales.data[row]! * offset
  }).subarray(0, count * dimension)
}

/** Centres of a codec's file. Throws FormatError. */
export function openCentres(dimension: number, count: unknown, tables: Tables): CentreTables {
  if (!Number.isInteger(count) || (count as number) < 1 || (count as number) > 65536) {
    throw malformed('expected 1 to 65536 centres', count)
  }
  const k = count as number
  const { mean, offsets, scales, ...others } = tables
  const is = (
    table: Tables[string] | undefined,
    type: typeof Float32Array | typeof Int8Array,
    shape: number[]
  ): boolean => table?.data instanceof type && table.shape.join() === shape.join()
  const fits =
    is(mean, Float32Array, [dimension]) &&
    (k === 1 ? !offsets && !scales : is(offsets, Int8Array, [k, dimension]) && is(scales, Float32Array, [k]))
  if (!fits || Object.keys(others).length > 0) {
    throw new FormatError('bad-tensor', `the codec's tables do not fit ${k} centres of ${dimension} dimensions`)
  }
  return { count: k, tables: tables as unknown as CentreTables['tables'] }
}

/** Sums in the order of the rows. */
function meanOf(rows: Float32Array, count: number, dimension: number): Float32Array<ArrayBuffer> {
  const sums = new Float64Array(dimension)
  for (let at = 0; at < rows.length; at += dimension) for (let j = 0; j < dimension; j++) sums[j]! += rows[at + j]!
  return Float32Array.from(sums, (sum) => sum / count)
}
