import { expect } from 'vitest'
import type { TruncatedSvd } from '../../src/index.js'
import { imageDistances, orthonormalDefect, truncationError } from '../oracle/truncated.js'

export interface Expectation {
  /** singular values of the matrix, all of them */
  sigma: ArrayLike<number>
  /** relative excess of |A - u s v'| over the optimum */
  excess?: number
  /** what values, vectors and the error may be off by, as a share of |A| */
  precision?: number
  /** of singular values, as a share of the greatest */
  values?: number
}

/** Everything that a result says of itself, and its distance from the optimum, for a matrix (m, n) whose entries are about 1. */
export function checkTruncated(
  a: ArrayLike<number>,
  [m, n]: readonly number[],
  result: TruncatedSvd,
  what: string,
  { sigma, excess = 1e-6, precision = 1e-13, values = precision }: Expectation
): void {
  const { u, s, v, rank, residuals, energy, relativeError } = result
  expect([u.shape, s.shape, v.shape], what).toEqual([[m, rank], [rank], [n, rank]])
  expect([u.data.length, s.data.length, v.data.length, residuals.length], what).toEqual([
    m * rank,
    rank,
    n * rank,
    rank
  ])
  const wide = u.data instanceof Float64Array
  const orthogonal = wide ? 2 ** -45 : 2 ** -19
  expect(orthonormalDefect(u.data, m, rank), `orthogonality of u, ${what}`).toBeLessThan(orthogonal)
  expect(orthonormalDefect(v.data, n, rank), `orthogonality of v, ${what}`).toBeLessThan(orthogonal)
  const top = sigma[0]
  for (let j = 0; j < rank; j++) {
    expect(s.data[j], `s[${j}] of ${what}`).toBeGreaterThanOrEqual(0)
    if (j > 0) expect(s.data[j], `s[${j}] of ${what}`).toBeLessThanOrEqual(s.data[j - 1])
    expect(Math.abs(s.data[j] - sigma[j]), `s[${j}] of ${what}`).toBeLessThanOrEqual(values * top)
    let greatest = 0
    for (let i = 0; i < m; i++) if (Math.abs(u.data[i * rank + j]) > Math.abs(greatest)) greatest = u.data[i * rank + j]
    // Rounded to f32, entries of both signs may become equal.
    if (wide) expect(greatest, `sign of column ${j} of u, ${what}`).toBeGreaterThan(0)
  }

  const [error, size] = truncationError(a, m, n, u.data, s.data, v.data)
  let best = 0
  for (let j = sigma.length - 1; j >= rank; j--) best += sigma[j] ** 2
  best = Math.sqrt(best)
  expect(error, `error of ${what}`).toBeLessThanOrEqual(best * (1 + excess) + precision * size)
  if (energy !== undefined && relativeError !== undefined && size > 0) {
    expect(Math.abs(relativeError - error / size), `relativeError of ${what}`).toBeLessThanOrEqual(
      (wide ? 1e-6 : 1e-4) * relativeError + precision + 2 ** -22
    )
    expect(Math.abs(energy - (1 - relativeError ** 2)), `energy of ${what}`).toBeLessThan(1e-14)
  }

  const left = imageDistances(a, m, n, u.data, v.data, s.data, true)
  const right = imageDistances(a, m, n, v.data, u.data, s.data, false)
  residuals.forEach((residual, j) => {
    const distance = Math.max(left[j], right[j])
    expect(Math.abs(residual - distance), `residual ${j} of ${what}`).toBeLessThanOrEqual(
      1e-3 * distance + precision * top
    )
  })
}
