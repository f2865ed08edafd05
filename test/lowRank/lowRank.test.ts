import { describe, expect, it } from 'vitest'
import { lowRank, svd } from '../../src/index.js'
import type { LowRank } from '../../src/index.js'
import { frobenius } from '../oracle/linalg.js'
import { expectSameBits } from '../support/bits.js'
import { geometric, matrix, random, scaled, withSpectrum } from '../support/matrices.js'
import type { Matrix } from '../support/matrices.js'
import { normals } from '../support/random.js'

/** |A - u vT| / |A|, scaled so that no square overflows or vanishes. */
function errorOf(data: ArrayLike<number>, { u, v, rank }: LowRank): number {
  const [m] = u.shape
  const [n] = v.shape
  const top = Array.from(data).reduce((most, x) => Math.max(most, Math.abs(x)), 0)
  if (top === 0) return 0
  const difference = new Float64Array(m * n)
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let product = 0
      for (let r = 0; r < rank; r++) product += u.data[i * rank + r] * v.data[j * rank + r]
      difference[i * n + j] = (data[i * n + j] - product) / top
    }
  }
  return frobenius(difference) / frobenius(Array.from(data, (x) => x / top))
}

/** The result's own account of itself, against the factors as they are. */
function checkResult(data: ArrayLike<number>, shape: readonly number[], result: LowRank, what: string): void {
  const [m, n] = shape
  const { u, v, s, rank } = result
  expect([u.shape, v.shape, s.shape]).toEqual([[m, rank], [n, rank], [Math.min(m, n)]])
  const error = errorOf(data, result)
  expect(Math.abs(result.relativeError - error), `relative error of ${what}`).toBeLessThanOrEqual(1e-10 * error + 1e-15)
  const squares = Array.from(s.data, (x) => (x / (s.data[0] || 1)) ** 2)
  const total = squares.reduce((sum, x) => sum + x, 0)
  const kept = squares.slice(0, rank).reduce((sum, x) => sum + x, 0)
  const precision = s.data instanceof Float64Array ? 1e-12 : 1e-6
  expect(Math.abs(result.energy - (total === 0 ? 1 : kept / total)), `energy of ${what}`).toBeLessThan(precision)
}

const SPECTRUM = [4, 2, 1, 0.5]
const LOST = [21.25, 5.25, 1.25, 0.25, 0].map((square) => square / 21.25)

describe('rank', () => {
  it.each([
    [6, 6],
    [12, 5],
    [5, 12],
    [1, 7],
    [7, 1],
    [40, 33]
  ])('%ix%i', (m, n) => {
    for (const data of [random(m, n, 3).data, normals(m * n, 4)]) {
      const full = svd({ data: Float64Array.from(data), shape: [m, n] }).s.data
      for (let rank = 1; rank <= Math.min(m, n); rank++) {
        const result = lowRank({ data, shape: [m, n] }, { rank })
        expect(result.rank).toBe(rank)
        checkResult(data, [m, n], result, `rank ${rank} of ${m}x${n}`)
        // Eckart and Young: no two factors of this rank do better than the singular values left out.
        const best = frobenius(full.subarray(rank)) / frobenius(full)
        expect(result.relativeError).toBeGreaterThanOrEqual(best * (1 - 1e-9) - 1e-15)
        expect(result.relativeError).toBeLessThanOrEqual(best + (data instanceof Float64Array ? 1e-14 : 1e-6))
        expectSameBits(result.s.data, svd({ data, shape: [m, n] }).s.data, 'singular values')
      }
    }
  })

  it('factors are of one size, each with the roots of the singular values', () => {
    const result = lowRank(withSpectrum(8, 6, SPECTRUM), { rank: 3 })
    for (let r = 0; r < 3; r++) {
      for (const { data } of [result.u, result.v]) {
        const column = data.filter((_, i) => i % 3 === r)
        expect(frobenius(column) ** 2).toBeCloseTo(SPECTRUM[r], 10)
      }
    }
  })

  it('rank 1 of a matrix of rank 1 is the matrix', () => {
    const a = matrix(3, 4, (i, j) => (i + 1) * (j - 2))
    const result = lowRank(a, { rank: 1 })
    expect(result.relativeError).toBeLessThan(1e-15)
    expect(result.energy).toBeCloseTo(1, 14)
  })
})

