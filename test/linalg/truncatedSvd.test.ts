import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { svd, truncatedSvd } from '../../src/index.js'
import { singularValuesOracle } from '../oracle/truncated.js'
import { float16Bits, float16Value } from '../oracle/quantize.js'
import { expectSameBits } from '../support/bits.js'
import { geometric, matrix, MATRIX_TYPES, random, scaled, transposed, withSpectrum } from '../support/matrices.js'
import { normals, normals64 } from '../support/random.js'
import { checkTruncated } from '../support/truncated.js'

const SHAPES: readonly [number, number][] = [
  [1, 1],
  [1, 7],
  [7, 1],
  [2, 2],
  [5, 3],
  [3, 5],
  [16, 16],
  [33, 20],
  [20, 33],
  [300, 17],
  [17, 300],
  [517, 9]
]

const ranksOf = (k: number): number[] => [...new Set([1, Math.min(2, k), Math.ceil(k / 4), Math.ceil(k / 2), k])]

describe.each(MATRIX_TYPES)('$name', ({ make }) => {
  it.each(SHAPES)('%ix%i', (m, n) => {
    const { data, shape } = make(m, n)
    const sigma = singularValuesOracle(data, m, n)
    const top = sigma[0] || 1
    for (const rank of ranksOf(Math.min(m, n))) {
      const result = truncatedSvd({ data, shape }, { rank })
      expect([result.rank, result.method, result.seed]).toEqual([rank, 'gram', undefined])
      // Where only a Gram matrix has been seen, what is below the root of the unit roundoff is not resolved.
      const unit = { ...result, s: { ...result.s, data: result.s.data.map((x) => x / top) } }
      unit.residuals = result.residuals.map((x) => x / top)
      const expectation = { sigma: sigma.map((x) => x / top), precision: 2 ** -24 }
      checkTruncated(
        data.map((x) => x / top),
        shape,
        unit,
        `rank ${rank} of ${m}x${n}`,
        expectation
      )
    }
  })

  it.each(SHAPES)('%ix%i in f32', (m, n) => {
    const wide = make(m, n)
    const most = wide.data.reduce((greatest, x) => Math.max(greatest, Math.abs(x)), 0) || 1
    const data = Float32Array.from(wide.data, (x) => x / most)
    const sigma = singularValuesOracle(data, m, n)
    for (const rank of ranksOf(Math.min(m, n))) {
      const result = truncatedSvd({ data, shape: [m, n] }, { rank })
      expect(result.u.data).toBeInstanceOf(Float32Array)
      checkTruncated(data, [m, n], result, `rank ${rank} of ${m}x${n}`, { sigma, precision: 2e-6, values: 2e-6 })
    }
  })
})

interface Golden {
  m: number
  n: number
  seed: number
  graded: boolean
  corner: number
  sum: number
  singularValues: number[]
  norm: number
}

const { cases } = JSON.parse(readFileSync(new URL('../vectors/truncated.json', import.meta.url), 'utf8')) as {
  cases: Golden[]
}

describe('the singular values of NumPy', () => {
  it.each(cases)('$m x $n, graded: $graded', ({ m, n, seed, graded, corner, sum, singularValues, norm }) => {
    const plain = normals64(m * n, seed)
    const data = plain.map((x, i) => {
      const [r, c] = [Math.floor(i / n), i % n]
      return graded ? x * 2 ** -(c % 9) * 2 ** -(r % 5) : x
    })
    expect(data[0]).toBe(corner)
    expect(Math.abs(data.reduce((total, x) => total + Math.abs(x), 0) / sum - 1)).toBeLessThan(1e-12)
    const most = Math.min(m, n)
    for (const rank of [1, 5, 20].filter((r) => r <= most)) {
      for (const method of ['gram', undefined, 'krylov'] as const) {
        if (method === 'krylov' && 3 * (rank + 16) > most) continue
        const result = truncatedSvd({ data, shape: [m, n] }, { rank, method })
        const krylov = most > 12 * (rank + 16) || method === 'krylov'
        expect(result.method).toBe(method ?? (krylov ? 'krylov' : 'gram'))
        // A flat spectrum is the hardest for Krylov: its values are below the matrix's, never above.
        const slack = result.method === 'krylov' ? 0.05 : 1e-13
        result.s.data.forEach((x, j) => {
          expect(x).toBeLessThanOrEqual(singularValues[j] * (1 + 1e-13))
          expect(x).toBeGreaterThanOrEqual(singularValues[j] - slack * singularValues[0])
        })
        const kept = singularValues.slice(0, rank).reduce((total, x) => total + x * x, 0) / norm ** 2
        expect(Math.abs(result.energy! - kept)).toBeLessThan(result.method === 'krylov' ? 0.02 : 1e-12)
        expect(result.seed).toBe(result.method === 'krylov' ? 0 : undefined)
      }
    }
  })
})

