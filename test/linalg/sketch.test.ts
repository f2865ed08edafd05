import { describe, expect, it } from 'vitest'
import { defaultEngine } from '../../src/linalg/decompositionEngine.js'
import { createGram, gram } from '../../src/index.js'
import type { Gram } from '../../src/index.js'
import { momentsOracle } from '../oracle/gram.js'
import { symmetricEigenvaluesOracle } from '../oracle/linalg.js'
import { expectSameBits } from '../support/bits.js'
import { expectError } from '../support/errors.js'
import { geometric, withSpectrum } from '../support/matrices.js'
import { normals, normals64 } from '../support/random.js'
import { rowsOf, type Table } from '../support/tables.js'

/** X^T X, about the mean with `center`, less what the sketch has of it: eigenvalues, descending. */
function lost(g: Gram, { data, shape }: Table): Float64Array {
  const dim = shape[1]
  const exact = momentsOracle(data, dim, g.center).scatter
  const rank = g.directions!
  const { v, s } = g.pca({ rank, dtype: 'float64' })
  const difference = Float64Array.from({ length: dim * dim }, (_, at) => {
    const [i, j] = [Math.floor(at / dim), at % dim]
    let kept = 0
    for (let k = 0; k < rank; k++) kept += v.data[i * rank + k] * s.data[k] ** 2 * v.data[j * rank + k]
    return exact[Math.max(i, j)][Math.min(i, j)] - kept
  })
  return symmetricEigenvaluesOracle(difference, dim)
}

/** |X - X_k|^2 for each k, X less its mean with `center`. */
function tails({ data, shape }: Table, center: boolean): number[] {
  const dim = shape[1]
  const squares = symmetricEigenvaluesOracle(Float64Array.from(momentsOracle(data, dim, center).scatter.flat()), dim)
  return Array.from(squares, (_, k) => squares.slice(k).reduce((sum, x) => sum + x, 0))
}

const TABLES: readonly [string, Table][] = [
  ['noise', { data: normals64(3000 * 20, 1), shape: [3000, 20] }],
  ['a falling spectrum', withSpectrum(2500, 16, geometric(16, 1e4))],
  ['far from zero', { data: normals64(2100 * 12, 3).map((x, i) => x + (i % 12)), shape: [2100, 12] }],
  ['few rows', { data: normals64(9 * 24, 4), shape: [9, 24] }],
  ['of low rank', withSpectrum(1500, 18, [5, 3, 1])]
]

describe.each(TABLES)('a sketch of %s', (_, t) => {
  const dim = t.shape[1]

  it.each([1, 2, 5, 11])('of %i directions is below the table, by at most its bound', (directions) => {
    for (const center of [false, true]) {
      const g = gram(t, { directions, center })
      const { bound, energy, s } = g.pca({ rank: directions, dtype: 'float64' })
      const rest = tails(t, center)
      const rounding = 1e-13 * rest[0]
      const differences = lost(g, t)
      expect(differences[0]).toBeLessThanOrEqual(bound! + rounding)
      expect(differences.at(-1)).toBeGreaterThanOrEqual(-rounding)
      for (let k = 0; k < directions; k++) {
        expect(bound, `k = ${k}`).toBeLessThanOrEqual(rest[k] / (directions - k) + rounding)
      }
      // What it says it keeps, the table keeps at least.
      const kept = Array.from(s.data).reduce((sum, x) => sum + x * x, 0)
      expect(Math.abs(energy * rest[0] - kept)).toBeLessThanOrEqual(1e-12 * rest[0])
      expect(energy).toBeLessThanOrEqual(1 - (rest[directions] ?? 0) / rest[0] + 1e-12)
    }
  })

  it('of as many directions as dimensions is exact', () => {
    for (const center of [false, true]) {
      const g = gram(t, { directions: dim, center })
      const exact = gram(t, { center })
      const [a, b] = [g, exact].map((x) => x.pca({ rank: dim, dtype: 'float64' }))
      expect(a.bound).toBeLessThanOrEqual(1e-12 * b.s.data[0] ** 2)
      a.s.data.forEach((x, k) => expect(Math.abs(x ** 2 - b.s.data[k] ** 2)).toBeLessThan(1e-12 * b.s.data[0] ** 2))
      const mean = exact.mean().data
      g.mean().data.forEach((x, j) => expect(Math.abs(x - mean[j])).toBeLessThanOrEqual(1e-14 * (1 + Math.abs(x))))
    }
  })
})

