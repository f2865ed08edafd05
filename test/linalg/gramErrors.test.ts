import { describe, expect, it } from 'vitest'
import { createGram, gram, openGram } from '../../src/index.js'
import { expectSameBits } from '../support/bits.js'
import { expectError, wrong } from '../support/errors.js'
import { rowsOf } from '../support/tables.js'
import { table, check, CENTER } from '../support/grams.js'

describe('what is refused', () => {
  const g = createGram(3).add([1, 2, 3])

  it.each([
    [0, {}, RangeError, 'createGram: "dimensions" expected a whole number of at least 1, got 0'],
    [-2, {}, RangeError, 'got -2'],
    [2.5, {}, RangeError, 'got 2.5'],
    [NaN, {}, RangeError, 'got NaN'],
    ['3', {}, TypeError, 'createGram: "dimensions" expected a whole number, got "3"'],
    [3, { centre: true }, TypeError, 'createGram: unknown option "centre"; expected center, first, directions'],
    [3, { center: 1 }, TypeError, 'createGram: "center" expected true or false, got 1'],
    [3, { first: -1 }, RangeError, 'createGram: "first" expected a whole number from 0 to 9007199254740991, got -1'],
    [3, { first: 0.5 }, RangeError, 'got 0.5'],
    [3, { directions: 4 }, RangeError, 'createGram: "directions" expected a whole number from 1 to 3, got 4'],
    [3, { directions: 0 }, RangeError, 'got 0'],
    [3, null, TypeError, '"options" expected an object']
  ])('createGram(%j, %j)', (dim, options, type, message) => {
    expectError(() => createGram(wrong(dim), wrong(options)), type, message)
  })

  it.each([
    [
      { data: new Float32Array(10), shape: [2, 5] },
      RangeError,
      'add: "rows" expected rows of width 3, of shape (r, 3) or (3), got [2, 5]'
    ],
    [new Float32Array(4), RangeError, 'of width 3, of shape (r, 3) or (3), got [4]'],
    [{ data: new Float32Array(6), shape: [1, 2, 3] }, RangeError, 'got [1, 2, 3]'],
    [{ data: new Float32Array(1), shape: [] }, RangeError, 'got []'],
    [[], RangeError, 'got [0]'],
    [7, TypeError, 'add: "rows" expected a tensor'],
    [[[1, 2, '3']], TypeError, 'got "3"']
  ])('add(%j)', (rows, type, message) => {
    expectError(() => g.add(wrong(rows)), type, message)
    expect(g.count).toBe(1)
  })

  it.each([
    [
      'rows of no width',
      { data: new Float32Array(0), shape: [3, 0] },
      RangeError,
      'gram: "rows" expected rows with elements, got shape [3, 0]'
    ],
    ['one dimension', new Float32Array(4), RangeError, 'gram: "rows" expected a shape of two dimensions, got [4]']
  ])('gram of %s', (_, rows, type, message) => {
    expectError(() => gram(wrong(rows)), type, message)
  })

  it('numbers that are not finite, by their place in the whole table; nothing is added', () => {
    for (const center of CENTER) {
      for (const bad of [NaN, Infinity, -Infinity]) {
        for (const [row, column] of [
          [0, 0],
          [10, 2],
          [1500, 1],
          [2999, 2]
        ]) {
          const t = table(3000, 3)
          t.data[row * 3 + column] = bad
          t.data[3000 * 3 - 1] = NaN
          const part = createGram(3, { center, first: 5000 }).add([1, 2, 3])
          const bytes = part.toBytes()
          const place = [row === 2999 ? NaN : bad, row + 5001, column]
          const message = `add: "rows" expected finite numbers, got ${place[0]} at row ${place[1]}, column ${place[2]}; replace`
          expectError(() => part.add(t), RangeError, message)
          expectError(() => part.add({ data: Float64Array.from(t.data), shape: t.shape }), RangeError, message)
          expectSameBits(part.toBytes(), bytes)
        }
      }
    }
    const half = { data: Uint16Array.of(0x3c00, 0x7c00), shape: [1, 2], dtype: 'float16' }
    expectError(
      () => gram(half, { first: 8 }),
      RangeError,
      'gram: "rows" expected finite numbers, got Infinity at row 8, column 1'
    )
  })

  it('f64 whose squares are out of reach', () => {
    const most = 2 ** 480 * (1 - 2 ** -53)
    expect(createGram(1).add(Float64Array.of(most)).matrix().data[0]).toBe(most * most)
    expectError(
      () => createGram(2).add(Float64Array.of(1, 2 ** 480)),
      RangeError,
      'add: "rows" expected numbers below 2^480, whose squares can be summed, got 3.12',
      'at row 0, column 1; rescale the data'
    )
  })

  it('rows beyond the greatest exact index', () => {
    const last = createGram(1, { first: Number.MAX_SAFE_INTEGER - 1 })
    last.add([1])
    expectError(() => last.add([1]), RangeError, 'expected at most 0 rows from row 9007199254740991 on, got 1')
  })

  it('merges that do not fit', () => {
    const other = createGram(3, { first: 1 })
    expectError(
      () => g.merge(wrong(null)),
      TypeError,
      'merge: "other" expected a Gram (of createGram, gram or openGram), got null'
    )
    expectError(() => g.merge(wrong({ ...other })), TypeError, 'expected a Gram')
    expectError(() => g.merge(wrong(other.toBytes())), TypeError, 'got Uint8Array(')
    expectError(
      () => g.merge(createGram(4)),
      RangeError,
      'merge: "other" expected a Gram of 3 dimensions, got one of 4'
    )
    expectError(
      () => g.merge(createGram(3, { center: true })),
      RangeError,
      'expected a Gram with center false, got one with true'
    )
    expectError(
      () => g.merge(createGram(3, { directions: 2 })),
      RangeError,
      'expected a Gram with directions none, got one with 2'
    )
    expectError(
      () => createGram(3, { directions: 1 }).merge(createGram(3, { directions: 2 })),
      RangeError,
      'expected a Gram with directions 1, got one with 2'
    )
  })

  it('rows that are there twice', () => {
    const t = table(3000, 3)
    const whole = gram(t)
    const bytes = whole.toBytes()
    for (const [first, end, message] of [
      [2900, 3000, 'rows 2900 to 2999'],
      [0, 1, 'row 0,'],
      [1000, 1100, 'rows 1000 to 1099'],
      [2999, 3000, 'row 2999,']
    ] as const) {
      const part = gram(rowsOf(t, first, end), { first })
      expectError(
        () => whole.merge(part),
        RangeError,
        `merge: "other" has ${message}`,
        'which are here already; give each part its own place by "first"'
      )
    }
    expectError(() => whole.merge(whole), RangeError, 'rows 0 to 2999')
    expectSameBits(whole.toBytes(), bytes)
    check(whole, t)
    const late = gram(rowsOf(t, 0, 500), { first: 2500 })
    expectError(() => whole.merge(late), RangeError, 'rows 2500 to 2999')
  })

  it('results with rows missing, until they come', () => {
    const t = table(3000, 3)
    const g = gram(rowsOf(t, 0, 1000)).merge(gram(rowsOf(t, 2000, 3000), { first: 2000 }))
    expect([g.count, g.first]).toEqual([2000, 0])
    for (const [name, run] of [
      ['matrix', () => g.matrix()],
      ['mean', () => g.mean()],
      ['pca', () => g.pca({ rank: 1 })]
    ] as const) {
      expectError(run, RangeError, `${name}: rows 1000 to 1999 missing; merge the parts that hold them first`)
    }
    check(openGram(g.toBytes()).merge(gram(rowsOf(t, 1000, 2000), { first: 1000 })), t)
    const many = createGram(3)
    for (const first of [1, 3, 5, 9, 12, 20]) many.merge(createGram(3, { first }).add([1, 2, 3]))
    expectError(() => many.mean(), RangeError, 'mean: row 2, row 4, rows 6 to 8 and 2 more gaps missing')
  })

  it('results of nothing', () => {
    const empty = createGram(3)
    expectError(() => empty.matrix(), RangeError, 'matrix: expected a Gram with rows, got an empty one; add some first')
    expectError(() => empty.mean(), RangeError, 'mean: expected a Gram with rows')
    expectError(() => empty.pca({ rank: 1 }), RangeError, 'pca: expected a Gram with rows')
  })

  it.each([
    [{}, TypeError, 'pca: expected exactly one of rank, energy, got none'],
    [{ rank: 1, energy: 0.5 }, TypeError, 'pca: expected exactly one of rank, energy, got both'],
    [{ rank: 0 }, RangeError, 'pca: "rank" expected a whole number from 1 to 3, got 0'],
    [{ rank: 4 }, RangeError, 'pca: "rank" expected a whole number from 1 to 3, got 4'],
    [{ rank: 1.5 }, RangeError, 'got 1.5'],
    [{ rank: '1' }, TypeError, 'got "1"'],
    [{ energy: 0 }, RangeError, 'pca: "energy" expected a number in'],
    [{ energy: 1.1 }, RangeError, 'got 1.1'],
    [{ rank: 1, dtype: 'f64' }, TypeError, 'pca: "dtype" expected one of float32, float64, got "f64"'],
    [{ components: 3 }, TypeError, 'pca: unknown option "components"; expected rank, energy, dtype'],
    [undefined, TypeError, 'pca: "options" expected an object']
  ])('pca(%j)', (options, type, message) => {
    expectError(() => g.pca(wrong(options)), type, message)
  })
})
