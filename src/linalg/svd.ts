import { rangeError } from '../core/errors.js'
import { checkChoice, checkOptions, isArrayOf } from '../core/check.js'
import { defaultEngine, frame } from './decompositionEngine.js'
import { partOf, readTensor, sizeOf, type Source, type Tensor, type TensorLike } from '../core/tensor.js'
import { decomposeInto, type Outcome } from './decompose.js'
import { makeRoom } from './decomposeRoom.js'
import type { Floats } from './matrix.js'

export interface SvdOptions {
  /** type of the results; default: float64 for f64 data and nested arrays, otherwise float32 */
  dtype?: 'float32' | 'float64'
}

export interface Svd<T extends Floats = Floats> {
  /** left singular vectors (..., m, k), k = min(m, n), orthonormal columns */
  u: Tensor<T>
  /** singular values (..., k), descending, not negative */
  s: Tensor<T>
  /** right singular vectors (..., n, k): A = u diag(s) vT */
  v: Tensor<T>
  /** Jacobi sweeps taken, the last one without a rotation; of several matrices the most */
  sweeps: number
  /** false when 30 sweeps were not enough; the factors are then as far as they got */
  converged: boolean
  /**
   * the greatest |x . y| / (|x| |y|) that the last sweep has met between two columns: at most sqrt(k) 2^-53 where it
   * has converged
   */
  offDiagonal: number
}

/**
 * Singular value decomposition of a matrix, or of each of many, A = u diag(s) vT.
 *
 * Shapes: (..., m, n) to u (..., m, k), s (..., k), v (..., n, k) with k = min(m, n); columns are orthonormal also
 * where A is rank-deficient. f64 input (and nested arrays) gives f64 results, anything else f32, unless `dtype` says
 * otherwise; the work is in f64. Signs: the entry of greatest magnitude of each left vector, the first of equals, is
 * positive.
 * Method: rows in order of size, QR with column pivoting and QR of its triangle. One-sided Jacobi solves what remains
 * (Z. Drmac and K. Veselic, SIAM J. Matrix Anal. Appl. 29, 2008), started from the eigenvectors of the triangle's Gram
 * matrix where its diagonal spans less than 1e15, rotating while |x . y| > sqrt(k) 2^-53 |x| |y|, at most 30 sweeps as
 * LAPACK's dgesvj.f.
 * Error: LAPACK's residual and orthogonality ratios stay below 10; each singular value of a matrix whose rows or
 * columns are scaled, however far apart, is right to 100 k 2^-52 (docs/numerics.md). Singular values below 1e-145 of
 * the greatest are 0, and one beyond the results' type is Infinity.
 *
 * @throws TypeError for an unknown option; RangeError for a shape of fewer than two dimensions, NaN or Infinity (the
 * first index is named)
 * @throws MemoryLimitError where the matrix and its factors (about 16 m k + 56 k^2 bytes) do not fit
 */
export function svd(matrix: TensorLike, options: SvdOptions = {}): Svd {
  const { source, type } = prepareSvd(matrix, options)
  return decompose<Floats>(source, type)
}

type FloatsOf<T> = new (length: number) => T

/** Reads and checks what `svd` is asked. */
export function prepareSvd(matrix: TensorLike, options: SvdOptions = {}): { source: Source; type: FloatsOf<Floats> } {
  checkOptions('svd', options, ['dtype'])
  const source = readTensor('svd', 'matrix', matrix)
  if (source.shape.length < 2) {
    throw rangeError(
      `${source.name} expected a shape of two dimensions or more, (..., m, n), got [${source.shape.join(', ')}]`
    )
  }
  const { dtype } = options
  if (dtype !== undefined) checkChoice('svd', 'dtype', dtype, ['float32', 'float64'])
  const wide = dtype === undefined ? isArrayOf(source.data, Float64Array) : dtype === 'float64'
  return { source, type: wide ? Float64Array : Float32Array }
}

/** Room for the decompositions of a source (..., m, n). */
export function emptySvd<T extends Floats>({ shape }: Source, type: FloatsOf<T>): Svd<T> {
  const batch = shape.slice(0, -2)
  const [rows, columns] = shape.slice(-2) as [number, number]
  const k = Math.min(rows, columns)
  const tensor = (...own: number[]): Tensor<T> => {
    const whole = [...batch, ...own]
    return { data: new type(sizeOf(whole)), shape: whole }
  }
  return {
    u: tensor(rows, k),
    s: tensor(k),
    v: tensor(columns, k),
    sweeps: 0,
    converged: true,
    offDiagonal: 0
  }
}

/** Puts the decompositions of some matrices of a batch into place, from matrix `first` on. */
export function mergeSvd(whole: Svd, part: Svd, first: number): void {
  const count = sizeOf(part.s.shape.slice(0, -1))
  for (const name of ['u', 's', 'v'] as const) {
    whole[name].data.set(part[name].data, first * (part[name].data.length / count))
  }
  noteOutcome(whole, part)
}

function noteOutcome(whole: Svd, { sweeps, converged, offDiagonal }: Outcome): void {
  whole.sweeps = Math.max(whole.sweeps, sweeps)
  whole.converged &&= converged
  whole.offDiagonal = Math.max(whole.offDiagonal, offDiagonal)
}

/** The decomposition of each matrix of a source (..., m, n). */
export function decompose<T extends Floats>(source: Source, type: FloatsOf<T>): Svd<T> {
  const [rows, columns] = source.shape.slice(-2) as [number, number]
  const k = Math.min(rows, columns)
  const result = emptySvd(source, type)
  const { u, s, v } = result
  if (v.data.length === 0) return result
  frame(defaultEngine(), (memory, kernels) => {
    const room = makeRoom(memory, kernels, Math.max(rows, columns), k)
    const part = (data: T, i: number, size: number): T => data.subarray(i * size, (i + 1) * size) as T
    const count = s.data.length / k
    for (let i = 0; i < count; i++) {
      const one = count === 1 ? { ...source, shape: [rows, columns] } : matrixOf(source, i, rows, columns)
      const into = [part(u.data, i, rows * k), part(s.data, i, k), part(v.data, i, columns * k)] as const
      noteOutcome(result, decomposeInto(memory, kernels, room, one, ...into))
    }
  })
  return result
}

/** Matrix i of a source (..., rows, columns). */
function matrixOf(source: Source, i: number, rows: number, columns: number): Source {
  const part = partOf(source, i * rows * columns, rows * columns, [rows, columns])
  return { ...part, first: (source.first ?? 0) + i * rows * columns }
}
