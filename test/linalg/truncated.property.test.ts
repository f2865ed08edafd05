import fc from 'fast-check'
import { expect, it } from 'vitest'
import { truncatedSvd } from '../../src/index.js'
import { singularValuesOracle } from '../oracle/truncated.js'
import { expectSameBits } from '../support/bits.js'
import { normals64 } from '../support/random.js'
import { checkTruncated } from '../support/truncated.js'

const entry = fc.oneof(
  { weight: 5, arbitrary: fc.double({ min: -1, max: 1, noNaN: true }) },
  { weight: 2, arbitrary: fc.integer({ min: -3, max: 3 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, -0, 1e-8, -1e-30, 1e-160) }
)
const matrices = fc.tuple(fc.integer({ min: 1, max: 24 }), fc.integer({ min: 1, max: 24 })).chain(([m, n]) =>
  fc.record({
    shape: fc.constant([m, n] as [number, number]),
    data: fc.array(entry, { minLength: m * n, maxLength: m * n }),
    share: fc.double({ min: 0, max: 1, noNaN: true })
  })
)

it('any small matrix, any rank: the optimum, orthonormal, as told', () => {
  fc.assert(
    fc.property(matrices, fc.boolean(), ({ shape, data, share }, wide) => {
      const [m, n] = shape
      const values = wide ? Float64Array.from(data) : Float32Array.from(data)
      const rank = 1 + Math.floor(share * (Math.min(m, n) - 1))
      const result = truncatedSvd({ data: values, shape }, { rank })
      const precision = wide ? 2 ** -24 : 3e-6
      checkTruncated(values, shape, result, 'it', { sigma: singularValuesOracle(values, m, n), precision })
    }),
    { numRuns: 300 }
  )
})

it('any target is met by the least rank that meets it', () => {
  fc.assert(
    fc.property(matrices, ({ shape, data, share }) => {
      const values = Float64Array.from(data)
      const sigma = singularValuesOracle(values, ...shape)
      const squares = Array.from(sigma, (x) => x * x)
      const total = squares.reduce((sum, x) => sum + x, 0)
      const lost = (rank: number): number => (total ? squares.slice(rank).reduce((sum, x) => sum + x, 0) / total : 0)
      const byError = truncatedSvd({ data: values, shape }, { maxRelativeError: share })
      expect(lost(byError.rank)).toBeLessThanOrEqual(share * share + 1e-12)
      if (byError.rank > 1) expect(lost(byError.rank - 1)).toBeGreaterThan(share * share - 1e-12)
      const byEnergy = truncatedSvd({ data: values, shape }, { energy: share || 1 })
      expect(1 - lost(byEnergy.rank)).toBeGreaterThanOrEqual((share || 1) - 1e-12)
      if (byEnergy.rank > 1) expect(1 - lost(byEnergy.rank - 1)).toBeLessThan((share || 1) + 1e-12)
    }),
    { numRuns: 200 }
  )
})

it('any cut into chunks gives the same bytes', () => {
  const [m, n] = [700, 9]
  const data = Float32Array.from(normals64(m * n, 8))
  const expected = truncatedSvd({ data, shape: [m, n] }, { rank: 4 })
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 0, max: m }), { maxLength: 12 }), (cuts) => {
      const places = [0, ...cuts.sort((a, b) => a - b), m]
      const rows = (): { data: Float32Array; shape: number[] }[] =>
        places.slice(1).map((to, i) => ({ data: data.slice(n * places[i], n * to), shape: [to - places[i], n] }))
      const result = truncatedSvd({ rows }, { rank: 4 })
      for (const name of ['u', 's', 'v'] as const) expectSameBits(result[name].data, expected[name].data)
      expectSameBits(result.residuals, expected.residuals)
    }),
    { numRuns: 60 }
  )
})
