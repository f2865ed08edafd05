import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createGram, gram, openGram } from '../../src/index.js'
import type { Gram, GramOptions } from '../../src/index.js'
import { momentsOracle } from '../oracle/gram.js'
import { bfloat16Bits, bfloat16Value, float16Bits, float16Value } from '../oracle/quantize.js'
import { expectSameBits } from '../support/bits.js'
import { expectError, wrong } from '../support/errors.js'
import { index, normals, normals64, seeded } from '../support/random.js'
import { gramCases, rowsOf, tableOf, type GramCase, type Table } from '../support/tables.js'

type AnyTable = Table<Float32Array | Float64Array>

const table = (rows: number, dim: number, seed = 1, factor = 1): Table<Float32Array<ArrayBuffer>> => ({
  data: normals(rows * dim, seed * 1000 + rows + dim, factor),
  shape: [rows, dim]
})

/** The bits of the oracle. */
function check(g: Gram, { data, shape }: AnyTable, first = 0, what = `${shape.join('x')} from ${first}`): void {
  const [rows, dim] = shape
  expect([g.dim, g.count, g.first], what).toEqual([dim, rows, first])
  const expected = momentsOracle(data, dim, g.center, first)
  const matrix = g.matrix()
  expect([matrix.shape, g.mean().shape], what).toEqual([[dim, dim], [dim]])
  expectSameBits(matrix.data, Float64Array.from(expected.scatter.flat()), `matrix of ${what}`)
  expectSameBits(g.mean().data, Float64Array.from(expected.mean), `mean of ${what}`)
}

const CENTER = [false, true]

describe('the bits of the plain loops', () => {
  it('all small shapes', () => {
    for (const center of CENTER) {
      for (let dim = 1; dim <= 13; dim++) {
        for (const rows of [1, 2, 3, 5, 31]) {
          const t = table(rows, dim)
          check(gram(t, { center }), t)
        }
      }
    }
  })

  it.each([255, 256, 257, 1023, 1024, 1025, 2047, 2048, 2049, 4096, 5000, 7300])('%i rows', (rows) => {
    for (const center of CENTER) {
      const t = table(rows, 3)
      check(gram(t, { center }), t)
      const wide = { data: normals64(2 * rows, rows), shape: [rows, 2] as [number, number] }
      check(gram(wide, { center }), wide)
    }
  })

  it.each([127, 128, 129, 257, 260])('%i dimensions', (dim) => {
    for (const center of CENTER) {
      const t = table(300, dim)
      check(gram(t, { center }), t)
    }
  })

  it.each([1, 1000, 1023, 1024, 1025, 4096 - 5, 3 * 1024, 2 ** 40 + 7])('a part from row %i on', (first) => {
    for (const center of CENTER) {
      const t = table(4500, 2)
      check(gram(t, { center, first }), t, first)
    }
  })
})

/** 4e-16 of the sums of magnitudes: those of rows of one sign, (270 + 4 log2 n) 2^-53 at worst. */
function expectLower(actual: Float64Array, expected: readonly number[], dim: number, bound: number): void {
  let at = 0
  for (let i = 0; i < dim; i++) {
    for (let j = 0; j <= i; j++, at++) {
      const size = Math.sqrt(expected[(i * (i + 3)) / 2] * expected[(j * (j + 3)) / 2])
      expect(Math.abs(actual[i * dim + j] - expected[at]), `entry ${i}, ${j}`).toBeLessThanOrEqual(bound * size)
      expect(actual[j * dim + i]).toBe(actual[i * dim + j])
    }
  }
}

