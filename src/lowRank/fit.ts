import { rangeError } from '../core/errors.js'
import { timesPower } from '../core/powers.js'
import { isArrayOf } from '../core/check.js'
import { defaultEngine } from '../linalg/decompositionEngine.js'
import type { Source, Tensor } from '../core/tensor.js'
import type { Floats } from '../linalg/matrix.js'
import { dequantize } from '../quantize/dequantize.js'
import { FORMATS } from '../quantize/formats.js'
import { halfRange } from '../quantize/formats/half.js'
import { quantize } from '../quantize/quantize.js'
import type { Quantized } from '../quantize/quantized.js'
import {
  asDense,
  minus,
  minusAlong,
  evenExponent,
  greatest,
  load,
  product,
  productAcross,
  scaled,
  solveGram,
  squares,
  type Dense
} from './algebra.js'
import type { Factors } from './basis.js'
import type { Coding, LowRankTask } from './options.js'
import type { Outputs } from './outputs.js'
import { spread } from './spread.js'

/** What factors are fitted to. */
export interface Problem {
  /** A 2^-exponent, with its greatest magnitude in [1/4, 1) */
  readonly matrix: Dense
  readonly exponent: number
  readonly outputs?: Outputs
  /** |matrix|^2, and of what counts of it */
  readonly total: number
  readonly seen: number
  readonly quantize?: Coding
  readonly residual?: Coding
  /** of factors that are not quantised */
  readonly type: new (length: number) => Floats
}

/** What a task asks factors to be fitted to. */
export function problemOf(task: LowRankTask, outputs: Outputs | undefined): Problem {
  const { source, quantize, residual } = task
  const exponent = evenExponent(greatest(source))
  const matrix = load(source, -exponent)
  return {
    matrix,
    exponent,
    outputs,
    total: squares(matrix),
    seen: squares(seenBy({ outputs }, matrix)),
    quantize,
    residual,
    type: floatsOf(source)
  }
}

/** The class of what is returned in floats: f64 for f64. */
export function floatsOf({ data }: Source): new (length: number) => Floats {
  return isArrayOf(data, Float64Array) ? Float64Array : Float32Array
}

type Part = Tensor<Floats> | Quantized

export interface Fit {
  readonly u: Part
  readonly v: Part
  readonly residual?: Quantized
  /** |A - u vT - residual| / |A|, of the outputs where these are what counts */
  readonly relativeError: number
  /** the same of the matrix itself */
  readonly matrixError: number
}

/**
 * Turns of rounding u, solving for v, rounding v, solving for u; later ones gain less than a hundredth of the error.
 */
const TURNS = { first: 4, later: 2 }
/**
 * Turns of rounding the residual and fitting the factors to what it leaves, which take 10 to 25% off the error; Y. Li
 * et al., LoftQ, 2023, take SVDs.
 */
const RESIDUAL_TURNS = 4

/** The result of the best factors, rounded as the problem asks; all that it returns is measured on what it returns. */
export function fit(problem: Problem, start: Factors): Fit {
  const { matrix, exponent, residual } = problem
  let factors = roundFactors(problem, matrix, rescaled(start, -exponent / 2), true)
  let left = minusProduct(matrix, factors)
  if (!residual) return measured(problem, factors, left)
  let best: Fit | undefined
  const consider = (rest: Rounded): void => {
    const tried = measured(problem, factors, minus(left, rest.values), rest.part as Quantized)
    if (!best || tried.relativeError < best.relativeError) best = tried
  }
  for (let turn = 0; turn < RESIDUAL_TURNS; turn++) {
    const rest = round(problem, left, exponent, residual, LEAST_TOP)
    consider(rest)
    factors = roundFactors(problem, minus(matrix, rest.values), factors, false)
    left = minusProduct(matrix, factors)
    consider(rest)
  }
  return best!
}

interface Rounded {
  readonly part: Part
  /** what the part stands for, in the problem's scale */
  readonly values: Dense
}

interface RoundedFactors extends Factors {
  readonly parts: readonly [Part, Part]
}

/** Factors of the target near those given: best ones, or any to be fitted. */
function roundFactors(problem: Problem, target: Dense, given: Factors, best: boolean): RoundedFactors {
  if (problem.quantize) return quantizeTogether(problem, target, given, best)
  const { u, v } = best ? given : alternate(problem, target, given)
  return together(roundFactor(problem, u), roundFactor(problem, v))
}

function together(u: Rounded, v: Rounded): RoundedFactors {
  return { u: u.values, v: v.values, parts: [u.part, v.part] }
}

/** One step of alternating least squares. */
function alternate(problem: Problem, target: Dense, { u }: Factors): Factors {
  const v = solveRight(target, u)
  return { u: solveLeft(problem, target, v) ?? u, v }
}

/** The v of the least |target - u vT|, in whatever weights of columns: for u as it is, each column has its own best. */
function solveRight(target: Dense, u: Dense): Dense {
  return solveGram(productAcross(u, u), productAcross(target, u)).x
}

/** The u of the least |(target - u vT) l|; undefined where there are many. */
function solveLeft({ outputs }: Problem, target: Dense, v: Dense): Dense | undefined {
  const seen = outputs ? product(target, outputs.l) : target
  const through = outputs ? productAcross(outputs.l, v) : v
  const { x, rank } = solveGram(productAcross(through, through), product(seen, through))
  return rank === v.columns ? x : undefined
}

