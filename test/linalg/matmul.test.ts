import { describe, expect, it } from 'vitest'
import { defaultEngine } from '../../src/linalg/productEngine.js'
import { matmul } from '../../src/index.js'
import { blockedProductOracle, matmulOracle } from '../oracle/solve.js'
import { bfloat16Bits, bfloat16Value, float16Bits, float16Value } from '../oracle/quantize.js'
import { expectSameBits } from '../support/bits.js'
import { expectError, wrong } from '../support/errors.js'
import { checkProduct, leftWhole, rightWhole } from '../support/products.js'
import { ugly } from '../support/quantize.js'
import { index, normals, seeded } from '../support/random.js'
import { sizeOf } from '../support/shapes.js'
import { f32, matmulVectors } from '../support/vectors.js'

type Floats = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>

interface Tensor {
  data: Floats
  shape: number[]
}

const classOf = (wide: boolean): new (of: Iterable<number> | number) => Floats =>
  (wide ? Float64Array : Float32Array) as new (of: Iterable<number> | number) => Floats

/** Numbers in [-1, 1). */
function randomOf(shape: number[], seed: number, wide: boolean): Tensor {
  const random = seeded(seed)
  const data = new (classOf(wide))(sizeOf(shape))
  for (let i = 0; i < data.length; i++) data[i] = 2 * random() - 1
  return { data, shape }
}

/** The last two dimensions exchanged. */
function transposed({ data, shape }: Tensor): Tensor {
  const [rows, columns] = shape.slice(-2)
  const turned = new (classOf(data instanceof Float64Array))(data.length)
  for (let start = 0; start < data.length; start += rows * columns)
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) turned[start + j * rows + i] = data[start + i * columns + j]
  return { data: turned, shape: [...shape.slice(0, -2), columns, rows] }
}

const WAYS = [
  { transposeA: false, transposeB: false },
  { transposeA: false, transposeB: true },
  { transposeA: true, transposeB: false },
  { transposeA: true, transposeB: true }
]

/** All ways of giving the same product. */
function inAllWays(a: Tensor, b: Tensor): Tensor[] {
  return WAYS.map((way) => matmul(way.transposeA ? transposed(a) : a, way.transposeB ? transposed(b) : b, way))
}

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

describe('nothing to add', () => {
  it.each([
    [
      [3, 0],
      [0, 4],
      [3, 4]
    ],
    [
      [600, 0],
      [0, 700],
      [600, 700]
    ],
    [
      [2, 3, 0],
      [0, 4],
      [2, 3, 4]
    ],
    [
      [0, 3],
      [3, 4],
      [0, 4]
    ],
    [
      [3, 4],
      [4, 0],
      [3, 0]
    ],
    [
      [0, 0],
      [0, 0],
      [0, 0]
    ],
    [
      [0, 2, 3],
      [3, 4],
      [0, 2, 4]
    ],
    [
      [2, 3],
      [0, 3, 4],
      [0, 2, 4]
    ],
    [
      [5, 0],
      [0, 1],
      [5, 1]
    ]
  ] as [number[], number[], number[]][])('%j by %j', (left, right, shape) => {
    for (const wide of [false, true]) {
      const [a, b] = [randomOf(left, 1, wide), randomOf(right, 2, wide)]
      const out = new (classOf(wide))(sizeOf(shape)).fill(7)
      for (const product of [...inAllWays(a, b), matmul(a, b, { out })]) {
        expect(product.shape).toEqual(shape)
        expectSameBits(product.data, new (classOf(wide))(sizeOf(shape)))
      }
    }
  })

  it('does not look at what no element of the result comes from', () => {
    const most = 2 ** 40
    for (const [left, right, shape] of [
      [
        [most, 0, 3],
        [most, 3, 0],
        [most, 0, 0]
      ],
      [
        [most, 0, 3],
        [3, 2],
        [most, 0, 2]
      ],
      [
        [0, 3],
        [most, 3, 0],
        [most, 0, 0]
      ],
      [
        [1, 0],
        [most, 0, 0],
        [most, 1, 0]
      ],
      [
        [most, 0, 2, 2],
        [1, 2, 2],
        [most, 0, 2, 2]
      ]
    ]) {
      const [a, b] = [left, right].map((own) => ({
        data: new Float32Array(own.reduce((size, length) => size * length, 1)),
        shape: own
      }))
      expect(matmul(a, b)).toEqual({ data: new Float32Array(0), shape })
    }
    const nothing = { data: new Float32Array(0), shape: [0, 2] }
    expect(matmul(nothing, { data: f32([NaN, 1, 2, 3]), shape: [2, 2] })).toEqual({
      data: new Float32Array(0),
      shape: [0, 2]
    })
  })
})

