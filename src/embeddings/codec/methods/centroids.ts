import { FormatError } from '../../../core/errors.js'
import type { Tensor } from '../../../core/tensor.js'
import { malformed } from '../../../files/entry.js'
import type { Tables } from '../quantizer.js'

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
