import { describe, expect, it } from 'vitest'
import { ridge } from '../../src/index.js'
import type { Ridge, RidgeOptions } from '../../src/index.js'
import { productOracle } from '../oracle/factor.js'
import { frobenius } from '../oracle/linalg.js'
import { float16Bits } from '../oracle/quantize.js'
import { expectSameBits } from '../support/bits.js'
import { expectError } from '../support/errors.js'
import { geometric, matrix, random, scaled, withSpectrum, type Matrix } from '../support/matrices.js'
import { solveVectors } from '../support/vectors.js'

const as = (data: readonly number[], m: number, n: number): Matrix => ({ data: Float64Array.from(data), shape: [m, n] })

describe('of mpmath', () => {
  it.each(solveVectors.ridge)(
    '$name',
    ({ samples, n, p, x, y, lambda, intercept, sampleWeights, condition, ...expected }) => {
      const options: RidgeOptions = { lambda, intercept, ...(sampleWeights ? { sampleWeights } : {}) }
      const result = ridge(as(x, samples, n), as(y, samples, p), options)
      expect([result.weights.shape, result.intercept?.shape]).toEqual([[n, p], intercept ? [p] : undefined])
      expect(result.weights.data).toBeInstanceOf(Float64Array)
      // Weights that are 0 but for the rounding of 120 digits count as that.
      const size = frobenius(expected.weights) + 1e-100
      // First-order theory: condition, and its square times the residual (P.-A. Wedin, BIT 13, 1973).
      const bound = 20 * n * 2 ** -52 * (condition + condition ** 2 * expected.relativeError)
      const error = frobenius(expected.weights.map((value, i) => value - result.weights.data[i]!)) / size
      expect(error).toBeLessThan(bound)
      if (intercept) {
        const offset = frobenius(expected.offset!.map((value, i) => value - result.intercept!.data[i]!))
        expect(offset / (frobenius(expected.offset!) + size * Math.abs(x[0]!))).toBeLessThan(bound)
      }
      // Great weights that cancel leave their rounding.
      expect(Math.abs(result.relativeError - expected.relativeError)).toBeLessThan(1e-13 + 1e-16 * condition)
    }
  )
})

/** x weights + intercept - y, and its gradient with the penalty: both as they are minimised. */
function residualOf(x: Matrix, y: Matrix, { weights, intercept }: Ridge, roots?: readonly number[]): Float64Array {
  const [m, n] = x.shape
  const p = y.shape[1]
  const product = productOracle(x.data, weights.data, m, p, n)
  return product.map(
    (value, i) =>
      (value + (intercept ? intercept.data[i % p]! : 0) - y.data[i]!) * (roots ? roots[Math.floor(i / p)]! : 1)
  )
}

/** |gradient| over what it is made of: 0 at the minimum. */
function stationarity(x: Matrix, y: Matrix, result: Ridge, lambda: number): number {
  const [m, n] = x.shape
  const p = y.shape[1]
  const rest = residualOf(x, y, result)
  let worst = 0
  for (let k = 0; k < n + (result.intercept ? 1 : 0); k++) {
    for (let j = 0; j < p; j++) {
      let sum = 0
      let size = 0
      for (let i = 0; i < m; i++) {
        const column = k < n ? x.data[i * n + k]! : 1
        sum += column * rest[i * p + j]!
        size += column * column
      }
      if (k < n) sum += lambda * result.weights.data[k * p + j]!
      worst = Math.max(worst, Math.abs(sum) / Math.sqrt(size) / (frobenius(y.data) + lambda))
    }
  }
  return worst
}

