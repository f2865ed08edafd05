import { rangeError } from '../core/errors.js'
import { defaultEngine, frame } from '../linalg/decompositionEngine.js'
import type { Source, Tensor, TensorLike } from '../core/tensor.js'
import { loadF64, type Floats } from '../linalg/matrix.js'
import type { HalfFormat, IntegerFormat } from '../quantize/formats.js'
import type { Quantized, QuantizedHalf, QuantizedIntegers } from '../quantize/quantized.js'
import { evenExponent, greatest, load } from './algebra.js'
import { outputBasis, plainBasis, type Basis } from './basis.js'
import { fit, floatsOf, problemOf } from './fit.js'
import { prepareLowRank, type LowRankOptions, type LowRankTask, type Quantization } from './options.js'
import { readOutputs } from './outputs.js'
import { leastRank } from '../linalg/spectrum.js'

/** What `lowRank` returns; F is what the factors are: tensors, or, with `quantize`, what that returns. */
export interface LowRank<F = Tensor<Floats>> {
  /** (m, rank); tensors: left singular vectors times the square roots of the singular values */
  u: F
  /** (n, rank); tensors: right singular vectors times the square roots of the singular values; A ~ u vT */
  v: F
  /** with `residual`: A - u vT, quantised; A ~ u vT + residual */
  residual?: Quantized
  rank: number
  /** share of the sum of squares that the rank keeps, before anything is rounded */
  energy: number
  /**
   * |A - u vT - residual| / |A| of the result as returned, Frobenius norms; 0 for a zero matrix.
   * With activations: |(A - u vT - residual) XT| / |A XT|
   */
  relativeError: number
  /** with activations, |A - u vT - residual| / |A| */
  matrixError?: number
  /**
   * all singular values of A (k), descending; with activations, those of A XT, k of them; beyond the type's range
   * infinite
   */
  s: Tensor<Floats>
}

const VERB = 'lowRank'

/**
 * The best approximation of a matrix by two factors of low rank, A ~ u vT. It is the best for given inputs, where these
 * are known. Factors and the rest are quantised where asked.
 *
 * Shapes: (m, n) to u (m, rank), v (n, rank): rank (m + n) numbers in place of m n. f64 input gives f64 factors,
 * anything else f32. Exactly one of rank, energy and maxRelativeError is given.
 * Method: truncated `svd` (C. Eckart and G. Young, 1936). Each factor takes the square roots of the singular values, so
 * that both are of one size when they are quantised. The error is measured on the factors, rounding included.
 * `activations`, `gram`: XT X = l lT by pivoted Cholesky, U the left singular vectors of A l. Then A ~ U UT A is the
 * best for the outputs A XT, and of all such it is the nearest one. A column of X that rounding hides has no weight: at
 * most n ulp of its diagonal entry is left of it, and at most 1/16. The other columns do not matter. The ulp is that of
 * the Gram's type: 2^-52 for f64 and whole numbers, 2^-23 for f32, 2^-10 for f16, 2^-7 for bf16. Ranks beyond that of
 * the outputs are those of the plain SVD of what is left.
 * `quantize`: columns turned to one size (R. B. Bendel and M. R. Mickey, 1978), then each factor in turn solved for by
 * least squares against the other as rounded; never worse than rounding each alone. `residual`: rounded and left to the
 * factors to fit, in turns (as LoftQ, Y. Li et al., 2023). energy and s are those of the matrix; maxRelativeError is
 * met by the least rank that doubling, then halving finds.
 * Error: relativeError exceeds the optimum of the rank by the factors' rounding only (below 1e-6 for f32); it is right
 * to 1e-12, that of outputs to 1e-7.
 *
 * @throws TypeError where not exactly one target is given, or activations and gram; RangeError for a rank outside 1 ..
 * min(m, n), a target outside its range, or an error below what the result can reach (which is named)
 * @throws RangeError for factors or a residual beyond what their format holds, or all below it
 * @throws RangeError for an empty matrix, inputs of another width, and a gram that is none
 * @throws RangeError for NaN or Infinity (the first index is named)
 */
