import { internalError, rangeError, typeError } from '../core/errors.js'
import { timesPower } from '../core/powers.js'
import { checkChoice, checkInteger, checkNumber, checkOptions, isArrayOf, show } from '../core/check.js'
import { defaultEngine, frame, type Engine } from './decompositionEngine.js'
import type { Source, Tensor, TensorLike } from '../core/tensor.js'
import { readMatrix, type Floats } from './matrix.js'
import { OperatorAccess, type LinearOperator } from './truncated/operator.js'
import type { Passes } from './truncated/passes.js'
import { gatherRows, overStream, type AsyncRowStream, type RowStream } from './truncated/stream.js'
import type { Tall } from './truncated/tall.js'
import { fromOperator, fromRows, inMemory, isBelowFloor, type Found, type Request } from './truncated/routes.js'

export type { AsyncRowStream, LinearOperator, RowStream }

export interface TruncatedSvdOptions {
  /** so many singular values are kept, 1 .. min(m, n) */
  rank?: number
  /** the least rank that keeps this share of the sum of squares, in (0, 1] */
  energy?: number
  /** the least rank within this relative Frobenius error, in [0, 1] */
  maxRelativeError?: number
  /**
   * default: the cheaper one, a Gram matrix where min(m, n) <= 12 (rank + 16); 'krylov' leaves to it a target that it
   * has no room to meet
   */
  method?: 'gram' | 'krylov'
  /** of the random signs that 'krylov' starts from, a whole number; default 0 */
  seed?: number
  /**
   * type of the results, and of what an operator is given; default: float64 for f64 data, nested arrays and operators,
   * otherwise float32
   */
  dtype?: 'float32' | 'float64'
}

export interface TruncatedSvd<T extends Floats = Floats> {
  /** left singular vectors (m, rank), orthonormal columns */
  u: Tensor<T>
  /** singular values (rank), descending, not negative */
  s: Tensor<T>
  /** right singular vectors (n, rank), orthonormal columns: A ~ u diag(s) vT */
  v: Tensor<T>
  rank: number
  /** share of the sum of squares that the rank keeps; undefined where 'krylov' has an operator without a norm */
  energy: number | undefined
  /** |A - u diag(s) vT| / |A|, Frobenius norms; undefined as energy */
  relativeError: number | undefined
  /**
   * of each triple the greater of |A'u - s v| and |A v - s u|. It is known to 1e-6 of the greatest value in f32, to
   * 1e-14 in f64
   */
  residuals: Float64Array<ArrayBuffer>
  /** what it came by: 'full' is `svd`, for targets that a Gram matrix cannot tell */
  method: 'gram' | 'krylov' | 'full'
  /** the seed, where the result depends on it */
  seed?: number
}

const VERB = 'truncatedSvd'
const TARGETS = ['rank', 'energy', 'maxRelativeError'] as const

