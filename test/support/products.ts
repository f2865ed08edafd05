import { expect } from 'vitest'
import { orthogonalityRatio } from '../oracle/linalg.js'
import { factorsRatio, isUpperTriangular, matmulOracle } from '../oracle/solve.js'
import type { Matrix } from './matrices.js'

interface Operand {
  data: ArrayLike<number>
  shape: readonly number[]
}

type Floats = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>

interface Result {
  data: Floats
  shape: number[]
}

const RATIO = 10

/** Element i of the operands whose products matmul.json has as whole numbers. */
export const leftWhole = (i: number): number => ((7 * i + 3) % 11) - 5
export const rightWhole = (i: number): number => ((5 * i + 1) % 13) - 6

/**
 * A product against its definition: sums of k products in f64, in any order and each rounded, then once more if the result is f32.
 * Operands in f32 whose products are also added in f32 need `unit` 2^-24.
 */
export function checkProduct(result: Result, a: Operand, b: Operand, what: string, unit: number = 2 ** -53): void {
  const expected = matmulOracle(a.data, a.shape, b.data, b.shape)
  expect(result.shape, `shape of ${what}`).toEqual(expected.shape)
  expect(result.data.length, `length of ${what}`).toBe(expected.data.length)
  const k = a.shape[a.shape.length - 1]
  const narrow = result.data instanceof Float32Array
  for (let i = 0; i < expected.data.length; i++) {
    const x = expected.data[i]
    const sums = k * (unit + 2 ** -53) * expected.magnitude[i] + k * 2 ** -1074
    const bound = narrow ? sums + 2 ** -24 * (Math.abs(x) + sums) + 2 ** -150 : sums
    if (Math.abs(result.data[i] - x) <= bound) continue
    expect.fail(`${what} differs at ${i}: ${result.data[i]}, expected ${x} within ${bound}`)
  }
}

export interface Qr {
  /** (m, k), k = min(m, n) */
  q: Result
  /** (k, n) */
  r: Result
  /** column j of A P is column order[j] of A */
  order?: ArrayLike<number>
}

/** Shapes, LAPACK's ratios, exact zeros below the diagonal; where columns were exchanged, a diagonal that does not grow. */
export function checkQr(
  { q, r, order }: Qr,
  { data, shape: [m, n] }: Matrix,
  what: string,
  ulp: number = 2 ** -52
): void {
  const k = Math.min(m, n)
  expect([q.shape, r.shape, q.data.length, r.data.length], `shapes of ${what}`).toEqual([[m, k], [k, n], m * k, k * n])
  expect(isUpperTriangular(r.data, k, n), `R of ${what} is upper triangular`).toBe(true)
  expect(orthogonalityRatio(q.data, m, k, ulp), `orthogonality of Q of ${what}`).toBeLessThan(RATIO)
  expect(factorsRatio(data, m, n, q.data, r.data, order, ulp), `residual of ${what}`).toBeLessThan(RATIO)
  if (!order) return
  expect(Array.from(order).sort((x, y) => x - y)).toEqual(Array.from({ length: n }, (_, j) => j))
  for (let i = 1; i < k; i++) {
    const [before, after] = [i - 1, i].map((t) => Math.abs(r.data[t * n + t]))
    // The norms are downdated: equal ones may come in either order.
    if (!(after <= before * (1 + 1e-7))) expect.fail(`|r[${i}, ${i}]| of ${what} is ${after} after ${before}`)
  }
}