describe.each(gramCases.map((golden) => ({ ...golden })))(
  'golden values, $rows x $dim, offset $offset, grade $grade',
  (golden: GramCase) => {
    const t = tableOf(golden)
    const { dim, offset, grade, mean } = golden

    it('the table is that of the script', () => {
      expect([t.data[0], t.data.at(-1)]).toEqual(golden.ends)
    })

    it('matrix', () => {
      expectLower(gram(t).matrix().data, golden.gram, dim, 1e-14)
    })

    it('matrix about the mean', () => {
      // Where the mean is a million times the deviation, that of a block is rounded to 1e-10 of it.
      const bound = offset === 0 ? 1e-14 : Math.abs(offset) < 1 ? 2e-14 : 1e-11
      const g = gram(t, { center: true })
      if (golden.rows > 1) expectLower(g.matrix().data, golden.scatter, dim, bound)
      else expect([...g.matrix().data]).toEqual(new Array(dim * dim).fill(0))
    })

    it('mean', () => {
      for (const center of CENTER) {
        const actual = gram(t, { center }).mean().data
        actual.forEach((x, j) =>
          expect(Math.abs(x - mean[j])).toBeLessThanOrEqual(
            (center ? 4e-16 : 4e-15) * (Math.abs(mean[j]) + 2 ** (-grade * j))
          )
        )
      }
    })

    it('components', () => {
      for (const [center, expected] of [
        [false, golden.pca],
        [true, golden.centredPca]
      ] as const) {
        if (!expected) continue
        const { v, s, variances, energy, rank } = gram(t, { center }).pca({ rank: dim, dtype: 'float64' })
        expect([v.shape, s.shape, rank]).toEqual([[dim, dim], [dim], dim])
        expect(energy).toBe(1)
        const top = expected.s[0]
        // The squares of a graded table are right in each column's own scale; else eps |A|^2 / s.
        s.data.forEach((x, k) => {
          const far = Math.abs(offset) > 1 ? (center ? 1e-11 : 1e-8) : 1e-13
          const bound = grade > 1 ? 1e-12 * expected.s[k] : far * top
          expect(Math.abs(x - expected.s[k]), `s[${k}]`).toBeLessThanOrEqual(bound)
          expect(variances.data[k]).toBe((x * x) / Math.max(1, golden.rows - 1))
        })
        for (let k = 0; k < dim; k++) {
          const gap = Math.min(
            ...expected.s.map((x, i) => (i === k ? Infinity : Math.abs(x * x - expected.s[k] ** 2) / top ** 2))
          )
          if (expected.s[k] <= 1e-6 * top && grade < 2) continue
          const column = v.data.filter((_, i) => i % dim === k)
          column.forEach((x, i) =>
            expect(Math.abs(x - expected.v[k][i]), `v[${k}][${i}]`).toBeLessThanOrEqual(
              grade > 1 ? 1e-11 : 1e-13 + (Math.abs(offset) > 1 && center ? 1e-10 : 1e-14) / gap
            )
          )
        }
      }
    })
  }
)

