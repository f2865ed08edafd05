import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dequantize, quantize } from '../../src/index.js'
import type { QuantizedIntegers } from '../../src/index.js'
import { bfloat16Bits, bfloat16Value, float16Bits, float16Value, layout, quantizeOracle } from '../oracle/quantize.js'
import { expectSameBits } from '../support/bits.js'
import {
  codeRange,
  EMPTY_CUTS,
  FLOAT_FORMATS,
  givenCases,
  GRIDS,
  LARGE_CASES,
  nameOf,
  SMALL_CUTS,
  ugly,
  UGLY_CASES,
  VECTOR_CUTS
} from '../support/quantize.js'
import type { Cut, Grid } from '../support/quantize.js'
import { index, normals, seeded } from '../support/random.js'
import { LENGTHS, sizeOf } from '../support/shapes.js'
import { f32, quantizeVectors } from '../support/vectors.js'

type Given = { scales?: number[]; zeroPoints?: number[] }

function checkIntegers(data: Float32Array<ArrayBuffer>, { shape, ...options }: Cut & Grid & Given): void {
  const expected = quantizeOracle(data, shape, options)
  const actual = quantize({ data, shape }, options)
  const name = `${nameOf({ shape, ...options })}, ${options.format}${options.symmetric ? '' : ' asymmetric'}`
  expectSameBits(actual.scales, expected.scales, `scales of ${name}`)
  expect(actual.zeroPoints === undefined, `absence of zero points of ${name}`).toBe(expected.zeroPoints === undefined)
  if (actual.zeroPoints && expected.zeroPoints) {
    expectSameBits(actual.zeroPoints, expected.zeroPoints, `zero points of ${name}`)
  }
  expectSameBits(actual.codes, expected.codes, `codes of ${name}`)
}

describe.each(GRIDS)('$format, symmetric $symmetric', (grid) => {
  it('vectors of many lengths', () => {
    VECTOR_CUTS.forEach((cut, i) => checkIntegers(ugly(sizeOf(cut.shape), i), { ...cut, ...grid }))
  })

  it('up to four dimensions, every axis, groups', () => {
    SMALL_CUTS.forEach((cut, i) => checkIntegers(ugly(sizeOf(cut.shape), i), { ...cut, ...grid }))
  })

  it('shapes without elements', () => {
    for (const cut of EMPTY_CUTS) checkIntegers(new Float32Array(0), { ...cut, ...grid })
  })

  it.each(UGLY_CASES)('$name', ({ data }) => {
    const n = data.length
    for (const cut of [
      { shape: [n] },
      { shape: [n], group: 3 },
      { shape: [n, 1], axis: 1 },
      { shape: [1, n], axis: 1 }
    ])
      checkIntegers(data, { ...cut, ...grid })
  })

  it('a scalar', () => {
    for (const x of [0, -0, 1.5, -2, 2 ** -140]) {
      checkIntegers(Float32Array.of(x), { shape: [], ...grid })
      checkIntegers(Float32Array.of(x), { shape: [], group: 2, ...grid })
    }
  })

  it('scales of the caller, which saturate values beyond them', () => {
    for (const { data, ...options } of givenCases([grid])) checkIntegers(data, options)
  })

  it('any shape, axis, group and values', () => {
    const values = fc.float({ noNaN: true, noDefaultInfinity: true })
    const small = fc.float({ noNaN: true, min: -4, max: 4 })
    const shapes = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 0, maxLength: 4 })
    const cases = shapes.chain((shape) => {
      const length = sizeOf(shape)
      const bounds = { minLength: length, maxLength: length }
      const axis = shape.length > 0 ? fc.integer({ min: -shape.length, max: shape.length - 1 }) : fc.constant(undefined)
      return fc.record({
        shape: fc.constant(shape),
        axis: fc.option(axis, { nil: undefined }),
        group: fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined }),
        data: fc.oneof(fc.array(values, bounds), fc.array(small, bounds))
      })
    })
    fc.assert(
      fc.property(cases, ({ data, ...cut }) => checkIntegers(f32(data), { ...cut, ...grid })),
      { seed: 1, numRuns: 120 }
    )
  })

  it('the error of a round trip is half a scale and 2^-15 of one', () => {
    const bound = ({ shape, ...options }: Cut, data: Float32Array<ArrayBuffer>): void => {
      const q = quantize({ data, shape }, { ...options, ...grid })
      const back = dequantize(q).data
      const { setOf } = layout(shape, options.axis, options.group)
      let worst = 0
      data.forEach((x, i) => (worst = Math.max(worst, Math.abs(x - back[i]) / q.scales[setOf(i)])))
      expect(worst).toBeLessThanOrEqual(1 / 2 + 2 ** -15)
    }
    bound({ shape: [3000] }, normals(3000, 1))
    bound({ shape: [30, 100], axis: 1 }, ugly(3000, 2))
    bound({ shape: [30, 100], group: 9 }, ugly(3000, 3))
    // About the ties between the greatest codes, where x / scale and the decoded value have their greatest roundings.
    const random = seeded(4)
    const { least, most } = codeRange[grid.format]
    const steps = grid.symmetric ? Math.floor((most - least) / 2) : most - least
    for (let k = 0; k < 300; k++) {
      const top = Math.fround(1 + random())
      const near = Array.from({ length: 400 }, (_, i) => top * (1 - 0.5 / steps) * (1 + (i - 200) * 2 ** -24))
      bound({ shape: [401] }, f32([top, ...near]))
      bound({ shape: [401] }, f32([-top, ...near.map((x) => -x)]))
    }
  })

  it('zero stays zero', () => {
    const data = ugly(500, 9)
    const back = dequantize(quantize({ data, shape: [5, 100] }, { ...grid, group: 7 })).data
    data.forEach((x, i) => {
      if (x === 0) expect(back[i]).toBe(0)
    })
  })
})

