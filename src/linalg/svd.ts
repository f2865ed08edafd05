import { isArrayOf } from '../core/check.js'
import { defaultEngine, frame, type Kernels } from '../core/engine.js'
import type { Memory, Pointer } from '../core/memory.js'
import { elementAt, nonFiniteError, readTensor, type Source, type Tensor, type TensorLike } from '../core/tensor.js'
import { TILE } from '../core/tiles.js'

export type Floats = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>

export interface Svd<T extends Floats = Floats> {
  /** left singular vectors (m, k), k = min(m, n), orthonormal columns */
  u: Tensor<T>
  /** singular values (k), descending, not negative */
  s: Tensor<T>
  /** right singular vectors (n, k): A = u diag(s) vT */
  v: Tensor<T>
  /** Jacobi sweeps taken, the last one without a rotation */
  sweeps: number
  /** false when 30 sweeps were not enough; the factors are then as far as they got */
  converged: boolean
}

/**
 * Singular value decomposition of a matrix, A = u diag(s) vT.
 *
 * Shapes: (m, n) to u (m, k), s (k), v (n, k) with k = min(m, n); columns are orthonormal also where A is rank-deficient.
 * f64 input (and nested arrays) gives f64 results, anything else f32; the work is in f64. Signs: the entry of greatest magnitude
 * of each left vector, the first of equals, is positive.
 * Method: QR with column pivoting, then one-sided Jacobi on the triangular factor (Z. Drmac and K. Veselic, SIAM J. Matrix Anal.
 * Appl. 29, 2008), rotating while |x . y| > sqrt(n) 2^-53 |x| |y|, at most 30 sweeps as LAPACK's dgesvj.f.
 * Error: LAPACK's residual and orthogonality ratios stay below 10 (docs/numerics.md). Singular values below 1e-145 of the
 * greatest are 0, and one beyond the results' type is Infinity.
 *
 * @throws RangeError for a shape that is no matrix, NaN or Infinity (the first index is named)
 * @throws MemoryLimitError where the matrix and its factors (about 8 m n + 24 k^2 bytes) do not fit
 */
export function svd(matrix: TensorLike): Svd {
  const source = readMatrix('svd', matrix)
  return decompose<Floats>(source, isArrayOf(source.data, Float64Array) ? Float64Array : Float32Array)
}

/** A source of two dimensions. */
export function readMatrix(verb: string, matrix: unknown): Source {
  const source = readTensor(verb, 'matrix', matrix)
  if (source.shape.length !== 2) {
    throw new RangeError(`${source.name} expected a shape of two dimensions, got [${source.shape.join(', ')}]`)
  }
  return source
}

/** f64 vectors are worked on in fours. */
function padded(length: number): number {
  return Math.ceil(length / 4) * 4
}

