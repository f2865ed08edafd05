import { factorPivotedQr } from './decompositionCalls.js'
import { checkBoolean, checkOptions } from '../core/check.js'
import { defaultEngine, frame, type Kernels } from './decompositionEngine.js'
import type { Memory, Pointer } from '../core/memory.js'
import { nonFiniteF64Error, type Source, type Tensor, type TensorLike } from '../core/tensor.js'
import { floatsFor, loadScaled, takeScaled, ulpOf } from './dense.js'
import { loadMatrix, NOT_FINITE, padded, readMatrix, type Floats } from './matrix.js'

export interface QrOptions {
  /** default false; true: A[:, pivots] = q r, the column that is greatest in what is left comes next */
  pivot?: boolean
}

export interface Qr<T extends Floats = Floats> {
  /** (m, k), k = min(m, n), orthonormal columns */
  q: Tensor<T>
  /** (k, n), zeros below the diagonal, which is not negative */
  r: Tensor<T>
  /** with `pivot`: A[:, pivots] = q r */
  pivots?: Uint32Array<ArrayBuffer>
  /** with `pivot`: leading diagonal entries of r above max(m, n) ulp times the first */
  rank?: number
}

const VERB = 'qr'

/**
 * QR decomposition of a matrix, A = q r, or with `pivot` A[:, pivots] = q r.
 *
 * Shapes: (m, n) to q (m, k), r (k, n) with k = min(m, n), pivots (n). f64 input (and nested arrays) gives f64 results,
 * anything else f32; the work is in f64. r's diagonal is not negative, with `pivot` not increasing (but for 1e-8 of its
 * entries), so that both are unique where A has full rank. Columns of q are orthonormal also where it has not. The ulp
 * of the rank is that of the input's type: 2^-52, 2^-23, 2^-10, 2^-7 for f64 and whole numbers, f32, f16, bf16. Pivots
 * are the first of equals.
 * Method: Householder reflectors in panels of 32 columns, applied as I - V T VT (R. Schreiber and C. Van Loan, SIAM J.
 * Sci. Stat. Comput. 10, 1989); with `pivot` one by one, norms downdated with the safeguard of LAPACK's dlaqp2.f.
 * Error: LAPACK's ratios |A - q r| / (|A| max(m, n) ulp) and |I - qT q| / (m ulp) stay below 10 (docs/numerics.md). An
 * entry of r beyond the results' type is Infinity.
 *
 * @throws RangeError for a shape that is no matrix, NaN or Infinity (the first index is named)
 * @throws MemoryLimitError where the matrix (8 m n bytes, twice with `pivot`) does not fit
 */
export function qr(matrix: TensorLike, options: QrOptions = {}): Qr {
  const source = prepareQr(matrix, options)
  const { pivot = false } = options
  const type = floatsFor(source)
  const [m, n] = source.shape as [number, number]
  const k = Math.min(m, n)
  return frame(defaultEngine(), (memory, kernels): Qr => {
    const a = memory.alloc(8 * m * n)
    const tau = memory.alloc(8 * k)
    const order = memory.alloc(4 * n)
    const exponent = pivot
      ? factorPivoted(memory, kernels, source, a, tau, order)
      : factorPlain(memory, kernels, source, a, tau)
    const diagonal = Float64Array.from({ length: k }, (_, i) => memory.f64(a + 8 * i * (n + 1), 1)[0]!)
    const signs = memory.alloc(8 * k)
    memory.f64(signs, k).set(diagonal.map((x) => (x < 0 ? -1 : 1)))
    const r = takeUpper(memory, kernels, new type(k * n), a, [k, n], signs, exponent)
    if (k > 0) {
      const work = memory.alloc(kernels.qrWork(m))
      kernels.formQF64(a, n, m, k, tau, work)
      kernels.signColumns(a, n, m, k, signs)
    }
    const q = takeScaled(memory, kernels, type, a, n, m, k)
    if (!pivot) return { q, r }
    const least = Math.max(m, n) * ulpOf(source) * Math.abs(diagonal[0] ?? 0)
    const rest = diagonal.findIndex((x) => !(Math.abs(x) > least))
    return { q, r, pivots: memory.u32(order, n).slice(), rank: rest < 0 ? k : rest }
  })
}

/** Reads and checks what `qr` is asked. */
export function prepareQr(matrix: unknown, options: QrOptions = {}): Source {
  checkOptions(VERB, options, ['pivot'])
  if (options.pivot !== undefined) checkBoolean(VERB, 'pivot', options.pivot)
  return readMatrix(VERB, matrix)
}

/** Writes the reflectors and R of the scaled matrix to a: f64[m][n]; returns the exponent that was taken off. */
function factorPlain(memory: Memory, kernels: Kernels, source: Source, a: Pointer, tau: Pointer): number {
  const [m, n] = source.shape as [number, number]
  const exponent = loadScaled(memory, kernels, a, n, source)
  return memory.frame(() => {
    kernels.factorQrF64(a, n, m, n, Math.min(m, n), tau, memory.alloc(kernels.qrWork(m)))
    return exponent
  })
}

/** The same with pivots, whose columns stand one after the other on the way. */
function factorPivoted(
  memory: Memory,
  kernels: Kernels,
  source: Source,
  a: Pointer,
  tau: Pointer,
  order: Pointer
): number {
  const [m, n] = source.shape as [number, number]
  if (m === 0 || n === 0) {
    memory.u32(order, n).set(Array.from({ length: n }, (_, j) => j))
    return 0
  }
  return memory.frame(() => {
    const ld = padded(m)
    const columns = memory.alloc(8 * ld * n)
    loadMatrix(memory, kernels, columns, ld, source, false)
    const exponent = kernels.unitExponent(columns, ld * n)
    if (exponent === NOT_FINITE) throw nonFiniteF64Error(source)
    kernels.scaleByPower(columns, ld * n, -exponent)
    const norms = memory.alloc(16 * n)
    const dots = memory.alloc(8 * n)
    const vectors = memory.alloc(16 * ld)
    factorPivotedQr(kernels, { a: columns, ld, m, n, width: n, tau, order, norms, dots, work: vectors })
    kernels.takeRows(a, columns, ld, 0, m, n)
    return exponent
  })
}

/** The upper triangle of a: f64[..][n], times 2^exponent, row by row times its sign. */
function takeUpper(
  memory: Memory,
  kernels: Kernels,
  data: Floats,
  a: Pointer,
  [k, n]: readonly [number, number],
  signs: Pointer,
  exponent: number
): Tensor<Floats> {
  return memory.frame(() => {
    const row = memory.alloc(8 * n)
    for (let i = 0; i < k; i++) {
      const view = memory.f64(row, n - i)
      view.set(memory.f64(a + 8 * i * (n + 1), n - i))
      kernels.scaleByPower(row, n - i, exponent)
      // No zero is negative.
      const negative = memory.f64(signs, k)[i]! < 0
      for (let j = 0; j < n - i; j++) view[j] = negative ? 0 - view[j]! : view[j]! + 0
      data.set(view, i * n + i)
    }
    return { data, shape: [k, n] }
  })
}
