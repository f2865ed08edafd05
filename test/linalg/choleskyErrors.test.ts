import { describe, it } from 'vitest'
import { MemoryLimitError, cholesky } from '../../src/index.js'
import { expectError, wrong } from '../support/errors.js'
import { matrix, type Matrix } from '../support/matrices.js'

describe('errors', () => {
  const indefinite = (n: number, at: number): Matrix => matrix(n, n, (i, j) => (i === j ? (i === at ? -1 : 2) : 0))

  it('not positive definite: the index, and what to do', () => {
    for (const [n, at] of [
      [1, 0],
      [5, 3],
      [70, 0],
      [70, 63],
      [70, 64],
      [70, 69],
      [200, 130]
    ]) {
      expectError(
        () => cholesky(indefinite(n, at)),
        RangeError,
        'cholesky: "matrix"',
        'positive definite',
        `index ${at})`,
        'pivot: true',
        'diagonal'
      )
    }
    expectError(() => cholesky(matrix(3, 3, () => 0)), RangeError, 'index 0)')
    expectError(
      () =>
        cholesky([
          [1, 2],
          [2, 1]
        ]),
      RangeError,
      'index 1)'
    )
  })

  it('indefinite, with pivots', () => {
    for (const a of [
      indefinite(5, 2),
      indefinite(90, 60),
      matrix(3, 3, (i, j) => (i === j ? -1 : 0)),
      matrix(2, 2, (i, j) => (i === j ? 0 : 1)),
      matrix(3, 3, (i, j) => [1, 0, 0, 0, 0, 1, 0, 1, 0][3 * i + j]!)
    ]) {
      expectError(() => cholesky(a, { pivot: true }), RangeError, 'positive semidefinite', 'indefinite', 'row')
    }
    expectError(() => cholesky(indefinite(5, 2), { pivot: true }), RangeError, 'row 2 after 4 pivots')
  })

  it('not symmetric: the first index', () => {
    const a = matrix(80, 80, (i, j) => (i === j ? 100 : (i === 70 && j === 3) || (i === 75 && j === 2) ? 1 : 0))
    expectError(() => cholesky(a), RangeError, 'symmetric', '[70, 3]', '[3, 70]')
    expectError(() => cholesky(a, { pivot: true }), RangeError, '[70, 3]')
    expectError(
      () =>
        cholesky([
          [1, 1e-9],
          [0, 1]
        ]),
      RangeError,
      '[1, 0]'
    )
    const single = { data: Float32Array.of(1, 1e-3, 0, 1), shape: [2, 2] }
    expectError(() => cholesky(single), RangeError, '[1, 0]')
  })

  it('shapes', () => {
    expectError(() => cholesky(new Float32Array(4)), RangeError, 'two dimensions', '[4]')
    expectError(() => cholesky({ data: new Float32Array(6), shape: [2, 3] }), RangeError, 'square', '[2, 3]')
    expectError(() => cholesky({ data: new Float32Array(8), shape: [2, 2, 2] }), RangeError, 'two dimensions')
  })

  it('what is not finite', () => {
    for (const value of [NaN, Infinity, -Infinity]) {
      const a = matrix(70, 70, (i, j) => (i === j ? 1 : 0))
      a.data[69] = value
      expectError(() => cholesky(a), RangeError, `got ${value} at index 69`)
      // Beyond float32 is finite here.
      a.data[0] = 1e60
      for (const pivot of [false, true])
        expectError(() => cholesky(a, { pivot }), RangeError, `got ${value} at index 69`)
    }
  })

  it('what does not fit', () => {
    const large = { data: new Uint8Array(24000 * 24000), shape: [24000, 24000] }
    expectError(() => cholesky(large), MemoryLimitError, 'bytes of WebAssembly memory', 'smaller')
  })

  it('options', () => {
    const a = [[1]]
    expectError(() => cholesky(a, wrong({ pivots: true })), TypeError, 'unknown option "pivots"', 'pivot, tolerance')
    expectError(() => cholesky(a, { pivot: wrong(1) }), TypeError, '"pivot"', 'true or false')
    expectError(() => cholesky(a, { tolerance: 0 }), TypeError, '"tolerance"', 'pivot: true')
    expectError(() => cholesky(a, { pivot: true, tolerance: -1 }), RangeError, '"tolerance"', '-1')
    expectError(() => cholesky(a, { pivot: true, tolerance: wrong('0') }), TypeError, '"tolerance"')
    expectError(() => cholesky(a, wrong(null)), TypeError, '"options"')
  })
})
