import { describe, expect, it } from 'vitest'
import { MemoryLimitError, ridge } from '../../src/index.js'
import { expectError, wrong } from '../support/errors.js'
import { matrix, random } from '../support/matrices.js'

describe('errors', () => {
  const [x, y] = [random(10, 3), random(10, 2)]

  it('dependent columns: the rank, and what to do', () => {
    const twice = matrix(20, 6, (i, j) => random(20, 3).data[i * 3 + (j % 3)]!)
    for (const intercept of [true, false]) {
      expectError(
        () => ridge(twice, random(20, 1), { intercept }),
        RangeError,
        'ridge: "x"',
        'rank 3 of 6',
        'raise "lambda"'
      )
    }
    expectError(() => ridge(random(5, 8), random(5, 1)), RangeError, 'rank 4 of 8', 'centred')
    expectError(() => ridge(random(5, 8), random(5, 1), { intercept: false }), RangeError, 'rank 5 of 8')
    expectError(
      () =>
        ridge(
          matrix(9, 2, () => 3),
          random(9, 1)
        ),
      RangeError,
      'rank 0 of 2'
    )
    expectError(() => ridge(twice, random(20, 1), { lambda: 1e-40 }), RangeError, 'which is 1e-40')
    expect(ridge(twice, random(20, 1), { lambda: 1e-3 }).weights.shape).toEqual([6, 1])
  })

  it('shapes', () => {
    expectError(() => ridge(new Float32Array(3), y), RangeError, '"x"', 'two dimensions', '[3]')
    expectError(() => ridge({ data: new Float32Array(0), shape: [0, 3] }, y), RangeError, '"x"', 'elements')
    expectError(() => ridge({ data: new Float32Array(0), shape: [10, 0] }, y), RangeError, '"x"', 'elements')
    expectError(() => ridge(x, random(9, 2)), RangeError, '"y"', '[10] or [10, targets]', '[9, 2]')
    expectError(() => ridge(x, { data: new Float32Array(0), shape: [10, 0] }), RangeError, '[10, 0]')
    expectError(() => ridge(x, { data: new Float32Array(10), shape: [10, 1, 1] }), RangeError, '[10, 1, 1]')
    expectError(() => ridge(x, y, { sampleWeights: [1, 2] }), RangeError, '"sampleWeights"', '[10]', '[2]')
  })

  it('what is not finite', () => {
    for (const value of [NaN, Infinity, -Infinity]) {
      const bad = random(10, 3)
      bad.data[17] = value
      expectError(() => ridge(bad, y), RangeError, '"x"', `got ${value} at index 17`)
      expectError(() => ridge(y, bad), RangeError, '"y"', `got ${value} at index 17`)
      const weights = new Float64Array(10).fill(1)
      weights[4] = value
      expectError(
        () => ridge(x, y, { sampleWeights: weights }),
        RangeError,
        '"sampleWeights"',
        `got ${value} at index 4`
      )
    }
  })

  it('sample weights', () => {
    expectError(
      () => ridge(x, y, { sampleWeights: new Float64Array(10).fill(1).fill(-1, 3) }),
      RangeError,
      'not negative',
      'got -1 at index 3'
    )
    expectError(() => ridge(x, y, { sampleWeights: new Float64Array(10) }), RangeError, 'sum above 0')
  })

  it('weights and intercepts beyond their type', () => {
    const [small, great] = [
      { data: Float32Array.of(1e-30, 3e-30), shape: [2, 1] },
      { data: Float32Array.of(1e30, 2e30), shape: [2, 1] }
    ]
    for (const intercept of [false, true]) {
      expectError(
        () => ridge(small, great, { intercept }),
        RangeError,
        'ridge: "x"',
        'weights within float32',
        'Infinity at index 0',
        'rescale',
        'float64'
      )
    }
    expect(ridge(small, Float64Array.from(great.data)).weights.data[0]! / 5e59).toBeCloseTo(1, 6)
    expectError(() => ridge([[1e-200], [2e-200]], [1e200, 3e200]), RangeError, 'weights within float64', 'rescale')
    expectError(
      () => ridge({ data: Float32Array.of(1e4, 1.001e4), shape: [2, 1] }, Float32Array.of(1e38, -1e38)),
      RangeError,
      'an intercept within float32'
    )
  })

  it('what does not fit', () => {
    const wide = { data: new Uint8Array(24000), shape: [1, 24000] }
    expectError(() => ridge(wide, [1], { lambda: 1 }), MemoryLimitError, 'bytes of WebAssembly memory')
  })

  it('options', () => {
    expectError(
      () => ridge(x, y, wrong({ alpha: 1 })),
      TypeError,
      'ridge: unknown option "alpha"; expected lambda, intercept, sampleWeights'
    )
    expectError(() => ridge(x, y, { lambda: -1 }), RangeError, '"lambda"', '-1')
    expectError(() => ridge(x, y, { lambda: NaN }), RangeError, '"lambda"', 'NaN')
    expectError(() => ridge(x, y, { lambda: wrong('1') }), TypeError, '"lambda"')
    expectError(() => ridge(x, y, { intercept: wrong(0) }), TypeError, '"intercept"', 'true or false')
  })
})
