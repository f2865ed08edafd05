import { defaultEngine } from '../core/engine.js'
import type { Source } from '../core/tensor.js'
import { product, productAcross, scaled, type Dense } from './algebra.js'
import type { Outputs } from './outputs.js'
import { lostShares } from '../linalg/spectrum.js'
import { asDense, asSource, decomposed, numericalRank } from './spectrum.js'

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

/** C. Eckart and G. Young, 1936: u and v with the roots of the singular values. */
export function plainBasis(source: Source): Basis {
  const full = decomposed(source)
  const s = full.s.data
  return {
    s,
    lost: lostShares(s),
    factors: (rank) => {
      const { sqrtF64 } = defaultEngine().kernels
      const roots = s.subarray(0, rank).map((value) => sqrtF64(value))
      return { u: columnsOf(asDense(full.u), roots), v: columnsOf(asDense(full.v), roots) }
    }
  }
}

/**
 * Of all u vT the one with the least |(A - u vT) l|: with the left singular vectors U of A l, A ~ U UT A. No inverse of l is needed, and vT = UT A is
 * the best for u in the plain norm as well; so what l does not see is no worse than it has to be. Ranks beyond that of A l go to the rest, A - U UT A, in
 * the plain norm.
 * `matrix`: A 2^-exponent
 */
export function outputBasis(matrix: Dense, exponent: number, outputs: Outputs): Basis {
  const { rows: m, columns: n } = matrix
  const seen = decomposed(asSource('', product(matrix, outputs.l)))
  const values = new Float64Array(Math.min(m, n))
  values.set(seen.s.data)
  const count = seen.s.data.length ? numericalRank(seen.s.data, Math.max(m, n)) : 0
  const first = columnsOf(asDense(seen.u), new Float64Array(count).fill(1))
  let all: Dense | undefined
  return {
    s: scaled({ data: values, rows: 1, columns: values.length }, exponent + outputs.exponent).data,
    lost: lostShares(values),
    factors: (rank) => {
      const basis = rank <= count ? first : (all ??= withRest(matrix, first))
      const u = columnsOf(basis, new Float64Array(rank).fill(1))
      return balanced(u, productAcross(matrix, u), exponent)
    }
  }
}

/** To the columns of u those of the rest of the matrix; 0 where there is nothing left. */
function withRest(matrix: Dense, u: Dense): Dense {
  const { rows: m, columns: n } = matrix
  const along = product(u, productAcross(u, matrix))
  const rest = { ...matrix, data: matrix.data.map((x, i) => x - along.data[i]!) }
  const { u: left, s } = decomposed(asSource('', rest))
  const k = Math.min(m, n)
  const least = Math.max(m, n) * 2 ** -52 * largest(matrix)
  const data = new Float64Array(m * k)
  for (let i = 0; i < m; i++) {
    for (let r = 0; r < u.columns; r++) data[i * k + r] = u.data[i * u.columns + r]!
  }
  for (let r = u.columns; r < k; r++) {
    if (s.data[r - u.columns]! <= least) break
    const column = Float64Array.from({ length: m }, (_, i) => left.data[i * k + r - u.columns]!)
    if (!leave(column, u)) continue
    for (let i = 0; i < m; i++) data[i * k + r] = column[i]!
  }
  return { data, rows: m, columns: k }
}

/** Takes from a column of length 1 what lies along those of u, in place; false where little of it is left: then it was rounding. */
function leave(column: Float64Array, u: Dense): boolean {
  let square = 1
  for (let pass = 0; pass < 2; pass++) {
    for (let q = 0; q < u.columns; q++) {
      let dot = 0
      for (let i = 0; i < u.rows; i++) dot += u.data[i * u.columns + q]! * column[i]!
      for (let i = 0; i < u.rows; i++) column[i]! -= dot * u.data[i * u.columns + q]!
    }
    square = column.reduce((sum, x) => sum + x * x, 0)
    if (square < 0.5) return false
  }
  const size = defaultEngine().kernels.sqrtF64(square)
  column.forEach((x, i) => (column[i] = x / size))
  return true
}

function largest({ data }: Dense): number {
  let top = 0
  for (const x of data) top = Math.max(top, Math.abs(x))
  return top
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
  const sizes = new Float64Array(v.columns)
  v.data.forEach((x, i) => (sizes[i % v.columns]! += x * x))
  const roots = sizes.map((size) => sqrtF64(sqrtF64(size)))
  const inverse = roots.map((root) => (root ? 1 / root : 0))
  return { u: scaled(columnsOf(u, roots), exponent / 2), v: scaled(columnsOf(v, inverse), exponent / 2) }
}
