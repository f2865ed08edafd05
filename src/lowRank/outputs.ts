import { gemm } from '../linalg/gemm.js'
import { rangeError } from '../core/errors.js'
import { powers, timesPower } from '../core/powers.js'
import { defaultEngine, frame } from '../linalg/decompositionEngine.js'
import { elementAt, nonFiniteF64Error, type Source } from '../core/tensor.js'
import { asymmetryOf, factorPivotedInPlace } from '../linalg/cholesky.js'
import { ulpOf } from '../linalg/dense.js'
import { loadF64 } from '../linalg/matrix.js'
import { eachStretch, evenExponent, evenExponents, greatest, load, minusAlong, type Dense } from './algebra.js'
import type { LowRankTask } from './options.js'

/** What inputs weigh: their Gram matrix XT X is 2^(2 exponent) l lT, so that |E XT| = 2^exponent |E l|. */
export interface Outputs {
  /** (n, rank) */
  readonly l: Dense
  readonly exponent: number
}

/** Undefined where no inputs are known. */
export function readOutputs({ activations, gram }: LowRankTask): Outputs | undefined {
  if (activations) return ofActivations(activations)
  return gram && ofGram(gram)
}

/**
 * Not more samples than columns: they are the factor themselves, and nothing is squared. Otherwise their Gram matrix is
 * added up in runs of 256 samples, of columns that are all of about one size.
 */
function ofActivations(source: Source): Outputs {
  const [samples, n] = source.shape as [number, number]
  if (samples <= n) {
    const exponent = evenExponent(greatest(source))
    return { l: transposed(load(source, -exponent)), exponent }
  }
  const exponents = evenExponents(greatestByColumn(source))
  const factors = Array.from(exponents, (exponent) => powers(-exponent))
  const gram = new Float64Array(n * n)
  frame(defaultEngine(), (memory, kernels) => {
    const sums = memory.alloc(8 * n * n)
    const block = memory.alloc(8 * RUN * n)
    const work = memory.alloc(kernels.multiplyWork(n, 3))
    memory.f64(sums, n * n).fill(0)
    for (let first = 0; first < samples; first += RUN) {
      const count = Math.min(RUN, samples - first)
      loadF64(memory, block, source, first * n, count * n)
      const rows = memory.f64(block, count * n)
      for (let i = 0; i < count * n; i += n) {
        for (let j = 0; j < n; j++) rows[i + j] = rows[i + j]! * factors[j]![0] * factors[j]![1]
      }
      gemm(kernels.multiplyF64, {
        c: sums,
        ldc: n,
        a: block,
        lda: n,
        transposeA: true,
        b: block,
        ldb: n,
        m: n,
        n,
        k: count,
        work
      })
    }
    gram.set(memory.f64(sums, n * n))
  })
  const whole = { data: gram, rows: n, columns: n }
  const own = unitExponents(whole, 2 ** -52)
  const l = semidefiniteFactor(toUnit(whole, own), n * 2 ** -52)
  return fromUnit(
    l,
    exponents.map((exponent, i) => exponent + own[i]!)
  )
}

const RUN = 256

/** The greatest magnitude of each column; throws the error that names what is not finite. */
function greatestByColumn(source: Source): Float64Array {
  const n = source.shape[1]!
  const tops = new Float64Array(n)
  eachStretch(source, (stretch, start) => {
    let j = start % n
    for (const x of stretch) {
      tops[j] = Math.max(tops[j]!, Math.abs(x))
      if (++j === n) j = 0
    }
  })
  if (!tops.every(Number.isFinite)) throw nonFiniteF64Error(source)
  return tops
}

function ofGram(source: Source): Outputs {
  const [n] = source.shape as [number]
  greatest(source)
  const ulp = ulpOf(source)
  const given = load(source, 0)
  const exponents = unitExponents(given, ulp)
  const unit = toUnit(given, exponents)
  const tolerance = n * ulp
  // Of products of columns none is beyond the root of its diagonal entries' product; what is may be beyond f64 in this
  // scale.
  if (unit.data.some((x) => !(Math.abs(x) <= 4 * (1 + 8 * tolerance)))) throw notSemidefinite(source)
  checkSymmetric(source, unit)
  const least = Math.min(tolerance, MOST_NOISE)
  const l = semidefiniteFactor(unit, least)
  // Of a semidefinite matrix nothing is left where nothing is left on the diagonal.
  if (minusAlong(unit, l, l).data.some((x) => Math.abs(x) > 8 * least)) throw notSemidefinite(source)
  return fromUnit(l, exponents)
}