/**
 * The greatest singular values of a matrix with their vectors, A ~ u diag(s) vT. A is a tensor, an operator that
 * multiplies, or rows that come in chunks. Rows need not fit in memory; where they are waited for, the result is a
 * promise.
 *
 * Shapes: (m, n) to u (m, rank), s (rank), v (n, rank); columns are orthonormal also where A is rank-deficient. Exactly
 * one of rank, energy and maxRelativeError is given. Signs: the entry of greatest magnitude of each left vector, the
 * first of equals, is positive. Chunks of any heights give the bytes of the matrix in memory. 'gram' reads it two or
 * three times (a flat stream once, into memory), 'krylov' seven times. One more reading is needed where numbers are
 * beyond 2^40 or all below its inverse (f64: 2^250).
 * Method: where min(m, n) <= 12 (rank + 16) the eigenvectors of A'A (of its transpose where m < n), then u = A v / s;
 * else block Golub-Kahan-Lanczos with 3 steps from rank + 16 columns of random signs (C. Musco and C. Musco, NeurIPS
 * 2015), whose rank grows until the target is met. An operator's is Krylov's where 3 (rank + 16) <= min(m, n), else it
 * is made a matrix by as many products. f64 data, and what is to give f64, is worked on in f64. Else products are f32
 * over runs of 64 and go on in f64. Where the Gram matrix's noise would show, or the target is tight, all is f64:
 * energy above 1 - 1e-4, error below 1e-2. A singular value beyond the results' type is Infinity, as `svd` has it.
 * Error: 'gram' in f64: singular values above 1e-5 of the greatest are right to 1e-13 of it, those below to 2^-26 of
 * it. What the rank leaves out exceeds the optimum by less than 1e-6 of itself. 'krylov': singular values come from
 * below, each within its residual of one of A's, a few percent low where the spectrum is flat; what is left out exceeds
 * the optimum by .1% at spectra as flat as 1 / sqrt(j). Targets below an error of 2^-22, which a Gram matrix cannot
 * tell, take the full `svd`.
 *
 * @throws TypeError where not exactly one target is given, or a function of an operator or stream returns no tensor;
 * RangeError for a rank outside 1 .. min(m, n), a target outside its range, and an empty matrix
 * @throws RangeError for 'krylov' where min(m, n) < 3 (rank + 16), without a rank 240
 * @throws RangeError for NaN or Infinity (the first index is named), and for an operator whose functions contradict
 * each other
 * @throws RangeError for chunks of other widths, and for a pass of another length
 * @throws MemoryLimitError before any work, where what is kept (about 24 min(m, n)^2 bytes for 'gram') does not fit
 * @throws MemoryLimitError for a stream that has to be gathered and does not fit
 */
export function truncatedSvd(
  source: TensorLike | LinearOperator | RowStream,
  options: TruncatedSvdOptions
): TruncatedSvd
export function truncatedSvd(source: AsyncRowStream, options: TruncatedSvdOptions): Promise<TruncatedSvd>
export function truncatedSvd(
  source: TensorLike | LinearOperator | RowStream | AsyncRowStream,
  options: TruncatedSvdOptions
): TruncatedSvd | Promise<TruncatedSvd> {
  checkTruncation(options)
  if (hasFunction<RowStream | AsyncRowStream>(source, 'rows')) {
    if (source.shape !== undefined) checkShape(source.shape, options)
    return overStream(VERB, source, function* (engine, opened) {
      const { rows, wide } = opened
      const shape = [rows.rows, rows.columns]
      checkShape(shape, options)
      const request = requestOf(options, wide)
      const whole = (): Passes<Source> => gatherRows(engine, VERB, opened)
      return result(engine, yield* fromRows(engine, { shape, rows, whole }, request), request, options)
    })
  }
  if (hasFunction<LinearOperator>(source, 'multiply')) {
    checkOperator(source, options)
    const request = requestOf(options, options.dtype !== 'float32')
    return now(request, options, (engine) =>
      fromOperator(engine, new OperatorAccess(engine, VERB, source, request.type), request)
    )
  }
  const matrix = prepareTruncatedSvd(source as TensorLike, options)
  const request = requestOf(options, isArrayOf(matrix.data, Float64Array))
  return now(request, options, (engine) => fromRows(engine, inMemory(engine, matrix), request))
}

/** Reads and checks what `truncatedSvd` is asked of a matrix. */
export function prepareTruncatedSvd(matrix: TensorLike, options: TruncatedSvdOptions): Source {
  checkTruncation(options)
  const source = readMatrix(VERB, matrix, 'source')
  checkShape(source.shape, options)
  return source
}

/** The checks that need no shape. */
function checkTruncation(options: TruncatedSvdOptions): void {
  checkOptions(VERB, options, [...TARGETS, 'method', 'seed', 'dtype'])
  const given = TARGETS.filter((name) => options[name] !== undefined)
  if (given.length !== 1) {
    throw typeError(`${VERB}: expected exactly one of ${TARGETS.join(', ')}, got ${given.join(' and ') || 'none'}`)
  }
  const { rank, energy, maxRelativeError, method, seed, dtype } = options
  if (rank !== undefined) checkInteger(VERB, 'rank', rank, 1, Infinity)
  if (energy !== undefined) checkNumber(VERB, 'energy', energy, Number.MIN_VALUE, 1)
  if (maxRelativeError !== undefined) checkNumber(VERB, 'maxRelativeError', maxRelativeError, 0, 1)
  if (method !== undefined) checkChoice(VERB, 'method', method, ['gram', 'krylov'])
  if (seed !== undefined) checkInteger(VERB, 'seed', seed, 0, Number.MAX_SAFE_INTEGER)
  if (dtype !== undefined) checkChoice(VERB, 'dtype', dtype, ['float32', 'float64'])
  if (method !== undefined && isBelowFloor(options)) {
    const name = given[0]!
    throw rangeError(
      `${VERB}: "${name}" ${options[name]} is closer than "method" '${method}' can tell; leave "method" out for the full svd`
    )
  }
}

