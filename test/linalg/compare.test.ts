import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compare } from '../../src/index.js'
import { compareOracle } from '../oracle/linalg.js'
import { float16Bits, float16Value } from '../oracle/quantize.js'
import { ugly } from '../support/quantize.js'
import { normals } from '../support/random.js'
import { LENGTHS } from '../support/shapes.js'
import { f32 } from '../support/vectors.js'

/** 1e-15 sqrt(n) relative for each side: the oracle sums in f64 as well. */
function check(a: Float32Array<ArrayBuffer>, b: Float32Array<ArrayBuffer>): void {
  const actual = compare(a, b)
  const expected = compareOracle(a, b)
  const relative = 2e-15 * Math.sqrt(a.length) + 1e-15
  const close = (x: number, y: number, what: string): void => {
    if (x !== y)
      expect(Math.abs(x - y), `${what} of ${a.length}: ${x}, ${y}`).toBeLessThanOrEqual(relative * Math.abs(y))
  }
  expect(Object.keys(actual).sort()).toEqual(Object.keys(expected).sort())
  expect(actual.maxAbsoluteError).toBe(expected.maxAbsoluteError)
  close(actual.meanSquaredError, expected.meanSquaredError, 'mean squared error')
  close(actual.relativeError, expected.relativeError, 'relative error')
  // A relative error of the ratio is an absolute one of its logarithm.
  if (actual.snr !== expected.snr) {
    const bound = 10 * relative + 4e-16 * Math.abs(expected.snr)
    expect(Math.abs(actual.snr - expected.snr), `snr of ${a.length}`).toBeLessThanOrEqual(bound)
  }
}

describe('compare against f64', () => {
  it('lengths', () => {
    for (const n of [...LENGTHS, 32767, 32768, 32769, 100003]) {
      check(normals(n, n), normals(n, n + 1))
      check(ugly(n, n), ugly(n, n + 1))
      const a = normals(n, n)
      check(
        a,
        a.map((x) => x * (1 + 1e-4))
      )
    }
  })

  it('where one entry differs, wherever it is', () => {
    const a = new Float32Array(67).fill(1)
    for (let i = 0; i < 67; i++) {
      const b = a.slice()
      b[i] = -2.5
      const { maxAbsoluteError, meanSquaredError } = compare(a, b)
      expect(maxAbsoluteError).toBe(3.5)
      expect(meanSquaredError).toBe(3.5 ** 2 / 67)
    }
  })

  it('the ends of f32', () => {
    const most = (2 - 2 ** -23) * 2 ** 127
    check(f32([most, -most, most]), f32([-most, most, 0]))
    check(f32([2 ** -149, 0]), f32([0, 2 ** -149]))
    check(f32([most, 1]), f32([most, 2 ** -149]))
    expect(compare([most], [-most]).maxAbsoluteError).toBe(2 * most)
  })

  it('any values', () => {
    const float = fc.float({ noNaN: true, noDefaultInfinity: true })
    fc.assert(
      fc.property(fc.array(fc.tuple(float, float), { maxLength: 50 }), (pairs) =>
        check(f32(pairs.map(([x]) => x)), f32(pairs.map(([, y]) => y)))
      ),
      { seed: 6, numRuns: 300 }
    )
  })
})

describe('known values', () => {
  it('3, 4 and 3, 3.5', () => {
    const { snr, relativeError, ...rest } = compare([3, 4], [3, 3.5])
    expect(rest).toEqual({ meanSquaredError: 0.125, maxAbsoluteError: 0.5 })
    expect(relativeError).toBeCloseTo(0.1, 15)
    expect(snr).toBeCloseTo(20, 13)
  })

  it('powers of ten are whole decibels', () => {
    for (let k = -6; k <= 6; k++) expect(compare([10 ** k], [0]).snr).toBeCloseTo(0, 12)
    expect(compare([10], [9]).snr).toBeCloseTo(20, 12)
    expect(compare([1], [-9]).snr).toBeCloseTo(-20, 12)
  })

  it('the first is the reference', () => {
    expect(compare([1, 0], [2, 0]).relativeError).toBe(1)
    expect(compare([2, 0], [1, 0]).relativeError).toBe(0.5)
  })

  it('equal tensors, also of zeros', () => {
    const same = { meanSquaredError: 0, maxAbsoluteError: 0, relativeError: 0, snr: Infinity }
    expect(compare([1, -2], [1, -2])).toEqual(same)
    expect(compare([0, 0], [0, -0])).toEqual(same)
    expect(compare([], [])).toEqual(same)
    expect(compare({ data: new Float32Array(0), shape: [0, 3] }, { data: new Float32Array(0), shape: [0, 3] })).toEqual(
      same
    )
  })

  it('only the reference is zero', () => {
    expect(compare([0, 0], [3, 4])).toEqual({
      meanSquaredError: 12.5,
      maxAbsoluteError: 4,
      relativeError: Infinity,
      snr: -Infinity
    })
  })

  it('only the other is zero', () => {
    const { relativeError, snr } = compare([3, 4], [0, 0])
    expect(relativeError).toBe(1)
    expect(snr).toBe(0)
  })
})

describe('kinds of input', () => {
  it('f64, nested arrays, bit patterns and views', () => {
    const values = [0.125, -2.5, 3, 1]
    const expected = compare(f32(values), f32([0, 0, 1, 1]))
    expect(compare(Float64Array.from(values), Int8Array.of(0, 0, 1, 1))).toEqual(expected)
    expect(compare(values, [0, 0, 1, 1])).toEqual(expected)
    expect(compare([values], [[0, 0, 1, 1]])).toEqual(expected)
    expect(compare(f32([7, ...values]).subarray(1), f32([0, 0, 1, 1]))).toEqual(expected)
    const halves = { data: Uint16Array.from(values, float16Bits), dims: [4], type: 'float16' }
    const rounded = values.map((x) => float16Value(float16Bits(x)))
    expect(compare(halves, [0, 0, 1, 1])).toEqual(compare(rounded, [0, 0, 1, 1]))
    // f64 is taken as it is, on either side.
    expect(compare(Float64Array.of(1 + 2 ** -40), f32([1])).maxAbsoluteError).toBe(2 ** -40)
    expect(compare(f32([1]), [1 + 2 ** -40]).maxAbsoluteError).toBe(2 ** -40)
    const long = normals(5001, 3)
    const other = Float64Array.from(long, (x) => x * (1 + 1e-9))
    const { relativeError, meanSquaredError } = compareOracle(long, other)
    expect(compare(long, other).relativeError / relativeError).toBeCloseTo(1, 12)
    expect(compare(long, other).meanSquaredError / meanSquaredError).toBeCloseTo(1, 12)
  })
})