describe('kinds of input', () => {
  const a = { data: f32([1, 2, 3, -4, 5, 6]), shape: [2, 3] }
  const b = { data: f32([0.5, 1, -2, 0.25, 3, 1]), shape: [3, 2] }
  const data = [1 * 0.5 - 4 + 9, 1 + 0.5 + 3, -2 - 10 + 18, -4 + 1.25 + 6]

  it('f32 by f32 is f32, and f64 where one side is', () => {
    expect(matmul(a, b)).toEqual({ data: f32(data), shape: [2, 2] })
    const wide = { data: Float64Array.from(data), shape: [2, 2] }
    const double = { ...a, data: Float64Array.from(a.data) }
    expect(matmul(double, b)).toEqual(wide)
    expect(matmul(a, { dims: [3, 2], data: Float64Array.from(b.data) })).toEqual(wide)
    const nested = [
      [0.5, 1],
      [-2, 0.25],
      [3, 1]
    ]
    expect(matmul(a, nested)).toEqual(wide)
    // What is f64 stays it.
    expect(matmul([[1 + 2 ** -50]], { data: f32([3]), shape: [1, 1] }).data[0]).toBe(3 * (1 + 2 ** -50))
    expect(matmul([[1e200]], [[1e100]]).data[0]).toBe(1e300)
  })

  it('whole numbers are f32, beside f64 they are exact', () => {
    const whole = { data: Int32Array.of(2 ** 24 + 1, -3), shape: [1, 2] }
    const ones = { data: Uint8Array.of(1, 0), shape: [2, 1] }
    expect(matmul(whole, ones)).toEqual({ data: f32([2 ** 24]), shape: [1, 1] })
    expect(matmul(whole, [[1], [0]]).data[0]).toBe(2 ** 24 + 1)
    expect(
      matmul({ data: Int8Array.of(-128, 127), shape: [1, 2] }, { data: Int8Array.of(-1, 1), shape: [2, 1] })
    ).toEqual({
      data: f32([255]),
      shape: [1, 1]
    })
  })

  it('bit patterns of 16-bit floats', () => {
    for (const [dtype, bits, value] of [
      ['float16', float16Bits, float16Value],
      ['bfloat16', bfloat16Bits, bfloat16Value]
    ] as const) {
      for (const [m, k, n] of [
        [9, 33, 17],
        [600, 12, 530]
      ]) {
        const [x, y] = [normals(m * k, 1), normals(k * n, 2)]
        const left = { data: Uint16Array.from(x, (v) => bits(v)), shape: [m, k], dtype }
        const right = { data: Uint16Array.from(y, (v) => bits(v)), shape: [k, n], dtype }
        const rounded = {
          a: { data: x.map((v) => value(bits(v))), shape: [m, k] },
          b: { data: y.map((v) => value(bits(v))), shape: [k, n] }
        }
        expectSameBits(matmul(left, right).data, matmul(rounded.a, rounded.b).data)
        const double = { ...rounded.b, data: Float64Array.from(rounded.b.data) }
        expectSameBits(matmul(left, double).data, matmul(rounded.a, double).data)
      }
    }
  })

  it('views into longer arrays', () => {
    const long = normals(500, 3)
    const [x, y] = [long.subarray(7, 7 + 90), long.subarray(201, 201 + 110)]
    const product = matmul({ data: x, shape: [9, 10] }, { data: y, shape: [10, 11] })
    expectSameBits(product.data, matmul({ data: x.slice(), shape: [9, 10] }, { data: y.slice(), shape: [10, 11] }).data)
  })
})