export function decompose<T extends Floats>(source: Source, type: new (length: number) => T): Svd<T> {
  const [rows, columns] = source.shape as [number, number]
  const k = Math.min(rows, columns)
  const result: Svd<T> = {
    u: { data: new type(rows * k), shape: [rows, k] },
    s: { data: new type(k), shape: [k] },
    v: { data: new type(columns * k), shape: [columns, k] },
    sweeps: 0,
    converged: true
  }
  if (k === 0) return result
  // The taller of A and its transpose: m x n with m >= n.
  const transposed = rows < columns
  const [m, n] = transposed ? [columns, rows] : [rows, columns]
  frame(defaultEngine(), (memory, kernels) => {
    const ld = padded(m)
    const small = padded(n)
    const square = 8 * small * n
    const a = memory.alloc(8 * ld * n)
    const left = memory.alloc(8 * ld * n)
    const x = memory.alloc(square)
    const v = memory.alloc(square)
    const right = memory.alloc(square)
    const sorted = memory.alloc(square)
    const tau = memory.alloc(8 * n)
    const norms = memory.alloc(16 * n)
    const sigma = memory.alloc(8 * n)
    const pivots = memory.alloc(4 * n)
    const order = memory.alloc(4 * n)

    zero(memory, a, ld * n)
    loadMatrix(memory, kernels, a, ld, source, transposed)
    const exponent = kernels.unitExponent(a, ld * n)
    if (exponent === NOT_FINITE) throw nonFiniteError(source)
    kernels.scaleByPower(a, ld * n, -exponent)

    kernels.pivotedQr(a, ld, m, n, tau, pivots, norms)
    zero(memory, x, small * n)
    kernels.lowerFactor(x, small, a, ld, n)
    zero(memory, v, small * n)
    const identity = memory.f64(v, small * n)
    for (let j = 0; j < n; j++) identity[j * small + j] = 1
    const sweeps = kernels.jacobiSweeps(x, v, small, n, kernels.sqrtF64(n) * 2 ** -53, norms)
    result.converged = sweeps <= MOST_SWEEPS
    result.sweeps = Math.min(sweeps, MOST_SWEEPS)

    // x = U_L S and v = V_L with R = V_L S U_L^T, so that A = (Q V_L) S (P U_L)^T.
    kernels.orderBySize(sigma, order, x, small, n)
    const rank = memory.f64(sigma, n).filter((size) => size > 0).length
    kernels.takeColumns(sorted, small, x, small, n, order, sigma, 1)
    if (rank < n) kernels.completeBasis(sorted, small, n, rank, norms)
    kernels.permuteRows(right, sorted, small, n, pivots)
    zero(memory, left, ld * n)
    kernels.takeColumns(left, ld, v, small, n, order, sigma, 0)
    kernels.applyQ(left, n, a, ld, m, n, tau)

    if (transposed) kernels.fixSigns(right, small, n, left, ld, m, n)
    else kernels.fixSigns(left, ld, m, right, small, n, n)
    kernels.scaleByPower(sigma, n, exponent)
    result.s.data.set(memory.f64(sigma, n))
    takeMatrix(memory, kernels, (transposed ? result.v : result.u).data, left, ld, m, n)
    takeMatrix(memory, kernels, (transposed ? result.u : result.v).data, right, small, n, n)
  })
  return result
}

/** What unitExponent answers for data that is not finite. */
const NOT_FINITE = 9999
/** MOST_SWEEPS of assembly/linalg/jacobi.ts. */
const MOST_SWEEPS = 30

function zero(memory: Memory, pointer: Pointer, length: number): void {
  memory.f64(pointer, length).fill(0)
}

/** Rows that pass through one buffer of a tile's bytes. */
function rowsInTile(columns: number): number {
  return Math.max(1, Math.floor(TILE / 2 / columns))
}

/** Writes the matrix, or its transpose, as f64 columns `ld` apart. */
function loadMatrix(
  memory: Memory,
  kernels: Kernels,
  to: Pointer,
  ld: number,
  source: Source,
  transposed: boolean
): void {
  const [rows, columns] = source.shape as [number, number]
  if (transposed) {
    // Columns of the transpose are rows as they stand.
    for (let r = 0; r < rows; r++) loadF64(memory, to + 8 * ld * r, source, r * columns, columns)
    return
  }
  const step = rowsInTile(columns)
  const buffer = memory.alloc(8 * step * columns)
  for (let r = 0; r < rows; r += step) {
    const count = Math.min(step, rows - r)
    loadF64(memory, buffer, source, r * columns, count * columns)
    kernels.placeRows(to, ld, r, buffer, count, columns)
  }
}

/** Elements [start, start + length) as f64. */
export function loadF64(memory: Memory, pointer: Pointer, source: Source, start: number, length: number): void {
  const view = memory.f64(pointer, length)
  if (source.bits) for (let i = 0; i < length; i++) view[i] = elementAt(source, start + i)
  else view.set(source.data.subarray(start, start + length))
}

function takeMatrix(
  memory: Memory,
  kernels: Kernels,
  to: Floats,
  from: Pointer,
  ld: number,
  rows: number,
  columns: number
): void {
  const step = rowsInTile(columns)
  const buffer = memory.alloc(8 * step * columns)
  for (let r = 0; r < rows; r += step) {
    const count = Math.min(step, rows - r)
    kernels.takeRows(buffer, from, ld, r, count, columns)
    to.set(memory.f64(buffer, count * columns), r * columns)
  }
}