const SPECTRUM = [4, 2, 1, 0.5]
const LOST = [21.25, 5.25, 1.25, 0.25, 0].map((square) => square / 21.25)

describe('targets', () => {
  it.each([
    [0.01, 1],
    [0.75, 1],
    [0.76, 2],
    [0.941, 2],
    [0.942, 3],
    [0.988, 3],
    [0.989, 4],
    [0.99999, 4]
  ])('energy %f of 4, 2, 1, .5 is kept by rank %i, the least that does', (energy, rank) => {
    for (const a of [withSpectrum(9, 7, SPECTRUM), withSpectrum(4, 10, SPECTRUM)]) {
      for (const data of [a.data, Float32Array.from(a.data)]) {
        const result = truncatedSvd({ data, shape: a.shape }, { energy })
        expect([result.rank, result.method]).toEqual([rank, 'gram'])
        expect(Math.abs(result.energy! - (1 - LOST[rank]))).toBeLessThan(1e-6)
      }
    }
  })

  it.each([
    [1, 1],
    [0.5, 1],
    [0.49, 2],
    [0.25, 2],
    [0.24, 3],
    [0.11, 3],
    [0.1, 4],
    [1e-5, 4]
  ])('error %f of 4, 2, 1, .5 is met by rank %i, the least that does', (maxRelativeError, rank) => {
    for (const a of [withSpectrum(9, 7, SPECTRUM), withSpectrum(4, 10, SPECTRUM)]) {
      for (const data of [a.data, Float32Array.from(a.data)]) {
        const result = truncatedSvd({ data, shape: a.shape }, { maxRelativeError })
        expect([result.rank, result.method]).toEqual([rank, 'gram'])
        checkTruncated(data, a.shape, result, `error ${maxRelativeError}`, {
          sigma: [...SPECTRUM, 0, 0, 0],
          precision: 1e-6
        })
      }
    }
  })

  it('a long spectrum, down to where a Gram matrix ends and beyond', () => {
    const sigma = geometric(50, 1e12)
    const a = withSpectrum(60, 50, sigma)
    const lost = (rank: number): number =>
      Math.sqrt(sigma.slice(rank).reduce((sum, x) => sum + x * x, 0) / sigma.reduce((sum, x) => sum + x * x, 0))
    for (const maxRelativeError of [0.3, 1e-2, 1e-4, 1e-6, 2.5e-7, 2e-7, 1e-9, 1e-11]) {
      const { rank, relativeError, method, ...rest } = truncatedSvd(a, { maxRelativeError })
      expect(lost(rank)).toBeLessThanOrEqual(maxRelativeError * (1 + 1e-9))
      expect(lost(rank - 1)).toBeGreaterThan(maxRelativeError)
      expect(relativeError).toBeLessThanOrEqual(maxRelativeError)
      expect(method).toBe(maxRelativeError < 2 ** -22 ? 'full' : 'gram')
      const precision = method === 'full' ? 1e-14 : 1e-8
      const result = { rank, relativeError, method, ...rest }
      checkTruncated(a.data, a.shape, result, `error ${maxRelativeError}`, { sigma, excess: 1e-3, precision })
    }
    expect(truncatedSvd(a, { energy: 1 - 2 ** -45 }).method).toBe('full')
    expect(truncatedSvd(a, { energy: 1 - 2 ** -43 }).method).toBe('gram')
    expect(truncatedSvd(a, { maxRelativeError: 0 }).rank).toBe(50)
  })

  it('Krylov grows until a target is met, or leaves it to a Gram matrix', () => {
    const quick = withSpectrum(320, 280, geometric(280, 1e20))
    const met = truncatedSvd(quick, { energy: 0.99, method: 'krylov' })
    expect([met.method, met.rank]).toEqual(['krylov', truncatedSvd(quick, { energy: 0.99 }).rank])
    expect(met.energy).toBeGreaterThanOrEqual(0.99)
    const slow = withSpectrum(320, 280, new Array<number>(280).fill(1))
    expect(truncatedSvd(slow, { energy: 0.9, method: 'krylov' })).toMatchObject({ method: 'gram', rank: 252 })
  })
})

