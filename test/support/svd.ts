import { expect } from 'vitest'
import { svd } from '../../src/index.js'
import type { Svd } from '../../src/index.js'
import { orthogonalityRatio, residualRatio } from '../oracle/linalg.js'
import { matrix } from './matrices.js'
import type { Matrix, MatrixType } from './matrices.js'

export const ULP = 2 ** -52

/** The bound that the docstring states; LAPACK's own tests let pass 50. */
export const RATIO = 10

/** What is wrong with the form of u, s, v: descending, not negative, columns signed by their greatest entry, orthonormal. */
function formProblems({ u, s, v, sweeps, converged, offDiagonal }: Svd, m: number, n: number, ulp: number): string[] {
  const k = Math.min(m, n)
  const problems: string[] = []
  const shapes = JSON.stringify([u.shape, s.shape, v.shape, u.data.length, s.data.length, v.data.length])
  const expected = JSON.stringify([[m, k], [k], [n, k], m * k, k, n * k])
  if (shapes !== expected) return [`shapes and lengths ${shapes}, not ${expected}`]
  if (!converged) problems.push('not converged')
  if (!Number.isInteger(sweeps) || sweeps < 0 || sweeps > 30) problems.push(`${sweeps} sweeps`)
  // Measured as a quotient, which may round up.
  const most = k < 2 ? 0 : Math.sqrt(k) * 2 ** -53 * (1 + 4 * ULP)
  if (!(offDiagonal >= 0 && offDiagonal <= most)) problems.push(`offDiagonal ${offDiagonal}, not in [0, ${most}]`)
  s.data.forEach((x, i) => {
    if (!(x >= 0) || Object.is(x, -0)) problems.push(`s[${i}] = ${x}`)
    if (i > 0 && x > s.data[i - 1]) problems.push(`s[${i}] = ${x} after ${s.data[i - 1]}`)
  })
  // Rounded to f32, entries of both signs may become equal; in f64 the first of equals decides.
  for (let c = 0; c < k && ulp === ULP; c++) {
    let top = 0
    for (let r = 0; r < m; r++) if (Math.abs(u.data[r * k + c]) > Math.abs(top)) top = u.data[r * k + c]
    if (!(top > 0)) problems.push(`the greatest entry of column ${c} of u is ${top}`)
  }
  const left = orthogonalityRatio(u.data, m, k, ulp)
  const right = orthogonalityRatio(v.data, n, k, ulp)
  if (!(left < RATIO)) problems.push(`ratio of orthogonality of u ${left}`)
  if (!(right < RATIO)) problems.push(`ratio of orthogonality of v ${right}`)
  return problems
}

/** Shapes, order, signs, and orthonormal also where A has no full rank. */
export function checkForm(result: Svd, [m, n]: readonly number[], ulp: number, what: string): void {
  const problems = formProblems(result, m, n, ulp)
  if (problems.length > 0) expect.fail(`${what}: ${problems.join('; ')}`)
}

/** The form and the residual of a result in f64. */
export function checkResult(result: Svd, a: Matrix, what: string): void {
  const [m, n] = a.shape
  const { u, s, v } = result
  for (const { data } of [u, s, v]) if (!(data instanceof Float64Array)) expect.fail(`not all is f64, ${what}`)
  checkForm(result, a.shape, ULP, what)
  const ratio = residualRatio(a.data, m, n, u.data, s.data, v.data)
  if (!(ratio < RATIO)) expect.fail(`ratio of the residual of ${what}: ${ratio}`)
}

export function check(a: Matrix, what: string): Svd {
  const result = svd(a)
  checkResult(result, a, what)
  return result
}

/** x 2^exponent, for exponents that are none of an f64's; exact but for results that are subnormal. */
export function power(x: number, exponent: number): number {
  const step = exponent < 0 ? -1000 : 1000
  for (; Math.abs(exponent) > 1000; exponent -= step) x *= 2 ** step
  return x * 2 ** exponent
}

/** As `check`, with A and s brought near 1 for the residual, which else could leave the range of f64. */
export function checkFar(a: Matrix, what: string): Svd {
  const result = svd(a)
  const greatest = a.data.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
  const exponent = greatest === 0 ? 0 : -Math.floor(Math.log2(greatest))
  const moved = result.s.data.map((x: number) => power(x, exponent)) as Float64Array<ArrayBuffer>
  const near = matrix(a.shape[0], a.shape[1], (i, j) => power(a.data[i * a.shape[1] + j], exponent))
  checkResult({ ...result, s: { ...result.s, data: moved } }, near, what)
  return result
}

/** Normwise: each within 100 n ulp of the greatest. */
export function expectValues(actual: ArrayLike<number>, expected: readonly number[], size: number, what: string): void {
  expect(actual.length).toBe(expected.length)
  const bound = 100 * size * ULP * (expected[0] ?? 0)
  expected.forEach((x, i) => {
    if (!(Math.abs(actual[i] - x) <= bound))
      expect.fail(`s[${i}] of ${what}: ${actual[i]}, expected ${x} within ${bound}`)
  })
}

/** A matrix of a type, and its singular values where they are known. */
export function checkType({ name, make, sigma }: MatrixType, m: number, n: number): void {
  const what = `${name}, ${m}x${n}`
  const { s } = check(make(m, n), what)
  if (sigma) expectValues(s.data, sigma(Math.min(m, n)), Math.max(m, n), what)
}
