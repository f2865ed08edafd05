import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lowRank, reconstruct } from '../../src/index.js'
import type { LowRankOptions, Quantization, QuantizedIntegers, QuantizeOptions, Tensor } from '../../src/index.js'
import { relativeErrorOracle } from '../oracle/lowRank.js'
import { dequantizeOracle, quantizeOracle, type Options } from '../oracle/quantize.js'
import { expectSameBits } from '../support/bits.js'
import { expectError } from '../support/errors.js'
import { anisotropic, checkErrors, single, wholeOf, type AnyLowRank, type Single } from '../support/lowRank.js'
import { matrix, random, withSpectrum } from '../support/matrices.js'
import { normals, seeded } from '../support/random.js'

/** The error of the plain factors, each rounded alone. */
function alone(a: Single, rank: number, options: Options): number {
  const { u, v } = lowRank(a, { rank }) as { u: Tensor; v: Tensor }
  const [left, right] = [u, v].map(({ data, shape }) =>
    dequantizeOracle(quantizeOracle(data, shape, options), shape, options)
  )
  return relativeErrorOracle(
    a.data,
    wholeOf({ u: { data: left, shape: u.shape }, v: { data: right, shape: v.shape }, rank } as AnyLowRank),
    a.shape[1]
  )
}

const spectrum = (k: number, of: (i: number) => number): number[] => Array.from({ length: k }, (_, i) => of(i + 1))
const GRIDS: QuantizeOptions[] = [
  { format: 'int8', axis: 0 },
  { format: 'int8', axis: 1 },
  { format: 'int4', axis: 0 },
  { format: 'int4', axis: 1 },
  { format: 'int4', axis: -1, symmetric: false },
  { format: 'int4', group: 5 },
  { format: 'uint4', group: 16, symmetric: false },
  { format: 'uint8', axis: 0, symmetric: false },
  { format: 'uint8', axis: 1, group: 9 }
]

describe('both factors quantised together', () => {
  describe.each([
    [
      '1 / j',
      single(
        withSpectrum(
          70,
          50,
          spectrum(50, (j) => 1 / j)
        )
      )
    ],
    [
      '.9^j',
      single(
        withSpectrum(
          40,
          60,
          spectrum(40, (j) => 0.9 ** j)
        )
      )
    ],
    ['a normal matrix', { data: normals(48 * 48, 3), shape: [48, 48] } as Single]
  ])('%s', (_, a) => {
    it.each(GRIDS)('$format, axis $axis, group $group, symmetric $symmetric', (options) => {
      for (const rank of [3, 8, 24]) {
        const result = lowRank(a, { rank, quantize: options }) as AnyLowRank
        const { format, axis, group, symmetric = true } = options
        for (const part of [result.u, result.v] as QuantizedIntegers[]) {
          expect([part.format, part.axis, part.group, part.symmetric]).toEqual([format, axis, group, symmetric])
        }
        checkErrors(a, result, `rank ${rank}`)
        const before = alone(a, rank, options as Options)
        const { relativeError: best } = lowRank(a, { rank })
        expect(result.relativeError).toBeGreaterThan(best)
        // What rounding adds to the error of the rank.
        const [added, less] = [before ** 2 - best ** 2, result.relativeError ** 2 - best ** 2]
        expect(less / added, `share of what rounding each alone adds, rank ${rank}`).toBeLessThan(0.92)
      }
    })
  })

  it('int4 at rank 24 adds less than a third of what rounding each alone adds where singular values fall', () => {
    const a = single(
      withSpectrum(
        70,
        50,
        spectrum(50, (j) => 1 / j)
      )
    )
    const { relativeError: best } = lowRank(a, { rank: 24 })
    for (const axis of [0, 1]) {
      const result = lowRank(a, { rank: 24, quantize: { format: 'int4', axis } })
      const before = alone(a, 24, { format: 'int4', axis })
      expect(result.relativeError ** 2 - best ** 2).toBeLessThan((before ** 2 - best ** 2) / 3)
    }
  })

  it('a format alone, or without axis and group, has a scale for each rank', () => {
    const a = single(random(12, 9))
    const expected = lowRank(a, { rank: 4, quantize: { format: 'int8', axis: 1, symmetric: true } })
    const forms: Quantization<'int8'>[] = ['int8', { format: 'int8' }, { format: 'int8', symmetric: true }]
    for (const quantize of forms) {
      const result = lowRank(a, { rank: 4, quantize })
      for (const part of ['u', 'v'] as const) {
        expect(result[part].axis).toBe(1)
        expect(result[part].scales.length).toBe(4)
        expectSameBits(result[part].codes, expected[part].codes)
        expectSameBits(result[part].scales, expected[part].scales)
      }
    }
  })

  it.each(['float16', 'bfloat16'] as const)('%s', (format) => {
    for (const data of [single(withSpectrum(30, 20, [5, 3, 2, 1, 0.5])), single(random(9, 31))]) {
      const result = lowRank(data, { rank: 4, quantize: format })
      expect([result.u.format, result.v.format]).toEqual([format, format])
      expect(result.u.codes).toBeInstanceOf(Uint16Array)
      checkErrors(data, result, format)
      expect(result.relativeError).toBeLessThanOrEqual(alone(data, 4, { format }))
    }
  })

  it('f64, zeros, one element, ranks beyond that of the matrix', () => {
    const wide = withSpectrum(14, 10, [4, 2, 1])
    const result = lowRank(wide, { rank: 8, quantize: 'int8' })
    checkErrors(wide, result, 'f64')
    expect(result.s.data).toBeInstanceOf(Float64Array)
    const zeros = lowRank(
      matrix(3, 4, () => 0),
      { rank: 2, quantize: 'int4', residual: 'int4' }
    )
    expect(zeros.relativeError).toBe(0)
    expect(reconstruct(zeros).data.every((x) => x === 0)).toBe(true)
    const one = lowRank([[3]], { rank: 1, quantize: 'int8' })
    expect(one.relativeError).toBeLessThan(1e-7)
  })

  it.each([1e-30, 1e-20, 1e20, 1e30])('f32 scaled by %f', (factor) => {
    const plain = random(20, 16)
    const a = { data: Float32Array.from(plain.data, (x) => x * factor), shape: plain.shape }
    const result = lowRank(a, { rank: 16, quantize: { format: 'int8', axis: 0 }, residual: 'int4' })
    checkErrors(a, result, `scaled by ${factor}`)
    expect(result.relativeError).toBeLessThan(2e-3)
  })
})