/**
 * 16-bit floats of many columns may be all noise at the worst. The mean leaves them out, so that more than this of a
 * column counts as signal.
 */
const MOST_NOISE = 2 ** -4

function notSemidefinite({ name }: Source): RangeError {
  return rangeError(
    `${name} expected sums of products XT X, which are positive semidefinite, got a matrix that is not; add up whole rows of X`
  )
}

/**
 * Half the exponents of the even powers of two that bring the diagonal into [1, 4): columns are rounded in themselves,
 * whatever the others are. Diagonal entries below the type's normal numbers are known to a part of the least normal one
 * only, and stand to that.
 */
function unitExponents({ data, rows: n }: Dense, ulp: number): Int32Array<ArrayBuffer> {
  const least = ulp === 2 ** -10 ? -8 : ulp === 2 ** -52 ? -512 : -64
  const diagonal = Float64Array.from({ length: n }, (_, i) => Math.max(0, data[i * (n + 1)]!))
  return evenExponents(diagonal).map((exponent, i) => (diagonal[i] ? Math.max(least, exponent / 2 - 1) : least))
}

/** Entry (i, j) times 2^-(exponents[i] + exponents[j]). */
function toUnit({ data, rows: n }: Dense, exponents: Int32Array): Dense {
  return {
    data: data.map((x, at) => timesPower(x, -(exponents[Math.floor(at / n)]! + exponents[at % n]!))),
    rows: n,
    columns: n
  }
}

/** l of the matrix itself, within 1 by a common power of two. */
function fromUnit({ data, rows, columns }: Dense, exponents: Int32Array): Outputs {
  const exponent = exponents.reduce((a, b) => Math.max(a, b), -2000)
  return {
    l: { data: data.map((x, at) => timesPower(x, exponents[Math.floor(at / columns)]! - exponent)), rows, columns },
    exponent
  }
}

/** Symmetric up to rounding: then each pair becomes its mean. */
function checkSymmetric(source: Source, { data, rows: n }: Dense): void {
  const at = frame(defaultEngine(), (memory, kernels) => {
    const a = memory.alloc(8 * n * n)
    memory.f64(a, n * n).set(data)
    return asymmetryOf(source, memory, kernels, a)
  })
  if (at) {
    const [i, j] = at
    const [below, above] = [elementAt(source, i * n + j), elementAt(source, j * n + i)]
    throw rangeError(
      `${source.name} expected a symmetric matrix, got ${below} at [${i}, ${j}] and ${above} at [${j}, ${i}]; average it with its transpose`
    )
  }
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) data[i * n + j] = data[j * n + i] = (data[i * n + j]! + data[j * n + i]!) / 2
  }
}

/**
 * l (n, rank) of a semidefinite G ~ l lT, with pivots until none of what is left of the diagonal is above `tolerance`.
 */
function semidefiniteFactor({ data, rows: n }: Dense, tolerance: number): Dense {
  return frame(defaultEngine(), (memory, kernels) => {
    const a = memory.alloc(8 * n * n)
    const order = memory.alloc(4 * n)
    memory.f64(a, n * n).set(data)
    const { rank } = factorPivotedInPlace(memory, kernels, a, n, n, order, { tolerance })
    kernels.clearUpper(a, n, n)
    const l = new Float64Array(n * rank)
    memory.u32(order, n).forEach((row, i) => l.set(memory.f64(a + 8 * n * i, rank), row * rank))
    return { data: l, rows: n, columns: rank }
  })
}

function transposed({ data, rows, columns }: Dense): Dense {
  const out = new Float64Array(data.length)
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = data[i * columns + j]!
  return { data: out, rows: columns, columns: rows }
}
