import { describe, expect, it } from 'vitest'
import { matmul } from '../../src/index.js'
import { bfloat16Bits, bfloat16Value, float16Bits, float16Value } from '../oracle/quantize.js'
import { expectSameBits } from '../support/bits.js'
import { expectError, wrong } from '../support/errors.js'
import { normals } from '../support/random.js'
import { sizeOf } from '../support/shapes.js'
import { f32 } from '../support/vectors.js'
import { classOf, randomOf, inAllWays } from '../support/matmul.js'

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
