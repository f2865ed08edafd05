import { describe, expect, it } from 'vitest'
import { logSoftmax, softmax } from '../../src/index.js'
import { logSoftmaxOracle, softmaxOracle } from '../oracle/distill.js'
import { float16Bits } from '../oracle/quantize.js'
import { expectSameBits } from '../support/bits.js'
import { normals, seeded } from '../support/random.js'
import { f32 } from '../support/vectors.js'

/** Below the least normal f32 a probability has no relative precision to speak of. */
const LEAST_NORMAL = 2 ** -126

interface Errors {
  absolute: number
  /** as a share of the relative error that is stated for p */
  relative: number
  /** as a share of the error that is stated for log p, beyond the rounding to f32 */
  logarithm: number
}

/** The greatest differences from f64, of rows of `classes`. */
function errorsOf(logits: Float32Array<ArrayBuffer>, classes: number, temperature: number): Errors {
  const shape = [logits.length / classes, classes]
  const probabilities = softmax({ data: logits, shape }, { temperature }).data
  const logarithms = logSoftmax({ data: logits, shape }, { temperature }).data
  const errors: Errors = { absolute: 0, relative: 0, logarithm: 0 }
  for (let start = 0; start < logits.length; start += classes) {
    const row = logits.subarray(start, start + classes)
    const p = softmaxOracle(row, temperature)
    const log = logSoftmaxOracle(row, temperature)
    const unit =
      1e-13 * (1 + row.reduce((most, z) => (z > -Infinity ? Math.max(most, Math.abs(z)) : most), 0) / temperature)
    for (let c = 0; c < classes; c++) {
      const difference = Math.abs(probabilities[start + c] - p[c])
      // Written so that NaN counts as an error.
      if (!(difference <= errors.absolute)) errors.absolute = difference
      if (p[c] >= LEAST_NORMAL) {
        const share = difference / p[c] / (4e-7 + 1.3e-7 * Math.abs(log[c]))
        if (!(share <= errors.relative)) errors.relative = share
      }
      if (log[c] === -Infinity) {
        expect(probabilities[start + c]).toBe(0)
        expect(logarithms[start + c]).toBe(-Infinity)
        continue
      }
      // One f32 rounding of the result is granted, half a unit in its last place.
      const rest = (Math.abs(logarithms[start + c] - log[c]) - 2 ** -24 * Math.abs(log[c])) / unit
      if (!(rest <= errors.logarithm)) errors.logarithm = rest
    }
  }
  return errors
}

function check(logits: Float32Array<ArrayBuffer>, classes: number, temperature = 1): void {
  const { absolute, relative, logarithm } = errorsOf(logits, classes, temperature)
  const what = `${classes} classes at temperature ${temperature}`
  expect.soft(absolute, `absolute error of ${what}`).toBeLessThanOrEqual(4e-7)
  expect.soft(relative, `share of the relative error allowed, ${what}`).toBeLessThanOrEqual(1)
  expect.soft(logarithm, `share of the error of the logarithm allowed, ${what}`).toBeLessThanOrEqual(1)
}

const TEMPERATURES = [1, 0.5, 2, 20, 0.01, 7.3]

describe('softmax and logSoftmax against f64', () => {
  it.each(TEMPERATURES)('rows of 1 to 40 classes at temperature %f', (temperature) => {
    for (let classes = 1; classes <= 40; classes++) check(normals(5 * classes, classes, 4), classes, temperature)
  })

  it.each([255, 256, 257, 1000, 32000, 40001])('%i classes', (classes) => {
    for (const temperature of [1, 0.25, 0.3, 5]) check(normals(3 * classes, classes, 6), classes, temperature)
  })

  it('sums of a few great terms', () => {
    for (const classes of [8, 64, 255, 256]) {
      for (let seed = 0; seed < 10; seed++) {
        for (const temperature of [0.25, 1]) check(normals(classes, 7 * seed + classes), classes, temperature)
      }
    }
  })

  it('many rows, which go to the core in several parts', () => {
    check(normals(100 * 1000, 1, 3), 1000)
    check(normals(70000, 2, 3), 1)
    check(normals(3 * 33333, 3, 3), 3)
  })

  it('logits of any magnitude', () => {
    const random = seeded(1)
    for (const magnitude of [1e-6, 1, 30, 80, 100, 1e4, 1e20]) {
      const data = Float32Array.from({ length: 40 * 25 }, () => magnitude * (2 * random() - 1))
      check(data, 40)
      check(data, 40, magnitude)
    }
  })

  it('two classes over all their distances', () => {
    const data: number[] = []
    for (let d = 0; d <= 110; d += 0.037) data.push(0, -d, d, 0)
    check(f32(data), 2)
  })

  it('+-1e4', () => {
    expect([...softmax([1e4, -1e4, 0]).data]).toEqual([1, 0, 0])
    expect([...logSoftmax([1e4, -1e4, 0]).data]).toEqual([0, -2e4, -1e4])
    expect([...softmax([-1e4, -1e4]).data]).toEqual([0.5, 0.5])
    check(f32([1e4, 9999, 9998.5, -1e4, -9999, 0]), 6)
  })

  it('equal logits, also the greatest there are', () => {
    const most = (2 - 2 ** -23) * 2 ** 127
    for (const x of [0, -0, most, -most, 2 ** -149]) {
      expect([...softmax([x, x, x, x]).data]).toEqual([0.25, 0.25, 0.25, 0.25])
      expect(logSoftmax([x, x, x, x]).data[3]).toBeCloseTo(-Math.log(4), 6)
    }
    expect([...softmax([most, -most]).data]).toEqual([1, 0])
  })

  it('rows sum to 1', () => {
    const { data } = softmax({ data: normals(64 * 100, 5, 10), shape: [100, 64] })
    for (let row = 0; row < 100; row++) {
      const total = data.subarray(64 * row, 64 * row + 64).reduce((sum, p) => sum + p, 0)
      expect(Math.abs(total - 1)).toBeLessThan(64 * 3e-7)
    }
  })
})