describe('out', () => {
  it('is written to and returned', () => {
    for (const [m, k, n] of [
      [5, 6, 7],
      [600, 300, 530]
    ]) {
      for (const wide of [false, true]) {
        const [a, b] = [randomOf([m, k], 1, wide), randomOf([k, n], 2, wide)]
        const out = new (classOf(wide))(m * n).fill(NaN)
        const product = matmul(a, b, { out })
        expect(product.data).toBe(out)
        expectSameBits(out, matmul(a, b).data)
      }
    }
  })

  const a = { data: f32([1, 2, 3, 4]), shape: [2, 2] }

  it('of another class or length is refused', () => {
    expectError(
      () => matmul(a, a, { out: new Float64Array(4) }),
      TypeError,
      'matmul: "out" expected a Float32Array(4) to write to, got Float64Array(4)'
    )
    expectError(() => matmul(a, [[1], [2]], { out: new Float32Array(2) }), TypeError, 'expected a Float64Array(2)')
    expectError(() => matmul(a, a, { out: new Float32Array(5) }), RangeError, '"out" expected length 4, got 5')
    expectError(() => matmul(a, a, { out: wrong([]) }), TypeError, 'matmul: "out" expected a Float32Array(4)')
  })

  it('may not share memory with an operand', () => {
    expectError(() => matmul(a, a, { out: a.data }), TypeError, 'matmul: "out" expected an array apart from "a", got')
    const long = normals(20, 1)
    const b = { data: long.subarray(4, 8), shape: [2, 2] }
    expectError(() => matmul(a, b, { out: long.subarray(7, 11) }), TypeError, 'an array apart from "b"')
    expect(matmul(a, b, { out: long.subarray(8, 12) }).data.byteOffset).toBe(32)
  })
})

describe('errors', () => {
  const a = { data: normals(6, 1), shape: [2, 3] }
  const b = { data: normals(12, 1), shape: [3, 4] }

  it('vectors', () => {
    expectError(
      () => matmul(a.data, b),
      RangeError,
      'matmul: "a" expected two dimensions or more, got [6]; give a vector as a row: shape [1, 6]'
    )
    expectError(() => matmul(a, [1, 2, 3]), RangeError, '"b"', 'got [3]; give a vector as a column: shape [3, 1]')
    expectError(() => matmul({ data: f32([1]), shape: [] }, b), RangeError, '"a"', 'got []', 'shape [1, 1]')
  })

  it('inner dimensions', () => {
    expectError(
      () => matmul(b, a),
      RangeError,
      'matmul: "b" expected 4 rows, as many as "a" has columns, got [2, 3] beside [3, 4]'
    )
    expectError(() => matmul(a, b, { transposeA: true, transposeB: true }), RangeError, '2 columns', '"a" has rows')
    expectError(() => matmul(a, a, { transposeA: true, transposeB: true }), RangeError, 'expected 2 columns')
  })

  it('leading dimensions', () => {
    const many = (lead: number[], shape: number[]): Tensor => randomOf([...lead, ...shape], 1, false)
    expectError(
      () => matmul(many([2, 3], [4, 5]), many([2], [5, 4])),
      RangeError,
      'matmul: "b" expected leading dimensions that broadcast with [2, 3], got [2]'
    )
  })

  it('options', () => {
    expectError(
      () => matmul(a, b, wrong({ transpose: true })),
      TypeError,
      'matmul: unknown option "transpose"; expected transposeA, transposeB, out'
    )
    expectError(() => matmul(a, b, { transposeA: wrong(1) }), TypeError, '"transposeA" expected true or false, got 1')
    expectError(() => matmul(a, b, { transposeB: wrong(null) }), TypeError, '"transposeB" expected true or false')
    expectError(() => matmul(a, b, wrong(null)), TypeError, 'matmul: "options"')
    expectError(() => matmul(wrong(null), b), TypeError, 'matmul: "a" expected a tensor')
    expectError(() => matmul(a, wrong('x')), TypeError, 'matmul: "b" expected a tensor')
  })
})