describe('any cut, any order', () => {
  /** A table cut at random into parts, these into calls of add, merged in random order and shape. */
  function scattered(t: AnyTable, options: GramOptions, seed: number): Gram {
    const random = seeded(seed)
    const [rows, dim] = t.shape
    const cuts = [0, rows]
    for (let k = index(random, 6); k > 0; k--) cuts.push(index(random, rows + 1))
    cuts.sort((a, b) => a - b)
    const start = options.first ?? 0
    const parts = cuts.slice(1).map((end, i) => {
      const part = createGram(dim, { ...options, first: start + cuts[i] })
      for (let row = cuts[i]; row < end;) {
        const next = Math.min(end, row + 1 + Math.floor(1800 * random() ** 3))
        part.add(rowsOf(t, row, next))
        row = next
      }
      return random() < 0.3 ? openGram(part.toBytes()) : part
    })
    while (parts.length > 1) {
      const [other] = parts.splice(index(random, parts.length), 1)
      parts[index(random, parts.length)].merge(other)
    }
    return parts[0]
  }

  it.each([
    ['exact', {}],
    ['centred', { center: true }],
    ['from within a block', { first: 3 * 1024 - 77 }],
    ['a sketch', { directions: 3 }],
    ['a centred sketch', { directions: 2, center: true, first: 99 }]
  ])('%s: the same bytes', (_, options: GramOptions) => {
    const single = table(6200, 5)
    const double: Table = { data: normals64(31000, 4), shape: [6200, 5] }
    for (const t of [single, double]) {
      const expected = gram(t, options)
      const bytes = expected.toBytes()
      const result = expected.pca({ rank: 2, dtype: 'float64' })
      fc.assert(
        fc.property(fc.integer({ min: 0, max: 2 ** 30 }), (seed) => {
          const actual = scattered(t, options, seed)
          expectSameBits(actual.toBytes(), bytes, `bytes of seed ${seed}`)
          expect(actual.pca({ rank: 2, dtype: 'float64' })).toEqual(result)
        }),
        { seed: 11, numRuns: options.directions ? 12 : 40 }
      )
    }
  })

  it('results on the way change nothing, and are those of the rows so far', () => {
    const t = table(3000, 4)
    for (const center of CENTER) {
      const g = createGram(4, { center })
      for (const [from, to] of [
        [0, 1],
        [1, 900],
        [900, 1024],
        [1024, 1025],
        [1025, 2500],
        [2500, 3000]
      ]) {
        expect(g.add(rowsOf(t, from, to))).toBe(g)
        check(g, rowsOf(t, 0, to))
        expect(g.matrix()).toEqual(g.matrix())
        g.pca({ rank: 1 })
      }
      expectSameBits(g.toBytes(), gram(t, { center }).toBytes())
    }
  })

  it('a row at a time, of either precision', () => {
    const t = table(2100, 3)
    const g = createGram(3)
    // f32 and the same numbers in f64: what is kept until a block is complete is either, what is computed the same.
    for (let r = 0; r < 2100; r++) {
      const row = rowsOf(t, r, r + 1).data
      g.add(r % 3 ? row : Float64Array.from(row))
    }
    check(g, t)
  })

  it('merge leaves the other as it was, and both go on by themselves', () => {
    const t = table(2300, 3)
    const left = createGram(3).add(rowsOf(t, 0, 1100))
    const right = createGram(3, { first: 1100 }).add(rowsOf(t, 1100, 1500))
    const bytes = right.toBytes()
    expect(left.merge(right)).toBe(left)
    expectSameBits(right.toBytes(), bytes)
    check(left, rowsOf(t, 0, 1500))
    left.add(rowsOf(t, 1500, 2300))
    right.add(
      rowsOf(t, 1500, 1600)
        .data.map((x) => -x)
        .subarray(0, 3)
    )
    check(left, t)
    expect([right.count, right.first]).toEqual([401, 1100])
    expect([left.count, left.first]).toEqual([2300, 0])
  })

  it('rows go behind the last that is here', () => {
    const t = table(3000, 2)
    const g = createGram(2, { first: 1000 })
      .add(rowsOf(t, 1000, 2000))
      .merge(gram(rowsOf(t, 0, 1000)))
    expect([g.first, g.count]).toEqual([0, 2000])
    check(g.add(rowsOf(t, 2000, 3000)), t)
  })

  it('empty parts add nothing', () => {
    const t = table(50, 2)
    const g = createGram(2, { first: 7 })
    const empty = { data: new Float32Array(0), shape: [0, 2] }
    expect([g.add(empty).count, g.first]).toEqual([0, 7])
    g.merge(createGram(2, { first: 3 })).merge(g)
    expect([g.count, g.first]).toEqual([0, 7])
    expect(gram(empty, { first: 5 }).first).toBe(5)
    check(g.merge(gram(t)), t)
    check(g.merge(createGram(2, { first: 3 })), t)
  })
})