describe('the minimum', () => {
  it('has no gradient, for shapes of all kinds', () => {
    for (const [m, n, p] of [
      [1, 1, 1],
      [2, 1, 3],
      [9, 3, 1],
      [50, 20, 4],
      [70, 65, 2],
      [300, 130, 9],
      [40, 90, 5],
      [3000, 7, 2],
      [20000, 60, 3]
    ]) {
      const [x, y] = [random(m, n, 3), random(m, p, 4)]
      for (const lambda of m > n + 1 ? [0, 1e-6, 1] : [1e-2, 10]) {
        for (const intercept of [true, false]) {
          const result = ridge(x, y, { lambda, intercept })
          expect(stationarity(x, y, result, lambda), `${m}x${n}, lambda ${lambda}`).toBeLessThan(1e-12)
          const rest = residualOf(x, y, result)
          expect(Math.abs(result.relativeError - frobenius(rest) / frobenius(y.data))).toBeLessThan(1e-13)
        }
      }
    }
  })

  it('of ill-conditioned columns, by QR over several chunks', () => {
    const [m, n, p] = [9000, 40, 3]
    const x = withSpectrum(m, n, geometric(n, 1e9), 2)
    const truth = random(n, p, 5)
    const y: Matrix = { data: productOracle(x.data, truth.data, m, p, n), shape: [m, p] }
    for (const intercept of [false, true]) {
      const { weights, relativeError } = ridge(x, y, { intercept })
      expect(relativeError).toBeLessThan(1e-13)
      weights.data.forEach((value, i) => expect(Math.abs(value - truth.data[i]!)).toBeLessThan(1e-5))
    }
    // A penalty far below what the Gram matrix can hold.
    const small = ridge(x, y, { lambda: 1e-17, intercept: false })
    expect(stationarity(x, y, small, 1e-17)).toBeLessThan(1e-14)
  })

  it('is that of a linear map that is there, with its intercept', () => {
    const [x, truth] = [random(100, 8), random(8, 4, 2)]
    const y = matrix(100, 4, (i, j) =>
      truth.data.reduce((sum, w, k) => (k % 4 === j ? sum + x.data[i * 8 + (k >> 2)]! * w : sum), 10 * (j + 1))
    )
    const { weights, intercept, relativeError } = ridge(x, y)
    weights.data.forEach((value, i) => expect(value).toBeCloseTo(truth.data[i]!, 12))
    intercept!.data.forEach((value, j) => expect(value).toBeCloseTo(10 * (j + 1), 12))
    expect(relativeError).toBeLessThan(1e-15)
  })

  it('whole sample weights are repetitions', () => {
    const [x, y] = [random(20, 3), random(20, 2)]
    const sampleWeights = Array.from({ length: 20 }, (_, i) => i % 4)
    const rows = sampleWeights.flatMap((count, i) => new Array<number>(count).fill(i))
    const repeat = ({ data, shape: [, n] }: Matrix): Matrix => matrix(rows.length, n, (i, j) => data[rows[i]! * n + j]!)
    const once = ridge(x, y, { sampleWeights, lambda: 0.5 })
    const often = ridge(repeat(x), repeat(y), { lambda: 0.5 })
    once.weights.data.forEach((value, i) => expect(value).toBeCloseTo(often.weights.data[i]!, 13))
    once.intercept!.data.forEach((value, i) => expect(value).toBeCloseTo(often.intercept!.data[i]!, 13))
    expect(once.relativeError).toBeCloseTo(often.relativeError, 13)
  })

  it('shrinks as lambda grows', () => {
    const [x, y] = [random(30, 6), random(30, 2)]
    const sizes = [0, 0.1, 1, 10, 1e3, 1e9].map((lambda) => frobenius(ridge(x, y, { lambda }).weights.data))
    for (let i = 1; i < sizes.length; i++) expect(sizes[i]).toBeLessThan(sizes[i - 1]!)
    expect(sizes.at(-1)).toBeLessThan(1e-6)
  })
})

