import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dequantize, fakeQuantize, quantize } from '../../src/index.js'
import type { Bitmask } from '../../src/index.js'
import { fakeQuantizeOracle, float16Bits, float16Value, packBits } from '../oracle/quantize.js'
import { expectSameBits, flagsOf } from '../support/bits.js'
import {
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
import { LENGTHS, sizeOf } from '../support/shapes.js'
import { f32, flags, quantizeVectors } from '../support/vectors.js'

type Given = { scales?: number[]; zeroPoints?: number[] }

function check(data: Float32Array<ArrayBuffer>, { shape, ...options }: Cut & Grid & Given): void {
  const expected = fakeQuantizeOracle(data, shape, options)
  const { values, mask } = fakeQuantize({ data, shape }, options)
  const name = nameOf({ shape, ...options })
  expect(values.shape).toEqual(shape)
  expect(mask.shape).toEqual(shape)
  expectSameBits(values.data, expected.values, `values of ${name}`)
  expectSameBits(mask.bits, expected.bits, `mask of ${name}`)
}

const passes = ({ bits, shape }: Bitmask): boolean[] => flagsOf(bits, sizeOf(shape))

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

  it('scales of the caller', () => {
    for (const { data, ...options } of givenCases([grid])) check(data, options)
  })

  it('any shape, axis, group, scale and values', () => {
    const values = fc.float({ noNaN: true, min: -300, max: 300 })
    const cases = fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 4 }).chain((shape) => {
      const length = sizeOf(shape)
      return fc.record({
        shape: fc.constant(shape),
        axis: fc.option(fc.integer({ min: -shape.length, max: shape.length - 1 }), { nil: undefined }),
        group: fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined }),
        data: fc.array(values, { minLength: length, maxLength: length })
      })
    })
    fc.assert(
      fc.property(cases, ({ data, ...cut }) => check(f32(data), { ...cut, ...grid })),
      { seed: 3, numRuns: 120 }
    )
  })

  it('values are those of quantisation and back', () => {
    const data = ugly(700, 4)
    const options = { ...grid, axis: 1, group: 6 }
    const { values } = fakeQuantize({ data, shape: [10, 7, 10] }, options)
    expectSameBits(values.data, dequantize(quantize({ data, shape: [10, 7, 10] }, options)).data)
  })
})

describe('tensors of more than a tile', () => {
  // The mask is packed alike for all formats: bytes and nibbles take turns.
  it.each(
    LARGE_CASES.filter((_, i) => i % 4 === 0 || i % 4 === 3).map((options) => ({ name: nameOf(options), options }))
  )('$name, $options.format, symmetric $options.symmetric', ({ options }) =>
    check(ugly(sizeOf(options.shape), sizeOf(options.shape)), options)
  )
})

describe('golden values of PyTorch', () => {
  const cases = [...quantizeVectors.fakeQuantizePerTensor, ...quantizeVectors.fakeQuantizePerChannel]

  it.each(cases.map((golden, i) => ({ i, golden })))(
    'case $i: $golden.options of shape $golden.shape',
    ({ golden }) => {
      const { shape, options, scales, zeroPoints } = golden
      const given = options.symmetric ? { scales } : { scales, zeroPoints }
      const { values, mask } = fakeQuantize({ data: f32(golden.input), shape }, { ...options, ...given })
      expectSameBits(values.data, f32(golden.output), 'values')
      expectSameBits(mask.bits, packBits(flags(golden.mask)), 'mask')
    }
  )

  it.each(FLOAT_FORMATS)('%s', (format) => {
    const { input, output } = quantizeVectors[format]
    const { values, mask } = fakeQuantize(f32(input), { format })
    expectSameBits(values.data, f32(output))
    expect(passes(mask)).toEqual(input.map(() => true))
  })
})