describe('what is not finite', () => {
  it.each([
    [5, 6, 7],
    [1, 9, 1],
    [9, 5, 1],
    [1, 5, 600],
    [700, 300, 530]
  ])('is named by its place in %i x %i x %i, that of a first', (m, k, n) => {
    const random = seeded(m)
    for (const wide of [false, true]) {
      const [a, b] = [randomOf([m, k], 1, wide), randomOf([k, n], 2, wide)]
      for (const bad of [NaN, Infinity, -Infinity]) {
        for (const way of WAYS) {
          const [x, y] = [way.transposeA ? transposed(a) : a, way.transposeB ? transposed(b) : b].map((of) => ({
            ...of,
            data: of.data.slice()
          }))
          const at = index(random, y.data.length)
          y.data[at] = bad
          y.data[at + index(random, y.data.length - at)] = bad
          expectError(
            () => matmul(x, y, way),
            RangeError,
            `matmul: "b" expected finite numbers, got ${bad} at index ${at};`
          )
          const before = index(random, x.data.length)
          x.data[before] = bad
          expectError(
            () => matmul(x, y, way),
            RangeError,
            `"a" expected finite numbers, got ${bad} at index ${before};`
          )
        }
      }
    }
  })

  it('also where it meets zeros', () => {
    for (const bad of [NaN, Infinity]) {
      expectError(() => matmul([[0, 0]], [[bad], [0]]), RangeError, '"b"', `got ${bad} at index 0`)
      expectError(() => matmul([[0, bad]], [[0], [0]]), RangeError, '"a"', `got ${bad} at index 1`)
    }
  })

  it('in a batch, by its place in the whole tensor', () => {
    const a = randomOf([40, 5, 6], 1, false)
    a.data[7 * 30 + 4] = NaN
    expectError(() => matmul(a, randomOf([6, 5], 2, false)), RangeError, '"a"', 'got NaN at index 214;')
    const halves = { data: new Uint16Array(12).fill(0x3c00), shape: [3, 4], dtype: 'float16' }
    halves.data[9] = 0x7c00
    expectError(() => matmul(randomOf([2, 3], 1, false), halves), RangeError, '"b"', 'got Infinity at index 9;')
  })

  it('numbers of f64 beyond f32 are none of it', () => {
    const a = { data: Float64Array.of(1e200, 1, 2, NaN), shape: [2, 2] }
    expectError(() => matmul(a, randomOf([2, 2], 1, true)), RangeError, '"a"', 'got NaN at index 3;')
  })

  it('a product, or a sum on the way, beyond its type says so', () => {
    expectError(
      () => matmul([[1e308, 1e308, -1e308]], [[1], [1], [1]]),
      RangeError,
      'a sum on the way to the product is beyond float64'
    )
    const large = { data: f32([3e38, 3e38]), shape: [1, 2] }
    const ones = { data: f32([1, 1]), shape: [2, 1] }
    expectError(
      () => matmul(large, ones),
      RangeError,
      'matmul: a sum on the way to the product is beyond float32; rescale "a" or "b"'
    )
    expectError(
      () => matmul([[1e300]], [[1e10]]),
      RangeError,
      'matmul: a sum on the way to the product is beyond float64'
    )
    // A sum that was infinite on its way stays so, whatever follows.
    const back = { data: f32([3e38, 3e38, -3e38, -3e38]), shape: [1, 4] }
    expectError(() => matmul(back, { data: f32([1, 1, 1, 1]), shape: [4, 1] }), RangeError, 'beyond float32')
  })
})

it('takes little linear memory, whatever the sizes', () => {
  const { memory } = defaultEngine()
  const mark = memory.mark()
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
  expect(memory.mark()).toBe(mark)
})
