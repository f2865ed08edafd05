import { describe, expect, it } from 'vitest'
import { svd } from '../../src/index.js'
import { geometric, LAPACK_TYPES, MATRIX_TYPES, random, transposed, withSpectrum } from '../support/matrices.js'
import type { Matrix } from '../support/matrices.js'
import { check, checkType, expectValues, ULP } from '../support/svd.js'

describe("LAPACK's matrices", () => {
  it.each(LAPACK_TYPES)('$name, all sizes to 40', (type) => {
    for (let n = 0; n <= 40; n++) {
      checkType(type, n, n)
      checkType(type, n + (n >> 1) + 1, n)
      checkType(type, n, 2 * n + 1)
    }
  })

  it.each(LAPACK_TYPES)('$name, 64 and 100', (type) => {
    for (const [m, n] of [
      [64, 64],
      [64, 100],
      [100, 64],
      [100, 100]
    ]) {
      checkType(type, m, n)
    }
  })

  it.each([
    'entries in (-1, 1)',
    'even values in any basis',
    'geometric values in any basis',
    'one great value in any basis',
    'two diagonals of entries from ulp^2 to ulp^-2'
  ])('%s, 257', (name) => {
    const type = LAPACK_TYPES.find((candidate) => candidate.name === name)!
    checkType(type, 257, 257)
    checkType(type, 257, 101)
    checkType(type, 102, 257)
  })
})

describe('matrices of all kinds', () => {
  it.each(MATRIX_TYPES)('$name, all sizes to 20', (type) => {
    for (let n = 0; n <= 20; n++) {
      checkType(type, n, n)
      checkType(type, n + 3, n)
      checkType(type, n, n + 4)
    }
  })
})

/** The greatest |a_p . a_q| / (|a_p| |a_q|) of two columns of A V. */
function greatestCosine({ data, shape: [m, n] }: Matrix, v: ArrayLike<number>, k: number): number {
  const columns = Array.from({ length: k }, (_, c) =>
    Float64Array.from({ length: m }, (_, i) => {
      let sum = 0
      for (let j = 0; j < n; j++) sum += data[i * n + j] * v[j * k + c]
      return sum
    })
  )
  const dot = (x: Float64Array, y: Float64Array): number => x.reduce((sum, value, i) => sum + value * y[i], 0)
  let greatest = 0
  columns.forEach((x, p) => {
    for (const y of columns.slice(p + 1)) {
      greatest = Math.max(greatest, Math.abs(dot(x, y)) / Math.sqrt(dot(x, x) * dot(y, y)))
    }
  })
  return greatest
}

describe('offDiagonal', () => {
  it('is what the columns of A V lack in orthogonality, up to the rounding of V', () => {
    for (const [m, n] of [
      [2, 2],
      [9, 9],
      [40, 40],
      [60, 25],
      [25, 60],
      [100, 100]
    ]) {
      const k = Math.min(m, n)
      for (const condition of [1, 10, 1000]) {
        const a = withSpectrum(m, n, geometric(k, condition), 4)
        const { v, offDiagonal, converged } = svd(a)
        expect(converged).toBe(true)
        expect(offDiagonal).toBeLessThanOrEqual(Math.sqrt(k) * 2 ** -53)
        // V is off by some ulp, which the condition magnifies in the columns that A makes small.
        const measured = greatestCosine(a, v.data, k)
        expect(Math.abs(measured - offDiagonal), `${m}x${n} of condition ${condition}`).toBeLessThan(
          20 * Math.max(m, n) * condition * ULP
        )
      }
    }
  })

  it('is 0 where there are no two columns', () => {
    for (const [m, n] of [
      [0, 0],
      [0, 4],
      [4, 0],
      [1, 1],
      [1, 9],
      [9, 1]
    ]) {
      expect(svd(random(m, n))).toMatchObject({ offDiagonal: 0, converged: true })
    }
  })

  it('is 0 where the columns are orthogonal as they are given, or zero', () => {
    for (const name of ['zero', 'negative zero', 'identity']) {
      const { make } = MATRIX_TYPES.find((candidate) => candidate.name === name)!
      expect(svd(make(6, 6)).offDiagonal, name).toBe(0)
      expect(svd(make(6, 3)).offDiagonal, name).toBe(0)
      expect(svd(make(3, 6)).offDiagonal, name).toBe(0)
    }
  })
})

describe('the transpose', () => {
  it('has the same values, and the vectors exchanged but for signs', () => {
    for (const [m, n] of [
      [1, 5],
      [7, 4],
      [12, 12],
      [33, 50]
    ]) {
      const a = withSpectrum(m, n, geometric(Math.min(m, n), 100), 6)
      const one = check(a, 'A')
      const other = check(transposed(a), 'its transpose')
      expectValues(other.s.data, Array.from(one.s.data), Math.max(m, n), `the transpose of ${m}x${n}`)
      const k = Math.min(m, n)
      for (let c = 0; c < k; c++) {
        const cosines = [
          [one.u, other.v],
          [one.v, other.u]
        ].map(([x, y]) => {
          let sum = 0
          for (let i = 0; i < x.shape[0]; i++) sum += x.data[i * k + c] * y.data[i * k + c]
          return sum
        })
        // The values are far apart, so that each vector is determined, but for the sign that both sides share.
        expect(Math.abs(Math.abs(cosines[0]) - 1), `column ${c} of ${m}x${n}`).toBeLessThan(1e-12)
        expect(Math.abs(cosines[1] - Math.sign(cosines[0])), `column ${c} of ${m}x${n}`).toBeLessThan(1e-12)
      }
    }
  })
})
