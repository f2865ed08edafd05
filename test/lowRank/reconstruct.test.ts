import { describe, expect, it } from 'vitest'
import { lowRank, quantize, reconstruct } from '../../src/index.js'
import type { Quantized, Tensor } from '../../src/index.js'
import { reconstructOracle } from '../oracle/lowRank.js'
import { expectSameBits } from '../support/bits.js'
import { expectError, wrong } from '../support/errors.js'
import { valuesOf, wholeOf } from '../support/lowRank.js'
import { random, withSpectrum } from '../support/matrices.js'
import { normals, normals64 } from '../support/random.js'

const tensor = (m: number, n: number, seed: number): Tensor => ({ data: normals(m * n, seed), shape: [m, n] })

describe('products in f64, rounded once', () => {
  it.each([
    [1, 1, 1],
    [3, 5, 2],
    [17, 9, 9],
    [1, 70, 3],
    [70, 1, 1],
    [64, 31, 256],
    [1030, 600, 3]
  ])('%ix%i, rank %i', (m, n, rank) => {
    const [u, v] = [tensor(m, rank, 1), tensor(n, rank, 2)]
    // Ranks in order, as the twin adds them.
    const expected = reconstructOracle(u.data, v.data, rank)
    const result = reconstruct({ u, v })
    expect(result.shape).toEqual([m, n])
    expectSameBits(result.data, Float32Array.from(expected))
    const residual = tensor(m, n, 3)
    expectSameBits(
      reconstruct({ u, v, residual }).data,
      Float32Array.from(expected, (x, i) => x + residual.data[i])
    )
    const wide = { data: Float64Array.from(u.data), shape: u.shape }
    expectSameBits(reconstruct({ u: wide, v }).data, expected)
  })

  it('beyond 256 ranks: blocks of 256', () => {
    const [u, v] = [tensor(9, 600, 1), tensor(7, 600, 2)]
    const part = (data: Float32Array, from: number, to: number): Float32Array =>
      data.filter((_, i) => i % 600 >= from && i % 600 < to)
    const blocks = [
      [0, 256],
      [256, 512],
      [512, 600]
    ].map(([from, to]) => reconstructOracle(part(u.data, from, to), part(v.data, from, to), to - from))
    const expected = blocks[0].map((x, i) => x + blocks[1][i] + blocks[2][i])
    expectSameBits(reconstruct({ u, v }).data, Float32Array.from(expected))
  })
})

describe('parts in any form', () => {
  const [u, v, residual] = [tensor(12, 4, 5), tensor(10, 4, 6), tensor(12, 10, 7)]
  const formats = [
    { format: 'int8', axis: 0 },
    { format: 'int4', axis: 1 },
    { format: 'uint4', group: 3, symmetric: false },
    { format: 'float16' },
    { format: 'bfloat16' }
  ] as const

  it.each(formats)('$format', (options) => {
    const coded = [u, v, residual].map((part) => quantize(part, options))
    const [left, right, rest] = coded.map(valuesOf)
    const near = reconstructOracle(left, right, 4)
    const result: Tensor = reconstruct({ u: coded[0], v: coded[1] })
    expectSameBits(result.data, Float32Array.from(near))
    const all = reconstruct({ u: coded[0], v: coded[1], residual: coded[2] })
    expectSameBits(
      all.data,
      Float32Array.from(near, (x, i) => x + rest[i])
    )
    const mixed = reconstruct({ u, v: coded[1], residual: coded[2] })
    expectSameBits(
      mixed.data,
      Float32Array.from(reconstructOracle(u.data, right, 4), (x, i) => x + rest[i])
    )
  })

  it('nested arrays, dims, bits, whole numbers', () => {
    const expected = reconstruct({
      u: { data: Float64Array.of(1, 2), shape: [2, 1] },
      v: { data: Float64Array.of(3, 4), shape: [2, 1] }
    })
    expect([...expected.data]).toEqual([3, 4, 6, 8])
    const forms = [[[1], [2]], { data: Float64Array.of(1, 2), dims: [2, 1] }]
    for (const form of forms) expectSameBits(reconstruct({ u: form, v: [[3], [4]] }).data, expected.data)
    const bits = { data: Uint16Array.of(0x3c00, 0x4000), shape: [2, 1], dtype: 'float16' }
    const whole = { data: Int8Array.of(3, 4), shape: [2, 1] }
    expectSameBits(reconstruct({ u: bits, v: whole }).data, Float32Array.of(3, 4, 6, 8))
  })

  it('without rows, columns or ranks', () => {
    const none = (m: number, n: number): Tensor => ({ data: new Float32Array(m * n), shape: [m, n] })
    expect(reconstruct({ u: none(0, 3), v: none(4, 3) })).toEqual({ data: new Float32Array(0), shape: [0, 4] })
    expect(reconstruct({ u: none(2, 0), v: none(3, 0) })).toEqual({ data: new Float32Array(6), shape: [2, 3] })
  })
})