/**
 * Both factors in few bits. Each factor is solved for by least squares against the other as rounded, in turns. It
 * begins with the factors as they are, and with their columns spread. Where the given factors are the best, rounding
 * each alone is tried as well. What is best of all is taken.
 */
function quantizeTogether(problem: Problem, target: Dense, given: Factors, best: boolean): RoundedFactors {
  let kept: { factors: RoundedFactors; error: number } | undefined
  const consider = (u: Rounded, v: Rounded): number => {
    const factors = together(u, v)
    const error = squares(seenBy(problem, minusProduct(target, factors)))
    if (!kept || error < kept.error) kept = { factors, error }
    return error
  }
  if (best) consider(roundFactor(problem, given.u), roundFactor(problem, given.v))
  const turns = best ? TURNS.first : TURNS.later
  for (const start of best ? [given, spread(given)] : [given]) {
    let { u } = start
    for (let turn = 0, last = Infinity; turn < turns; turn++) {
      // Least squares against a factor that is nearly singular may leave the format, which what is kept does not.
      if (kept && !holds(problem, u)) break
      const left = roundFactor(problem, u)
      const v = solveRight(target, left.values)
      if (kept && !holds(problem, v)) break
      const right = roundFactor(problem, v)
      const error = consider(left, right)
      const next = error < GAIN * last && solveLeft(problem, target, right.values)
      if (!next) break
      last = error
      u = next
    }
  }
  return kept!.factors
}

/** Another turn is worth it as long as a turn takes this much off the sum of squares. */
const GAIN = 1 - 1e-3

function roundFactor(problem: Problem, values: Dense): Rounded {
  return round(problem, values, problem.exponent / 2, problem.quantize)
}

/**
 * A residual may vanish, but not the matrix that it is left of, whose greatest magnitude is no less in the problem's
 * scale.
 */
const LEAST_TOP = 1 / 4

/**
 * The part that stands for values 2^exponent; `top`: the magnitude that the format must not lose, by default the
 * greatest of the values.
 */
function round({ type }: Problem, values: Dense, exponent: number, coding?: Coding, top = greatestOf(values)): Rounded {
  const shape = [values.rows, values.columns]
  const wide = scaled(values, exponent).data
  if (!coding) {
    const data = new type(wide.length)
    data.set(wide)
    return { part: { data, shape }, values: scaled(asDense({ data, shape }), -exponent) }
  }
  checkRange(coding.format, greatestOf({ data: wide }), timesPower(top, exponent))
  const part = quantize({ data: new Float32Array(wide), shape }, coding)
  return { part, values: scaled(asDense(dequantize(part)), -exponent) }
}

function greatestOf({ data }: Pick<Dense, 'data'>): number {
  return data.reduce((top, x) => Math.max(top, Math.abs(x)), 0)
}

/** Scales in f32 and integer codes hold magnitudes from 2^-142 to what rounds beyond f32. */
const BY_SCALES = { least: 2 ** -142, beyond: (2 - 2 ** -24) * 2 ** 127, span: 'float32 (2e-43 to 3.4e38)' }

/** The magnitudes that a format holds: from `least` on something, and all that rounds to less than `beyond`. */
function rangeOf(name: Coding['format']): typeof BY_SCALES {
  const format = FORMATS[name]
  if (format.kind === 'integer') return BY_SCALES
  const { least, beyond, most } = halfRange(format)
  return { least, beyond, span: `${name} (${least.toPrecision(1)} to ${Number(most.toPrecision(5))})` }
}

/** Whether the format of the factors holds such values. */
function holds({ exponent, quantize }: Problem, values: Dense): boolean {
  if (!quantize) return true
  const { least, beyond } = rangeOf(quantize.format)
  const top = timesPower(greatestOf(values), exponent / 2)
  return top < beyond && (top >= least || top === 0)
}

function checkRange(format: Coding['format'], greatest: number, seen: number): void {
  const { least, beyond, span } = rangeOf(format)
  if (greatest < beyond && (seen >= least || seen === 0)) return
  const what = greatest < beyond ? seen : greatest
  throw rangeError(
    `lowRank: "matrix" expected numbers whose factors and residual are within ${span}, got some of at most ${what.toPrecision(2)}; rescale the data`
  )
}

function rescaled({ u, v }: Factors, exponent: number): Factors {
  return { u: scaled(u, exponent), v: scaled(v, exponent) }
}

function minusProduct(a: Dense, { u, v }: Factors): Dense {
  return minusAlong(a, u, v)
}

/** What counts of a matrix. */
function seenBy({ outputs }: Pick<Problem, 'outputs'>, matrix: Dense): Dense {
  return outputs ? product(matrix, outputs.l) : matrix
}

function measured(problem: Problem, { parts: [u, v] }: RoundedFactors, error: Dense, residual?: Quantized): Fit {
  const matrixError = ratio(squares(error), problem.total)
  const relativeError = problem.outputs ? ratio(squares(seenBy(problem, error)), problem.seen) : matrixError
  return { u, v, ...(residual ? { residual } : {}), relativeError, matrixError }
}

function ratio(noise: number, signal: number): number {
  if (noise === 0) return 0
  return signal === 0 ? Infinity : defaultEngine().kernels.sqrtF64(noise / signal)
}