/** A matrix of this shape, and a rank that it has. */
function checkShape(shape: unknown, { rank }: TruncatedSvdOptions): void {
  const fits = Array.isArray(shape) && shape.length === 2 && shape.every((n) => Number.isSafeInteger(n) && n > 0)
  if (!fits) throw rangeError(`${VERB}: "source" expected a matrix with elements, got shape ${show(shape)}`)
  if (rank !== undefined) checkInteger(VERB, 'rank', rank, 1, Math.min(...(shape as number[])))
}

function checkOperator(operator: LinearOperator, options: TruncatedSvdOptions): void {
  checkShape(operator.shape, options)
  for (const name of ['multiply', 'multiplyTransposed'] as const) {
    if (typeof operator[name] !== 'function') {
      throw typeError(`${VERB}: "source.${name}" expected a function, got ${show(operator[name])}`)
    }
  }
  if (operator.norm !== undefined) checkNumber(VERB, 'source.norm', operator.norm, 0, Number.MAX_VALUE)
  else if (options.rank === undefined) {
    throw typeError(
      `${VERB}: "source.norm" expected the operator's Frobenius norm, which energy and error are shares of, got undefined`
    )
  }
}

function hasFunction<T>(value: unknown, name: keyof T): value is T {
  return typeof value === 'object' && value !== null && typeof (value as T)[name] === 'function'
}

/** f64 is worked on in f64, and so is what is to give f64; `wide` where there is f64. */
function requestOf(
  { method, seed = 0, dtype, rank, energy, maxRelativeError }: TruncatedSvdOptions,
  wide: boolean
): Request {
  const type = wide || dtype === 'float64' ? Float64Array : Float32Array
  return { verb: VERB, target: { rank, energy, maxRelativeError }, method, seed, type }
}

/** The type of results of what is worked on in `type`. */
function typeOf({ dtype }: TruncatedSvdOptions, { type }: Request): Request['type'] {
  return dtype === 'float32' ? Float32Array : type
}

/** Runs work that waits for nothing. */
function now(request: Request, options: TruncatedSvdOptions, work: (engine: Engine) => Passes<Found>): TruncatedSvd {
  return frame(defaultEngine(), (memory, kernels) => {
    const engine = { memory, kernels }
    const step = work(engine).next()
    if (!step.done) throw internalError('a matrix in memory was waited for')
    return result(engine, step.value, request, options)
  })
}

function result(
  { kernels }: Engine,
  { triples, method }: Found,
  request: Request,
  options: TruncatedSvdOptions
): TruncatedSvd {
  const type = typeOf(options, request)
  const { u, v, s, residuals, exponent, lost } = triples
  const tensor = ({ data, rows, columns }: Tall): Tensor<Floats> => {
    if (data.BYTES_PER_ELEMENT === new type(0).BYTES_PER_ELEMENT) return { data, shape: [rows, columns] }
    const rounded = new type(data.length)
    rounded.set(data)
    return { data: rounded, shape: [rows, columns] }
  }
  const values = new type(s.length)
  values.set(s.map((value) => timesPower(value, exponent)))
  return {
    u: tensor(u),
    s: { data: values, shape: [s.length] },
    v: tensor(v),
    rank: s.length,
    energy: lost === undefined ? undefined : 1 - lost,
    relativeError: lost === undefined ? undefined : kernels.sqrtF64(lost),
    residuals: residuals.map((value) => timesPower(value, exponent)),
    method,
    ...(method === 'krylov' ? { seed: request.seed } : {})
  }
}
