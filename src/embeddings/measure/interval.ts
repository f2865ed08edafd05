import { log10, sqrt } from '../../core/scalars.js'

/** An interval that holds the truth with the confidence that was asked for. */
export type Interval = [low: number, high: number]

/** Queries that are assumed beside those that are seen: see {@link shareInterval}. */
const UNSEEN = 2
/** Share of what a confidence leaves out that the quantile leaves out: .02 of .05. */
const STRICT = 0.4

/**
 * The interval of the mean of shares in [0, 1], of queries drawn without replacement from `population` (Infinity: from
 * a source of them).
 *
 * The hits of one query depend on each other, hence a query counts as one observation. Method: E. B. Wilson's interval
 * (JASA 22, 1927), which stays in [0, 1] and is right near its ends. Its number of queries is the one that would give
 * the variance that is seen (E. L. Korn and B. I. Graubard, Survey Methodology 24, 1998). Student's quantile and the
 * correction for finite populations are applied. Shares near 1 are often all 1 in a sample, though a few in the
 * population are 0. So the variance counts two more queries, one that finds all and one that finds nothing. The
 * quantile is that of a higher confidence, .98 for .95: of a hundred intervals that hold with .95 each, often fewer
 * than 95 do (in 38% of hundreds); of these, in 2%.
 */
export function shareInterval(shares: ArrayLike<number>, population: number, confidence: number): Interval {
  const count = shares.length
  let sum = 0
  for (let i = 0; i < count; i++) sum += shares[i]!
  const mean = sum / count
  if (population <= count) return [mean, mean]
  if (count < 2) return [0, 1]
  let squares = 0
  for (let i = 0; i < count; i++) squares += (shares[i]! - mean) * (shares[i]! - mean)
  // Of 1: queries that find all or nothing.
  const spread = (squares + UNSEEN) / (count * mean * (1 - mean) + UNSEEN)
  const finite = population === Infinity ? 1 : (population - count) / (population - 1)
  const effective = count / (Math.min(1, spread) * finite)
  const t = studentQuantile(1 - STRICT * (1 - confidence), count - 1)
  const share = (t * t) / effective
  const middle = (mean + share / 2) / (1 + share)
  const half = (t / (1 + share)) * sqrt((mean * (1 - mean)) / effective + share / (4 * effective))
  return [Math.max(0, Math.min(mean, middle - half)), Math.min(1, Math.max(mean, middle + half))]
}

/**
 * What Student's t of so many degrees of freedom is within, both ways, with probability `confidence`. Method:
 * Abramowitz and Stegun 26.7.5.
 */
export function studentQuantile(confidence: number, freedom: number): number {
  const z = normalQuantile(confidence)
  const y = z * z
  const terms = [
    (z * (y + 1)) / 4,
    (z * ((5 * y + 16) * y + 3)) / 96,
    (z * (((3 * y + 19) * y + 17) * y - 15)) / 384,
    (z * ((((79 * y + 776) * y + 1482) * y - 1920) * y - 945)) / 92160
  ]
  return z + terms.reduceRight((sum, term) => (sum + term) / freedom, 0)
}

const A = [
  3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987, 67265.7709270087,
  33430.57558358813, 2509.0809287301227
]
const B = [
  1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271, 28729.085735721943,
  5226.495278852854
]
const C = [
  1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684, 0.2417807251774506,
  0.022723844989269184, 0.0007745450142783414
]
const D = [
  1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457,
  0.0005475938084995345, 1.0507500716444169e-9
]

/**
 * What a standard normal is within, both ways, with probability `confidence`, at most 1 - 2^-30. Method: M. J. Wichura,
 * AS 241, Applied Statistics 37, 1988.
 */
export function normalQuantile(confidence: number): number {
  const q = confidence / 2
  if (q <= 0.425) {
    const r = 0.180625 - q * q
    return (q * polynomial(A, r)) / polynomial(B, r)
  }
  const r = sqrt(-log10((1 - confidence) / 2) * LN10) - 1.6
  return polynomial(C, r) / polynomial(D, r)
}

const LN10 = 2.302585092994046

function polynomial(coefficients: readonly number[], x: number): number {
  return coefficients.reduceRight((sum, coefficient) => sum * x + coefficient, 0)
}
