import { timesPower } from '../core/powers.js'
import { defaultEngine } from '../linalg/decompositionEngine.js'
import { lostShares } from '../linalg/spectrum.js'
import { asDense, asSource, evenExponents, minusAlong, product, productAcross, scaled, type Dense } from './algebra.js'
import type { Outputs } from './outputs.js'
import { decomposed, numericalRank } from './spectrum.js'

export interface Factors {
  /** (m, rank) */
  readonly u: Dense
  /** (n, rank) */
  readonly v: Dense
}

/** The best factors of any rank; the columns of both are of one size. */
export interface Basis {
  /** min(m, n) singular values, of the matrix or of its outputs */
  readonly s: Float64Array
  /** the share of the sum of their squares that each rank loses */
  readonly lost: Float64Array
  readonly factors: (rank: number) => Factors
}

/**
 * C. Eckart and G. Young, 1936: u and v with the roots of the singular values.
 * `matrix`: A 2^-exponent, the exponent even, so that singular values beyond f64 have roots
 */
export function plainBasis(matrix: Dense, exponent: number): Basis {
  const full = decomposed(asSource('', matrix))
  const s = full.s.data
  return {
    s: scaled({ data: s, rows: 1, columns: s.length }, exponent).data,
    lost: lostShares(s),
    factors: (rank) => {
      const { sqrtF64 } = defaultEngine().kernels
      const roots = s.subarray(0, rank).map((value) => sqrtF64(value))
      const [u, v] = [columnsOf(asDense(full.u), roots), columnsOf(asDense(full.v), roots)]
      return { u: scaled(u, exponent / 2), v: scaled(v, exponent / 2) }
    }
  }
}

/**
 * Of all u vT the one with the least |(A - u vT) l|. It is A ~ u uT A, u the left singular vectors of A l. No inverse
 * of l is needed. vT = uT A is the best for u in the plain norm as well. So what l does not see is no worse than it has
 * to be. Ranks beyond that of A l go to the rest, A - u uT A, in the plain norm.
 * `matrix`: A 2^-exponent
 */
export function outputBasis(matrix: Dense, exponent: number, outputs: Outputs): Basis {
  const { rows: m, columns: n } = matrix
  const seen = decomposed(asSource('', product(matrix, outputs.l)))
  const values = new Float64Array(Math.min(m, n))
  values.set(seen.s.data)
  const count = seen.s.data.length ? numericalRank(seen.s.data, Math.max(m, n)) : 0
  const first = columnsOf(asDense(seen.u), new Float64Array(count).fill(1))
  const taken = { u: first, v: productAcross(matrix, first) }
  let all: Factors | undefined
  return {
    s: scaled({ data: values, rows: 1, columns: values.length }, exponent + outputs.exponent).data,
    lost: lostShares(values),
    factors: (rank) => {
      const { u, v } = rank <= count ? taken : (all ??= withRest(matrix, taken))
      const ones = new Float64Array(rank).fill(1)
      return balanced(columnsOf(u, ones), columnsOf(v, ones), exponent)
    }
  }
}

/**
 * To factors of a matrix, the best of what they leave of it. v is fitted to what is left, not to the matrix, so that
 * rounding does not count twice.
 */
function withRest(matrix: Dense, { u, v }: Factors): Factors {
  const rest = minusAlong(matrix, u, v)
  const left = asDense(decomposed(asSource('', rest)).u)
  const count = Math.min(matrix.rows, matrix.columns) - u.columns
  return { u: beside(u, left, count), v: beside(v, productAcross(rest, left), count) }
}

/** The columns of a, and the first `count` of b. */
function beside(a: Dense, b: Dense, count: number): Dense {
  const columns = a.columns + count
  const data = new Float64Array(a.rows * columns)
  for (let i = 0; i < a.rows; i++) {
    data.set(a.data.subarray(i * a.columns, (i + 1) * a.columns), i * columns)
    data.set(b.data.subarray(i * b.columns, i * b.columns + count), i * columns + a.columns)
  }
  return { data, rows: a.rows, columns }
}

/** The first columns, each times its factor. */
function columnsOf({ data, rows, columns }: Dense, factors: Float64Array): Dense {
  const count = factors.length
  const out = new Float64Array(rows * count)
  for (let i = 0; i < rows; i++) {
    for (let r = 0; r < count; r++) out[i * count + r] = data[i * columns + r]! * factors[r]!
  }
  return { data: out, rows, columns: count }
}

/** u of orthonormal columns and v: each pair of columns brought to one size, times 2^(exponent / 2). */
function balanced(u: Dense, v: Dense, exponent: number): Factors {
  const { sqrtF64 } = defaultEngine().kernels
  const tops = new Float64Array(v.columns)
  v.data.forEach((x, i) => (tops[i % v.columns] = Math.max(tops[i % v.columns]!, Math.abs(x))))
  // Each column's own exponent, even for its root's sake: its squares may be beyond f64.
  const own = evenExponents(tops)
  const sizes = new Float64Array(v.columns)
  v.data.forEach((x, i) => {
    const unit = timesPower(x, -own[i % v.columns]!)
    sizes[i % v.columns]! += unit * unit
  })
  const roots = sizes.map((size, i) => timesPower(sqrtF64(sqrtF64(size)), own[i]! / 2))
  const inverse = roots.map((root) => (root ? 1 / root : 0))
  return { u: scaled(columnsOf(u, roots), exponent / 2), v: scaled(columnsOf(v, inverse), exponent / 2) }
}