describe('tensors of more than a tile', () => {
  it.each(LARGE_CASES.map((options) => ({ name: nameOf(options), options })))(
    '$name, $options.format, symmetric $options.symmetric',
    ({ options }) => checkIntegers(ugly(sizeOf(options.shape), sizeOf(options.shape)), options)
  )
})

describe.each(FLOAT_FORMATS)('%s', (format) => {
  const check = (data: Float32Array<ArrayBuffer>): void => {
    const { codes } = quantize(data, { format })
    expectSameBits(codes, quantizeOracle(data, [data.length], { format }).codes, `${format} of ${data.length}`)
  }

  it('is that of PyTorch, bit for bit', () => {
    const { input, bits } = quantizeVectors[format]
    expectSameBits(quantize(f32(input), { format }).codes, Uint16Array.from(bits), format)
  })

  it('lengths', () => {
    for (const n of [...LENGTHS, 32768, 32769, 40001]) check(ugly(n, n))
  })

  it('any bits of a finite f32', () => {
    const random = seeded(5)
    const words = Uint32Array.from({ length: 60000 }, () => index(random, 2 ** 32)).filter(
      (word) => (word & 0x7f800000) !== 0x7f800000
    )
    check(new Float32Array(words.buffer))
  })

  it('rounds half to even between every two neighbours', () => {
    const bits = format === 'float16' ? { last: 0x7bff, value: float16Value } : { last: 0x7f7f, value: bfloat16Value }
    const data: number[] = []
    for (let k = 0; k < bits.last; k += 3) data.push((bits.value(k) + bits.value(k + 1)) / 2)
    const codes = quantize(f32(data), { format }).codes
    data.forEach((_, i) => expect(codes[i]).toBe(3 * i + ((3 * i) % 2)))
  })

  it('saturates finite values', () => {
    const most = (2 - 2 ** -23) * 2 ** 127
    const expected = format === 'float16' ? [0x7bff, 0xfbff, 0x7bff] : [0x7f7f, 0xff7f, 0x7f7f]
    expect([...quantize(f32([most, -most, 3.4e38]), { format }).codes]).toEqual(expected)
  })

  it('keeps the shape', () => {
    const q = quantize({ data: new Float32Array(6), shape: [1, 3, 2] }, { format })
    expect(q).toEqual({ format, shape: [1, 3, 2], codes: new Uint16Array(6) })
    expect(quantize({ data: Float32Array.of(1), shape: [] }, { format }).shape).toEqual([])
  })
})