describe('energy', () => {
  it.each([
    [0.01, 1],
    [0.75, 1],
    [0.76, 2],
    [0.941, 2],
    [0.942, 3],
    [0.988, 3],
    [0.989, 4],
    [0.9999, 4]
  ])('%f of 4, 2, 1, .5 is kept by rank %i, the least that does', (energy, rank) => {
    for (const a of [withSpectrum(9, 7, SPECTRUM), withSpectrum(4, 10, SPECTRUM)]) {
      const result = lowRank(a, { energy })
      expect(result.rank).toBe(rank)
      expect(result.energy).toBeGreaterThanOrEqual(energy)
      expect(1 - LOST[rank]).toBeGreaterThanOrEqual(energy)
      expect(1 - LOST[rank - 1]).toBeLessThan(energy)
      checkResult(a.data, a.shape, result, `energy ${energy}`)
      const f32 = lowRank({ data: Float32Array.from(a.data), shape: a.shape }, { energy })
      expect(f32.rank).toBe(rank)
    }
  })

  it('all of it needs all that is not 0', () => {
    expect(
      lowRank(
        matrix(4, 4, (i, j) => (i === j && i < 3 ? i + 1 : 0)),
        { energy: 1 }
      ).rank
    ).toBe(3)
    expect(lowRank(random(5, 8), { energy: 1 }).rank).toBe(5)
  })

  it('a rank that keeps just what was asked for is enough', () => {
    // Of squares 9 and 1 the first are 9 / 10 exactly; of 3 and 1, 3 / 4; of 7 and 3, 7 / 10.
    const diagonal = (...values: number[]): Matrix =>
      matrix(values.length, values.length, (i, j) => (i === j ? values[i] : 0))
    expect(lowRank(diagonal(3, 1), { energy: 9 / 10 }).rank).toBe(1)
    expect(lowRank(diagonal(1, 1, 1, 1), { energy: 3 / 4 }).rank).toBe(3)
    expect(lowRank(diagonal(1, 1, 1, 1, 1, 1, 1, 1, 1, 1), { energy: 7 / 10 }).rank).toBe(7)
    expect(lowRank(diagonal(4, 3), { energy: 16 / 25 }).rank).toBe(1)
  })
})

describe('maxRelativeError', () => {
  it.each([
    [1, 1],
    [0.5, 1],
    [0.49, 2],
    [0.25, 2],
    [0.24, 3],
    [0.11, 3],
    [0.1, 4],
    [1e-5, 4]
  ])('%f of 4, 2, 1, .5 is met by rank %i, the least that does', (maxRelativeError, rank) => {
    const a = withSpectrum(9, 7, SPECTRUM)
    for (const data of [a.data, Float32Array.from(a.data)]) {
      const result = lowRank({ data, shape: a.shape }, { maxRelativeError })
      expect(result.rank).toBe(rank)
      expect(errorOf(data, result)).toBeLessThanOrEqual(maxRelativeError)
      expect(result.relativeError).toBeLessThanOrEqual(maxRelativeError)
      checkResult(data, a.shape, result, `maxRelativeError ${maxRelativeError}`)
      if (rank > 1) {
        expect(errorOf(data, lowRank({ data, shape: a.shape }, { rank: rank - 1 }))).toBeGreaterThan(maxRelativeError)
      }
    }
  })

  it('of a long spectrum', () => {
    const a = withSpectrum(60, 50, geometric(50, 1e6))
    for (const maxRelativeError of [0.3, 0.1, 1e-2, 1e-3, 1e-4]) {
      const result = lowRank(a, { maxRelativeError })
      expect(errorOf(a.data, result)).toBeLessThanOrEqual(maxRelativeError)
      expect(result.rank).toBeGreaterThan(1)
      expect(errorOf(a.data, lowRank(a, { rank: result.rank - 1 }))).toBeGreaterThan(maxRelativeError)
    }
  })

  it('below the precision of f32 is refused for f32 and met for f64', () => {
    const data = normals(400, 7)
    const shape = [20, 20]
    expect(() => lowRank({ data, shape }, { maxRelativeError: 1e-9 })).toThrow(RangeError)
    expect(() => lowRank({ data, shape }, { maxRelativeError: 1e-9 })).toThrow(
      /^lowRank: "maxRelativeError" 1e-9 .*precision/
    )
    const wide = lowRank({ data: Float64Array.from(data), shape }, { maxRelativeError: 1e-9 })
    expect(errorOf(data, wide)).toBeLessThanOrEqual(1e-9)
    expect(lowRank({ data, shape }, { maxRelativeError: 1e-6 }).rank).toBe(20)
  })

  it('0 is met where the factors are exact', () => {
    const result = lowRank([[4, 0]], { maxRelativeError: 0 })
    expect(result.relativeError).toBe(0)
    expect(errorOf([4, 0], result)).toBe(0)
    expect(() => lowRank([[0.3, 0.1, 7]], { maxRelativeError: 0 })).toThrow(/precision/)
  })
})

