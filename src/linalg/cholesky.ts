import { rangeError, typeError } from '../core/errors.js'
import { timesPower } from '../core/powers.js'
import { checkBoolean, checkNumber, checkOptions } from '../core/check.js'
import { defaultEngine, frame, type Kernels } from './decompositionEngine.js'
import type { Memory, Pointer } from '../core/memory.js'
import { nonFiniteF64Error, type Source, type Tensor, type TensorLike } from '../core/tensor.js'
import { floatsFor, loadRows, loadScaled, readSquare, takeScaled, ulpOf } from './dense.js'
import { NOT_FINITE, type Floats } from './matrix.js'

export interface CholeskyOptions {
  /**
   * default false: the matrix has to be positive definite. true: semidefinite will do, the greatest of the diagonal
   * comes first
   */
  pivot?: boolean
  /**
   * with `pivot`: what is left of the diagonal counts as zero at or below this; default n ulp times its greatest entry
   */
  tolerance?: number
}

export interface Cholesky<T extends Floats = Floats> {
  /** the factor, zeros above its diagonal, which is positive: (n, n), with `pivot` (n, rank) */
  l: Tensor<T>
  /** with `pivot`: A[pivots, pivots] = l lT */
  pivots?: Uint32Array<ArrayBuffer>
  /** with `pivot`: columns of l */
  rank?: number
}

const VERB = 'cholesky'

/**
 * Cholesky factor of a symmetric positive definite matrix, A = l lT, or with `pivot` of a semidefinite one, A[pivots,
 * pivots] = l lT.
 *
 * Shapes: (n, n) to l (n, n), with `pivot` l (n, rank), pivots (n). f64 input (and nested arrays) gives f64 results,
 * anything else f32; the work is in f64, of the lower triangle. Default tolerance: n ulp max(diagonal), ulp that of the
 * input's type: 2^-52, 2^-23, 2^-10, 2^-7 for f64 and whole numbers, f32, f16, bf16. Pivots are the first of equals.
 * Method: blocked, right-looking (LAPACK dpotrf.f); with `pivot` complete pivoting (dpstrf.f; N. J. Higham, Accuracy
 * and Stability of Numerical Algorithms, 10.3), after which what is left has to be no greater than the tolerance
 * allows.
 * Error: |A - l lT| at most (n + 1) 2^-53 of the product of the magnitudes, with `pivot` and n - rank times the
 * tolerance (docs/numerics.md). What underflows beside that: a part 2^-1022 of sqrt(a[i][i] a[j][j]), with `pivot` of
 * the greatest entry.
 *
 * @throws RangeError for a matrix that is not square, not symmetric (beyond 1024 ulp of the greatest entry; the first
 * index is named), not positive definite (semidefinite with `pivot`), for NaN or Infinity (the first index is named);
 * TypeError for `tolerance` without `pivot`
 * @throws MemoryLimitError where the matrix (about 8 n^2 bytes) does not fit
 */
export function cholesky(matrix: TensorLike, options: CholeskyOptions = {}): Cholesky {
  const source = prepareCholesky(matrix, options)
  const { pivot = false, tolerance } = options
  const n = source.shape[0]!
  const type = floatsFor(source)
  return frame(defaultEngine(), (memory, kernels): Cholesky => {
    const a = memory.alloc(8 * n * n)
    if (!pivot) {
      loadRows(memory, a, n, source, 0, n)
      const peak = kernels.unitExponent(a, n * n)
      if (peak === NOT_FINITE) throw nonFiniteF64Error(source)
      checkSymmetric(source, memory, kernels, a, peak)
      const exponents = equilibrate(memory, kernels, a, n)
      const done = factorInPlace(memory, kernels, a, n, n)
      if (done < n) {
        throw rangeError(
          `${source.name} expected a positive definite matrix, got one whose first ${done + 1} rows and columns are not (index ${done}); ` +
            'use { pivot: true } where it is semidefinite, or add to its diagonal'
        )
      }
      kernels.clearUpper(a, n, n)
      exponents.forEach((exponent, i) => kernels.scaleByPower(a + 8 * n * i, i + 1, exponent))
      return { l: takeScaled(memory, kernels, type, a, n, n, n) }
    }

    const exponent = loadScaled(memory, kernels, a, n, source, true)
    checkSymmetric(source, memory, kernels, a, 0)
    const own = memory.alloc(8)
    memory.f64(own, 1)[0] = tolerance ?? 0
    kernels.scaleByPower(own, 1, -exponent)
    const noise = n * ulpOf(source) * greatestDiagonal(memory, a, n, n)
    const least = tolerance === undefined ? noise : memory.f64(own, 1)[0]!
    const order = memory.alloc(4 * n)
    const { rank } = factorPivotedInPlace(memory, kernels, a, n, n, order, { tolerance: least })
    checkRemainder(source, memory, a, order, rank, 16 * Math.max(least, noise))
    kernels.clearUpper(a, n, n)
    const l = { data: new type(n * rank), shape: [n, rank] }
    kernels.scaleByPower(a, n * n, exponent / 2)
    for (let i = 0; i < n; i++) l.data.set(memory.f64(a + 8 * n * i, rank), i * rank)
    return { l, pivots: memory.u32(order, n).slice(), rank }
  })
}

/** Reads and checks what `cholesky` is asked. */
export function prepareCholesky(matrix: unknown, options: CholeskyOptions = {}): Source {
  checkOptions(VERB, options, ['pivot', 'tolerance'])
  const { pivot, tolerance } = options
  if (pivot !== undefined) checkBoolean(VERB, 'pivot', pivot)
  if (tolerance !== undefined) {
    checkNumber(VERB, 'tolerance', tolerance, 0, Number.MAX_VALUE)
    if (!pivot) throw typeError(`${VERB}: "tolerance" expected with pivot: true, got it without; leave it out`)
  }
  return readSquare(VERB, 'matrix', matrix)
}

