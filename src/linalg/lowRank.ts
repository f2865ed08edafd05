import { checkInteger, checkNumber, checkOptions, isArrayOf } from '../core/check.js'
import { defaultEngine, frame } from '../core/engine.js'
import type { Source, Tensor, TensorLike } from '../core/tensor.js'
import { loadF64, readMatrix, type Floats } from './matrix.js'
import { decompose, type Svd } from './svd.js'

export interface LowRankOptions {
  /** so many singular values are kept, 1 .. min(m, n) */
  rank?: number
  /** the least rank that keeps this share of the sum of squares, in (0, 1] */
  energy?: number
  /** the least rank whose factors, as returned, are within this relative Frobenius error, in [0, 1] */
  maxRelativeError?: number
}

export interface LowRank<T extends Floats = Floats> {
  /** (m, rank): left singular vectors times the square roots of the singular values */
  u: Tensor<T>
  /** (n, rank): right singular vectors times the square roots of the singular values; A ~ u vT */
  v: Tensor<T>
  rank: number
  /** share of the sum of squares that the rank keeps */
  energy: number
  /** |A - u vT| / |A| of the factors as returned, Frobenius norms; 0 for a zero matrix */
  relativeError: number
  /** all singular values of A (k), descending */
  s: Tensor<T>
}

const VERB = 'lowRank'

/**
 * The best approximation of a matrix by two factors of low rank, A ~ u vT.
 *
 * Shapes: (m, n) to u (m, rank), v (n, rank): rank (m + n) numbers in place of m n. f64 input gives f64 factors, anything else f32.
 * Exactly one of rank, energy and maxRelativeError is given.
 * Method: truncated `svd` (C. Eckart and G. Young, 1936), each factor with the square roots of the singular values, so that both are
 * of one size when they are quantised next. The error is measured on the factors, rounding included.
 * Error: relativeError exceeds the optimum of the rank by the factors' rounding only (below 1e-6 for f32).
 *
 * @throws TypeError where not exactly one target is given; RangeError for a rank outside 1 .. min(m, n), a target outside its range, an
 * error below what the factors' precision can reach, an empty matrix, NaN or Infinity (the first index is named)
 */
export function lowRank(matrix: TensorLike, options: LowRankOptions): LowRank {
  const source = prepareLowRank(matrix, options)
  const most = Math.min(...source.shape)
  const { rank, energy, maxRelativeError } = options
  const full = decompose(source, Float64Array)
  const lost = lostShares(full.s.data)
  const type: new (length: number) => Floats = isArrayOf(source.data, Float64Array) ? Float64Array : Float32Array
  if (rank !== undefined) return factors(source, full, rank, lost, type)
  if (energy !== undefined) {
    return factors(
      source,
      full,
      leastRank(lost, (rest) => 1 - rest >= energy),
      lost,
      type
    )
  }

  const target = maxRelativeError!
  // What the singular values promise; where rounding has eaten the last of it, the least rank beyond that still meets the target.
  let low = leastRank(lost, (rest) => rest <= target * target)
  let result = factors(source, full, low, lost, type)
  if (result.relativeError > target && low < most) {
    let high = most
    result = factors(source, full, high, lost, type)
    while (result.relativeError <= target && high - low > 1) {
      const middle = (low + high) >> 1
      const tried = factors(source, full, middle, lost, type)
      if (tried.relativeError <= target) {
        high = middle
        result = tried
      } else low = middle
    }
  }
  if (result.relativeError > target) {
    throw new RangeError(
      `${VERB}: "maxRelativeError" ${target} is below what factors of this precision reach, ${result.relativeError}; ask for a greater one`
    )
  }
  return result
}

/** Reads and checks what `lowRank` is asked. */
export function prepareLowRank(matrix: TensorLike, options: LowRankOptions): Source {
  checkOptions(VERB, options, ['rank', 'energy', 'maxRelativeError'])
  const given = (['rank', 'energy', 'maxRelativeError'] as const).filter((name) => options[name] !== undefined)
  if (given.length !== 1) {
    throw new TypeError(
      `${VERB}: expected exactly one of rank, energy, maxRelativeError, got ${given.join(' and ') || 'none'}`
    )
  }
  const source = readMatrix(VERB, matrix)
  const most = Math.min(...source.shape)
  if (most === 0)
    throw new RangeError(`${source.name} expected a matrix with elements, got shape [${source.shape.join(', ')}]`)
  const { rank, energy, maxRelativeError } = options
  if (rank !== undefined) checkInteger(VERB, 'rank', rank, 1, most)
  if (energy !== undefined) checkNumber(VERB, 'energy', energy, Number.MIN_VALUE, 1)
  if (maxRelativeError !== undefined) checkNumber(VERB, 'maxRelativeError', maxRelativeError, 0, 1)
  return source
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

function factors<T extends Floats>(
  source: Source,
  { u, s, v }: Svd<Float64Array<ArrayBuffer>>,
  rank: number,
  lost: Float64Array,
  type: new (length: number) => T
): LowRank<T> {
  const { sqrtF64 } = defaultEngine().kernels
  const roots = s.data.subarray(0, rank).map((value) => sqrtF64(value))
  const cut = (full: Tensor<Float64Array<ArrayBuffer>>): Tensor<T> => {
    const [length, k] = full.shape as [number, number]
    const data = new type(length * rank)
    for (let i = 0; i < length; i++) {
      for (let r = 0; r < rank; r++) data[i * rank + r] = full.data[i * k + r]! * roots[r]!
    }
    return { data, shape: [length, rank] }
  }
  const left = cut(u)
  const right = cut(v)
  const values = new type(s.data.length)
  values.set(s.data)
  return {
    u: left,
    v: right,
    rank,
    energy: 1 - lost[rank]!,
    relativeError: residual(source, left.data, right.data, rank, s.data[0]!),
    s: { data: values, shape: [s.data.length] }
  }
}

/** |A - u vT| / |A|, row by row in f64, scaled by a power of two so that no square of A overflows or vanishes. */
function residual(source: Source, u: Floats, v: Floats, rank: number, largest: number): number {
  const [m, n] = source.shape as [number, number]
  return frame(defaultEngine(), (memory, kernels) => {
    const transposed = memory.alloc(8 * rank * n)
    const rows = Math.max(1, Math.min(m, Math.floor(16384 / n)))
    const a = memory.alloc(8 * rows * n)
    const left = memory.alloc(8 * rows * rank)
    const sums = memory.alloc(16)
    const view = memory.f64(transposed, rank * n)
    for (let j = 0; j < n; j++) for (let r = 0; r < rank; r++) view[r * n + j] = v[j * rank + r]!
    memory.f64(sums, 1)[0] = largest
    const exponent = -kernels.unitExponent(sums, 1)
    memory.f64(sums, 2).fill(0)
    for (let i = 0; i < m; i += rows) {
      const count = Math.min(rows, m - i)
      loadF64(memory, a, source, i * n, count * n)
      memory.f64(left, count * rank).set(u.subarray(i * rank, (i + count) * rank))
      kernels.scaleByPower(a, count * n, exponent)
      kernels.scaleByPower(left, count * rank, exponent)
      kernels.residualSquares(sums, a, left, transposed, count, n, rank)
    }
    const [error, signal] = memory.f64(sums, 2)
    return signal ? kernels.sqrtF64(error! / signal) : 0
  })
}