describe('what comes back', () => {
  const data = normals(24, 3)

  it('says how it was made', () => {
    const q = quantize({ data, shape: [2, 3, 4] }, { format: 'uint4', axis: -2, group: 5, symmetric: false })
    expect(q).toMatchObject({ format: 'uint4', shape: [2, 3, 4], axis: -2, group: 5, symmetric: false })
    expect(q.codes.length).toBe(12)
    expect(q.scales.length).toBe(3 * 2)
    expect(q.zeroPoints).toBeInstanceOf(Uint8Array)
    const plain = quantize(data, { format: 'int8' })
    expect(Object.keys(plain).sort()).toEqual(['codes', 'format', 'scales', 'shape', 'symmetric'])
  })

  it('has zero points where they are not all 0', () => {
    const zeroPoints = (format: 'int8' | 'uint8' | 'int4' | 'uint4', symmetric: boolean): unknown =>
      quantize(data, { format, symmetric }).zeroPoints
    expect(zeroPoints('int8', true)).toBeUndefined()
    expect(zeroPoints('int4', true)).toBeUndefined()
    expect(zeroPoints('uint8', true)).toEqual(Uint8Array.of(128))
    expect(zeroPoints('uint4', true)).toEqual(Uint8Array.of(8))
    expect(zeroPoints('int8', false)).toBeInstanceOf(Int8Array)
    expect(zeroPoints('int4', false)).toBeInstanceOf(Int8Array)
    expect(zeroPoints('uint8', false)).toBeInstanceOf(Uint8Array)
  })

  it('shares nothing with what went in', () => {
    const scales = Float32Array.of(0.25)
    const zeroPoints = Uint8Array.of(3)
    const shape = [24]
    const copy = data.slice()
    const q = quantize({ data, shape }, { format: 'uint8', symmetric: false, scales, zeroPoints })
    expect(q.scales).not.toBe(scales)
    expect(q.zeroPoints).not.toBe(zeroPoints)
    expect(q.shape).not.toBe(shape)
    expect(q.codes.buffer.byteLength).toBe(24)
    expectSameBits(data, copy)
    quantize(normals(1000, 4), { format: 'uint8' })
    expectSameBits(scales, Float32Array.of(0.25))
    expectSameBits(q.scales, scales)
  })

  it('packs two codes to a byte, the first in the low nibble', () => {
    // Scale 1: the codes are the numbers themselves, in two's complement for int4 and 8 above for uint4.
    const x = [7, -7, 1, -1, 0, 3, -4]
    const int4 = [0x97, 0xf1, 0x30, 0x0c]
    const uint4 = [0x1f, 0x79, 0xb8, 0x04]
    expect(quantize(x, { format: 'int4' }).codes).toEqual(Uint8Array.from(int4))
    expect(quantize(x, { format: 'uint4' }).codes).toEqual(Uint8Array.from(uint4))
    expect(dequantize(quantize(x, { format: 'int4' })).data).toEqual(f32(x))
    expect(dequantize(quantize(x, { format: 'uint4' })).data).toEqual(f32(x))
  })

  it('gives each code back from what it stands for', () => {
    for (const { format, symmetric } of GRIDS) {
      const { least, most, middle } = codeRange[format]
      const zero = symmetric ? middle : least + 3
      const low = symmetric && format[0] === 'i' ? least + 1 : symmetric ? 1 : least
      const x = Array.from({ length: most - low + 1 }, (_, i) => (low + i - zero) * 0.5)
      const options = symmetric ? { scales: [0.5] } : { scales: [0.5], zeroPoints: [zero] }
      expect(dequantize(quantize(x, { format, symmetric, ...options })).data).toEqual(f32(x))
    }
  })
})

