import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dequantize, quantize } from '../../src/index.js'
import type { Quantized } from '../../src/index.js'
import { bfloat16Value, dequantizeOracle, float16Value } from '../oracle/quantize.js'
import type { IntegerFormat, Options } from '../oracle/quantize.js'
import { expectSameBits } from '../support/bits.js'
import {
  EMPTY_CUTS,
  FLOAT_FORMATS,
  givenCases,
  GRIDS,
  LARGE_CASES,
  nameOf,
  quantizedFloats,
  quantizedIntegers,
  SMALL_CUTS,
  ugly,
  UGLY_CASES,
  VECTOR_CUTS
} from '../support/quantize.js'
import type { Cut, Grid } from '../support/quantize.js'
import { index, seeded } from '../support/random.js'
import { LENGTHS, sizeOf } from '../support/shapes.js'
import { f32, quantizeVectors } from '../support/vectors.js'

type Given = { scales?: number[]; zeroPoints?: number[] }

function check(data: Float32Array, { shape, ...options }: Cut & Grid & Given): void {
  const quantized = quantizedIntegers(data, shape, options)
  const { data: actual, shape: same } = dequantize(quantized)
  expect(same).toEqual(shape)
  expectSameBits(actual, dequantizeOracle(quantized, shape, options), `${nameOf({ shape, ...options })}`)
}

/** Codes of any value, also those that quantisation does not make (-128, the low end of symmetric unsigned formats). */
function anyCodes(size: number, { shape, ...options }: Cut & Grid, seed: number): Quantized {
  const random = seeded(seed)
  const quantized = quantizedIntegers(new Float32Array(size), shape, options)
  quantized.codes.forEach((_, i) => (quantized.codes[i] = index(random, 256)))
  quantized.scales.forEach((_, i) => (quantized.scales[i] = 2 ** (index(random, 60) - 30) * (1 + random())))
  return quantized
}

function checkAnyCodes(cut: Cut & Grid, seed: number): void {
  const { shape, ...options } = cut
  const quantized = anyCodes(sizeOf(shape), cut, seed)
  expectSameBits(dequantize(quantized).data, dequantizeOracle(quantized, shape, options), nameOf(cut))
}

describe.each(GRIDS)('$format, symmetric $symmetric', (grid) => {
  it('vectors of many lengths', () => {
    VECTOR_CUTS.forEach((cut, i) => check(ugly(sizeOf(cut.shape), i), { ...cut, ...grid }))
  })

  it('up to four dimensions, every axis, groups', () => {
    SMALL_CUTS.forEach((cut, i) => check(ugly(sizeOf(cut.shape), i), { ...cut, ...grid }))
  })

  it('shapes without elements, scalars', () => {
    for (const cut of EMPTY_CUTS) check(new Float32Array(0), { ...cut, ...grid })
    for (const x of [0, -3.5]) check(Float32Array.of(x), { shape: [], ...grid })
  })

  it.each(UGLY_CASES)('$name', ({ data }) => {
    const n = data.length
    for (const cut of [{ shape: [n] }, { shape: [n], group: 3 }, { shape: [n, 1], axis: 1 }]) {
      check(data, { ...cut, ...grid })
    }
  })

  it('scales and zero points of the caller', () => {
    for (const { data, ...options } of givenCases([grid])) check(data, options)
  })

  it('codes that quantisation does not make', () => {
    for (const n of LENGTHS) checkAnyCodes({ shape: [n], ...grid }, n)
    SMALL_CUTS.forEach((cut, i) => checkAnyCodes({ ...cut, ...grid }, i))
  })

  it('any shape, axis, group and codes', () => {
    const cases = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }).chain((shape) =>
      fc.record({
        shape: fc.constant(shape),
        axis: fc.option(fc.integer({ min: -shape.length, max: shape.length - 1 }), { nil: undefined }),
        group: fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined }),
        seed: fc.nat()
      })
    )
    fc.assert(
      fc.property(cases, ({ seed, ...cut }) => checkAnyCodes({ ...cut, ...grid }, seed)),
      { seed: 2, numRuns: 120 }
    )
  })
})

describe('tensors of more than a tile', () => {
  it.each(LARGE_CASES.map((options) => ({ name: nameOf(options), options })))(
    '$name, $options.format, symmetric $options.symmetric',
    ({ options }) => checkAnyCodes(options, sizeOf(options.shape))
  )
})

