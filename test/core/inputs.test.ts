import { describe, expect, it } from 'vitest'
import {
  applyMask,
  compare,
  crossEntropy,
  distillationLoss,
  klDivergence,
  procrustes,
  matmul,
  quantize,
  reconstruct,
  ridge,
  svd
} from '../../src/index.js'
import type { TensorLike } from '../../src/index.js'
import { expectError, wrong } from '../support/errors.js'
import { READERS } from '../support/verbs.js'

/** Those whose arguments are read before anything else depends on their shape. */
const FIRST = [
  ...new Map(
    READERS.filter(({ name }) => !['other', 'teacher'].includes(name)).map((item) => [item.verb, item])
  ).values()
]

/** The same verbs with a good second argument of two elements, so that what is wrong is the tensor. */
const CALLS: Readonly<Record<string, (tensor: unknown) => unknown>> = {
  ...Object.fromEntries(FIRST.map(({ verb, run }) => [verb, (tensor: unknown) => run(tensor as TensorLike)])),
  applyMask: (tensor) => applyMask(wrong(tensor), { bits: Uint8Array.of(1), shape: [2] }),
  compare: (tensor) => compare(wrong(tensor), [1, 2]),
  matmul: (tensor) => matmul(wrong(tensor), [[1], [2]]),
  reconstruct: (tensor) => reconstruct({ u: wrong(tensor), v: [[1, 2]] }),
  procrustes: (tensor) => procrustes(wrong(tensor), [[1, 2]]),
  ridge: (tensor) => ridge(wrong(tensor), [1]),
  klDivergence: (tensor) => klDivergence(wrong(tensor), { teacher: [1, 2] }),
  crossEntropy: (tensor) => crossEntropy(wrong(tensor), { labels: [0] }),
  distillationLoss: (tensor) => distillationLoss(wrong(tensor), { teacher: [1, 2], labels: [0] })
}

describe.each(Object.entries(CALLS))('%s', (verb, call) => {
  it.each([
    ['null', null],
    ['undefined', undefined],
    ['a string', 'abc'],
    ['a number', 5],
    ['a boolean', true],
    ['a function', () => 1]
  ])('%s is no tensor', (_, value) => {
    expectError(() => call(value), TypeError, new RegExp(`^${verb}: "\\w+" expected a tensor`), ', got ')
  })

  it.each([
    ['a DataView', new DataView(new ArrayBuffer(8))],
    ['a BigInt64Array', new BigInt64Array(2)],
    ['an ArrayBuffer', new ArrayBuffer(8)],
    ['a string of data', { data: 'abc', shape: [3] }],
    ['no data', { data: null, shape: [3] }],
    ['undefined data', { data: undefined }],
    ['64-bit data', { data: new BigInt64Array(2), shape: [2] }]
  ])('%s holds no numbers', (_, value) => {
    expectError(() => call(value), TypeError, new RegExp(`^${verb}: "\\w+"(\\.data)? expected a t`))
  })

  it('a length that is not that of the shape', () => {
    expectError(
      () => call({ data: new Float32Array(3), shape: [2, 2] }),
      RangeError,
      new RegExp(`^${verb}: "\\w+" expected length 4 \\(2x2\\), got 3`)
    )
    expectError(() => call({ data: new Float32Array(5), dims: [] }), RangeError, `${verb}: `, 'length 1', 'got 5')
    expectError(() => call({ data: [1, 2, 3], shape: [2] }), RangeError, `${verb}: `, 'length 2', 'got 3')
  })

  it.each([
    ['negative', [-1, -2]],
    ['a fraction', [1.5, 2]],
    ['NaN', [NaN]],
    ['a string', '2'],
    ['of strings', ['2']],
    ['a number', 2]
  ])('a shape that is %s', (_, shape) => {
    const run = (): unknown => call({ data: new Float32Array(2), shape })
    expectError(run, TypeError, new RegExp(`^${verb}: "\\w+"\\.shape expected a shape of whole numbers, got`))
  })

  it('ragged nested arrays', () => {
    expectError(() => call([[1, 2], [3]]), RangeError, `${verb}: `, 'expected arrays of 2', 'got one of 1')
    expectError(() => call([[1, 2], 3]), RangeError, `${verb}: `, 'expected arrays of 2', 'got 3')
    expectError(
      () =>
        call([
          [[1], [2]],
          [[3], [4, 5]]
        ]),
      RangeError,
      `${verb}: `,
      'expected arrays of 1 at depth 2'
    )
    expectError(() => call([1, [2]]), TypeError, `${verb}: `, 'expected numbers', 'index 1')
    expectError(() => call([1, 'x']), TypeError, `${verb}: `, 'expected numbers', '"x"', 'index 1')
    expectError(
      () =>
        call([
          [1, 2],
          [3, null]
        ]),
      TypeError,
      `${verb}: `,
      'expected numbers',
      'null',
      'index 3'
    )
  })
})

describe('after an error', () => {
  it('the verbs work as before', () => {
    const expected = quantize([1, 2, 3], { format: 'int8' })
    for (let k = 0; k < 50; k++) {
      expectError(
        () => quantize(new Float32Array(100000).fill(NaN), { format: 'int4', group: 5 }),
        RangeError,
        'index 0'
      )
      expectError(() => svd([[1, NaN]]), RangeError, 'index 1')
    }
    expect(quantize([1, 2, 3], { format: 'int8' })).toEqual(expected)
  })
})