describe.each(FLOAT_FORMATS)('%s', (format) => {
  it('lengths, and values that saturate', () => {
    const most = (2 - 2 ** -23) * 2 ** 127
    for (const n of [...LENGTHS, 32769, 40001]) {
      const data = ugly(n, n)
      data.forEach((_, i) => {
        if (i % 7 === 3) data[i] = i % 2 ? 65519 : -65520
        if (i % 11 === 5) data[i] = i % 2 ? most : -(2 - 2 ** -8) * 2 ** 127
      })
      const expected = fakeQuantizeOracle(data, [n], { format })
      const { values, mask } = fakeQuantize(data, { format })
      expectSameBits(values.data, expected.values, `values of ${n}`)
      expectSameBits(mask.bits, expected.bits, `mask of ${n}`)
    }
  })
})

describe('the mask', () => {
  it('is judged on the rounded value', () => {
    const { values, mask } = fakeQuantize([-7.4, -7.5, -8.4, 7.5, 7.4, -8.5, -8.6], {
      format: 'int4',
      symmetric: false,
      scales: [1],
      zeroPoints: [0]
    })
    expect([...values.data]).toEqual([-7, -8, -8, 7, 7, -8, -8])
    expect(passes(mask)).toEqual([true, true, true, false, true, true, false])
  })

  it('uses symmetric codes where symmetric', () => {
    const { mask } = fakeQuantize([-7.4, -7.5, 7.4, 7.5], { format: 'int4', scales: [1] })
    expect(passes(mask)).toEqual([true, false, true, false])
  })

  it('does not pass infinities of the caller, which saturate', () => {
    const { values, mask } = fakeQuantize([Infinity, -Infinity, 3], { format: 'int8', scales: [1] })
    expect([...values.data]).toEqual([127, -127, 3])
    expect(passes(mask)).toEqual([false, false, true])
  })

  it('float16 passes 65519, which rounds to 65504, and not 65520', () => {
    const { values, mask } = fakeQuantize([65504, 65519, 65520, -65520, 1e5, 1], { format: 'float16' })
    expect([...values.data]).toEqual([65504, 65504, 65504, -65504, 65504, 1])
    expect(passes(mask)).toEqual([true, true, false, false, false, true])
  })

  it('bfloat16 passes what rounds to its greatest value, and not the tie with infinity', () => {
    const greatest = (2 - 2 ** -7) * 2 ** 127
    const tie = (2 - 2 ** -8) * 2 ** 127
    const below = (2 - 2 ** -8 - 2 ** -23) * 2 ** 127
    const { values, mask } = fakeQuantize([greatest, below, tie, -tie], { format: 'bfloat16' })
    expect([...values.data]).toEqual([greatest, greatest, greatest, -greatest])
    expect(passes(mask)).toEqual([true, true, false, false])
  })

  it('leaves the unused bits of its last byte 0', () => {
    for (const grid of GRIDS) {
      for (let n = 1; n < 8; n++) {
        const { mask } = fakeQuantize(new Float32Array(n).fill(1), grid)
        expect([...mask.bits]).toEqual([2 ** n - 1])
      }
    }
  })
})

describe('kinds of input', () => {
  const values = [0.1, -2.5, 3, 1e-3, -0.7, 2]

  it('f64, nested arrays, bit patterns and views', () => {
    const expected = fakeQuantizeOracle(f32(values), [2, 3], { format: 'uint8', axis: 1 })
    const halves = Uint16Array.from(values, float16Bits)
    const ofHalves = fakeQuantizeOracle(Float32Array.from(halves, float16Value), [2, 3], { format: 'uint8', axis: 1 })
    const view = f32([9, ...values, 9]).subarray(1, 7)
    const options = { format: 'uint8', axis: 1 } as const
    const results = [
      fakeQuantize({ data: Float64Array.from(values), shape: [2, 3] }, options),
      fakeQuantize([values.slice(0, 3), values.slice(3)], options),
      fakeQuantize({ data: view, dims: [2, 3] }, options)
    ]
    for (const { values: faked, mask } of results) {
      expectSameBits(faked.data, expected.values)
      expectSameBits(mask.bits, expected.bits)
    }
    const faked = fakeQuantize({ data: halves, dims: [2, 3], type: 'float16' }, options)
    expectSameBits(faked.values.data, ofHalves.values)
  })

  it('is not changed', () => {
    const data = ugly(200, 2)
    const copy = data.slice()
    fakeQuantize(data, { format: 'int4' })
    fakeQuantize(data, { format: 'float16' })
    expectSameBits(data, copy)
  })
})