const SINGULAR = {
  ...{ m: 3, n: 2, rank: 3, grid: { format: 'float16' as const }, residual: undefined },
  ...{ samples: 30 as const, sparse: 0.8 as const, reach: 3 as const, seed: 1530019120 }
}

describe('any matrix', () => {
  it('together is never worse than each alone, and its error is what a plain twin measures', () => {
    const cases = fc.record({
      m: fc.integer({ min: 1, max: 24 }),
      n: fc.integer({ min: 1, max: 24 }),
      rank: fc.nat(23),
      grid: fc.constantFrom(...GRIDS, { format: 'float16' } as const, { format: 'bfloat16' } as const),
      residual: fc.constantFrom<Quantization | undefined>(undefined, undefined, 'int4', 'float16', {
        format: 'int8',
        group: 7
      }),
      samples: fc.constantFrom(0, 0, 3, 30),
      sparse: fc.constantFrom(0, 0, 0.8),
      reach: fc.constantFrom(0, 3),
      seed: fc.nat(2 ** 31)
    })
    fc.assert(
      fc.property(cases, ({ m, n, rank: wish, grid, residual, samples, sparse, reach, seed }) => {
        const next = seeded(seed)
        const sizes = Array.from({ length: n }, () => 10 ** (reach * next()))
        const { data } = random(m, n, seed % 1009)
        const a = {
          data: Float32Array.from(data, (x, i) => (next() < sparse ? 0 : x * sizes[i % n])),
          shape: [m, n]
        } as Single
        const rank = 1 + (wish % Math.min(m, n))
        const inputs = samples ? anisotropic(samples, n, seed % 991) : undefined
        const options: LowRankOptions = { rank, quantize: grid as Quantization, residual, activations: inputs }
        const result = lowRank(a, options) as AnyLowRank
        checkErrors(a, result, 'the result', inputs?.data)
        if (!residual && !inputs) {
          expect(result.relativeError).toBeLessThanOrEqual(alone(a, rank, grid as Options) * (1 + 1e-12))
        }
      }),
      // The example leaves float16 on the way: a factor is nearly singular.
      { numRuns: 300, examples: [[SINGULAR]] }
    )
  })
})