describe('an earlier result to write to', () => {
  it.each(GRIDS)('$format, symmetric $symmetric', (grid) => {
    for (const cut of [{ shape: [9, 7] }, { shape: [9, 7], axis: 1 }, { shape: [3, 3, 7], axis: 1, group: 4 }]) {
      const { shape, ...rest } = cut
      const options = { ...rest, ...grid }
      const out = quantize({ data: ugly(63, 1), shape }, options)
      const next = { data: ugly(63, 2), shape }
      const again = quantize(next, { ...options, out })
      expect(again).toEqual(quantize(next, options))
      expect(again.codes).toBe(out.codes)
      expect(again.scales).toBe(out.scales)
      expect(again.zeroPoints).toBe(out.zeroPoints)
    }
  })

  it('scales of the caller are written to it, and not to those of the caller', () => {
    const scales = Float32Array.of(0.5)
    const out = quantize([1, 2, 3], { format: 'uint8' })
    const again = quantize([3, 2, 1], { format: 'uint8', scales, out })
    expect(again.scales).toBe(out.scales)
    expect([...out.scales]).toEqual([0.5])
    expect([...out.codes]).toEqual([134, 132, 130])
    quantize([30, 2, 1], { format: 'uint8', out })
    expect([...scales]).toEqual([0.5])
  })

  it.each(FLOAT_FORMATS)('%s', (format) => {
    const out = quantize(ugly(40, 1), { format })
    const again = quantize(ugly(40, 2), { format, out })
    expect(again.codes).toBe(out.codes)
    expect(again).toEqual(quantize(ugly(40, 2), { format }))
  })
})

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
    checkIntegers(part, { shape: [267], format: 'int4', symmetric: false, group: 10 })
    checkIntegers(part, { shape: [89, 3], format: 'uint8', symmetric: true, axis: 1 })
    const wide = Float64Array.from(whole).subarray(13, 280)
    expectSameBits(
      quantize(wide, { format: 'int4', group: 10 }).codes,
      quantizeOracle(part.slice(), [267], { format: 'int4', group: 10 }).codes
    )
  })
})

describe('scales of the caller', () => {
  it('saturate infinities and whatever else is far away', () => {
    const x = [Infinity, -Infinity, 3e38, -3e38, 1e9, 0, 600, -600]
    expect([...quantize(x, { format: 'int8', scales: [1] }).codes]).toEqual([127, -127, 127, -127, 127, 0, 127, -127])
    const options = { format: 'uint8', symmetric: false, scales: [1], zeroPoints: [255] } as const
    expect([...quantize(x, options).codes]).toEqual([255, 0, 255, 0, 255, 255, 255, 0])
  })

  it('stay as they are, as f32', () => {
    const q = quantize([1, 2], { format: 'int8', axis: 0, scales: [0.1, 3e38] })
    expectSameBits(q.scales, Float32Array.of(0.1, 3e38))
  })

  it('make an infinity of a finite f64 saturate too', () => {
    expect([...quantize(Float64Array.of(1e300, -1e300), { format: 'int8', scales: [1] }).codes]).toEqual([127, -127])
  })
})

describe("the data's own scales", () => {
  it('decode to finite values at the end of f32', () => {
    const most = (2 - 2 ** -23) * 2 ** 127
    for (const grid of GRIDS) {
      for (const x of [[most], [-most], [most, -most], [most, -most / 2], [most / 3, -most]]) {
        const q = quantize(x, grid)
        // Every code that the format has, also those that the data does not reach.
        const { least, most: last, middle } = codeRange[grid.format]
        const [low, high] = grid.symmetric ? [middle - Math.floor((last - least) / 2), last] : [least, last]
        const zero = q.zeroPoints?.[0] ?? 0
        for (const code of [low, high]) {
          expect(Math.abs(Math.fround((code - zero) * q.scales[0]))).toBeLessThanOrEqual(most)
        }
        for (const value of dequantize(q).data) expect(Number.isFinite(value)).toBe(true)
      }
    }
  })
})

describe('groups beyond a channel', () => {
  it.each([5, 1000, 2 ** 31, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER])('%d is one short group', (group) => {
    const data = Float32Array.of(1, -2, 3, 4)
    const one = quantize(data, { format: 'int8' })
    const grouped = quantize(data, { format: 'int8', group })
    expect(grouped.codes).toEqual(one.codes)
    expect(grouped.scales).toEqual(one.scales)
    expect([...dequantize(grouped).data]).toEqual([...dequantize(one).data])
  })
})
