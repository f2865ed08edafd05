import { describe, expect, it } from 'vitest'
import { defaultEngine } from '../../src/linalg/productEngine.js'
import { matmul } from '../../src/index.js'
import { blockedProductOracle, matmulOracle } from '../oracle/solve.js'
import { expectSameBits } from '../support/bits.js'
import { expectError } from '../support/errors.js'
import { checkProduct, leftWhole, rightWhole } from '../support/products.js'
import { ugly } from '../support/quantize.js'
import { index, seeded } from '../support/random.js'
import { sizeOf } from '../support/shapes.js'
import { f32, matmulVectors } from '../support/vectors.js'
import { type Tensor, classOf, randomOf, transposed, WAYS, inAllWays } from '../support/matmul.js'

describe('against NumPy', () => {
  const whole = (shape: number[], entry: (i: number) => number, wide: boolean): Tensor => ({
    data: new (classOf(wide))(Array.from({ length: sizeOf(shape) }, (_, i) => entry(i))),
    shape
  })

  it.each(matmulVectors.whole)('$left times $right', ({ left, right, shape, data }) => {
    for (const wide of [false, true]) {
      const expected = new (classOf(wide))(data.map((x) => x + 0))
      for (const product of inAllWays(whole(left, leftWhole, wide), whole(right, rightWhole, wide))) {
        expect(product.shape).toEqual(shape)
        expectSameBits(product.data, expected)
      }
    }
  })

  it.each(matmulVectors.refused)('$left times $right has no product', ({ left, right }) => {
    const [a, b] = [whole(left, leftWhole, false), whole(right, rightWhole, false)]
    for (const way of WAYS) {
      expectError(
        () => matmul(way.transposeA ? transposed(a) : a, way.transposeB ? transposed(b) : b, way),
        RangeError,
        'matmul: "b" expected',
        ', got ['
      )
    }
  })

  it('sums that cancel', () => {
    for (const { m, k, n, left, right, product } of matmulVectors.rounded) {
      const [a, b] = [
        { data: left, shape: [m, k] },
        { data: right, shape: [k, n] }
      ]
      const { magnitude } = matmulOracle(left, a.shape, right, b.shape)
      for (const { data } of inAllWays(a, b)) {
        data.forEach((x, i) => expect(Math.abs(x - product[i])).toBeLessThanOrEqual(k * 2 ** -53 * magnitude[i]))
      }
    }
  })
})

/** In f32 the oracle's error is nothing, so that the bound is that of the documentation. */
function checkMatrix(m: number, k: number, n: number, seed: number, make: typeof randomOf = randomOf): void {
  for (const wide of [false, true]) {
    const [a, b] = [make([m, k], seed, wide), make([k, n], seed + 1, wide)]
    const expected = new (classOf(wide))(blockedProductOracle(a.data, b.data, m, k, n, !wide))
    for (const [i, product] of inAllWays(a, b).entries()) {
      const what = `${wide ? 'f64' : 'f32'} ${m}x${k}x${n}, way ${i}`
      expect(product.shape).toEqual([m, n])
      expectSameBits(product.data, expected, what)
      if (i === 0) checkProduct(product, a, b, what, wide ? 2 ** -53 : 2 ** -24)
    }
  }
}