describe('kinds of input', () => {
  const values = [1.5, -2, 0.25, 3, 0, -0.5]
  const wanted = gram({ data: Float32Array.from(values), shape: [3, 2] }).matrix().data

  it.each([
    ['f64', { data: Float64Array.from(values), shape: [3, 2] }],
    ['dims', { data: Float32Array.from(values), dims: [3, 2] }],
    ['nested', [values.slice(0, 2), values.slice(2, 4), values.slice(4)]],
    ['a view', { data: Float32Array.from([9, ...values, 9]).subarray(1, 7), shape: [3, 2] }],
    ['half bits', { data: Uint16Array.from(values, float16Bits), shape: [3, 2], dtype: 'float16' }],
    ['bfloat16 bits', { data: Uint16Array.from(values, bfloat16Bits), shape: [3, 2], type: 'bfloat16' }]
  ])('%s', (_, rows) => {
    expectSameBits(gram(rows as never).matrix().data, wanted)
    expectSameBits(
      createGram(2)
        .add(rows as never)
        .matrix().data,
      wanted
    )
  })

  it('bit patterns of many rows', () => {
    const patterns = Uint16Array.from({ length: 3 * 1500 }, (_, i) => (i * 2654435761) % 31744)
    for (const [dtype, valueOf] of [
      ['float16', float16Value],
      ['bfloat16', (bits: number) => bfloat16Value(bits % 16256)]
    ] as const) {
      const data = patterns.map((x) => (dtype === 'float16' ? x : x % 16256))
      const t: Table = { data: Float64Array.from(data, valueOf), shape: [1500, 3] }
      check(gram({ data, shape: [1500, 3], dtype }), t)
    }
  })

  it('whole numbers of every size, exactly', () => {
    for (const data of [
      Int8Array.of(-128, 127, 3, 4),
      Uint8Array.of(255, 1, 2, 3),
      Uint8ClampedArray.of(255, 1, 2, 3),
      Int16Array.of(-32768, 2, 3, 4),
      Uint16Array.of(65535, 2, 3, 4),
      Int32Array.of(2 ** 31 - 1, -(2 ** 31), 3, 4),
      Uint32Array.of(2 ** 32 - 1, 1, 2, 2 ** 25 + 1)
    ]) {
      const g = createGram(2).add({ data, shape: [2, 2] })
      check(g, { data: Float64Array.from(data), shape: [2, 2] })
      check(openGram(g.toBytes()), { data: Float64Array.from(data), shape: [2, 2] })
    }
  })

  it('one row, as a typed array or a list', () => {
    expect([
      ...createGram(3)
        .add([1, 2, 3])
        .add(Float32Array.of(0, 1, 0))
        .matrix().data
    ]).toEqual([1, 2, 3, 2, 5, 6, 3, 6, 9])
  })

  it('f64 that f32 would lose, and input that stays as it was', () => {
    const data = Float64Array.of(1 + 2 ** -40, 1e100)
    const copy = data.slice()
    const { data: matrix } = createGram(2).add(data).matrix()
    expect([...matrix]).toEqual([(1 + 2 ** -40) ** 2, 1e100 * (1 + 2 ** -40), 1e100 * (1 + 2 ** -40), 1e100 * 1e100])
    expectSameBits(data, copy)
  })

  it('results are arrays of their own', () => {
    const g = createGram(2).add([1, 2])
    g.matrix().data.fill(9)
    g.mean().data.fill(9)
    expect([...g.matrix().data, ...g.mean().data]).toEqual([1, 2, 2, 4, 1, 2])
  })
})