/**
 * Factors the lower triangle of a: f64[n][ld] in place, A = L LT; what stands above the diagonal is lost. The entries
 * are to be far from the ends of f64's range. Returns n, or the first index whose pivot is not above 0.
 */
export function factorInPlace(memory: Memory, kernels: Kernels, a: Pointer, ld: number, n: number): number {
  return memory.frame(() => {
    const done = kernels.choleskyF64(a, ld, n, memory.alloc(kernels.choleskyWork(n)))
    return done
  })
}

export interface PivotedFactor {
  /** columns of L */
  rank: number
  /** trace of A - L LT, not negative */
  rest: number
}

/**
 * Factors the lower triangle of a positive semidefinite a: f64[n][ld] in place: A[order, order] = L LT, order: i32[n].
 * L is what the first `rank` columns hold on and below the diagonal. It ends where the greatest remaining diagonal
 * entry is at most `tolerance` (default n 2^-52 of the greatest) or after `most` columns.
 */
export function factorPivotedInPlace(
  memory: Memory,
  kernels: Kernels,
  a: Pointer,
  ld: number,
  n: number,
  order: Pointer,
  { tolerance, most = n }: { tolerance?: number; most?: number } = {}
): PivotedFactor {
  const least = tolerance ?? n * 2 ** -52 * greatestDiagonal(memory, a, ld, n)
  return memory.frame(() => {
    const left = memory.alloc(8 * n + 32)
    const work = memory.alloc(kernels.choleskyWork(n))
    const rank = kernels.pivotedCholeskyF64(a, ld, n, order, left, least, most, work)
    let rest = 0
    for (const entry of memory.f64(left, n)) rest += Math.max(0, entry)
    return { rank, rest }
  })
}

/** Not below 0. */
function greatestDiagonal(memory: Memory, a: Pointer, ld: number, n: number): number {
  let top = 0
  const view = memory.f64(a, n ? (n - 1) * ld + n : 0)
  for (let i = 0; i < n; i++) top = Math.max(top, view[i * (ld + 1)]!)
  return top
}

/**
 * The lower triangle of a: f64[n][n] becomes D A D, whose diagonal is in [.25, 1). Rows of any size are then equally
 * far from the ends of the range. D is of powers of two, so that the factor is D L to the last bit. Returns the
 * exponents of 1 / D.
 */
function equilibrate(memory: Memory, kernels: Kernels, a: Pointer, n: number): Int32Array {
  return memory.frame(() => {
    const factors = memory.alloc(8 * n)
    memory.f64(factors, n).fill(1)
    const exponents = Int32Array.from({ length: n }, (_, i) => {
      const exponent = Math.ceil(kernels.unitExponent(a + 8 * (n + 1) * i, 1) / 2)
      kernels.scaleByPower(factors + 8 * i, 1, -exponent)
      return exponent
    })
    const f = memory.f64(factors, n)
    for (let i = 0; i < n; i++) {
      const row = memory.f64(a + 8 * n * i, i + 1)
      const own = f[i]!
      // The greater factor first: what is definite does not overflow on the way, and what is small does not underflow.
      for (let j = 0; j <= i; j++) row[j] = own > f[j]! ? row[j]! * own * f[j]! : row[j]! * f[j]! * own
    }
    return exponents
  })
}

function checkSymmetric(source: Source, memory: Memory, kernels: Kernels, a: Pointer, exponent: number): void {
  const at = asymmetryOf(source, memory, kernels, a, exponent)
  if (!at) return
  const [i, j] = at
  throw rangeError(
    `${source.name} expected a symmetric matrix, got [${i}, ${j}] that differs from [${j}, ${i}] by more than rounding; ` +
      'average it with its transpose'
  )
}

/**
 * Where a source, loaded to a: f64[n][n], is first not symmetric. 2^exponent is above the greatest entry and at most 4
 * times as great. Entries that a sum in another order, or in another type's rounding, sets apart are taken for equal:
 * 1024 ulp, or 4 of a 16-bit float.
 */
export function asymmetryOf(
  source: Source,
  memory: Memory,
  kernels: Kernels,
  a: Pointer,
  exponent = 0
): [number, number] | undefined {
  const n = source.shape[0]!
  const ulp = ulpOf(source)
  const most = timesPower(ulp * (ulp >= 2 ** -10 ? 4 : 1024), exponent)
  if (!kernels.isAsymmetric(a, n, n, most)) return undefined
  const view = memory.f64(a, n * n)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      if (Math.abs(view[i * n + j]! - view[j * n + i]!) > most) return [i, j]
    }
  }
  return undefined
}

/** What is left of a semidefinite matrix is as small as its diagonal. */
function checkRemainder(source: Source, memory: Memory, a: Pointer, order: Pointer, rank: number, most: number): void {
  const n = source.shape[0]!
  for (let i = rank; i < n; i++) {
    const row = a + 8 * (n * i + rank)
    if (memory.f64(row, i - rank + 1).every((entry) => Math.abs(entry) <= most)) continue
    const index = memory.u32(order, n)[i]!
    throw rangeError(
      `${source.name} expected a positive semidefinite matrix, got one that is indefinite: what is left of row ${index} after ${rank} pivots is ` +
        'no rounding error; add to its diagonal'
    )
  }
}
