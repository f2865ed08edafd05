import { describe, expect, it } from 'vitest'
import { quantize } from '../../src/index.js'
import type { QuantizedIntegers } from '../../src/index.js'
import { bfloat16Bits, bfloat16Value, float16Bits, float16Value, quantizeOracle } from '../oracle/quantize.js'
import { expectSameBits } from '../support/bits.js'
import { checkQuantize, ugly } from '../support/quantize.js'
import { sizeOf } from '../support/shapes.js'
import { f32 } from '../support/vectors.js'

describe('kinds of input', () => {
  const values = [0.1, -2.5, 3, 1e-3, -0.7, 2]
  const expected = quantize(f32(values), { format: 'int8' })
  const codes = (tensor: Parameters<typeof quantize>[0]): unknown => quantize(tensor, { format: 'int8' })
  const oracle = quantizeOracle(f32(values), [6], { format: 'int8' })

  it('is right to begin with', () => expectSameBits(expected.codes, oracle.codes))

  it('f64 and arrays of numbers are rounded to f32', () => {
    expect(codes(Float64Array.from(values))).toEqual(expected)
    expect(codes(values)).toEqual(expected)
    // 1 + 2^-30 is a tie above 1 in f64 only: with scale 2 it is half a step once rounded.
    const given = { format: 'int8', scales: [2] } as const
    expect([...quantize(Float64Array.of(1 + 2 ** -30), given).codes]).toEqual([0])
  })

  it('whole numbers of every class', () => {
    const whole = [3, 0, 127, 100, 5, 64]
    const reference = quantizeOracle(f32(whole), [6], { format: 'int8' })
    for (const type of [
      Int8Array,
      Uint8Array,
      Uint8ClampedArray,
      Int16Array,
      Uint16Array,
      Int32Array,
      Uint32Array,
      Float32Array
    ]) {
      const q = quantize(type.from(whole), { format: 'int8' })
      expectSameBits(q.codes, reference.codes, type.name)
      expectSameBits(q.scales, reference.scales, type.name)
    }
    // 2^24 + 1 is no f32: it is rounded before it is measured.
    expect(quantize(Int32Array.of(2 ** 24 + 1), { format: 'int8' }).scales[0]).toBe(Math.fround(2 ** 24 / 127))
  })

  it('nested arrays carry their shape', () => {
    const q = quantize(
      [
        [0.1, -2.5, 3],
        [1e-3, -0.7, 2]
      ],
      { format: 'int8', axis: 0 }
    )
    const reference = quantizeOracle(f32(values), [2, 3], { format: 'int8', axis: 0 })
    expect(q.shape).toEqual([2, 3])
    expectSameBits(q.codes, reference.codes)
    expectSameBits(q.scales, reference.scales)
  })

  it('{ data, dims } as onnxruntime has them', () => {
    expect(codes({ data: f32(values), dims: [2, 3] })).toEqual({ ...expected, shape: [2, 3] })
    expect(codes({ data: f32(values), dims: [6], type: 'float32' })).toEqual(expected)
    expect(codes({ data: values, dims: [6] })).toEqual(expected)
    expect(codes({ data: f32(values) })).toEqual(expected)
  })

  it.each([
    ['type', 'float16'],
    ['dtype', 'F16'],
    ['dtype', 'float16']
  ])('bit patterns by %s %s', (key, name) => {
    const halves = values.map((x) => float16Value(float16Bits(x)))
    const reference = quantizeOracle(f32(halves), [6], { format: 'int8' })
    const q = quantize({ data: Uint16Array.from(values, float16Bits), dims: [6], [key]: name }, { format: 'int8' })
    expectSameBits(q.codes, reference.codes)
    expectSameBits(q.scales, reference.scales)
  })

  it.each(['bfloat16', 'BF16'])('bit patterns of %s, through every way into memory', (dtype) => {
    for (const cut of [{ shape: [33] }, { shape: [3, 11], axis: 1 }, { shape: [3, 11, 2], axis: 1, group: 2 }]) {
      const { shape, ...options } = cut
      const bits = Uint16Array.from(ugly(sizeOf(shape), 7), bfloat16Bits)
      const reference = quantizeOracle(Float32Array.from(bits, bfloat16Value), shape, { format: 'uint4', ...options })
      const q = quantize({ data: bits, shape, dtype }, { format: 'uint4', ...options }) as QuantizedIntegers
      expectSameBits(q.codes, reference.codes)
      expectSameBits(q.scales, reference.scales)
    }
  })

  it('a Uint16Array without a type holds numbers', () => {
    expect(quantize(Uint16Array.of(0x3c00), { format: 'int8' }).scales[0]).toBe(Math.fround(0x3c00 / 127))
  })

  it('views that begin inside their buffer', () => {
    const whole = ugly(300, 6)
    const part = whole.subarray(13, 280)
    checkQuantize(part, { shape: [267], format: 'int4', symmetric: false, group: 10 })
    checkQuantize(part, { shape: [89, 3], format: 'uint8', symmetric: true, axis: 1 })
    const wide = Float64Array.from(whole).subarray(13, 280)
    expectSameBits(
      quantize(wide, { format: 'int4', group: 10 }).codes,
      quantizeOracle(part.slice(), [267], { format: 'int4', group: 10 }).codes
    )
  })
})
