import type { Source, Tensor } from '../core/tensor.js'
import { decompose, type Svd } from '../linalg/svd.js'
import type { Dense } from './algebra.js'

/** The singular value decomposition that all of low rank stands on, in f64. */
export function decomposed(source: Source): Svd<Float64Array<ArrayBuffer>> {
  return decompose(source, Float64Array)
}

/** The singular values alone. */
export function singularValues(source: Source): Float64Array<ArrayBuffer> {
  return decomposed(source).s.data
}

export function asDense({ data, shape }: Tensor<Float64Array<ArrayBuffer>>): Dense {
  return { data, rows: shape[0]!, columns: shape[1]! }
}

export function asSource(name: string, { data, rows, columns }: Dense): Source {
  return { name, data, shape: [rows, columns], size: data.length }
}

/** How many singular values of a matrix whose longer side is `length` are more than rounding. */
export function numericalRank(s: Float64Array, length: number): number {
  const least = s[0]! * length * 2 ** -52
  return s.filter((value) => value > least).length
}

/** lost[r] = share of the sum of squares beyond the first r singular values; summed from the small end. */
export function lostShares(s: Float64Array): Float64Array {
  const scale = s[0]! || 1
  const tails = new Float64Array(s.length + 1)
  for (let r = s.length - 1; r >= 0; r--) {
    const share = s[r]! / scale
    tails[r] = tails[r + 1]! + share * share
  }
  return tails.map((tail) => (tails[0] ? tail / tails[0] : 0))
}

/** The least rank, at least 1, beyond which so little is lost that it is enough. */
export function leastRank(lost: Float64Array, enough: (rest: number) => boolean): number {
  return lost.findIndex((rest, r) => r > 0 && enough(rest))
}