describe('the two methods', () => {
  const sigma = Array.from({ length: 300 }, (_, j) => 1 / (j + 1))
  const a = withSpectrum(420, 300, sigma)

  it.each([
    ['tall', a],
    ['wide', transposed(a)]
  ])('reach the optimum of a spectrum of 1 / j, %s', (_, { data, shape }) => {
    for (const method of ['gram', 'krylov'] as const) {
      const excess = method === 'gram' ? 1e-12 : 1e-4
      const values = method === 'gram' ? 1e-13 : 1e-4
      for (const rank of [1, 64]) {
        const wide = truncatedSvd({ data, shape }, { rank, method })
        checkTruncated(data, shape, wide, `${method} ${rank}`, { sigma, excess, values })
        const f32 = Float32Array.from(data)
        const result = truncatedSvd({ data: f32, shape }, { rank, method })
        checkTruncated(f32, shape, result, `${method} ${rank} in f32`, {
          sigma,
          excess: 2 * excess,
          precision: 1e-6,
          values: values + 1e-6
        })
      }
    }
  })

  it('a seed makes another start, and is told', () => {
    const options = { rank: 20, method: 'krylov' } as const
    const first = truncatedSvd(a, options)
    expect(first.seed).toBe(0)
    expectSameBits(truncatedSvd(a, { ...options, seed: 0 }).u.data, first.u.data)
    for (const seed of [1, 2 ** 40, Number.MAX_SAFE_INTEGER]) {
      const other = truncatedSvd(a, { ...options, seed })
      expect(other.seed).toBe(seed)
      expect(other.u.data).not.toEqual(first.u.data)
      checkTruncated(a.data, a.shape, other, `seed ${seed}`, { sigma, excess: 1e-4, values: 1e-4 })
    }
    // A Gram matrix leaves nothing to chance.
    expect(truncatedSvd(a, { rank: 20, method: 'gram', seed: 1 }).seed).toBeUndefined()
  })

  it.each(['gram', 'krylov'] as const)('%s of a matrix of low rank, and of none', (method) => {
    for (const rank of [0, 1, 5, 12]) {
      const few = Array.from({ length: rank }, (_, j) => 3 / (j + 1))
      const all = [...few, ...new Array<number>(90 - rank).fill(0)]
      for (const b of [withSpectrum(300, 90, few), withSpectrum(90, 300, few)]) {
        const result = truncatedSvd(b, { rank: 10, method })
        checkTruncated(b.data, b.shape, result, `rank ${rank}`, { sigma: all, precision: 1e-8 })
        const f32 = Float32Array.from(b.data)
        const rounded = truncatedSvd({ data: f32, shape: b.shape }, { rank: 10, method })
        checkTruncated(f32, b.shape, rounded, `rank ${rank} in f32`, { sigma: all, precision: 2e-6 })
      }
    }
  })
})

