import { describe, expect, it } from 'vitest'
import { matrix, random } from '../support/matrices.js'
import { checkProduct, checkQr, leftWhole, rightWhole } from '../support/products.js'
import { sizeOf } from '../support/shapes.js'
import { matmulVectors } from '../support/vectors.js'
import { broadcastOracle, factorsRatio, isUpperTriangular, matmulOracle } from './solve.js'

const whole = (shape: readonly number[], entry: (i: number) => number): Float64Array<ArrayBuffer> =>
  Float64Array.from({ length: sizeOf(shape) }, (_, i) => entry(i))

describe('products against NumPy', () => {
  it.each(matmulVectors.whole)('$left times $right', ({ left, right, shape, data }) => {
    const [a, b] = [whole(left, leftWhole), whole(right, rightWhole)]
    const product = matmulOracle(a, left, b, right)
    expect(product.shape).toEqual(shape)
    expect(Array.from(product.data, (x) => x + 0)).toEqual(data)
    checkProduct(
      { data: Float64Array.from(data), shape },
      { data: a, shape: left },
      { data: b, shape: right },
      'itself'
    )
  })

  it.each(matmulVectors.refused)('$left times $right has no product', ({ left, right }) => {
    expect(() => matmulOracle(whole(left, leftWhole), left, whole(right, rightWhole), right)).toThrow(RangeError)
  })

  it('broadcasts from the last dimension on', () => {
    expect(broadcastOracle([], [])).toEqual([])
    expect(broadcastOracle([2, 1], [3])).toEqual([2, 3])
    expect(broadcastOracle([1], [0])).toEqual([0])
    expect(broadcastOracle([4, 1, 2], [3, 1])).toEqual([4, 3, 2])
    expect(() => broadcastOracle([2], [3])).toThrow('shapes 2 and 3')
    expect(() => broadcastOracle([0], [2])).toThrow(RangeError)
  })

  it('is within its bound of sums that cancel', () => {
    for (const { m, k, n, left, right, product } of matmulVectors.rounded) {
      const { data, magnitude } = matmulOracle(left, [m, k], right, [k, n])
      product.forEach((x, i) => expect(Math.abs(data[i] - x)).toBeLessThanOrEqual(k * 2 ** -53 * magnitude[i]))
      const [a, b] = [
        { data: left, shape: [m, k] },
        { data: right, shape: [k, n] }
      ]
      checkProduct({ data: product, shape: [m, n] }, a, b, 'the product rounded once')
      const narrow = Float32Array.from(product)
      if (narrow.every(Number.isFinite)) checkProduct({ data: narrow, shape: [m, n] }, a, b, 'the product in f32')
      const wrong = product.slice()
      wrong[n - 1] += 3 * k * 2 ** -53 * magnitude[n - 1]
      expect(() => checkProduct({ data: wrong, shape: [m, n] }, a, b, 'a wrong product')).toThrow(`differs at ${n - 1}`)
    }
  })
})

/** Gram-Schmidt, each column orthogonalised twice. */
function gramSchmidt(
  a: Float64Array,
  m: number,
  n: number
): { q: Float64Array<ArrayBuffer>; r: Float64Array<ArrayBuffer> } {
  const q = new Float64Array(m * n)
  const r = new Float64Array(n * n)
  for (let j = 0; j < n; j++) {
    const column = Float64Array.from({ length: m }, (_, i) => a[i * n + j])
    for (let t = 0; t < 2 * j; t++) {
      const c = t % j
      let dot = 0
      for (let i = 0; i < m; i++) dot += q[i * n + c] * column[i]
      for (let i = 0; i < m; i++) column[i] -= dot * q[i * n + c]
      r[c * n + j] += dot
    }
    r[j * n + j] = Math.sqrt(column.reduce((sum, x) => sum + x * x, 0))
    for (let i = 0; i < m; i++) q[i * n + j] = column[i] / r[j * n + j]
  }
  return { q, r }
}

describe('the check of a QR', () => {
  const [m, n] = [9, 6]
  const a = random(m, n, 2)
  const { q, r } = gramSchmidt(a.data, m, n)
  const factors = (left = q, right = r): Parameters<typeof checkQr>[0] => ({
    q: { data: left, shape: [m, n] },
    r: { data: right, shape: [n, n] }
  })

  it('lets pass what is one', () => {
    checkQr(factors(), a, 'Gram-Schmidt')
    expect(factorsRatio(a.data, m, n, q, r)).toBeLessThan(1)
    const empty = { data: new Float64Array(0), shape: [0, 3] as [number, number] }
    checkQr({ q: { data: new Float64Array(0), shape: [0, 0] }, r: { ...empty } }, empty, 'no rows')
  })

  it('sees exchanged columns', () => {
    const order = [3, 1, 0, 5, 4, 2]
    const exchanged = matrix(m, n, (i, j) => a.data[i * n + order.indexOf(j)])
    expect(factorsRatio(exchanged.data, m, n, q, r, order)).toBeLessThan(1)
    expect(factorsRatio(exchanged.data, m, n, q, r)).toBeGreaterThan(1e10)
  })

  it('refuses what is none', () => {
    const full = r.slice()
    full[n] = 1e-300
    expect(isUpperTriangular(full, n, n)).toBe(false)
    expect(() => checkQr(factors(q, full), a, 'R')).toThrow('upper triangular')
    const off = r.slice()
    off[1] += 1e-12
    expect(() => checkQr(factors(q, off), a, 'R')).toThrow('residual')
    const skew = q.slice()
    skew[0] += 1e-12
    expect(() => checkQr(factors(skew), a, 'Q')).toThrow('orthogonality')
    expect(factorsRatio([NaN], 1, 1, [1], [1])).toBeNaN()
    expect(factorsRatio([0], 1, 1, [1], [1])).toBe(2 ** 52)
    expect(factorsRatio([0], 1, 1, [1], [0])).toBe(0)
  })
})
