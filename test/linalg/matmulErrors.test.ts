import { describe, it } from 'vitest'
import { matmul } from '../../src/index.js'
import { expectError, wrong } from '../support/errors.js'
import { index, normals, seeded } from '../support/random.js'
import { f32 } from '../support/vectors.js'
import { type Tensor, randomOf, transposed, WAYS } from '../support/matmul.js'

describe('errors', () => {
  const a = { data: normals(6, 1), shape: [2, 3] }
  const b = { data: normals(12, 1), shape: [3, 4] }

  it('vectors', () => {
    expectError(
      () => matmul(a.data, b),
      RangeError,
      'matmul: "a" expected two dimensions or more, got [6]; give a vector as a row: shape [1, 6]'
    )
    expectError(() => matmul(a, [1, 2, 3]), RangeError, '"b"', 'got [3]; give a vector as a column: shape [3, 1]')
    expectError(() => matmul({ data: f32([1]), shape: [] }, b), RangeError, '"a"', 'got []', 'shape [1, 1]')
  })

  it('inner dimensions', () => {
    expectError(
      () => matmul(b, a),
      RangeError,
      'matmul: "b" expected 4 rows, as many as "a" has columns, got [2, 3] beside [3, 4]'
    )
    expectError(() => matmul(a, b, { transposeA: true, transposeB: true }), RangeError, '2 columns', '"a" has rows')
    expectError(() => matmul(a, a, { transposeA: true, transposeB: true }), RangeError, 'expected 2 columns')
  })

  it('leading dimensions', () => {
    const many = (lead: number[], shape: number[]): Tensor => randomOf([...lead, ...shape], 1, false)
    expectError(
      () => matmul(many([2, 3], [4, 5]), many([2], [5, 4])),
      RangeError,
      'matmul: "b" expected leading dimensions that broadcast with [2, 3], got [2]'
    )
  })

  it('options', () => {
    expectError(
      () => matmul(a, b, wrong({ transpose: true })),
      TypeError,
      'matmul: unknown option "transpose"; expected transposeA, transposeB, out'
    )
    expectError(() => matmul(a, b, { transposeA: wrong(1) }), TypeError, '"transposeA" expected true or false, got 1')
    expectError(() => matmul(a, b, { transposeB: wrong(null) }), TypeError, '"transposeB" expected true or false')
    expectError(() => matmul(a, b, wrong(null)), TypeError, 'matmul: "options"')
    expectError(() => matmul(wrong(null), b), TypeError, 'matmul: "a" expected a tensor')
    expectError(() => matmul(a, wrong('x')), TypeError, 'matmul: "b" expected a tensor')
  })
})

describe('what is not finite', () => {
  it.each([
    [5, 6, 7],
    [1, 9, 1],
    [9, 5, 1],
    [1, 5, 600],
    [700, 300, 530]
  ])('is named by its place in %i x %i x %i, that of a first', (m, k, n) => {
    const random = seeded(m)
    for (const wide of [false, true]) {
      const [a, b] = [randomOf([m, k], 1, wide), randomOf([k, n], 2, wide)]
      for (const bad of [NaN, Infinity, -Infinity]) {
        for (const way of WAYS) {
          const [x, y] = [way.transposeA ? transposed(a) : a, way.transposeB ? transposed(b) : b].map((of) => ({
            ...of,
            data: of.data.slice()
          }))
          const at = index(random, y.data.length)
          y.data[at] = bad
          y.data[at + index(random, y.data.length - at)] = bad
          expectError(
            () => matmul(x, y, way),
            RangeError,
            `matmul: "b" expected finite numbers, got ${bad} at index ${at};`
          )
          const before = index(random, x.data.length)
          x.data[before] = bad
          expectError(
            () => matmul(x, y, way),
            RangeError,
            `"a" expected finite numbers, got ${bad} at index ${before};`
          )
        }
      }
    }
  })

  it('also where it meets zeros', () => {
    for (const bad of [NaN, Infinity]) {
      expectError(() => matmul([[0, 0]], [[bad], [0]]), RangeError, '"b"', `got ${bad} at index 0`)
      expectError(() => matmul([[0, bad]], [[0], [0]]), RangeError, '"a"', `got ${bad} at index 1`)
    }
  })

  it('in a batch, by its place in the whole tensor', () => {
    const a = randomOf([40, 5, 6], 1, false)
    a.data[7 * 30 + 4] = NaN
    expectError(() => matmul(a, randomOf([6, 5], 2, false)), RangeError, '"a"', 'got NaN at index 214;')
    const halves = { data: new Uint16Array(12).fill(0x3c00), shape: [3, 4], dtype: 'float16' }
    halves.data[9] = 0x7c00
    expectError(() => matmul(randomOf([2, 3], 1, false), halves), RangeError, '"b"', 'got Infinity at index 9;')
  })

  it('numbers of f64 beyond f32 are none of it', () => {
    const a = { data: Float64Array.of(1e200, 1, 2, NaN), shape: [2, 2] }
    expectError(() => matmul(a, randomOf([2, 2], 1, true)), RangeError, '"a"', 'got NaN at index 3;')
  })

  it('a product, or a sum on the way, beyond its type says so', () => {
    expectError(
      () => matmul([[1e308, 1e308, -1e308]], [[1], [1], [1]]),
      RangeError,
      'a sum on the way to the product is beyond float64'
    )
    const large = { data: f32([3e38, 3e38]), shape: [1, 2] }
    const ones = { data: f32([1, 1]), shape: [2, 1] }
    expectError(
      () => matmul(large, ones),
      RangeError,
      'matmul: a sum on the way to the product is beyond float32; rescale "a" or "b"'
    )
    expectError(
      () => matmul([[1e300]], [[1e10]]),
      RangeError,
      'matmul: a sum on the way to the product is beyond float64'
    )
    // A sum that was infinite on its way stays so, whatever follows.
    const back = { data: f32([3e38, 3e38, -3e38, -3e38]), shape: [1, 4] }
    expectError(() => matmul(back, { data: f32([1, 1, 1, 1]), shape: [4, 1] }), RangeError, 'beyond float32')
  })
})
