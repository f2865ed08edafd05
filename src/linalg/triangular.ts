import { solveTriangle } from './decompositionCalls.js'
import { rangeError } from '../core/errors.js'
import { checkBoolean, checkOptions } from '../core/check.js'
import { defaultEngine, frame, type Kernels } from './decompositionEngine.js'
import type { Memory, Pointer } from '../core/memory.js'
import { nonFiniteF64Error, partOf, readTensor, type Source, type Tensor, type TensorLike } from '../core/tensor.js'
import { checkFits, floatsFor, readSquare } from './dense.js'
import { loadF64, NOT_FINITE, type Floats } from './matrix.js'

export interface SolveTriangularOptions {
  /** default false: the lower triangle is read */
  upper?: boolean
  /** default false; true: T' x = b */
  transpose?: boolean
  /** default false; true: the diagonal is taken to be ones and not read */
  unitDiagonal?: boolean
}

const VERB = 'solveTriangular'

/** Systems that are solved at once, which bounds the room for packed panels. */
const SYSTEMS = 2048

/**
 * Solves a triangular system, T x = b or T' x = b.
 *
 * Shapes: triangle (n, n), of which the other triangle is not read; b (n) or (n, p) to x of b's shape. f64 results
 * where either is f64 (or nested arrays), else f32; the work is in f64.
 * Method: substitution, blocked. Error: (T + E) x = b with |E| at most (n + 1) 2^-53 |T| in each entry, E of each
 * column its own. Source: N. J. Higham, Accuracy and Stability of Numerical Algorithms, theorem 8.5.
 *
 * @throws RangeError for shapes that do not fit, and for a zero on the diagonal (its index is named)
 * @throws RangeError for NaN or Infinity (the first index is named), and for solutions beyond the result's type
 * @throws MemoryLimitError where both (8 n (n + p) bytes) do not fit
 */
export function solveTriangular(
  triangle: TensorLike,
  b: TensorLike,
  options: SolveTriangularOptions = {}
): Tensor<Floats> {
  const [t, right] = prepareTriangular(triangle, b, options)
  const n = t.shape[0]!
  const p = right.shape[1] ?? 1
  const data = new (floatsFor(t, right))(n * p)
  frame(defaultEngine(), (memory, kernels) => {
    const matrix = memory.alloc(8 * n * n)
    const x = memory.alloc(8 * n * p)
    loadTriangle(memory, kernels, matrix, t, options)
    loadF64(memory, x, right, 0, n * p)
    if (kernels.unitExponent(x, n * p) === NOT_FINITE) throw nonFiniteF64Error(right)
    solveTriangleInPlace(memory, kernels, { ...options, b: x, ldb: p, p, t: matrix, ldt: n, n })
    data.set(memory.f64(x, n * p))
    checkFits(t, 'solutions', data)
  })
  return { data, shape: [...right.shape] }
}

/** Reads and checks what `solveTriangular` is asked. */
export function prepareTriangular(
  triangle: unknown,
  b: unknown,
  options: SolveTriangularOptions = {}
): [Source, Source] {
  checkOptions(VERB, options, ['upper', 'transpose', 'unitDiagonal'])
  for (const name of ['upper', 'transpose', 'unitDiagonal'] as const) {
    if (options[name] !== undefined) checkBoolean(VERB, name, options[name])
  }
  const t = readSquare(VERB, 'triangle', triangle)
  const right = readTensor(VERB, 'b', b)
  const [n] = t.shape as [number]
  const { shape } = right
  if (shape.length < 1 || shape.length > 2 || shape[0] !== n) {
    throw rangeError(
      `${right.name} expected shape [${n}] or [${n}, columns] as the triangle has ${n} rows, got [${shape.join(', ')}]`
    )
  }
  return [t, right]
}

/** The triangle's rows, at their places in f64[n][n]. */
function loadTriangle(
  memory: Memory,
  kernels: Kernels,
  to: Pointer,
  source: Source,
  { upper = false, unitDiagonal = false }: SolveTriangularOptions
): void {
  const n = source.shape[0]!
  const skip = unitDiagonal ? 1 : 0
  for (let i = 0; i < n; i++) {
    const start = i * n + (upper ? i + skip : 0)
    const length = upper ? n - i - skip : i + 1 - skip
    const row = to + 8 * start
    loadF64(memory, row, source, start, length)
    if (kernels.unitExponent(row, length) === NOT_FINITE) {
      throw nonFiniteF64Error(partOf(source, start, length))
    }
    if (!unitDiagonal && memory.f64(to + 8 * (i * n + i), 1)[0] === 0) {
      throw rangeError(
        `${source.name} expected a diagonal without zeros, got 0 at [${i}, ${i}]; the system is singular`
      )
    }
  }
}

export interface TriangularSystem extends SolveTriangularOptions {
  /**
   * default false: op(T) X = B, systems in the columns of b: f64[n][ldb]. true: X op(T) = B, systems in the rows of b:
   * f64[p][ldb]
   */
  right?: boolean
}

/** p systems of b: f64[n][ldb], or f64[p][ldb] where `right`, by t: f64[n][ldt]. */
export interface Systems extends TriangularSystem {
  readonly b: Pointer
  readonly ldb: number
  readonly p: number
  readonly t: Pointer
  readonly ldt: number
  readonly n: number
}

/**
 * Solves systems in the place of b. Only the triangle is read, whose diagonal has no zero. Results beyond f64 are
 * Infinity or NaN.
 */
export function solveTriangleInPlace(memory: Memory, kernels: Kernels, systems: Systems): void {
  const { b, ldb, p, n, right } = systems
  memory.frame(() => {
    const work = memory.alloc(kernels.triangularWork(n, Math.min(p, SYSTEMS)))
    for (let j = 0; j < p; j += SYSTEMS) {
      solveTriangle(kernels, { ...systems, b: b + 8 * j * (right ? ldb : 1), p: Math.min(SYSTEMS, p - j), work })
    }
  })
}