describe('what a sketch is asked', () => {
  const t: Table = { data: normals64(1500 * 10, 6), shape: [1500, 10] }
  const g = gram(t, { directions: 4 })

  it('has no whole matrix', () => {
    expectError(
      () => g.matrix(),
      RangeError,
      'matrix: expected a Gram that keeps the whole matrix (up to 4096 dimensions, without "directions")',
      'got a sketch of 4 directions in 10 dimensions; use pca'
    )
    expect(gram(t).directions).toBeUndefined()
  })

  it('has so many components', () => {
    expect(g.pca({ rank: 4 }).v.shape).toEqual([10, 4])
    expectError(() => g.pca({ rank: 5 }), RangeError, 'pca: "rank" expected a whole number from 1 to 4, got 5')
    expect(g.pca({ rank: 2 }).bound).toBe(g.pca({ rank: 4 }).bound)
  })

  it('keeps so much, and says so', () => {
    const { energy } = g.pca({ rank: 4 })
    expect(energy).toBeLessThan(0.5)
    expect(g.pca({ energy }).rank).toBe(4)
    expectError(
      () => g.pca({ energy: 0.9 }),
      RangeError,
      `pca: "energy" 0.9 is more than this sketch has kept, ${energy}; ask for less`
    )
  })

  it('few rows, fewer than components', () => {
    const { v, s, bound } = gram({ data: normals(3 * 50, 2), shape: [3, 50] }, { directions: 6 }).pca({
      rank: 6,
      dtype: 'float64'
    })
    expect([...s.data.subarray(3), bound]).toEqual([0, 0, 0, 0])
    for (let i = 0; i < 6; i++) {
      for (let j = 0; j < 6; j++) {
        let dot = 0
        for (let k = 0; k < 50; k++) dot += v.data[k * 6 + i] * v.data[k * 6 + j]
        expect(Math.abs(dot - (i === j ? 1 : 0))).toBeLessThan(1e-14)
      }
    }
  })

  it('all of it, where nothing is lost but by rounding', () => {
    for (let seed = 0; seed < 12; seed++) {
      const whole = { data: normals64(40 * 6, 100 + seed), shape: [40, 6] }
      const few = { data: normals64(3 * 6, 200 + seed), shape: [3, 6] }
      const third = withSpectrum(1500, 18, [5, 3, 1])
      for (const sketch of [
        gram(whole, { directions: 6 }),
        gram(few, { directions: 4 }),
        gram(third, { directions: 5 })
      ]) {
        const { energy, rank } = sketch.pca({ energy: 1 })
        expect([energy, rank]).toEqual([1, sketch.pca({ energy: 1 }).rank])
        expect(rank).toBeGreaterThanOrEqual(3)
      }
    }
  })

  it('what is left out as too little is in the bound', () => {
    const { s, bound } = gram(
      { data: Float64Array.of(1, 0, 0, 0, 1e-8, 0, 0, 0, 1e-9), shape: [3, 3] },
      { directions: 2 }
    ).pca({
      rank: 2,
      dtype: 'float64'
    })
    expect(1e-8 ** 2 - s.data[1] ** 2).toBeLessThanOrEqual(bound! * (1 + 1e-15))
  })

  it('zeros', () => {
    const zero = gram({ data: new Float32Array(50 * 8), shape: [50, 8] }, { directions: 3 }).pca({ energy: 1 })
    expect([zero.rank, zero.energy, zero.bound, zero.s.data[0]]).toEqual([1, 1, 0, 0])
  })
})

describe('more than 4096 dimensions', () => {
  it('are sketched by 256 directions', () => {
    const dim = 4097
    const data = normals(300 * dim, 7)
    const g = gram({ data, shape: [300, dim] })
    expect(g.directions).toBe(256)
    expect(gram({ data: data.subarray(0, 4096), shape: [1, 4096] }).directions).toBeUndefined()
    expectError(() => g.matrix(), RangeError, 'got a sketch of 256 directions in 4097 dimensions')
    const { bound, s } = g.pca({ rank: 1 })
    expect(bound).toBeGreaterThan(0)
    expect(s.data[0] ** 2).toBeGreaterThan(0)
    expectSameBits(
      createGram(dim)
        .add({ data, shape: [300, dim] })
        .toBytes(),
      g.toBytes()
    )
  })

  it('take the same memory for any number of rows', () => {
    const dim = 4500
    const t = { data: normals(1024 * dim, 8), shape: [1024, dim] as [number, number] }
    const { memory } = defaultEngine()
    const g = createGram(dim, { directions: 16, center: true })
    g.add(t).add(t)
    const { size } = memory
    const bytes = g.toBytes().length
    for (let k = 2; k < 4; k++) g.add(rowsOf(t, 0, 700)).add(rowsOf(t, 700, 1024))
    expect(memory.size).toBe(size)
    // Four blocks are one node, as two are.
    expect(Math.abs(g.toBytes().length - bytes)).toBeLessThan(64)
    expect(g.count).toBe(4096)
  })
})
