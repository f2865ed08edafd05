import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dequantize, quantize } from '../../src/index.js'
import { layout } from '../oracle/quantize.js'
import { expectSameBits } from '../support/bits.js'
import {
  checkQuantize,
  codeRange,
  EMPTY_CUTS,
  givenCases,
  GRIDS,
  LARGE_CASES,
  nameOf,
  SMALL_CUTS,
  ugly,
  UGLY_CASES,
  VECTOR_CUTS
} from '../support/quantize.js'
import type { Cut } from '../support/quantize.js'
import { normals, seeded } from '../support/random.js'
import { sizeOf } from '../support/shapes.js'
import { f32 } from '../support/vectors.js'

describe.each(GRIDS)('$format, symmetric $symmetric', (grid) => {
  it('vectors of many lengths', () => {
    VECTOR_CUTS.forEach((cut, i) => checkQuantize(ugly(sizeOf(cut.shape), i), { ...cut, ...grid }))
  })

  it('up to four dimensions, every axis, groups', () => {
    SMALL_CUTS.forEach((cut, i) => checkQuantize(ugly(sizeOf(cut.shape), i), { ...cut, ...grid }))
  })

  it('shapes without elements', () => {
    for (const cut of EMPTY_CUTS) checkQuantize(new Float32Array(0), { ...cut, ...grid })
  })

  it.each(UGLY_CASES)('$name', ({ data }) => {
    const n = data.length
    for (const cut of [
      { shape: [n] },
      { shape: [n], group: 3 },
      { shape: [n, 1], axis: 1 },
      { shape: [1, n], axis: 1 }
    ])
      checkQuantize(data, { ...cut, ...grid })
  })

  it('a scalar', () => {
    for (const x of [0, -0, 1.5, -2, 2 ** -140]) {
      checkQuantize(Float32Array.of(x), { shape: [], ...grid })
      checkQuantize(Float32Array.of(x), { shape: [], group: 2, ...grid })
    }
  })

  it('scales of the caller, which saturate values beyond them', () => {
    for (const { data, ...options } of givenCases([grid])) checkQuantize(data, options)
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
      fc.property(cases, ({ data, ...cut }) => checkQuantize(f32(data), { ...cut, ...grid })),
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
    ({ options }) => checkQuantize(ugly(sizeOf(options.shape), sizeOf(options.shape)), options)
  )
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
