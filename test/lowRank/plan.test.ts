import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lowRank, lowRankPlan, quantize } from '../../src/index.js'
import type { PlannedRank, Quantization, Quantized, QuantizedIntegers, QuantizeOptions } from '../../src/index.js'
import { allocate } from '../../src/lowRank/allocate.js'
import { allocateOracle, allocationBoundOracle, type Choice } from '../oracle/lowRank.js'
import { expectError, wrong } from '../support/errors.js'
import { geometric, matrix, random, scaled, withSpectrum } from '../support/matrices.js'
import type { Matrix } from '../support/matrices.js'
import { index, seeded } from '../support/random.js'

interface Spectral {
  shape: [number, number]
  sigma: number[]
}

/** What f32 factors and matrices of given singular values cost and lose; numbers below 2^-52 of the greatest are none. */
function choicesOf({ shape: [m, n], sigma }: Spectral, weight = 1, bytes = 4): Choice[] {
  const rank = Math.max(1, sigma.filter((s) => s > 1e-13 * sigma[0]).length)
  const lost = (r: number): number => weight * sigma.slice(r, rank).reduce((sum, s) => sum + s * s, 0)
  const choices = Array.from({ length: rank }, (_, i) => ({ cost: (i + 1) * (m + n) * bytes, loss: lost(i + 1) }))
  return [...choices.filter(({ cost }) => cost < m * n * bytes), { cost: m * n * bytes, loss: 0 }]
}

const made = ({ shape: [m, n], sigma }: Spectral, seed: number): Matrix => withSpectrum(m, n, sigma, seed)

/** The squared error of a plan, from what it says of each matrix. */
function lossOf(matrices: readonly Spectral[], plan: readonly PlannedRank[], weights?: readonly number[]): number {
  return plan.reduce((sum, { rank, dense }, i) => {
    const lost = dense ? 0 : matrices[i].sigma.slice(rank).reduce((total, s) => total + s * s, 0)
    return sum + (weights?.[i] ?? 1) * lost
  }, 0)
}

function randomSpectra(next: () => number, count: number): Spectral[] {
  return Array.from({ length: count }, () => {
    const shape: [number, number] = [1 + index(next, 8), 1 + index(next, 8)]
    const k = Math.min(...shape)
    const fall = 0.3 + 0.7 * next()
    const size = 10 ** (2 * next() - 1)
    return {
      shape,
      sigma: Array.from({ length: k }, (_, i) => size * fall ** i * (0.8 + 0.2 * next())).sort((a, b) => b - a)
    }
  })
}

