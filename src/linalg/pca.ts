import { rangeError, typeError } from '../core/errors.js'
import { checkChoice, checkInteger, checkNumber, checkOptions } from '../core/check.js'
import type { Tensor } from '../core/tensor.js'
import type { Factor } from './gramKind.js'
import { leastRank, lostShares } from './spectrum.js'
import type { Floats } from './matrix.js'
import { decompose } from './svd.js'

export interface PcaOptions {
  /** so many components, 1 .. dimensions (of a sketch: .. directions) */
  rank?: number
  /** the least rank that keeps this share of the sum of squares, in (0, 1] */
  energy?: number
  /** type of the results; default float32 */
  dtype?: 'float32' | 'float64'
}

export interface Pca<T extends Floats = Floats> {
  /**
   * (dimensions, rank): components, orthonormal columns, the greatest first; of each the entry of greatest magnitude,
   * the first of equals, is positive
   */
  v: Tensor<T>
  /** (rank): singular values of the table, less its mean where the Gram is centred */
  s: Tensor<T>
  /** (dimensions): what to take off a row before it is multiplied by `v`; zeros unless the Gram is centred */
  mean: Tensor<T>
  /** (rank): s^2 / (count - 1) */
  variances: Tensor<T>
  rank: number
  /** share of the sum of squares that the components keep; of a sketch at least so much */
  energy: number
  /**
   * of a sketch B of the table X: a bound on |X v|^2 - |B v|^2 for any unit v, to 1e-13 |X|^2. s is that of the sketch
   */
  bound?: number
}

const VERB = 'pca'
/** A share of the squares that sums in f64 cannot tell from none. */
const ROUNDING = 1e-12

/** Checks what `pca` is asked; `most` is the greatest rank there is. */
export function checkPca(options: PcaOptions, most: number): void {
  checkOptions(VERB, options, ['rank', 'energy', 'dtype'])
  const { rank, energy, dtype } = options
  if ((rank === undefined) === (energy === undefined)) {
    throw typeError(`${VERB}: expected exactly one of rank, energy, got ${rank === undefined ? 'none' : 'both'}`)
  }
  if (rank !== undefined) checkInteger(VERB, 'rank', rank, 1, most)
  if (energy !== undefined) checkNumber(VERB, 'energy', energy, Number.MIN_VALUE, 1)
  if (dtype !== undefined) checkChoice(VERB, 'dtype', dtype, ['float32', 'float64'])
}

/** The principal components of X^T X = F F^T: left singular vectors of F. */
export function principal(
  factor: Factor,
  mean: Float64Array,
  count: number,
  { rank: asked, energy, dtype = 'float32' }: PcaOptions
): Pca {
  const dimensions = mean.length
  // As many columns as are asked for, so that the basis is completed.
  const columns = Math.max(factor.columns, asked ?? 1)
  const data = columns === factor.columns ? factor.data : new Float64Array(dimensions * columns)
  if (data !== factor.data) {
    for (let i = 0; i < dimensions; i++) {
      data.set(factor.data.subarray(i * factor.columns, (i + 1) * factor.columns), i * columns)
    }
  }
  const { u, s } = decompose({ name: VERB, data, shape: [dimensions, columns], size: data.length }, Float64Array)
  const k = s.data.length
  const lost = lostShares(s.data)
  let found = 0
  for (let r = k - 1; r >= 0; r--) found += s.data[r]! * s.data[r]!
  // A sketch has lost some of the squares before, where its bound is not 0.
  const before = factor.bound ? found / factor.squares : 1
  const known = before < 1 - ROUNDING ? before : 1
  const share = (rest: number): number => (1 - rest) * known
  const rank = asked ?? leastRank(lost, (rest) => share(rest) >= energy!)
  if (rank < 0) {
    throw rangeError(
      `${VERB}: "energy" ${energy} is more than this sketch has kept, ${known}; ask for less, or use more directions`
    )
  }
  const type = dtype === 'float64' ? Float64Array : Float32Array
  const v = new type(dimensions * rank)
  for (let i = 0; i < dimensions; i++) for (let r = 0; r < rank; r++) v[i * rank + r] = u.data[i * k + r]!
  const vector = (values: Float64Array): Tensor<Floats> => ({ data: new type(values), shape: [values.length] })
  const kept = s.data.subarray(0, rank)
  return {
    v: { data: v, shape: [dimensions, rank] },
    s: vector(kept),
    mean: vector(mean),
    variances: vector(kept.map((x) => (x * x) / Math.max(1, count - 1))),
    rank,
    energy: share(lost[rank]!),
    ...(factor.bound === undefined ? {} : { bound: factor.bound })
  }
}
