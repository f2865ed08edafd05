import { rangeError } from '../core/errors.js'
import { checkBoolean, checkNumber, checkOptions } from '../core/check.js'
import { defaultEngine, frame } from './decompositionEngine.js'
import type { Pointer } from '../core/memory.js'
import { readTensor, type Source, type Tensor, type TensorLike } from '../core/tensor.js'
import { checkFits, floatsFor } from './dense.js'
import { readMatrix, type Floats } from './matrix.js'
import { loadWeights, scalePenalty } from './ridgeScale.js'
import { eachChunk, multiplyStrips, Samples, rowsAtOnce, scaleByAnyPower, stripsWork } from './samples.js'
import { loadChunk, solveByGram, solveByQr, type Problem } from './ridgeSolvers.js'

export interface RidgeOptions {
  /** default 0: least squares; above 0: lambda |weights|^2 is added to what is minimised */
  lambda?: number
  /** default true: with an intercept, on which there is no penalty */
  intercept?: boolean
  /** (samples), not negative: how much each sample counts; default 1 */
  sampleWeights?: TensorLike
}

export interface Ridge<T extends Floats = Floats> {
  /** (n, p), or (n) where y is (samples): y ~ x weights + intercept */
  weights: Tensor<T>
  /** (p), or a scalar where y is (samples); none with `intercept: false` */
  intercept?: Tensor<T>
  /**
   * |x weights + intercept - y| / |y|, Frobenius norms, samples weighted; 0 where both are equal, Infinity where only
   * y is zero
   */
  relativeError: number
}

const VERB = 'ridge'

/**
 * Ridge regression in closed form: the linear map and the intercept that minimise |x weights + intercept - y|^2 +
 * lambda |weights|^2.
 *
 * Shapes: x (samples, n), y (samples, p) to weights (n, p), intercept (p); y (samples) to weights (n), intercept ().
 * f64 results where x or y is f64 (or nested arrays), else f32; the work is in f64. Samples pass through memory a chunk
 * at a time. There may be fewer samples than n where lambda is above 0.
 * Method: Gram matrix of what is centred, Cholesky, one step of refinement with the residual. The fallback is for a
 * refinement that moves the weights by more than 1e-6, or a pivot below 1e-10 of its diagonal entry. It is QR of the
 * samples above sqrt(lambda) times the identity, chunk by chunk, then with pivots (G. H. Golub, Numer. Math. 7, 1965).
 * Powers of two bring the columns to one size. Units of columns, targets and sample weights do not matter.
 * Error: that of a perturbation of x and y by n 2^-52 relative.
 *
 * @throws RangeError for shapes that do not fit or have no elements, and for a negative lambda
 * @throws RangeError for columns of x that are dependent (to n 2^-52) with lambda 0
 * @throws RangeError for a sample weight that is negative, and for weights that are all 0
 * @throws RangeError for NaN or Infinity (the first index is named), and for weights or an intercept beyond the
 * results' type
 * @throws MemoryLimitError where about 8 (2 n^2 + 4 n p) bytes do not fit
 */