describe('kinds of matrices', () => {
  it('by type: f64 and nested give f64, anything else f32, unless dtype says otherwise', () => {
    const { data, shape } = random(30, 9)
    const types = [Int8Array, Uint8Array, Int16Array, Uint16Array, Int32Array, Uint32Array]
    for (const type of types) {
      const whole = type.from(Array.from(data, (x) => Math.round(20 * Math.abs(x))))
      const result = truncatedSvd({ data: whole, shape }, { rank: 3 })
      expectSameBits(result.u.data, truncatedSvd({ data: Float32Array.from(whole), shape }, { rank: 3 }).u.data)
    }
    const nested = Array.from({ length: 30 }, (_, i) => [...data.subarray(9 * i, 9 * i + 9)])
    expectSameBits(truncatedSvd(nested, { rank: 3 }).u.data, truncatedSvd({ data, shape }, { rank: 3 }).u.data)
    const narrow = truncatedSvd({ data, shape }, { rank: 3, dtype: 'float32' })
    const full = truncatedSvd({ data, shape }, { rank: 3 })
    for (const name of ['u', 's', 'v'] as const) {
      expectSameBits(narrow[name].data, Float32Array.from(full[name].data))
      expect(narrow[name].shape).toEqual(full[name].shape)
    }
    expectSameBits(narrow.residuals, full.residuals)
    const wide = truncatedSvd({ data: Float32Array.from(data), shape }, { rank: 3, dtype: 'float64' })
    expect(wide.s.data).toBeInstanceOf(Float64Array)
    expectSameBits(
      wide.u.data,
      truncatedSvd({ data: Float64Array.from(Float32Array.from(data)), shape }, { rank: 3 }).u.data
    )
  })

  it('bits of float16', () => {
    const values = normals(30 * 12, 5)
    const bits = Uint16Array.from(values, float16Bits)
    const data = Float32Array.from(bits, float16Value)
    for (const shape of [
      [30, 12],
      [12, 30]
    ]) {
      for (const dtype of ['float32', 'float64'] as const) {
        const result = truncatedSvd({ data: bits, shape, dtype: 'float16' }, { rank: 4, dtype })
        expectSameBits(result.u.data, truncatedSvd({ data, shape }, { rank: 4, dtype }).u.data)
      }
    }
  })

  it.each([1e-300, 1e-200, 1e-80, 1e80, 1e200, 1e300])('f64 scaled by %f', (factor) => {
    const a = withSpectrum(300, 280, geometric(280, 1e9))
    for (const b of [a, transposed(a)]) {
      for (const method of ['gram', 'krylov'] as const) {
        const result = truncatedSvd(scaled(b, factor), { rank: 8, method })
        expect(Math.abs(result.s.data[0] / factor - 1)).toBeLessThan(1e-12)
        result.s.data.forEach((x, i) => (result.s.data[i] = x / factor))
        result.residuals.forEach((x, i) => (result.residuals[i] = x / factor))
        const sigma = geometric(280, 1e9)
        checkTruncated(b.data, b.shape, result, `${method} by ${factor}`, { sigma, excess: 1e-5, values: 1e-5 })
      }
      expect(truncatedSvd(scaled(b, factor), { maxRelativeError: 0.2 }).rank).toBe(
        truncatedSvd(b, { maxRelativeError: 0.2 }).rank
      )
    }
  })

  it.each([2 ** -140, 2 ** -100, 2 ** -41, 2 ** 41, 2 ** 100, 2 ** 124])('f32 scaled by %f', (factor) => {
    const a = withSpectrum(300, 280, geometric(280, 1e3))
    for (const b of [a, transposed(a)]) {
      const data = Float32Array.from(b.data, (x) => x * factor)
      const back = Float32Array.from(data, (x) => x / factor)
      for (const method of ['gram', 'krylov'] as const) {
        const options = { rank: 8, method }
        const result = truncatedSvd({ data, shape: b.shape }, options)
        const plain = truncatedSvd({ data: back, shape: b.shape }, options)
        // A power of two changes nothing but the size.
        expectSameBits(result.u.data, plain.u.data)
        expectSameBits(result.v.data, plain.v.data)
        expectSameBits(
          result.s.data,
          plain.s.data.map((x) => x * factor)
        )
      }
    }
  })

  it('blocks far apart in size, zeros among them', () => {
    const { data } = random(1100, 12)
    for (const small of [1e-30, 1e-20, 1e20, 1e30]) {
      const rows = Float32Array.from(data, (x, i) => (i < 600 * 12 ? 0 : i < 900 * 12 ? x * small : x))
      const top = Math.max(1, small)
      const unit = Float32Array.from(rows, (x) => x / top)
      const sigma = singularValuesOracle(unit, 1100, 12)
      const result = truncatedSvd({ data: rows, shape: [1100, 12] }, { rank: 5 })
      result.s.data.forEach((x, j) => expect(Math.abs(x / top - sigma[j])).toBeLessThan(1e-6 * sigma[0]))
    }
  })

  it('near the end of f64, where values do not fit', () => {
    const a = matrix(4, 4, () => 1.7e308)
    expect(truncatedSvd(a, { rank: 1 }).s.data[0]).toBe(Infinity)
    const b = matrix(3, 2, (i, j) => (i === j ? 1.7e308 : 0))
    expect(truncatedSvd(b, { rank: 1 }).s.data[0]).toBe(1.7e308)
    expect(
      truncatedSvd(
        matrix(3, 2, (i, j) => (i === j ? 5e-324 : 0)),
        { rank: 1 }
      ).s.data[0]
    ).toBe(5e-324)
  })

  it('clusters that inverse iteration finds hard: copies of W21+ glued together (B. N. Parlett and I. S. Dhillon, 2004)', () => {
    for (const glue of [0, 1e-14, 1e-8]) {
      const a = matrix(126, 126, (i, j) =>
        i === j ? Math.abs((i % 21) - 10) : Math.abs(i - j) > 1 ? 0 : Math.max(i, j) % 21 === 0 ? glue : 1
      )
      const sigma = singularValuesOracle(a.data, 126, 126)
      for (const rank of [5, 11, 20, 31, 60]) {
        checkTruncated(a.data, a.shape, truncatedSvd(a, { rank, method: 'gram' }), `rank ${rank}`, { sigma })
      }
    }
  })

  it('is not changed', () => {
    const { data, shape } = random(300, 60)
    const copy = data.slice()
    for (const method of ['gram', 'krylov'] as const) truncatedSvd({ data, shape }, { rank: 2, method })
    truncatedSvd({ data, shape }, { maxRelativeError: 1e-9 })
    expectSameBits(data, copy)
  })

  it('agrees with svd', () => {
    const a = random(70, 41)
    const full = svd(a)
    const { u, s, v } = truncatedSvd(a, { rank: 41 })
    s.data.forEach((x, j) => expect(Math.abs(x - full.s.data[j])).toBeLessThan(1e-13 * full.s.data[0]))
    u.data.forEach((x, i) => expect(Math.abs(x - full.u.data[i])).toBeLessThan(1e-10))
    v.data.forEach((x, i) => expect(Math.abs(x - full.v.data[i])).toBeLessThan(1e-10))
  })
})
