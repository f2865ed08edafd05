import { describe, expect, it } from 'vitest'
import { lowRank, quantize } from '../../src/index.js'
import type { LowRankOptions } from '../../src/index.js'
import { expectSameBits } from '../support/bits.js'
import { expectError, wrong } from '../support/errors.js'
import { checkErrors, single, valuesOf } from '../support/lowRank.js'
import { random } from '../support/matrices.js'

describe('refused', () => {
  const a = single(random(4, 3))

  it.each(['quantize', 'residual'] as const)('%s', (name) => {
    const call = (value: unknown) => (): unknown => lowRank(a, { rank: 1, [name]: wrong(value) })
    const where = `lowRank: ${name}: `
    expectError(call('int5'), TypeError, `${where}"format" expected one of int8`, '"int5"')
    expectError(call(8), TypeError, `${where}"options" expected an object with format`)
    expectError(call({}), TypeError, `${where}"format" expected one of`)
    expectError(
      call({ format: 'int8', scales: [1] }),
      TypeError,
      `${where}unknown option "scales"; expected format, axis`
    )
    expectError(call({ format: 'int8', out: {} }), TypeError, `${where}unknown option "out"`)
    expectError(
      call({ format: 'int8', axis: 2 }),
      RangeError,
      `${where}"axis" expected a whole number from -2 to 1, got 2`
    )
    expectError(call({ format: 'int8', group: 0 }), RangeError, `${where}"group" expected a whole number`)
    expectError(call({ format: 'float16', axis: 0 }), TypeError, `${where}"axis" does not apply to float16`)
    expectError(call({ format: 'int8', symmetric: 1 }), TypeError, `${where}"symmetric" expected true or false`)
  })

  it('f64 beyond f32, which codes cannot hold', () => {
    const great = { data: Float64Array.of(1e200, 1, 2, 3e199), shape: [2, 2] }
    expectError(
      () => lowRank(great, { rank: 1, quantize: 'int8' }),
      RangeError,
      'lowRank: "matrix" expected',
      'float32'
    )
    expectError(
      () => lowRank(great, { rank: 1, residual: 'int8' }),
      RangeError,
      'lowRank: "matrix" expected',
      'float32'
    )
  })

  it.each<[string, number, LowRankOptions]>([
    ['beyond float16', 1e12, { rank: 2, quantize: 'float16' }],
    ['far beyond float16', 1e38, { rank: 2, quantize: 'float16' }],
    ['below float16', 1e-30, { rank: 2, quantize: 'float16' }],
    ['a residual beyond float16', 1e30, { rank: 2, residual: 'float16' }],
    ['a residual below float16', 1e-30, { rank: 2, residual: 'float16' }]
  ])('%s, which is named', (_, factor, options) => {
    const far = { data: Float32Array.from(a.data, (x) => x * factor), shape: a.shape }
    expectError(
      () => lowRank(far, options),
      RangeError,
      'lowRank: "matrix" expected numbers whose factors and residual are within float16 (6e-8 to 65504), got some of at most',
      'rescale the data'
    )
  })

  it('factors whose product alone is beyond float16 are within it', () => {
    for (const factor of [1e7, 1e-8]) {
      const far = { data: Float32Array.from(a.data, (x) => x * factor), shape: a.shape }
      const result = lowRank(far, { rank: 3, quantize: 'float16' })
      checkErrors(far, result, `scaled by ${factor}`)
      expect(result.relativeError).toBeLessThan(5e-3)
    }
  })

  it('f64 below f32, whose codes would all be 0', () => {
    const least = { data: Float64Array.from(a.data, (x) => x * 1e-300), shape: a.shape }
    for (const options of [{ quantize: 'int8' }, { residual: 'int4' }, { quantize: 'bfloat16' }] as const) {
      const name = 'quantize' in options && options.quantize === 'bfloat16' ? 'bfloat16' : 'float32'
      expectError(
        () => lowRank(least, { rank: 1, ...options } as LowRankOptions),
        RangeError,
        `within ${name}`,
        'rescale the data'
      )
    }
  })

  it('the matrix and the codes of a caller are not changed', () => {
    const copy = a.data.slice()
    const result = lowRank(a, { rank: 2, quantize: 'int8', residual: 'int4' })
    expectSameBits(a.data, copy)
    expect(valuesOf(result.residual!).length).toBe(12)
    expect(quantize(a, { format: 'int8' }).codes.length).toBe(12)
  })
})