export function ridge(x: TensorLike, y: TensorLike, options: RidgeOptions = {}): Ridge {
  const { x: from, y: to, sampleWeights } = prepareRidge(x, y, options)
  const { lambda = 0, intercept = true } = options
  const [samples, n] = from.shape as [number, number]
  const p = to.shape[1] ?? 1
  const type = floatsFor(from, to)
  return frame(defaultEngine(), (memory, kernels): Ridge => {
    // Chunks of fewer rows than columns would make QR slow.
    const step = Math.max(n, rowsAtOnce(n + p))
    const rows = {
      x: new Samples(memory, kernels, from, step),
      y: new Samples(memory, kernels, to, step),
      weights: sampleWeights && loadWeights(memory, kernels, sampleWeights)
    }
    const total = rows.weights?.total ?? samples
    rows.x.scan(intercept ? total : undefined, rows.weights?.weights)
    rows.y.scan(intercept ? total : undefined, rows.weights?.weights)
    const penalty = scalePenalty(memory, kernels, lambda, rows.x, rows.weights?.exponent ?? 0)
    const problem: Problem = {
      ...rows,
      memory,
      kernels,
      step,
      n,
      p,
      total,
      centred: intercept,
      ...penalty,
      work: memory.alloc(stripsWork(kernels))
    }
    const solution = memory.alloc(8 * n * p)
    if (!solveByGram(problem, solution)) {
      const rank = solveByQr(problem, solution)
      if (rank < n) {
        throw rangeError(
          `${from.name} expected independent columns${intercept ? ', once they are centred' : ''}, got rank ${rank} of ${n}; ` +
            `raise "lambda", which is ${lambda}, or leave columns out`
        )
      }
    }
    // Of the whole penalty, for what is of the size of y: what underflows here is nothing to it.
    const scaled = memory.alloc(8 * n * p)
    memory.f64(scaled, n * p).set(memory.f64(solution, n * p))
    scaleByAnyPower(kernels, scaled, n * p, -penalty.left)
    const relativeError = measure(problem, scaled)

    const vector = to.shape.length === 1
    const result: Ridge = { weights: { data: new type(n * p), shape: vector ? [n] : [n, p] }, relativeError }
    if (intercept) {
      // mean(y) - mean(x) weights
      const offset = memory.alloc(8 * p)
      memory.f64(offset, p).set(memory.f64(rows.y.means, p))
      multiplyStrips(kernels, {
        c: offset,
        ldc: p,
        a: rows.x.means,
        lda: n,
        b: scaled,
        ldb: p,
        m: 1,
        n: p,
        k: n,
        write: 'subtract',
        work: problem.work
      })
      kernels.scaleByPower(offset, p, rows.y.exponent)
      const data = new type(p)
      data.set(memory.f64(offset, p))
      checkFits(from, 'an intercept', data)
      result.intercept = { data, shape: vector ? [] : [p] }
    }
    scaleByAnyPower(kernels, solution, n * p, rows.y.exponent - rows.x.exponent - penalty.left)
    result.weights.data.set(memory.f64(solution, n * p))
    checkFits(from, 'weights', result.weights.data)
    return result
  })
}

/** Reads and checks what `ridge` is asked. */
export function prepareRidge(
  x: unknown,
  y: unknown,
  options: RidgeOptions = {}
): { x: Source; y: Source; sampleWeights?: Source } {
  checkOptions(VERB, options, ['lambda', 'intercept', 'sampleWeights'])
  const { lambda, intercept, sampleWeights } = options
  if (lambda !== undefined) checkNumber(VERB, 'lambda', lambda, 0, Number.MAX_VALUE)
  if (intercept !== undefined) checkBoolean(VERB, 'intercept', intercept)
  const from = readMatrix(VERB, x, 'x')
  const to = readTensor(VERB, 'y', y)
  if (from.size === 0) {
    throw rangeError(`${from.name} expected a matrix with elements, got shape [${from.shape.join(', ')}]`)
  }
  const [samples] = from.shape as [number]
  const { shape } = to
  if (shape.length < 1 || shape.length > 2 || shape[0] !== samples || to.size === 0) {
    throw rangeError(
      `${to.name} expected shape [${samples}] or [${samples}, targets] as x has ${samples} rows, got [${shape.join(', ')}]`
    )
  }
  if (sampleWeights === undefined) return { x: from, y: to }
  const weights = readTensor(VERB, 'sampleWeights', sampleWeights)
  if (weights.shape.length !== 1 || weights.size !== samples) {
    throw rangeError(
      `${weights.name} expected shape [${samples}] as x has ${samples} rows, got [${weights.shape.join(', ')}]`
    )
  }
  return { x: from, y: to, sampleWeights: weights }
}

/** |x weights - y| / |y|, what is centred for the first, with its means for the second. */
function measure(problem: Problem, solution: Pointer): number {
  const { kernels, x, y, n, p, total, work } = problem
  let error = 0
  let signal = 0
  eachChunk(x.count, problem.step, (first, rows) => {
    const [a, b] = loadChunk(problem, first, rows)
    signal += kernels.squaresF64(b, rows * p)
    multiplyStrips(kernels, {
      c: b,
      ldc: p,
      a,
      lda: n,
      b: solution,
      ldb: p,
      m: rows,
      n: p,
      k: n,
      write: 'subtract',
      work
    })
    error += kernels.squaresF64(b, rows * p)
  })
  signal += total * kernels.squaresF64(y.means, p)
  return error === 0 ? 0 : signal === 0 ? Infinity : kernels.sqrtF64(error / signal)
}