describe('ends of the range', () => {
  it('powers of two change no bit', () => {
    const [x, y] = [random(40, 6), random(40, 2)]
    const plain = ridge(x, y)
    for (const [up, other] of [
      [200, -150],
      [900, 950],
      [-900, -800],
      [600, -300]
    ] as const) {
      const { weights, intercept, relativeError } = ridge(scaled(x, 2 ** up), scaled(y, 2 ** other))
      weights.data.forEach((value, i) =>
        expect(value / (plain.weights.data[i]! * 2 ** (other - up)) - 1).toBeCloseTo(0, 10)
      )
      intercept!.data.forEach((value, i) =>
        expect(value / (plain.intercept!.data[i]! * 2 ** other) - 1).toBeCloseTo(0, 10)
      )
      expect(relativeError).toBeCloseTo(plain.relativeError, 13)
    }
    const penalised = ridge(scaled(x, 2 ** -400), y, { lambda: 2 ** -800 })
    const expected = ridge(x, y, { lambda: 1 })
    penalised.weights.data.forEach((value, i) => expect(value / 2 ** 400).toBeCloseTo(expected.weights.data[i]!, 13))
  })

  it('a penalty far beyond the samples', () => {
    const column = (values: number[]): Matrix => as(values, values.length, 1)
    for (const [size, height, lambda, expected] of [
      [1e-120, 1, 1e100, 5e-220],
      [1e-300, 1, 1, 5e-300],
      [1e-300, 1, 1e-5, 5e-295],
      [1e-300, 1e300, 1e300, 5e-300],
      [1, 1, 1e300, 5e-300],
      [1e300, 1, 1e-300, 1e-300],
      [1e-60, 1e60, 1e200, 5e-200],
      [1, 1e-300, 1e300, 0]
    ] as const) {
      const options = { lambda, intercept: false }
      const { weights, relativeError } = ridge(column([size, 2 * size]), column([height, 2 * height]), options)
      if (expected === 0) expect(weights.data[0]).toBe(0)
      else expect(Math.abs(weights.data[0]! / expected - 1)).toBeLessThan(1e-14)
      expect(relativeError).toBeCloseTo(size === 1e300 ? 0 : 1, 14)
      const offset = ridge(column([size, 3 * size]), column([height, 3 * height]), { lambda })
      expect(offset.intercept!.data[0]! / height).toBeCloseTo(size === 1e300 ? 0 : 2, 14)
    }
    // A column of zeros beside one that is great.
    const beside = [
      [1e200, 0],
      [2e200, 0]
    ]
    const { weights } = ridge(beside, [1, 2], { lambda: 1e-200, intercept: false })
    expect(Math.abs(weights.data[0]! / 1e-200 - 1)).toBeLessThan(1e-14)
    expect(weights.data[1]! + 0).toBe(0)
  })

  it('sample weights of any size, subnormal ones too', () => {
    const [x, y] = [random(40, 5), random(40, 2)]
    const sampleWeights = Array.from({ length: 40 }, (_, i) => 1 + ((i * 7) % 8))
    const plain = ridge(x, y, { sampleWeights, lambda: 0.5 })
    for (const power of [-1000, -400, 632, 1000, 1020]) {
      const { weights, intercept, relativeError } = ridge(x, y, {
        sampleWeights: sampleWeights.map((weight) => weight * 2 ** power),
        lambda: 0.5 * 2 ** power
      })
      expectSameBits(weights.data, plain.weights.data)
      expectSameBits(intercept!.data, plain.intercept!.data)
      expect(relativeError).toBe(plain.relativeError)
    }
    const free = ridge(x, y, { sampleWeights })
    const least = ridge(x, y, { sampleWeights: sampleWeights.map((weight) => weight * 2 ** -1074) })
    expectSameBits(least.weights.data, free.weights.data)
    const [even, ones] = [1e308, 1].map((weight) => ridge(x, y, { sampleWeights: new Float64Array(40).fill(weight) }))
    even!.weights.data.forEach((value, i) => expect(value).toBeCloseTo(ones!.weights.data[i]!, 13))
    const wide = ridge(
      [
        [1, 0],
        [0, 1]
      ],
      [3, 5],
      { sampleWeights: [1e200, 1e-20], intercept: false }
    )
    wide.weights.data.forEach((value, i) => expect(value).toBeCloseTo([3, 5][i]!, 14))
  })

  it('columns in any units, by QR too', () => {
    for (const condition of [10, 1e9]) {
      const x = withSpectrum(200, 3, geometric(3, condition), 2)
      const truth = [1, -2, 3]
      const y = as([...productOracle(x.data, Float64Array.from(truth), 200, 1, 3)], 200, 1)
      for (const intercept of [false, true]) {
        const plain = ridge(x, y, { intercept })
        for (const units of [
          [1, 2 ** 66, 1],
          [2 ** -200, 1, 2 ** 250],
          [1, 2 ** -600, 2 ** 90],
          [2 ** 900, 2 ** -100, 1]
        ]) {
          const moved = ridge(
            matrix(200, 3, (i, j) => x.data[i * 3 + j]! * units[j]!),
            y,
            { intercept }
          )
          moved.weights.data.forEach((value, j) => {
            expect(Math.abs(value * units[j]! - truth[j]!)).toBeLessThan(1e-14 * condition)
            expect(Math.abs(value * units[j]! - plain.weights.data[j]!)).toBeLessThan(1e-14 * condition)
          })
        }
        // Units that are no powers of two.
        const decimal = ridge(
          matrix(200, 3, (i, j) => x.data[i * 3 + j]! * (j === 1 ? 1e20 : 1)),
          y,
          { intercept }
        )
        expect(decimal.weights.data[1]! * 1e20).toBeCloseTo(-2, condition > 10 ? 5 : 12)
      }
    }
  })

  it('a constant column is dependent, however it rounds', () => {
    const x = matrix(30, 2, (i, j) => (j === 0 ? 0.1 : random(30, 1).data[i]!))
    expectError(() => ridge(x, random(30, 1)), RangeError, 'rank 1 of 2', 'centred')
    expect(ridge(x, random(30, 1), { lambda: 1e-3 }).weights.data[0]).toBeCloseTo(0, 10)
    for (const value of [0.1, 1 / 3, 1e9 / 7]) {
      expectError(
        () =>
          ridge(
            matrix(30, 1, () => value),
            random(30, 1)
          ),
        RangeError,
        'rank 0 of 1'
      )
    }
  })

  it('far from the origin', () => {
    const x = random(5000, 4)
    const y = matrix(5000, 1, (i) => x.data[i * 4]! - 3 * x.data[i * 4 + 2]!)
    const far = matrix(5000, 4, (i, j) => x.data[i * 4 + j]! + 1e9)
    const { weights } = ridge(far, y)
    // What is left of x at 1e9 is right to 1e-7.
    expect([...weights.data]).toEqual([1, 0, -3, 0].map((value) => expect.closeTo(value, 6) as number))
  })
})

