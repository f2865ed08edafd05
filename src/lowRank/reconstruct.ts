import { gemm } from '../linalg/gemm.js'
import { rangeError, typeError } from '../core/errors.js'
import { isArrayOf, show } from '../core/check.js'
import { defaultEngine, frame } from '../linalg/productEngine.js'
import type { Source, Tensor, TensorLike } from '../core/tensor.js'
import { loadF64, readMatrix, type Floats } from '../linalg/matrix.js'
import {
  decodeHalf,
  decodeIntegers,
  prepareDequantize,
  type DequantizeHalf,
  type DequantizeIntegers
} from '../quantize/dequantize.js'
import type { Quantized } from '../quantize/quantized.js'
import { greatest } from './algebra.js'

/** What `lowRank` returns, or the part of it that makes the matrix: A ~ u vT + residual. */
export interface Factored<F = TensorLike | Quantized> {
  /** (m, rank) */
  readonly u: F
  /** (n, rank) */
  readonly v: F
  /** (m, n) */
  readonly residual?: TensorLike | Quantized
}

const VERB = 'reconstruct'

/**
 * The matrix that a result of `lowRank` stands for, u vT + residual.
 *
 * Shapes: u (m, rank), v (n, rank), residual (m, n) to (m, n); each a tensor, or what `quantize` returns. u in f64
 * gives f64, anything else f32.
 * Method: quantised parts as `dequantize` has them; products added up in f64, ranks in order in blocks of 256, and the
 * residual to their sum.
 * Error: that of f64, and one rounding to f32; what is beyond f32 is infinite.
 *
 * @throws TypeError for an object without factors; RangeError for shapes that do not go together, NaN or Infinity (the
 * first index is named)
 */
export function reconstruct(factored: Factored<Tensor | Quantized>): Tensor
export function reconstruct(factored: Factored): Tensor<Floats>
export function reconstruct(factored: Factored): Tensor<Floats> {
  const { u, v, residual } = prepareReconstruct(factored)
  const [left, right, rest] = [decoded(u), decoded(v), residual && decoded(residual)]
  return multiplyFactors(left, right, rest)
}

/** A part read and checked; `coded`: what it is decoded from, to the source's data. */
export interface FactoredPart {
  readonly source: Source
  readonly coded?: { readonly quantized: Quantized; readonly asked: DequantizeIntegers | DequantizeHalf }
}

/**
 * Reads and checks what `reconstruct` is asked. Fields of a result that say something else about it are not looked at.
 */
export function prepareReconstruct(factored: Factored): Readonly<Record<'u' | 'v', FactoredPart>> & {
  readonly residual?: FactoredPart
} {
  if (typeof factored !== 'object' || factored === null || !('u' in factored) || !('v' in factored)) {
    throw typeError(
      `${VERB}: "factored" expected a result of lowRank, or { u, v } with or without residual, got ${show(factored)}`
    )
  }
  const [u, v] = [readPart('u', factored.u), readPart('v', factored.v)]
  const [m, rank] = u.source.shape as [number, number]
  const n = v.source.shape[0]!
  expectShape(v.source, [n, rank], "u's rank")
  if (factored.residual === undefined) return { u, v }
  const residual = readPart('residual', factored.residual)
  expectShape(residual.source, [m, n], "u's and v's rows")
  return { u, v, residual }
}

function expectShape({ name, shape }: Source, expected: readonly number[], why: string): void {
  if (expected.every((length, i) => length === shape[i])) return
  throw rangeError(`${name} expected shape [${expected.join(', ')}], by ${why}, got [${shape.join(', ')}]`)
}

function readPart(name: string, part: TensorLike | Quantized): FactoredPart {
  if (!isQuantized(part)) return { source: readMatrix(VERB, part, name) }
  const asked = prepareDequantize(part, {})
  return { source: readMatrix(VERB, { data: asked.data, shape: part.shape }, name), coded: { quantized: part, asked } }
}

function isQuantized(part: unknown): part is Quantized {
  return typeof part === 'object' && part !== null && 'codes' in part
}

function decoded({ source, coded }: FactoredPart): Source {
  if (coded?.asked.kind === 'half') decodeHalf(coded.asked, coded.asked.codes, coded.asked.data)
  else if (coded) decodeIntegers(coded.asked, coded.asked.codes, coded.asked.data)
  greatest(source)
  return source
}

/** u vT + rest, in f64 and rounded once; NaN gives NaN. */
export function multiplyFactors(u: Source, v: Source, rest?: Source): Tensor<Floats> {
  const [m, rank] = u.shape as [number, number]
  const n = v.shape[0]!
  const data: Floats = isArrayOf(u.data, Float64Array) ? new Float64Array(m * n) : new Float32Array(m * n)
  frame(defaultEngine(), (memory, kernels) => {
    const rows = Math.max(8, Math.min(m, Math.floor(AT_ONCE / Math.max(1, n))))
    const right = memory.alloc(8 * n * rank)
    const left = memory.alloc(8 * rows * rank)
    const product = memory.alloc(8 * rows * n)
    const work = memory.alloc(kernels.multiplyWork(n, 3))
    loadF64(memory, right, v, 0, n * rank)
    for (let i = 0; i < m; i += rows) {
      const count = Math.min(rows, m - i)
      loadF64(memory, left, u, i * rank, count * rank)
      if (rest) loadF64(memory, product, rest, i * n, count * n)
      else memory.f64(product, count * n).fill(0)
      gemm(kernels.multiplyF64, {
        c: product,
        ldc: n,
        a: left,
        lda: rank,
        b: right,
        ldb: rank,
        transposeB: true,
        m: count,
        n,
        k: rank,
        work
      })
      data.set(memory.f64(product, count * n), i * n)
    }
  })
  return { data, shape: [m, n] }
}

/** Elements of the product in memory at once. */
const AT_ONCE = 2 ** 19
