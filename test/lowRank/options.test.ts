import { describe, it } from 'vitest'
import { lowRank, svd } from '../../src/index.js'
import type { TensorLike } from '../../src/index.js'
import { expectError, wrong } from '../support/errors.js'
import { normals } from '../support/random.js'

describe('options', () => {
  describe('lowRank and svd', () => {
    const matrix = { data: normals(12, 1), shape: [4, 3] }

    it('not a matrix', () => {
      for (const [verb, call, wanted, shapes] of [
        ['svd', svd, 'two dimensions or more, (..., m, n)', [[12]]],
        [
          'lowRank',
          (tensor: TensorLike) => lowRank(tensor, { rank: 1 }),
          'two dimensions',
          [[12], [2, 2, 3], [12, 1, 1]]
        ]
      ] as const) {
        for (const shape of shapes) {
          const message = `${verb}: "matrix" expected a shape of ${wanted}, got [${shape.join(', ')}]`
          expectError(() => call({ data: matrix.data, shape }), RangeError, message)
        }
        expectError(() => call(5 as never), TypeError, `${verb}: "matrix" expected a tensor`)
      }
    })

    it('rank', () => {
      for (const rank of [0, 4, 1.5, -1, NaN, Infinity]) {
        const message = `lowRank: "rank" expected a whole number from 1 to 3, got ${rank}`
        expectError(() => lowRank(matrix, { rank }), RangeError, message)
      }
      expectError(() => lowRank(matrix, { rank: wrong('2') }), TypeError, 'lowRank: "rank"', '"2"')
    })

    it('energy and maxRelativeError', () => {
      for (const energy of [0, -0.1, 1.1, NaN]) {
        expectError(() => lowRank(matrix, { energy }), RangeError, 'lowRank: "energy" expected', `got ${energy}`)
      }
      for (const maxRelativeError of [-0.1, 1.1, NaN]) {
        const message = `lowRank: "maxRelativeError" expected a number in [0, 1], got ${maxRelativeError}`
        expectError(() => lowRank(matrix, { maxRelativeError }), RangeError, message)
      }
      expectError(() => lowRank(matrix, { energy: wrong('1') }), TypeError, 'lowRank: "energy" expected a number')
    })

    it('exactly one target', () => {
      const message = 'lowRank: expected exactly one of rank, energy, maxRelativeError, got '
      expectError(() => lowRank(matrix, {}), TypeError, `${message}none`)
      expectError(() => lowRank(matrix, { rank: 1, energy: 0.5 }), TypeError, `${message}rank and energy`)
      const all = { rank: 1, energy: 0.5, maxRelativeError: 0.1 }
      expectError(() => lowRank(matrix, all), TypeError, `${message}rank and energy and maxRelativeError`)
    })

    it('a matrix without elements', () => {
      const empty = { data: new Float32Array(0), shape: [0, 3] }
      for (const options of [{ energy: 0.5 }, { maxRelativeError: 0.5 }, { rank: 1 }]) {
        expectError(() => lowRank(empty, options), RangeError, 'lowRank: "matrix" expected a matrix with elements')
      }
    })
  })
})