describe('the least error of all', () => {
  it('against trying all, for any few matrices', () => {
    const cases = fc.record({
      count: fc.integer({ min: 1, max: 5 }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      seed: fc.nat(2 ** 31)
    })
    fc.assert(
      fc.property(cases, ({ count, share, seed }) => {
        const next = seeded(seed)
        const spectra = randomSpectra(next, count)
        const weights = spectra.map(() => (next() < 0.5 ? 1 : next() * 5))
        const items = spectra.map((one, i) => choicesOf(one, weights[i]))
        const least = items.reduce((sum, [{ cost }]) => sum + cost, 0)
        const most = items.reduce((sum, choices) => sum + choices.at(-1)!.cost, 0)
        const bytes = Math.floor(least + share * (most - least))
        const plan = lowRankPlan(spectra.map(made), { bytes, weights })
        const total = items.reduce((sum, _, i) => sum + weights[i] * spectra[i].sigma.reduce((s, x) => s + x * x, 0), 0)
        expect(plan.bytes).toBeLessThanOrEqual(bytes)
        expect(Math.abs(lossOf(spectra, plan.matrices, weights) - allocateOracle(items, bytes))).toBeLessThanOrEqual(
          1e-9 * total
        )
        expect(Math.abs(plan.relativeError ** 2 * total - lossOf(spectra, plan.matrices, weights))).toBeLessThan(
          1e-9 * total
        )
      }),
      { numRuns: 400 }
    )
  })

  it('of choices that no hull has', () => {
    const cases = fc.record({ count: fc.integer({ min: 1, max: 6 }), seed: fc.nat(2 ** 31) })
    fc.assert(
      fc.property(cases, ({ count, seed }) => {
        const next = seeded(seed)
        const items = Array.from({ length: count }, () => {
          let cost = 0
          let loss = 1000
          return Array.from({ length: 1 + index(next, 6) }, (): Choice => {
            cost += 1 + index(next, 20)
            loss -= 1 + index(next, 150)
            return { cost, loss }
          })
        })
        const least = items.reduce((sum, [{ cost }]) => sum + cost, 0)
        const budget = least + index(next, 60)
        const chosen = allocate(items, budget).map((k, i) => items[i][k])
        expect(chosen.reduce((sum, { cost }) => sum + cost, 0)).toBeLessThanOrEqual(budget)
        expect(chosen.reduce((sum, { loss }) => sum + loss, 0)).toBeCloseTo(allocateOracle(items, budget), 9)
      }),
      { numRuns: 1000 }
    )
  })

  it('of hundreds of matrices: within one step of what none can go below', () => {
    const next = seeded(5)
    const items = Array.from({ length: 400 }, (): Choice[] => {
      const [m, n] = [64 + index(next, 700), 64 + index(next, 700)]
      const k = Math.min(m, n, 200)
      const fall = 0.9 + 0.1 * next()
      const sigma = Array.from({ length: k }, (_, i) => fall ** i * (0.5 + next())).sort((a, b) => b - a)
      return choicesOf({ shape: [m, n], sigma })
    })
    const least = items.reduce((sum, [{ cost }]) => sum + cost, 0)
    const most = items.reduce((sum, choices) => sum + choices.at(-1)!.cost, 0)
    for (const share of [0.01, 0.1, 0.5]) {
      const budget = Math.floor(least + share * (most - least))
      const chosen = allocate(items, budget).map((k, i) => items[i][k])
      const loss = chosen.reduce((sum, choice) => sum + choice.loss, 0)
      expect(chosen.reduce((sum, { cost }) => sum + cost, 0)).toBeLessThanOrEqual(budget)
      const bound = allocationBoundOracle(items, budget)
      expect(loss).toBeGreaterThanOrEqual(bound * (1 - 1e-9))
      expect(loss).toBeLessThanOrEqual(bound * (1 + 1e-5))
    }
  })
})

describe('what it says of each matrix', () => {
  const spectra: Spectral[] = [
    { shape: [30, 20], sigma: geometric(20, 1e3) },
    { shape: [12, 40], sigma: geometric(12, 5).map((s) => 3 * s) },
    { shape: [25, 25], sigma: [7, 0.1, 0.1] }
  ]
  const matrices = { a: made(spectra[0], 1), b: made(spectra[1], 2), c: made(spectra[2], 3) }

  it('bytes and errors are those of lowRank at its rank', () => {
    for (const bytes of [700, 1500, 3000, 5000]) {
      const plan = lowRankPlan(matrices, { bytes })
      expect(Object.keys(plan.matrices)).toEqual(['a', 'b', 'c'])
      let sum = 0
      for (const name of ['a', 'b', 'c'] as const) {
        const { rank, bytes, relativeError, dense } = plan.matrices[name]
        const [m, n] = matrices[name].shape
        sum += bytes
        if (dense) {
          expect({ rank, bytes, relativeError }).toEqual({ rank: Math.min(m, n), bytes: 4 * m * n, relativeError: 0 })
          continue
        }
        const result = lowRank(matrices[name], { rank })
        expect(bytes).toBe(4 * rank * (m + n))
        expect(bytes).toBeLessThan(4 * m * n)
        expect(Math.abs(relativeError - result.relativeError)).toBeLessThan(1e-12)
      }
      expect(plan.bytes).toBe(sum)
      expect(sum).toBeLessThanOrEqual(bytes)
      const total = spectra.reduce((all, { sigma }) => all + sigma.reduce((s, x) => s + x * x, 0), 0)
      expect(plan.relativeError).toBeCloseTo(Math.sqrt(lossOf(spectra, Object.values(plan.matrices)) / total), 10)
    }
  })

  it.each<QuantizeOptions>([
    { format: 'int8' },
    { format: 'int4' },
    { format: 'uint8', axis: 0 },
    { format: 'int4', axis: 0, symmetric: false },
    { format: 'uint4', group: 7, symmetric: false },
    { format: 'float16' },
    { format: 'bfloat16' }
  ])('bytes are those that lowRank returns in $format, axis $axis, group $group', (options) => {
    const bytesOf = (part: Quantized): number => {
      const { codes, scales, zeroPoints } = part as QuantizedIntegers
      return codes.byteLength + (scales?.byteLength ?? 0) + (zeroPoints?.byteLength ?? 0)
    }
    const coding = options as Quantization
    for (const budget of [950, 1400, 2500]) {
      const plan = lowRankPlan(matrices, { bytes: budget, quantize: coding })
      for (const name of ['a', 'b', 'c'] as const) {
        const { rank, bytes, dense } = plan.matrices[name]
        if (dense) {
          const cut = 'axis' in options || 'group' in options || /float/.test(options.format) ? {} : { axis: 0 }
          expect(bytes).toBe(bytesOf(quantize(matrices[name], { ...options, ...cut })))
        } else {
          const { u, v } = lowRank(matrices[name], { rank, quantize: coding })
          expect(bytes).toBe(bytesOf(u as Quantized) + bytesOf(v as Quantized))
        }
      }
      expect(plan.bytes).toBeLessThanOrEqual(budget)
    }
  })

  it('a budget for all keeps all dense, and ranks that are not there take nothing', () => {
    const { matrices: plan, bytes, relativeError } = lowRankPlan(matrices, { bytes: 1e9 })
    expect([plan.a.dense, plan.b.dense, plan.c.dense]).toEqual([true, true, false])
    expect(plan.c).toMatchObject({ rank: 3, bytes: 600 })
    expect(plan.c.relativeError).toBeLessThan(1e-12)
    expect(bytes).toBe(2400 + 1920 + 600)
    expect(relativeError).toBeLessThan(1e-12)
  })

  it('the least budget is rank 1 of each, or the matrix where that is less', () => {
    const list = [matrices.a, random(1, 9), random(9, 1), random(2, 2)]
    const least = 4 * (50 + 9 + 9 + 4)
    const plan = lowRankPlan(list, { bytes: least })
    expect(plan.bytes).toBe(least)
    expect(plan.matrices.map(({ rank, dense }) => [rank, dense])).toEqual([
      [1, false],
      [1, true],
      [1, true],
      [2, true]
    ])
    const message = `lowRankPlan: "bytes" expected at least ${least}, which all matrices take at the least, got ${least - 1}`
    expectError(() => lowRankPlan(list, { bytes: least - 1 }), RangeError, message)
  })

  it('weights', () => {
    const twins = [made(spectra[0], 1), made(spectra[0], 2)]
    const even = lowRankPlan(twins, { bytes: 2400 }).matrices
    expect(Math.abs(even[0].rank - even[1].rank)).toBeLessThanOrEqual(1)
    const tilted = lowRankPlan(twins, { bytes: 2400, weights: [1, 100] }).matrices
    expect(tilted[1].rank).toBeGreaterThan(tilted[0].rank)
    const none = lowRankPlan(twins, { bytes: 1e6, weights: [0, 1] }).matrices
    expect([none[0].rank, none[1].dense]).toEqual([1, true])
    expect(none[0].relativeError).toBeGreaterThan(0.1)
    const named = lowRankPlan({ x: twins[0], y: twins[1] }, { bytes: 2400, weights: { y: 100, x: 1 } }).matrices
    expect([named.x, named.y]).toEqual(tilted)
    // 1 / |A|^2 makes relative errors count alike, whatever the sizes.
    const sizes = [twins[0], scaled(twins[1], 1e4)]
    const square = (data: Float64Array): number => data.reduce((sum, x) => sum + x * x, 0)
    const relative = lowRankPlan(sizes, { bytes: 2400, weights: sizes.map(({ data }) => 1 / square(data)) }).matrices
    expect(Math.abs(relative[0].rank - relative[1].rank)).toBeLessThanOrEqual(1)
    expect(lowRankPlan(sizes, { bytes: 2400 }).matrices[0].rank).toBe(1)
  })

  it.each([1e-300, 1e-160, 1e160, 1e300])('scaled by %f', (factor) => {
    const expected = lowRankPlan(matrices, { bytes: 3000 })
    const { a, b, c } = matrices
    const result = lowRankPlan({ a: scaled(a, factor), b: scaled(b, factor), c: scaled(c, factor) }, { bytes: 3000 })
    for (const name of ['a', 'b', 'c'] as const) expect(result.matrices[name].rank).toBe(expected.matrices[name].rank)
    expect(result.relativeError).toBeCloseTo(expected.relativeError, 10)
  })

  it('zeros, none at all, f32', () => {
    const zero = matrix(8, 8, () => 0)
    expect(lowRankPlan([zero], { bytes: 1e4 })).toEqual({
      matrices: [{ rank: 1, bytes: 64, relativeError: 0, dense: false }],
      bytes: 64,
      relativeError: 0
    })
    expect(lowRankPlan([], { bytes: 1 })).toEqual({ matrices: [], bytes: 0, relativeError: 0 })
    const singles = Object.values(matrices).map(({ data, shape }) => ({ data: Float32Array.from(data), shape }))
    const plan = lowRankPlan(singles, { bytes: 3000 })
    expect(plan.matrices.map(({ rank }) => rank)).toEqual(
      Object.values(lowRankPlan(matrices, { bytes: 3000 }).matrices).map(({ rank }) => rank)
    )
  })
})

describe('refused', () => {
  const a = random(5, 4)

  it('what are no matrices', () => {
    for (const value of [null, 5, 'a', new Float32Array(3)]) {
      expectError(
        () => lowRankPlan(wrong(value), { bytes: 100 }),
        TypeError,
        'lowRankPlan: "matrices" expected an array or record'
      )
    }
    expectError(
      () => lowRankPlan([a, wrong(5)], { bytes: 100 }),
      TypeError,
      'lowRankPlan: "matrices[1]" expected a tensor'
    )
    const flat = new Float32Array(6)
    expectError(
      () => lowRankPlan({ a, flat }, { bytes: 100 }),
      RangeError,
      'lowRankPlan: "flat" expected a shape of two'
    )
    const empty = { data: new Float32Array(0), shape: [0, 3] }
    expectError(
      () => lowRankPlan([empty], { bytes: 100 }),
      RangeError,
      'lowRankPlan: "matrices[0]" expected a matrix with elements'
    )
    const bad = { data: Float32Array.of(1, 2, NaN, 4), shape: [2, 2] }
    expectError(
      () => lowRankPlan({ a, bad }, { bytes: 1000 }),
      RangeError,
      'lowRankPlan: "bad" expected finite numbers, got NaN at index 2'
    )
  })

  it('options', () => {
    const call = (options: object) => (): unknown => lowRankPlan([a], wrong(options))
    expectError(call({}), TypeError, 'lowRankPlan: "bytes" expected a number')
    expectError(call({ bytes: 0 }), RangeError, 'lowRankPlan: "bytes" expected a finite number above 0')
    expectError(
      call({ bytes: 1e4, ranks: 1 }),
      TypeError,
      'lowRankPlan: unknown option "ranks"; expected bytes, quantize, weights'
    )
    expectError(call({ bytes: 1e4, quantize: 'int2' }), TypeError, 'lowRankPlan: quantize: "format" expected one of')
    expectError(call({ bytes: 1e4, weights: [1, 2] }), RangeError, 'lowRankPlan: "weights" expected 1 numbers', 'got 2')
    expectError(
      call({ bytes: 1e4, weights: { a: 1 } }),
      TypeError,
      'lowRankPlan: "weights" expected an array of numbers'
    )
    expectError(
      call({ bytes: 1e4, weights: [-1] }),
      RangeError,
      'lowRankPlan: "weights[0]" expected a finite number, not negative'
    )
    expectError(call({ bytes: 1e4, weights: ['1'] }), TypeError, 'lowRankPlan: "weights[0]" expected a number, got "1"')
    const named = (weights: object) => (): unknown => lowRankPlan({ a }, { bytes: 1e4, weights: wrong(weights) })
    expectError(
      named([1]),
      TypeError,
      'lowRankPlan: "weights" expected a record of numbers, by the names of the matrices'
    )
    expectError(named({ b: 1 }), TypeError, 'lowRankPlan: weights: unknown option "b"; expected a')
    expectError(named({}), TypeError, 'lowRankPlan: "weights.a" expected a number, got undefined')
  })
})

describe('matrices of sizes far apart', () => {
  const spectra: Spectral[] = [
    { shape: [20, 20], sigma: geometric(20, 100) },
    { shape: [20, 20], sigma: geometric(20, 10) }
  ]
  const matrices = spectra.map(made)
  const shares = ({ sigma }: Spectral, rank: number): number => {
    const [lost, all] = [sigma.slice(rank), sigma].map((values) => values.reduce((sum, s) => sum + s * s, 0))
    return Math.sqrt(lost / all)
  }

  it.each([1e-300, 1e-200, 1e-120, 1e150, 1e300])('one by %f: its own error is right', (factor) => {
    const plan = lowRankPlan([matrices[0], scaled(matrices[1], factor)], { bytes: 160 * 6 })
    plan.matrices.forEach(({ rank, relativeError, dense }, i) => {
      expect(dense).toBe(false)
      expect(relativeError).toBeGreaterThan(0.01)
      expect(relativeError).toBeCloseTo(shares(spectra[i], rank), 10)
    })
    const great = factor > 1 ? 1 : 0
    expect(plan.matrices[great].rank).toBe(5)
    expect(plan.relativeError).toBeCloseTo(plan.matrices[great].relativeError, 10)
  })

  it('weights that make up for it, and singular values beyond f64', () => {
    const alike = lowRankPlan(matrices, { bytes: 160 * 9 })
    const weighted = lowRankPlan([matrices[0], scaled(matrices[1], 1e-150)], { bytes: 160 * 9, weights: [1, 1e300] })
    expect(weighted.matrices.map(({ rank }) => rank)).toEqual(alike.matrices.map(({ rank }) => rank))
    expect(weighted.relativeError).toBeCloseTo(alike.relativeError, 10)
    const unseen = lowRankPlan([scaled(matrices[0], 1e300), scaled(matrices[1], 1e-200)], {
      bytes: 160 * 9,
      weights: [0, 1]
    })
    expect(unseen.matrices.map(({ rank }) => rank)).toEqual([1, 8])
    const [top] = lowRankPlan([matrix(20, 20, (i, j) => (i === j ? 1e308 : 9e307))], { bytes: 160 }).matrices
    expect(top.relativeError).toBeCloseTo(Math.sqrt(19 / (181 ** 2 + 19)) * 1, 10)
  })
})

it('one matrix in place of a list', () => {
  const message = 'lowRankPlan: "matrices" expected an array or record of matrices, got one; wrap it in [ ]'
  const one = random(3, 4)
  const nested = [
    [1, 2],
    [3, 4]
  ]
  for (const given of [one, { data: one.data, dims: one.shape }, nested]) {
    expectError(() => lowRankPlan(wrong(given), { bytes: 1000 }), TypeError, message)
  }
  expect(lowRankPlan([nested, [[1]]], { bytes: 1000 }).matrices.length).toBe(2)
  expect(Object.keys(lowRankPlan({ data: one, shape: nested }, { bytes: 1000 }).matrices)).toEqual(['data', 'shape'])
})
