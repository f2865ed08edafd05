import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { normalQuantile, shareInterval, studentQuantile } from '../../../src/embeddings/measure/interval.js'
import { seeded } from '../../support/random.js'

interface Case {
  hits: number[]
  population: number | null
  confidence: number
  interval: [number, number]
}

/** Golden values of SciPy (test/vectors/make_interval.py). */
const golden = JSON.parse(readFileSync(new URL('../../vectors/interval.json', import.meta.url), 'utf8')) as {
  normal: [confidence: number, z: number][]
  student: [confidence: number, freedom: number, t: number][]
  cases: Case[]
}

describe('quantiles', () => {
  it.each(golden.normal)('of the normal distribution at %f', (confidence, z) => {
    expect(Math.abs(normalQuantile(confidence) / z - 1)).toBeLessThan(1e-11)
  })

  it.each(golden.student)("of Student's t at %f with %i degrees of freedom", (confidence, freedom, t) => {
    expect(Math.abs(studentQuantile(confidence, freedom) / t - 1)).toBeLessThan(freedom < 20 ? 1e-3 : 2e-6)
  })
})

describe('the interval of a mean of shares', () => {
  it.each(golden.cases)(
    'of $hits.length in $population at $confidence',
    ({ hits, population, confidence, interval }) => {
      const shares = Float64Array.from(hits, (n) => n / 10)
      const [low, high] = shareInterval(shares, population ?? Infinity, confidence)
      expect(low).toBeCloseTo(interval[0], 5)
      expect(high).toBeCloseTo(interval[1], 5)
    }
  )

  it('is a point where all are seen, and everything where one is', () => {
    expect(shareInterval([0.5, 1], 2, 0.95)).toEqual([0.75, 0.75])
    expect(shareInterval([1], 100, 0.95)).toEqual([0, 1])
  })

  it('narrows with the queries and widens with the confidence', () => {
    const width = (count: number, confidence: number, population = Infinity): number => {
      const [low, high] = shareInterval(
        Float64Array.from({ length: count }, (_, i) => (i % 10) / 10),
        population,
        confidence
      )
      return high - low
    }
    expect(width(400, 0.95)).toBeLessThan(0.55 * width(100, 0.95))
    expect(width(100, 0.99)).toBeGreaterThan(width(100, 0.95))
    expect(width(100, 0.95, 125)).toBeLessThan(0.5 * width(100, 0.95))
  })

  // Shares as a good codec gives them: nearly all 1, a few 0; Student's interval holds in 42% of samples of 30, 73% of 100.
  it.each([30, 100, 500])('holds in 95 of 100 samples of %i where few queries miss much', (count) => {
    const random = seeded(count)
    const draw = (): number => (random() < 0.01 ? Math.floor(random() * 6) / 10 : random() < 0.05 ? 0.9 : 1)
    const truth = 0.01 * 0.25 + 0.99 * (0.05 * 0.9 + 0.95)
    let held = 0
    for (let i = 0; i < 2000; i++) {
      const [low, high] = shareInterval(Float64Array.from({ length: count }, draw), Infinity, 0.95)
      if (low <= truth && truth <= high) held++
    }
    expect(held).toBeGreaterThanOrEqual(1900)
  })
})
