import fc from 'fast-check'
import { expect, it } from 'vitest'
import { svd } from '../../src/index.js'
import { expectSameBits } from '../support/bits.js'
import { matrix, shuffled, transposed } from '../support/matrices.js'
import type { Matrix } from '../support/matrices.js'
import { normal, seeded } from '../support/random.js'
import { checkFar, expectValues, power } from '../support/svd.js'

/** Where the exponents of two vary. */
const SPREADS = ['whole', 'rows', 'columns', 'rows and columns', 'entries'] as const

/** The sort of matrix that no one thinks of: entries far apart, zeros, equal rows and columns. */
const matrices = fc
  .record({
    m: fc.nat(20),
    n: fc.nat(20),
    spread: fc.constantFrom(...SPREADS),
    exponent: fc.integer({ min: -1000, max: 1000 }),
    reach: fc.constantFrom(0, 1, 30, 200, 1000),
    zeros: fc.constantFrom(0, 0, 0.3, 0.9),
    copies: fc.constantFrom(0, 0, 0.5),
    whole: fc.boolean(),
    seed: fc.nat(2 ** 31)
  })
  .map(({ m, n, spread, exponent, reach, zeros, copies, whole, seed }): Matrix => {
    const random = seeded(seed)
    const some = (length: number): number[] => Array.from({ length }, () => (2 * random() - 1) * reach)
    const rows = spread.startsWith('rows') ? some(m) : new Array<number>(m).fill(0)
    const columns = spread.endsWith('columns') ? some(n) : new Array<number>(n).fill(0)
    const sources = Array.from({ length: n }, (_, j) => (random() < copies ? Math.floor(random() * n) : j))
    const entries = matrix(m, n, (i, j) => {
      const own = spread === 'entries' ? some(1)[0] : 0
      const value = whole ? Math.round(3 * normal(random)) : normal(random)
      const power2 = Math.round(Math.max(-1000, Math.min(1000, exponent + rows[i] + columns[j] + own)))
      return random() < zeros ? 0 : power(value, power2)
    })
    return matrix(m, n, (i, j) => entries.data[i * n + sources[j]])
  })

const RUNS = { seed: 11, numRuns: 600 }

/** 2^-e of the greatest entry, so that the squares of numbers stay in range. */
function toOne({ data }: Matrix): number {
  const greatest = data.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
  return greatest === 0 ? 0 : -Math.floor(Math.log2(greatest))
}

it('any matrix is decomposed as well as it can be', () => {
  fc.assert(
    fc.property(matrices, (a) => {
      const [m, n] = a.shape
      const { s } = checkFar(a, `${m}x${n}`)
      // The sum of squares is that of the entries.
      const exponent = toOne(a)
      const square = (values: Float64Array): number => values.reduce((sum, x) => sum + power(x, exponent) ** 2, 0)
      const expected = square(a.data)
      expect(Math.abs(square(s.data as Float64Array) - expected)).toBeLessThanOrEqual(1e-13 * expected)
    }),
    RUNS
  )
})

it('the order of rows and columns and the transpose change no singular value', () => {
  fc.assert(
    fc.property(matrices, (a) => {
      const exponent = toOne(a)
      const values = (b: Matrix): number[] => Array.from(svd(b).s.data, (x) => power(x, exponent))
      const expected = values(a)
      const size = Math.max(...a.shape)
      expectValues(values(transposed(a)), expected, size, 'the transpose')
      expectValues(values(shuffled(a, 5)), expected, size, 'another order')
    }),
    { ...RUNS, numRuns: 300 }
  )
})

it('a power of two changes the exponents of the singular values alone', () => {
  fc.assert(
    fc.property(matrices, fc.integer({ min: -1000, max: 1000 }), (a, exponent) => {
      const [m, n] = a.shape
      const moved = matrix(m, n, (i, j) => power(a.data[i * n + j], exponent))
      // Where nothing is rounded; a singular value is at most sqrt(m n) of the greatest entry.
      const isExact = (x: number): boolean => {
        const [size, other] = [Math.abs(x), Math.abs(power(x, exponent))]
        return x === 0 || (Math.min(size, other) >= 2 ** -1022 && Math.max(size, other) < 2 ** 1018)
      }
      fc.pre(a.data.every(isExact))
      const one = svd(a)
      const other = svd(moved)
      expectSameBits(other.u.data, one.u.data, 'u')
      expectSameBits(other.v.data, one.v.data, 'v')
      one.s.data.forEach((x, i) => {
        if (x > 0 && isExact(x)) expect(other.s.data[i]).toBe(power(x, exponent))
      })
      expect([other.sweeps, other.converged, other.offDiagonal]).toEqual([one.sweeps, one.converged, one.offDiagonal])
    }),
    { ...RUNS, numRuns: 300 }
  )
})

it('a matrix times its right vectors is its left vectors times the values', () => {
  fc.assert(
    fc.property(matrices, (a) => {
      const [m, n] = a.shape
      const k = Math.min(m, n)
      const exponent = toOne(a)
      const { u, s, v } = svd(a)
      for (let c = 0; c < k; c++) {
        for (let i = 0; i < m; i++) {
          let sum = 0
          for (let j = 0; j < n; j++) sum += power(a.data[i * n + j], exponent) * v.data[j * k + c]
          const expected = power(s.data[c], exponent) * u.data[i * k + c]
          expect(Math.abs(sum - expected)).toBeLessThan(1e-12 * Math.max(1, m, n))
        }
      }
    }),
    { ...RUNS, numRuns: 100 }
  )
})