describe('kinds of input', () => {
  it('a vector of targets', () => {
    const x = random(20, 3)
    const y = random(20, 1)
    const { weights, intercept } = ridge(x, y.data)
    expect([weights.shape, intercept!.shape]).toEqual([[3], []])
    expectSameBits(weights.data, ridge(x, y).weights.data)
    expect(ridge(x, y.data, { intercept: false }).intercept).toBeUndefined()
  })

  it('f32 gives f32, computed in f64', () => {
    const [x, y] = [random(30, 5), random(30, 2)].map(({ data, shape }) => ({ data: Float32Array.from(data), shape }))
    const wide = [x!, y!].map(({ data, shape }) => ({ data: Float64Array.from(data), shape }))
    const single = ridge(x!, y!)
    const double = ridge(wide[0]!, wide[1]!)
    expect(single.weights.data).toBeInstanceOf(Float32Array)
    expectSameBits(single.weights.data, Float32Array.from(double.weights.data))
    expectSameBits(single.intercept!.data, Float32Array.from(double.intercept!.data))
    expect(single.relativeError).toBe(double.relativeError)
    expect(ridge(x!, wide[1]!).weights.data).toBeInstanceOf(Float64Array)
  })

  it('bits of float16, whole numbers, nested arrays', () => {
    const halves = { data: Uint16Array.from([1, 2, 3], float16Bits), shape: [3, 1], dtype: 'float16' }
    const { weights, intercept, relativeError } = ridge(halves, Int8Array.of(5, 7, 9))
    expect([weights.data, intercept!.data]).toEqual([Float32Array.of(2), Float32Array.of(3)])
    expect(relativeError).toBe(0)
    expect(ridge([[1], [2], [3]], [[5], [7], [9]]).weights).toEqual({ data: Float64Array.of(2), shape: [1, 1] })
  })

  it('zero targets', () => {
    const result = ridge(
      random(9, 2),
      matrix(9, 1, () => 0)
    )
    expect([...result.weights.data, ...result.intercept!.data].every((x) => x === 0)).toBe(true)
    expect(result.relativeError).toBe(0)
  })

  it('does not change its input, and gives the same bits again', () => {
    const [x, y] = [random(30, 5), random(30, 2)]
    const copies = [x.data.slice(), y.data.slice()]
    const first = ridge(x, y, { lambda: 1 })
    ridge(random(99, 50), random(99, 2))
    expect(ridge(x, y, { lambda: 1 })).toEqual(first)
    expectSameBits(x.data, copies[0]!)
    expectSameBits(y.data, copies[1]!)
  })
})