describe('a residual', () => {
  /** A normal matrix some of whose rows and columns are far greater. */
  const outliers = (m: number, n: number, rows: number, columns: number): Single => {
    const data = normals(m * n, 11)
    return {
      data: data.map((x, i) => x * ((i % n) % 32 === 5 ? columns : 1) * (Math.floor(i / n) % 32 === 9 ? rows : 1)),
      shape: [m, n]
    }
  }
  const int4 = { format: 'int4', axis: 0 } as const
  const onlyInt4 = (a: Single, options: Options = int4): number =>
    relativeErrorOracle(
      a.data,
      dequantizeOracle(quantizeOracle(a.data, a.shape, options), a.shape, options),
      a.shape[1]
    )

  it.each([
    ['outlier columns', outliers(96, 128, 1, 20), 0.2],
    ['outlier rows', outliers(128, 96, 20, 1), 0.4],
    ['both', outliers(96, 128, 10, 20), 0.15],
    ['none', outliers(96, 128, 1, 1), 0.85]
  ])('%s: int4 and rank 8 have a part of the error of int4 alone', (_, a, most) => {
    const result = lowRank(a, { rank: 8, residual: int4 })
    checkErrors(a, result, 'int4 and rank 8')
    expect(result.residual).toMatchObject({ format: 'int4', axis: 0, shape: a.shape })
    expect(result.relativeError).toBeLessThan(most * onlyInt4(a))
    // The factors are fitted to what rounding leaves: better than rounding what they leave.
    const { u, v } = lowRank(a, { rank: 8 }) as { u: Tensor; v: Tensor }
    const near = wholeOf({ u, v, rank: 8 } as AnyLowRank)
    const rest = a.data.map((x, i) => x - near[i])
    const rounded = dequantizeOracle(quantizeOracle(rest, a.shape, int4), a.shape, int4)
    const once = relativeErrorOracle(
      a.data,
      near.map((x, i) => x + rounded[i]),
      a.shape[1]
    )
    expect(result.relativeError).toBeLessThan(0.97 * once)
  })

  it('with quantised factors', () => {
    const a = outliers(96, 128, 1, 20)
    const result = lowRank(a, { rank: 8, quantize: 'int8', residual: int4 })
    checkErrors(a, result, 'int8 factors')
    expect(result.relativeError).toBeLessThan(0.2 * onlyInt4(a))
    expect(result.relativeError).toBeGreaterThan(lowRank(a, { rank: 8, residual: int4 }).relativeError)
  })

  it('with inputs, the outputs are nearer', () => {
    const a = outliers(60, 40, 1, 5)
    const activations = anisotropic(100, 40, 4)
    const aware = lowRank(a, { rank: 6, residual: int4, activations })
    const plain = lowRank(a, { rank: 6, residual: int4 })
    checkErrors(a, aware, 'with inputs', activations.data)
    expect(aware.relativeError).toBeLessThan(0.8 * relativeErrorOracle(a.data, wholeOf(plain), 40, activations.data))
  })

  it.each<[string, Quantization, Options]>([
    ['a format has a scale for each row', 'int8', { format: 'int8', axis: 0 }],
    ['as asked', { format: 'uint4', group: 8, symmetric: false }, { format: 'uint4', group: 8, symmetric: false }],
    ['bfloat16', 'bfloat16', { format: 'bfloat16' }]
  ])('%s', (_, residual, options) => {
    const a = single(random(20, 24))
    const result = lowRank(a, { rank: 3, residual })
    const { format, axis, group, symmetric } = result.residual as QuantizedIntegers
    expect({ format, axis, group, symmetric }).toMatchObject(options)
    checkErrors(a, result, 'as asked')
    expect(result.u.data).toBeInstanceOf(Float32Array)
    expect(result.relativeError).toBeLessThan(onlyInt4(a, options))
  })

  it('f64 keeps its factors', () => {
    const a = withSpectrum(
      20,
      16,
      spectrum(16, (j) => 1 / j)
    )
    const result = lowRank(a, { rank: 16, residual: 'int8' })
    expect(result.u.data).toBeInstanceOf(Float64Array)
    expect(result.relativeError).toBeLessThan(1e-12)
    checkErrors(a, result, 'f64')
  })
})

describe('maxRelativeError is of the whole', () => {
  const a = single(
    withSpectrum(
      60,
      50,
      spectrum(50, (j) => 1 / j)
    )
  )

  it.each<[string, Omit<LowRankOptions, 'rank'>]>([
    ['int8', { quantize: 'int8' }],
    ['int4', { quantize: { format: 'int4', axis: 0 } }],
    ['a residual', { residual: { format: 'int4', group: 16 } }],
    ['both', { quantize: 'int8', residual: 'int4' }]
  ])('%s: the least rank', (_, options) => {
    for (const maxRelativeError of [0.4, 0.2, 0.15]) {
      const result = lowRank(a, { maxRelativeError, ...options }) as AnyLowRank
      expect(result.relativeError).toBeLessThanOrEqual(maxRelativeError)
      checkErrors(a, result, `maxRelativeError ${maxRelativeError}`)
      for (let rank = 1; rank < result.rank; rank++) {
        expect(lowRank(a, { rank, ...options } as LowRankOptions).relativeError).toBeGreaterThan(maxRelativeError)
      }
    }
  })

  it('out of reach: an error that says how far it goes', () => {
    const far = (): unknown => lowRank(a, { maxRelativeError: 1e-4, quantize: 'int4' })
    expectError(
      far,
      RangeError,
      /^lowRank: "maxRelativeError" 0\.0001 is below .* reach, 0\.0\d+; ask for a greater one/
    )
    const residual = (): unknown => lowRank(a, { maxRelativeError: 1e-13, residual: 'int8' })
    expectError(residual, RangeError, 'lowRank: "maxRelativeError" 1e-13')
    expect(lowRank(a, { maxRelativeError: 1e-4, residual: 'int8' }).rank).toBeLessThan(50)
  })
})
