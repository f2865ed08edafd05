import type { Source } from '../core/tensor.js'
import { decompose, type Svd } from '../linalg/svd.js'

/** The singular value decomposition that all of low rank stands on, in f64. */
export function decomposed(source: Source): Svd<Float64Array<ArrayBuffer>> {
  return decompose(source, Float64Array)
}

/** The singular values alone. */
export function singularValues(source: Source): Float64Array<ArrayBuffer> {
  return decomposed(source).s.data
}

/** How many singular values of a matrix whose longer side is `length` are more than rounding. */
export function numericalRank(s: Float64Array, length: number): number {
  const least = s[0]! * length * 2 ** -52
  return s.filter((value) => value > least).length
}