describe('what lowRank returns', () => {
  it.each([
    {},
    { quantize: 'int8' },
    { quantize: 'float16' },
    { residual: 'int4' },
    { quantize: 'int4', residual: 'int8' }
  ] as const)('%o', (options) => {
    for (const a of [withSpectrum(20, 13, [4, 2, 1, 0.5]), { data: normals(20 * 13, 4), shape: [20, 13] }]) {
      const result = lowRank(a, { rank: 5, ...options })
      const whole = wholeOf(result)
      const { data, shape } = reconstruct(result)
      expect(shape).toEqual([20, 13])
      const wide = a.data instanceof Float64Array && !('quantize' in options)
      expectSameBits(data, wide ? whole : Float32Array.from(whole))
    }
  })

  it('is not changed', () => {
    const result = lowRank(random(6, 5), { rank: 2, quantize: 'int8', residual: 'int4' })
    const copies = [result.u.codes, result.v.codes, result.residual!.codes].map((codes) => codes.slice())
    reconstruct(result)
    ;[result.u.codes, result.v.codes, result.residual!.codes].forEach((codes, i) => expectSameBits(codes, copies[i]))
  })
})

describe('refused', () => {
  const [u, v] = [tensor(4, 2, 1), tensor(3, 2, 2)]

  it('what has no factors', () => {
    for (const value of [undefined, null, 5, {}, { u }, { v }, normals(4, 1)]) {
      expectError(() => reconstruct(wrong(value)), TypeError, 'reconstruct: "factored" expected a result of lowRank')
    }
    expectError(() => reconstruct({ u, v: wrong(5) }), TypeError, 'reconstruct: "v" expected a tensor')
    expectError(() => reconstruct({ u: wrong({ codes: 1 }), v }), TypeError, 'dequantize: ')
  })

  it('shapes that do not go together', () => {
    const other = 'reconstruct: "v" expected shape [3, 2], by u\'s rank, got [3, 1]'
    expectError(() => reconstruct({ u, v: tensor(3, 1, 2) }), RangeError, other)
    const residual = 'reconstruct: "residual" expected shape [4, 3], by u\'s and v\'s rows, got [3, 4]'
    expectError(() => reconstruct({ u, v, residual: tensor(3, 4, 1) }), RangeError, residual)
    expectError(() => reconstruct({ u: normals(8, 1), v }), RangeError, 'reconstruct: "u" expected a shape of two')
    const coded: Quantized = quantize(normals(6, 1), { format: 'int8' })
    expectError(() => reconstruct({ u, v: coded }), RangeError, 'reconstruct: "v" expected a shape of two')
  })

  it('NaN and infinities, by their index', () => {
    for (const value of [NaN, Infinity]) {
      const bad = (m: number, n: number): Tensor<Float64Array<ArrayBuffer>> => {
        const data = normals64(m * n, 3)
        data[3] = value
        return { data, shape: [m, n] }
      }
      const message = (name: string): string =>
        `reconstruct: "${name}" expected finite numbers, got ${value} at index 3`
      expectError(() => reconstruct({ u: bad(4, 2), v }), RangeError, message('u'))
      expectError(() => reconstruct({ u, v: bad(3, 2) }), RangeError, message('v'))
      expectError(() => reconstruct({ u, v, residual: bad(4, 3) }), RangeError, message('residual'))
    }
    const infinite: Quantized = { format: 'float16', shape: [4, 2], codes: new Uint16Array(8).fill(0x7c00) }
    expectError(() => reconstruct({ u: infinite, v }), RangeError, 'reconstruct: "u" expected finite', 'index 0')
  })
})
