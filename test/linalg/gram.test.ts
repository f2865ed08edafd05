import { describe, expect, it } from 'vitest'
import { createGram, gram, openGram } from '../../src/index.js'
import { bfloat16Bits, bfloat16Value, float16Bits, float16Value } from '../oracle/quantize.js'
import { expectSameBits } from '../support/bits.js'
import { normals64 } from '../support/random.js'
import { gramCases, tableOf, type GramCase, type Table } from '../support/tables.js'
import { table, check, CENTER } from '../support/grams.js'

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