describe('components', () => {
  const t = table(900, 12)

  it('are orthonormal, and what the matrix is made of', () => {
    for (const center of CENTER) {
      const g = gram(t, { center })
      const { v, s, mean } = g.pca({ rank: 12, dtype: 'float64' })
      const { data } = g.matrix()
      for (let i = 0; i < 12; i++) {
        for (let j = 0; j < 12; j++) {
          let product = 0
          let dot = 0
          for (let k = 0; k < 12; k++) {
            product += v.data[i * 12 + k] * s.data[k] ** 2 * v.data[j * 12 + k]
            dot += v.data[k * 12 + i] * v.data[k * 12 + j]
          }
          expect(Math.abs(product - data[i * 12 + j])).toBeLessThan(1e-12 * s.data[0] ** 2)
          expect(Math.abs(dot - (i === j ? 1 : 0))).toBeLessThan(1e-14)
        }
      }
      for (let k = 0; k < 12; k++) {
        const column = Array.from(v.data).filter((_, i) => i % 12 === k)
        const top = column.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0)
        expect(top).toBeGreaterThan(0)
      }
      expectSameBits(mean.data as Float64Array, center ? g.mean().data : new Float64Array(12))
    }
  })

  it('float32 unless asked, rounded once', () => {
    const g = gram(t, { center: true })
    const wide = g.pca({ rank: 5, dtype: 'float64' })
    const { v, s, mean, variances, ...rest } = g.pca({ rank: 5 })
    expect(rest).toEqual({ rank: 5, energy: wide.energy })
    expect(g.pca({ rank: 5, dtype: 'float32' })).toEqual(g.pca({ rank: 5 }))
    for (const [part, full] of [
      [v, wide.v],
      [s, wide.s],
      [mean, wide.mean],
      [variances, wide.variances]
    ]) {
      expect(part.shape).toEqual(full.shape)
      expectSameBits(part.data, Float32Array.from(full.data))
    }
  })

  it('of less than the full rank are completed', () => {
    const few = gram({ data: normals(5 * 8, 3), shape: [5, 8] }).pca({ rank: 8, dtype: 'float64' })
    expect([...few.s.data.subarray(5)].every((x) => x <= 1e-7 * few.s.data[0])).toBe(true)
    const zero = gram({ data: new Float32Array(24), shape: [3, 8] })
    for (const { v, s, energy } of [few, zero.pca({ rank: 8, dtype: 'float64' })]) {
      for (let i = 0; i < 8; i++) {
        for (let j = 0; j < 8; j++) {
          let dot = 0
          for (let k = 0; k < 8; k++) dot += v.data[k * 8 + i] * v.data[k * 8 + j]
          expect(Math.abs(dot - (i === j ? 1 : 0))).toBeLessThan(1e-14)
        }
      }
      expect(s.data.every((x) => x >= 0)).toBe(true)
      expect(energy).toBe(1)
    }
    expect(zero.pca({ energy: 0.5 }).rank).toBe(1)
    const one = createGram(3, { center: true }).add([1, 2, 3]).pca({ rank: 3 })
    expect([...one.s.data, ...one.variances.data]).toEqual([0, 0, 0, 0, 0, 0])
    expect([...one.mean.data]).toEqual([1, 2, 3])
  })

  it('by energy are the least that keep it', () => {
    // Singular values 4, 2, 1, .5, as rows of a diagonal.
    const g = gram({ data: Float32Array.of(4, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0.5), shape: [4, 4] })
    for (const [energy, rank] of [
      [0.01, 1],
      [16 / 21.25, 1],
      [0.76, 2],
      [0.95, 3],
      [1, 4]
    ]) {
      const result = g.pca({ energy })
      expect([result.rank, result.v.shape]).toEqual([rank, [4, rank]])
      expect(result.energy).toBeGreaterThanOrEqual(energy)
    }
    expect([...g.pca({ rank: 4 }).s.data]).toEqual([4, 2, 1, 0.5])
    expect([...g.pca({ rank: 4 }).variances.data]).toEqual([16 / 3, 4 / 3, 1 / 3, 0.25 / 3].map(Math.fround))
    expect(g.pca({ rank: 4 })).not.toHaveProperty('bound')
  })

  it('columns far apart in size keep their digits', () => {
    const scales = [1, 1e-30, 1e20, 1e-60]
    const data = normals64(4000, 8).map((x, i) => x * scales[i % 4])
    const { s } = gram({ data, shape: [1000, 4] }).pca({ rank: 4, dtype: 'float64' })
    const alone = scales.map((_, j) => Math.hypot(...data.filter((_, i) => i % 4 === j)))
    const order = [2, 0, 1, 3]
    s.data.forEach((x, k) => expect(Math.abs(x / alone[order[k]] - 1)).toBeLessThan(0.01))
  })
})

describe('what is refused', () => {
  const g = createGram(3).add([1, 2, 3])

  it.each([
    [0, {}, RangeError, 'createGram: "dim" expected a whole number of at least 1, got 0'],
    [-2, {}, RangeError, 'got -2'],
    [2.5, {}, RangeError, 'got 2.5'],
    [NaN, {}, RangeError, 'got NaN'],
    ['3', {}, TypeError, 'createGram: "dim" expected a whole number, got "3"'],
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

describe('what is beyond the type of squares, or of results', () => {
  const pair = (factor: number): Table => ({ data: Float64Array.of(3, 0, 0, 4).map((x) => x * factor), shape: [2, 2] })

  it('singular values beyond float32 are Infinity there', () => {
    expect([...gram(pair(1e100)).pca({ rank: 2 }).s.data]).toEqual([Infinity, Infinity])
    const { s } = gram(pair(1e100)).pca({ rank: 2, dtype: 'float64' })
    expect(Math.abs(s.data[0] / 4e100 - 1)).toBeLessThan(1e-14)
  })

  it('squares of the least numbers vanish', () => {
    expect([...gram(pair(1e-170)).matrix().data]).toEqual([0, 0, 0, 0])
    expect([...gram(pair(1e-170)).pca({ rank: 2, dtype: 'float64' }).s.data]).toEqual([0, 0])
    const { s } = gram(pair(1e-150)).pca({ rank: 1, dtype: 'float64' })
    expect(Math.abs(s.data[0] / 4e-150 - 1)).toBeLessThan(1e-14)
  })
})