describe('masked classes', () => {
  it('have probability 0 and logarithm -Infinity, wherever they stand', () => {
    const random = seeded(3)
    for (let classes = 2; classes <= 40; classes++) {
      const data = normals(6 * classes, classes, 3)
      data.forEach((_, i) => {
        if (i % classes !== classes >> 1 && random() < 0.4) data[i] = -Infinity
      })
      check(data, classes)
      check(data, classes, 3)
    }
  })

  it('leave the others as if they were not there', () => {
    expect([...softmax([0, -Infinity, 0]).data]).toEqual([0.5, 0, 0.5])
    expect([...softmax([-Infinity, -Infinity, -1e4, -Infinity]).data]).toEqual([0, 0, 1, 0])
    expect([...logSoftmax([-Infinity, 4]).data]).toEqual([-Infinity, 0])
  })
})

describe('temperatures', () => {
  it('divide the logits', () => {
    const logits = normals(30, 6)
    expectSameBits(softmax(logits, { temperature: 0.5 }).data, softmax(logits.map((z) => 2 * z)).data)
    expectSameBits(softmax(logits, { temperature: 4 }).data, softmax(logits.map((z) => z / 4)).data)
    expectSameBits(softmax(logits, {}).data, softmax(logits, { temperature: 1 }).data)
  })

  it.each([1e-10, 1e-39, 1e-44, 1e-50, 1e-300])('%f leaves the greatest logit alone', (temperature) => {
    expect([...softmax([1, 3, 2], { temperature }).data]).toEqual([0, 1, 0])
    const { data } = logSoftmax([1, 3, 2], { temperature })
    expect(data[1]).toBe(0)
    expect(data[2]).toBe(Math.fround(-1 / temperature))
  })

  it.each([1e10, 1e37, 1e39, 1e46, 1e300])('%f makes all classes alike, but not the masked', (temperature) => {
    expect([...softmax([1, 3, 2, 0], { temperature }).data]).toEqual([0.25, 0.25, 0.25, 0.25])
    expect([...softmax([1, -Infinity, 2], { temperature }).data]).toEqual([0.5, 0, 0.5])
    const { data } = logSoftmax([1, -Infinity, 2], { temperature })
    expect(data[0]).toBeCloseTo(-Math.LN2, 6)
    expect(data[1]).toBe(-Infinity)
  })
})

describe('shapes and kinds of input', () => {
  const values = [0.5, -1, 2, 0, 3, -2.5]

  it('the last dimension is classes', () => {
    const flat = softmax({ data: f32(values), shape: [2, 3] })
    expect(flat.shape).toEqual([2, 3])
    expectSameBits(softmax({ data: f32(values), dims: [2, 1, 3] }).data, flat.data)
    expectSameBits(softmax([values.slice(0, 3), values.slice(3)]).data, flat.data)
    expectSameBits(softmax({ data: Float64Array.from(values), shape: [2, 3] }).data, flat.data)
    expectSameBits(softmax({ data: f32([9, ...values]).subarray(1), shape: [2, 3] }).data, flat.data)
    const halves = { data: Uint16Array.from(values, float16Bits), dims: [2, 3], type: 'float16' }
    expectSameBits(softmax(halves).data, flat.data)
    expect([...softmax({ data: f32(values), shape: [6, 1] }).data]).toEqual([1, 1, 1, 1, 1, 1])
    expect([...logSoftmax({ data: f32(values), shape: [6, 1] }).data]).toEqual([0, 0, 0, 0, 0, 0])
  })

  it('no rows', () => {
    expect(softmax({ data: new Float32Array(0), shape: [0, 4] })).toEqual({ data: new Float32Array(0), shape: [0, 4] })
    expect(logSoftmax({ data: new Float32Array(0), shape: [3, 0, 4] }).shape).toEqual([3, 0, 4])
  })

  it('f64 is rounded to f32', () => {
    expectSameBits(softmax(Float64Array.of(1 + 2 ** -40, 1)).data, f32([0.5, 0.5]))
  })

  it('input is not changed', () => {
    const logits = normals(50, 4)
    const copy = logits.slice()
    softmax(logits)
    logSoftmax(logits)
    expectSameBits(logits, copy)
  })
})
