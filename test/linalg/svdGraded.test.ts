import { describe, expect, it } from 'vitest'
import { svd } from '../../src/index.js'
import { even, matrix, permuted, scaled, shuffled, transposed, withSpectrum } from '../support/matrices.js'
import type { Matrix } from '../support/matrices.js'
import { seeded } from '../support/random.js'
import { check, checkForm, ULP } from '../support/svd.js'
import { gradedVectors } from '../support/vectors.js'
import type { GradedCase } from '../support/vectors.js'

/**
 * Each singular value within 100 n ulp of itself, n the greater side. Where rows and columns are both scaled, and for Kahan's
 * triangle of 40, a value is determined only up to `condition`, and the error may be n ulp condition. On the same matrices in any
 * order LAPACK's dgejsv, its rows pivoted, is within 4e-15 (Kahan's of 24: 2e-13), and on those within 4e-13 (Kahan's of 40: 3e-11).
 */
function bound({ kind, m, n, condition }: GradedCase): number {
  const limited = kind === 'both' || (kind === 'kahan' && n > 24)
  return Math.max(m, n) * ULP * (limited ? Math.max(100, condition) : 100)
}

function greatestError(actual: ArrayLike<number>, expected: Float64Array): number {
  expect(actual.length).toBe(expected.length)
  return expected.reduce((most, x, i) => Math.max(most, Math.abs(actual[i] - x) / x), 0)
}

const inOrder = (length: number): number[] => Array.from({ length }, (_, i) => i)
const reversed = (length: number): number[] => inOrder(length).reverse()

/** Orders of rows and columns, which change no singular value. */
const ORDERS: readonly [string, (a: Matrix) => Matrix][] = [
  ['as it is', (a) => a],
  ['rows reversed', (a) => permuted(a, reversed(a.shape[0]), inOrder(a.shape[1]))],
  ['columns reversed', (a) => permuted(a, inOrder(a.shape[0]), reversed(a.shape[1]))],
  ['both reversed', (a) => permuted(a, reversed(a.shape[0]), reversed(a.shape[1]))],
  ...[1, 2, 3, 4].map((seed): [string, (a: Matrix) => Matrix] => [`shuffle ${seed}`, (a) => shuffled(a, 100 * seed)])
]

describe('each singular value of graded matrices, against mpmath', () => {
  it.each(gradedVectors)('$name', (golden) => {
    const a = matrix(golden.m, golden.n, (i, j) => golden.input[i * golden.n + j])
    const most = bound(golden)
    const failures: string[] = []
    for (const [order, arrange] of ORDERS) {
      const arranged = arrange(a)
      for (const [side, given] of [
        ['A', arranged],
        ['its transpose', transposed(arranged)]
      ] as const) {
        const { s } = check(given, `${side}, ${order}`)
        const error = greatestError(s.data, golden.singularValues)
        if (!(error <= most)) failures.push(`${side}, ${order}: ${error}`)
      }
    }
    expect(failures, `relative errors above ${most}`).toEqual([])
  })

  it.each(gradedVectors)('$name, far from 1', (golden) => {
    const a = matrix(golden.m, golden.n, (i, j) => golden.input[i * golden.n + j])
    for (const factor of [2 ** -300, 2 ** 300]) {
      const { s } = check(scaled(shuffled(a, 7), factor), `times ${factor}`)
      const values = golden.singularValues.map((x) => x * factor)
      expect(greatestError(s.data, values), `relative error, times ${factor}`).toBeLessThanOrEqual(bound(golden))
    }
  })
})

describe('graded matrices of any size', () => {
  it.each([
    [64, 64],
    [100, 100],
    [130, 90]
  ])('have the same values in any order, %ix%i', (m, n) => {
    const plain = withSpectrum(m, n, even(n, 10), 5)
    for (const reach of [1, 20, 100]) {
      // Powers of two, so that nothing is rounded before the decomposition.
      const random = seeded(m + reach)
      const factors = Float64Array.from({ length: n }, () => 2 ** Math.round(-reach * 3.3 * random()))
      const a = matrix(m, n, (i, j) => plain.data[i * n + j] * factors[j])
      const expected = check(a, 'A').s.data as Float64Array
      const most = 100 * m * ULP
      for (const seed of [3, 5]) {
        const b = shuffled(a, seed)
        const what = `columns scaled to 1e-${reach}, shuffle ${seed}`
        expect(greatestError(check(b, what).s.data, expected), what).toBeLessThanOrEqual(most)
        const c = check(transposed(b), `the transpose, ${what}`)
        expect(greatestError(c.s.data, expected), `the transpose, ${what}`).toBeLessThanOrEqual(most)
      }
    }
  })
})

describe('graded matrices in f32', () => {
  it.each(gradedVectors.filter(({ kind }) => kind === 'rows' || kind === 'columns'))('$name', (golden) => {
    const { m, n, input, singularValues } = golden
    const result = svd(
      shuffled(
        matrix(m, n, (i, j) => input[i * n + j]),
        9
      ),
      { dtype: 'float32' }
    )
    checkForm(result, [m, n], 2 ** -23, 'f32')
    // Rounded once: half a unit in the last place, and the least f32 is 2^-149.
    singularValues.forEach((x, i) =>
      expect(Math.abs(result.s.data[i] - x)).toBeLessThanOrEqual(2 ** -150 + x * (2 ** -24 + 1e-12))
    )
  })
})