describe('kinds of matrices', () => {
  it('f32 gives f32 factors, rounded once', () => {
    const data = normals(60, 2)
    const { u, v, s } = lowRank({ data, shape: [10, 6] }, { rank: 3 })
    for (const part of [u, v, s]) expect(part.data).toBeInstanceOf(Float32Array)
    const wide = lowRank({ data: Float64Array.from(data), shape: [10, 6] }, { rank: 3 })
    for (const part of [wide.u, wide.v, wide.s]) expect(part.data).toBeInstanceOf(Float64Array)
    expectSameBits(u.data, Float32Array.from(wide.u.data))
    expectSameBits(v.data, Float32Array.from(wide.v.data))
  })

  it('a zero matrix', () => {
    for (const options of [
      { rank: 2 },
      { energy: 0.9 },
      { energy: 1 },
      { maxRelativeError: 0.1 },
      { maxRelativeError: 0 }
    ]) {
      const result = lowRank(
        matrix(4, 3, () => 0),
        options
      )
      expect(result.rank).toBe(options.rank ?? 1)
      expect(result.relativeError).toBe(0)
      expect(result.energy).toBe(1)
      expect([...result.u.data, ...result.v.data, ...result.s.data].every((x) => x === 0)).toBe(true)
    }
  })

  it.each([1e-300, 1e-200, 1e-160, 1e-100, 1e100, 1e160, 1e200, 1e300])('f64 scaled by %f', (factor) => {
    const a = scaled(withSpectrum(9, 7, SPECTRUM), factor)
    for (const [options, rank] of [
      [{ rank: 2 }, 2],
      [{ energy: 0.95 }, 3],
      [{ maxRelativeError: 0.3 }, 2]
    ] as const) {
      const result = lowRank(a, options)
      expect(result.rank).toBe(rank)
      expect(errorOf(a.data, result)).toBeCloseTo(Math.sqrt(LOST[rank]), 10)
      expect(result.relativeError).toBeCloseTo(Math.sqrt(LOST[rank]), 10)
    }
  })

  it.each([1e-40, 1e-30, 1e30, 1e37])('f32 scaled by %f', (factor) => {
    const data = Float32Array.from(withSpectrum(9, 7, SPECTRUM).data, (x) => factor * x)
    const result = lowRank({ data, shape: [9, 7] }, { rank: 2 })
    expect(errorOf(data, result)).toBeCloseTo(Math.sqrt(LOST[2]), 3)
    expect(result.relativeError).toBeCloseTo(errorOf(data, result), 9)
  })

  it('more rows than pass through memory at once', () => {
    const a = withSpectrum(900, 40, [5, 3, 1, 0.1])
    const result = lowRank(a, { maxRelativeError: 0.05 })
    expect(result.rank).toBe(3)
    checkResult(a.data, a.shape, result, '900x40')
  })

  it('is not changed', () => {
    const { data } = random(6, 5)
    const copy = data.slice()
    lowRank({ data, shape: [6, 5] }, { rank: 2 })
    expectSameBits(data, copy)
  })
})

describe('at the ends of f64', () => {
  it('singular values beyond it have factors within it', () => {
    for (const value of [1e308, Number.MAX_VALUE, 1e-300, 2 ** -1070]) {
      for (const target of [{ rank: 1 }, { maxRelativeError: 1e-6 }, { energy: 0.99 }]) {
        const result = lowRank(
          [
            [value, value],
            [value, value]
          ],
          target
        )
        expect(result.rank).toBe(1)
        for (const part of [result.u, result.v]) {
          part.data.forEach((x) => expect(Math.abs(Math.abs(x) / Math.sqrt(value) - 1)).toBeLessThan(1e-14))
        }
        expect(Math.sign(result.u.data[0] * result.v.data[1])).toBe(1)
        expect(result.relativeError).toBeLessThan(1e-14)
      }
    }
    const few = lowRank(
      [
        [1.5e308, 0],
        [0, 1e308]
      ],
      { rank: 1 }
    )
    expect(few.relativeError).toBeCloseTo(1 / Math.sqrt(3.25), 13)
  })

  it.each([1e-100, 1e-170, 1e-250])('with inputs, a rank that is %f of the greatest is kept', (least) => {
    const a = [
      [1, 0, 0],
      [0, least, 0]
    ]
    const { u, v } = lowRank(a, {
      rank: 2,
      activations: [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1]
      ]
    })
    const product = u.data[2] * v.data[2] + u.data[3] * v.data[3]
    expect(Math.abs(product / least - 1)).toBeLessThan(1e-14)
  })
})