describe.each(FLOAT_FORMATS)('%s', (format) => {
  const value = format === 'float16' ? float16Value : bfloat16Value

  it('is that of PyTorch, bit for bit', () => {
    const { input, bits, output } = quantizeVectors[format]
    const codes = Uint16Array.from(bits)
    expectSameBits(dequantize({ format, shape: [input.length], codes }).data, f32(output))
  })

  it('each bit pattern exactly, NaN made canonical', () => {
    const codes = Uint16Array.from({ length: 0x10000 }, (_, i) => i)
    const { data } = dequantize({ format, shape: [0x10000], codes })
    const words = new Uint32Array(data.buffer)
    codes.forEach((code, i) => {
      const expected = value(code)
      if (Number.isNaN(expected)) expect(words[i]).toBe(0x7fc00000)
      else expect(data[i]).toBe(expected)
    })
    expectSameBits(quantize(data.subarray(0, 0x7c00), { format: 'float16' }).codes.subarray(0, 1), Uint16Array.of(0))
  })

  it('lengths and shapes', () => {
    for (const n of [...LENGTHS, 32769, 40001]) {
      const quantized = quantizedFloats(ugly(n, n), [n], format)
      expectSameBits(dequantize(quantized).data, dequantizeOracle(quantized, [n], { format }))
    }
    expect(dequantize(quantizedFloats(ugly(6, 1), [1, 3, 2], format)).shape).toEqual([1, 3, 2])
    expect(dequantize(quantizedFloats(ugly(1, 1), [], format)).shape).toEqual([])
  })
})

describe('golden values of PyTorch', () => {
  const cases = [...quantizeVectors.fakeQuantizePerTensor, ...quantizeVectors.fakeQuantizePerChannel]

  it.each(cases.map((golden, i) => ({ i, golden })))(
    'quantised and back, case $i: $golden.options of shape $golden.shape',
    ({ golden }) => {
      const { shape, options, scales, zeroPoints } = golden
      const given = options.symmetric ? { scales } : { scales, zeroPoints }
      const quantized = quantize({ data: f32(golden.input), shape }, { ...options, ...given })
      expectSameBits(dequantize(quantized).data, f32(golden.output))
    }
  )
})

describe('what goes in', () => {
  it('may come back from JSON-like copies with arrays of its own', () => {
    const data = ugly(100, 8)
    const { codes, scales, zeroPoints, ...rest } = quantize(data, { format: 'uint4', symmetric: false, group: 9 })
    const copy = {
      ...rest,
      codes: codes.slice(),
      scales: Float32Array.from(scales),
      zeroPoints: Uint8Array.from(zeroPoints ?? [])
    } as Quantized
    expectSameBits(
      dequantize(copy).data,
      dequantizeOracle({ codes, scales, zeroPoints }, [100], { format: 'uint4', group: 9 })
    )
  })

  it('codes that begin inside their buffer', () => {
    for (const { format, symmetric } of GRIDS) {
      const options: Options<IntegerFormat> = { format, symmetric, group: 12 }
      const quantized = quantizedIntegers(ugly(77, 3), [7, 11], options)
      const { codes } = quantized
      const type = codes.constructor as Int8ArrayConstructor
      const whole = new type(codes.length + 8)
      whole.set(codes, 5)
      const moved = { ...quantized, codes: whole.subarray(5, 5 + codes.length) }
      expectSameBits(dequantize(moved).data, dequantizeOracle(quantized, [7, 11], options))
    }
  })

  it('is not changed, nor shared with the result', () => {
    const quantized = quantizedIntegers(ugly(40, 3), [40], { format: 'int8' })
    const codes = quantized.codes.slice()
    const { shape } = dequantize(quantized)
    expect(shape).not.toBe(quantized.shape)
    expectSameBits(quantized.codes, codes)
  })

  it('may be written to an array of the caller', () => {
    for (const quantized of [
      quantizedIntegers(ugly(60, 3), [4, 15], { format: 'int4', axis: 1 }),
      quantizedFloats(ugly(60, 3), [60], 'bfloat16')
    ]) {
      const out = new Float32Array(60).fill(NaN)
      const { data } = dequantize(quantized, { out })
      expect(data).toBe(out)
      expectSameBits(out, dequantize(quantized).data)
    }
  })

  it('the unused nibble of an odd length is not looked at', () => {
    const quantized = { format: 'int4', shape: [3], symmetric: true, scales: Float32Array.of(1) } as const
    const codes = Uint8Array.of(0x21, 0xf3)
    expect([...dequantize({ ...quantized, shape: [3], codes }).data]).toEqual([1, 2, 3])
  })
})