export function lowRank(
  matrix: TensorLike,
  options: LowRankOptions & { quantize: Quantization<IntegerFormat> }
): LowRank<QuantizedIntegers>
export function lowRank(
  matrix: TensorLike,
  options: LowRankOptions & { quantize: Quantization<HalfFormat> }
): LowRank<QuantizedHalf>
export function lowRank(matrix: TensorLike, options: LowRankOptions & { quantize?: undefined }): LowRank
export function lowRank(matrix: TensorLike, options: LowRankOptions): LowRank<Tensor<Floats> | Quantized>
export function lowRank(matrix: TensorLike, options: LowRankOptions): LowRank<Tensor<Floats> | Quantized> {
  const task = prepareLowRank(matrix, options)
  const [basis, result] = solver(task)
  const most = Math.min(...task.source.shape)
  const { rank, energy, maxRelativeError } = task.target
  if (rank !== undefined) return result(rank)
  if (energy !== undefined) return result(leastRank(basis.lost, (rest) => 1 - rest >= energy))
  const target = maxRelativeError!
  // No factors do better than the singular values promise; a residual may.
  const least = task.residual ? 1 : leastRank(basis.lost, (rest) => rest <= target * target)
  return leastResult(least, most, target, result)
}

type Result = LowRank<Tensor<Floats> | Quantized>

/** The best factors, and the result of a rank. */
function solver(task: LowRankTask): [Basis, (rank: number) => Result] {
  const { source } = task
  const outputs = readOutputs(task)
  const type = floatsOf(source)
  const about = (rank: number, { s, lost }: Basis): Pick<Result, 'rank' | 'energy' | 's'> => {
    const values = new type(s.length)
    values.set(s)
    return { rank, energy: 1 - lost[rank]!, s: { data: values, shape: [s.length] } }
  }
  if (!outputs && !task.quantize && !task.residual) {
    const exponent = evenExponent(greatest(source))
    const basis = plainBasis(load(source, -exponent), exponent)
    return [
      basis,
      (rank) => {
        const { u, v } = basis.factors(rank)
        const [left, right] = [new type(u.data.length), new type(v.data.length)]
        left.set(u.data)
        right.set(v.data)
        return {
          u: { data: left, shape: [u.rows, rank] },
          v: { data: right, shape: [v.rows, rank] },
          ...about(rank, basis),
          relativeError: errorOf(source, left, right, rank, exponent)
        }
      }
    ]
  }
  const problem = problemOf(task, outputs)
  const basis = outputs
    ? outputBasis(problem.matrix, problem.exponent, outputs)
    : plainBasis(problem.matrix, problem.exponent)
  return [
    basis,
    (rank) => {
      const { matrixError, ...result } = fit(problem, basis.factors(rank))
      return { ...result, ...(outputs ? { matrixError } : {}), ...about(rank, basis) }
    }
  ]
}

/** The result of the least rank whose error is within the target. Ranks grow until one is, then halve the last step. */
function leastResult(least: number, most: number, target: number, result: (rank: number) => Result): Result {
  let low = least - 1
  let found = result(least)
  let reached = found.relativeError
  for (let step = 1; found.relativeError > target; step *= 2) {
    if (found.rank === most) {
      throw rangeError(
        `${VERB}: "maxRelativeError" ${target} is below what factors of this precision reach, ${reached}; ask for a greater one`
      )
    }
    low = found.rank
    found = result(Math.min(most, low + step))
    reached = Math.min(reached, found.relativeError)
  }
  while (found.rank - low > 1) {
    const tried = result((low + found.rank) >> 1)
    if (tried.relativeError <= target) found = tried
    else low = tried.rank
  }
  return found
}

/** |A - u vT| / |A|, row by row in f64, of A 2^-exponent, so that no square overflows or vanishes. */
function errorOf(source: Source, u: Floats, v: Floats, rank: number, exponent: number): number {
  const [m, n] = source.shape as [number, number]
  return frame(defaultEngine(), (memory, kernels) => {
    const transposed = memory.alloc(8 * rank * n)
    const rows = Math.max(1, Math.min(m, Math.floor(16384 / n)))
    const a = memory.alloc(8 * rows * n)
    const left = memory.alloc(8 * rows * rank)
    const sums = memory.alloc(16)
    const view = memory.f64(transposed, rank * n)
    for (let j = 0; j < n; j++) for (let r = 0; r < rank; r++) view[r * n + j] = v[j * rank + r]!
    memory.f64(sums, 2).fill(0)
    for (let i = 0; i < m; i += rows) {
      const count = Math.min(rows, m - i)
      loadF64(memory, a, source, i * n, count * n)
      memory.f64(left, count * rank).set(u.subarray(i * rank, (i + count) * rank))
      kernels.scaleByPower(a, count * n, -exponent)
      kernels.scaleByPower(left, count * rank, -exponent)
      kernels.residualSquares(sums, a, left, transposed, count, n, rank)
    }
    const [error, signal] = memory.f64(sums, 2)
    return signal ? kernels.sqrtF64(error! / signal) : 0
  })
}