describe('in the order that is documented, and within its error', () => {
  const SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 15, 17, 31, 33, 63, 65, 127, 129, 255, 257, 300, 513, 1025]

  it.each(SIZES)('sizes with %i', (size) => {
    checkMatrix(size, 5, 19, size)
    checkMatrix(6, size, 9, size)
    checkMatrix(3, 17, size, size)
    checkMatrix(size, 1, 1, size)
    checkMatrix(1, size, 1, size)
    checkMatrix(1, 1, size, size)
    if (size <= 65) checkMatrix(size, size, size, size)
  })

  it.each([
    [127, 129, 255],
    [129, 257, 63],
    [65, 513, 33],
    [300, 65, 300],
    [17, 1025, 257],
    [1025, 31, 65],
    [513, 9, 513]
  ])('%i x %i x %i', (m, k, n) => checkMatrix(m, k, n, m))

  it('small sizes, all of them', () => {
    for (let m = 1; m <= 6; m++)
      for (let k = 1; k <= 5; k++) for (let n = 1; n <= 18; n++) checkMatrix(m, k, n, 100 * m + 10 * k + n)
  })

  it.each([
    [700, 1100, 520],
    [520, 2100, 40],
    [30, 3000, 1030],
    [2600, 40, 700],
    [1, 5000, 1],
    [9, 70000, 5],
    [70000, 9, 5],
    [3, 9, 70000]
  ])('windows of %i x %i x %i, elements here and there', (m, k, n) => {
    const random = seeded(m)
    for (const wide of [false, true]) {
      const [a, b] = [randomOf([m, k], 1, wide), randomOf([k, n], 2, wide)]
      const products = inAllWays(a, b)
      for (const { data } of products) expectSameBits(data, products[0].data)
      for (let count = 0; count < 60; count++) {
        const [i, j] = [index(random, m), index(random, n)]
        const row = a.data.subarray(i * k, (i + 1) * k)
        const column = Float64Array.from({ length: k }, (_, t) => b.data[t * n + j])
        const [expected] = blockedProductOracle(row, column, 1, k, 1, !wide)
        expect(products[0].data[i * n + j], `[${i}, ${j}]`).toBe(expected)
      }
    }
  })

  it('numbers of many magnitudes, zeros of both signs and subnormals', () => {
    const make = (shape: number[], seed: number, wide: boolean): Tensor => ({
      data: new (classOf(wide))(ugly(sizeOf(shape), seed)),
      shape
    })
    for (const [m, k, n] of [
      [5, 9, 17],
      [33, 65, 16],
      [4, 600, 8]
    ]) {
      for (const wide of [false, true]) {
        const [a, b] = [make([m, k], m, wide), make([k, n], n, wide)]
        const expected = new (classOf(wide))(blockedProductOracle(a.data, b.data, m, k, n, !wide))
        for (const { data } of inAllWays(a, b)) expectSameBits(data, expected)
      }
    }
  })

  it('zeros are never negative', () => {
    for (const value of [0, -0]) {
      const a = { data: new Float32Array(40).fill(value), shape: [5, 8] }
      for (const { data } of inAllWays(a, transposed({ data: new Float32Array(40).fill(-1), shape: [5, 8] }))) {
        expectSameBits(data, new Float32Array(25))
      }
    }
    expectSameBits(matmul([[-1e-300]], [[1e-300]]).data, new Float64Array(1))
  })

  it('the ends of the types', () => {
    const most = (2 - 2 ** -23) * 2 ** 127
    expect(matmul({ data: f32([most, most]), shape: [1, 2] }, { data: f32([1, -1]), shape: [2, 1] }).data[0]).toBe(0)
    expect(matmul({ data: f32([2 ** -149]), shape: [1, 1] }, { data: f32([0.5]), shape: [1, 1] }).data[0]).toBe(0)
    expect(matmul([[1e300, 1]], [[1e8], [1]]).data[0]).toBe(1e308)
    expect(matmul([[5e-324]], [[1]]).data[0]).toBe(5e-324)
  })
})

describe('many matrices', () => {
  const SHAPES = [
    [
      [3, 4, 5],
      [3, 5, 6]
    ],
    [
      [64, 16, 16],
      [64, 16, 16]
    ],
    [
      [2, 3, 9, 17],
      [3, 17, 8]
    ],
    [
      [3, 1, 9, 17],
      [4, 17, 8]
    ],
    [
      [1, 4, 9, 17],
      [3, 1, 17, 8]
    ],
    [
      [5, 7, 9],
      [9, 4]
    ],
    [
      [7, 9],
      [5, 9, 4]
    ],
    [
      [2, 1, 3, 1, 2, 3],
      [5, 1, 4, 3, 2]
    ],
    [
      [3, 300, 20],
      [20, 290]
    ],
    [
      [300, 20],
      [3, 20, 290]
    ],
    [
      [2, 270, 260],
      [2, 260, 250]
    ],
    [
      [500, 3, 2],
      [500, 2, 1]
    ],
    [
      [70, 40, 30],
      [1, 30, 40]
    ],
    [
      [70, 1, 30],
      [70, 30, 40]
    ]
  ] as [number[], number[]][]

  it.each(SHAPES)('%j by %j', (left, right) => {
    for (const wide of [false, true]) {
      const [a, b] = [randomOf(left, 1, wide), randomOf(right, 2, wide)]
      const [first, ...others] = inAllWays(a, b)
      checkProduct(first, a, b, 'batch', wide ? 2 ** -53 : 2 ** -24)
      for (const other of others) expectSameBits(other.data, first.data)
    }
  })

  it('each as if it were alone', () => {
    for (const [count, m, k, n] of [
      [50, 7, 9, 11],
      [3, 260, 300, 270],
      [1000, 1, 2, 1]
    ]) {
      const [a, b] = [randomOf([count, m, k], 3, false), randomOf([count, k, n], 4, false)]
      const { data } = matmul(a, b)
      for (let i = 0; i < count; i += 1 + Math.floor(count / 7)) {
        const alone = matmul(
          { data: a.data.slice(i * m * k, (i + 1) * m * k), shape: [m, k] },
          { data: b.data.slice(i * k * n, (i + 1) * k * n), shape: [k, n] }
        )
        expectSameBits(data.slice(i * m * n, (i + 1) * m * n), alone.data)
      }
    }
  })
})

it('takes little linear memory, whatever the sizes', () => {
  const { memory } = defaultEngine()
  const used = memory.used
  for (const [m, k, n] of [
    [300_000, 20, 10],
    [10, 300_000, 20],
    [20, 10, 300_000],
    [1500, 1, 1500],
    [1, 300_000, 3]
  ]) {
    for (const way of WAYS) {
      matmul(
        { data: new Float64Array(m * k), shape: way.transposeA ? [k, m] : [m, k] },
        { data: new Float64Array(k * n), shape: way.transposeB ? [n, k] : [k, n] },
        way
      )
    }
  }
  expect(memory.size).toBeLessThan(32 * 2 ** 20)
  expect(memory.used).toBe(used)
})
