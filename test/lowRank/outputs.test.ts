import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createGram, lowRank, quantize, type LowRankOptions } from '../../src/index.js'
import { relativeErrorOracle } from '../oracle/lowRank.js'
import { expectSameBits } from '../support/bits.js'
import { expectError, wrong } from '../support/errors.js'
import { anisotropic, checkErrors, wholeOf, type AnyLowRank } from '../support/lowRank.js'
import { matrix, random, scaled, withSpectrum } from '../support/matrices.js'
import type { Matrix } from '../support/matrices.js'
import { index, normals64, seeded } from '../support/random.js'
import { lowRankVectors } from '../support/vectors.js'

/** X' X in plain sums. */
function gramOf({ data, shape: [samples, n] }: Matrix): Matrix {
  return matrix(n, n, (i, j) => {
    let sum = 0
    for (let s = 0; s < samples; s++) sum += data[s * n + i] * data[s * n + j]
    return sum
  })
}

/** Against singular values in 60 digits. */
describe.each(lowRankVectors)('$name', (golden) => {
  const { shape, s, errors, outputs, outputErrors, matrixErrors } = golden
  const most = Math.min(...shape)
  const a = { data: Float64Array.from(golden.matrix), shape }
  const activations = {
    data: Float64Array.from(golden.activations),
    shape: [golden.samples, shape[1]] as [number, number]
  }

  it('without inputs: no rank does better than the singular values that it leaves out', () => {
    for (let rank = 1; rank <= most; rank++) {
      const result = lowRank(a, { rank })
      expect(Math.abs(result.relativeError - errors[rank - 1])).toBeLessThan(1e-14)
      result.s.data.forEach((value, i) => expect(Math.abs(value - s[i])).toBeLessThan(1e-14 * s[0]))
    }
  })

  it.each([
    ['activations', { activations }, 1e-14],
    ['gram', { gram: gramOf(activations) }, 1e-7],
    ['an object that has the Gram matrix', { gram: { matrix: () => gramOf(activations) } }, 1e-7]
  ])('%s: the outputs are as near as they can be, and of all such the matrix is', (_, inputs, known) => {
    for (let rank = 1; rank <= most; rank++) {
      const result = lowRank(a, { rank, ...inputs })
      checkErrors(a, result, `rank ${rank}`, activations.data)
      expect(Math.abs(result.relativeError - outputErrors[rank - 1])).toBeLessThan(known)
      // Where the outputs are exact already, what is known of them says little about the rest.
      expect(Math.abs(result.matrixError! - matrixErrors[rank - 1])).toBeLessThan(1e-6)
      result.s.data.forEach((value, i) => expect(Math.abs(value - outputs[i])).toBeLessThan(known * outputs[0]))
    }
  })
})

describe('against the plain form', () => {
  const a = withSpectrum(30, 24, [9, 7, 5, 4, 3, 2, 1, 0.5, 0.3, 0.2])

  it.each([7, 24, 60])('for %i inputs of all sizes the outputs are nearer, the matrix is not', (samples) => {
    const activations = anisotropic(samples, 24, samples)
    for (const rank of [1, 3, 6]) {
      const aware = lowRank(a, { rank, activations })
      const plain = lowRank(a, { rank })
      const before = relativeErrorOracle(a.data, wholeOf(plain), 24, activations.data)
      checkErrors(a, aware, `rank ${rank}`, activations.data)
      expect(aware.relativeError).toBeLessThan(0.97 * before)
      expect(aware.matrixError).toBeGreaterThan(plain.relativeError)
    }
  })

  it('inputs that are alike in all directions change nothing', () => {
    const same = matrix(24, 24, (i, j) => (i === j ? 3 : 0))
    for (const inputs of [{ activations: same }, { gram: gramOf(same) }]) {
      for (const rank of [1, 4, 9]) {
        const aware = lowRank(a, { rank, ...inputs })
        const plain = lowRank(a, { rank })
        expect(aware.relativeError).toBeCloseTo(plain.relativeError, 13)
        expect(aware.matrixError).toBeCloseTo(plain.relativeError, 13)
        expect(aware.energy).toBeCloseTo(plain.energy, 13)
        wholeOf(aware).forEach((value, i) => expect(value).toBeCloseTo(wholeOf(plain)[i], 11))
        aware.s.data.forEach((value, i) => expect(value).toBeCloseTo(3 * plain.s.data[i], 11))
      }
    }
  })

  it('energy and maxRelativeError are those of the outputs', () => {
    const activations = anisotropic(50, 24, 3)
    for (const energy of [0.5, 0.9, 0.999]) {
      const result = lowRank(a, { energy, activations })
      const squares = Array.from(result.s.data, (value) => value ** 2)
      const share = (rank: number): number =>
        squares.slice(0, rank).reduce((x, y) => x + y, 0) / squares.reduce((x, y) => x + y, 0)
      expect(share(result.rank)).toBeGreaterThanOrEqual(energy - 1e-12)
      expect(share(result.rank - 1)).toBeLessThan(energy)
      expect(result.energy).toBeCloseTo(share(result.rank), 12)
    }
    for (const maxRelativeError of [0.5, 0.1, 0.01]) {
      const result = lowRank(a, { maxRelativeError, activations })
      expect(relativeErrorOracle(a.data, wholeOf(result), 24, activations.data)).toBeLessThanOrEqual(maxRelativeError)
      if (result.rank === 1) continue
      const less = lowRank(a, { rank: result.rank - 1, activations })
      expect(less.relativeError).toBeGreaterThan(maxRelativeError)
    }
  })

  it('factors are of one size, column by column', () => {
    const { u, v } = lowRank(a, { rank: 5, activations: anisotropic(40, 24, 9) })
    const sizes = ({ data }: { data: ArrayLike<number> }): number[] =>
      Array.from({ length: 5 }, (_, r) => Array.from(data).reduce((sum, x, i) => (i % 5 === r ? sum + x * x : sum), 0))
    sizes(u).forEach((size, r) => expect(size).toBeCloseTo(sizes(v)[r], 10))
  })
})

describe('columns of inputs that are far apart', () => {
  /** One column of inputs 1000 times the others, which the matrix sees 1e-3 of: all count alike. */
  const [m, n, samples] = [48, 64, 512]
  const plain = random(m, n, 7)
  const x = random(samples, n, 8)

  it.each([1e3, 1e8, 1e100, 1e-100])('one is %f times the others', (factor) => {
    const a = matrix(m, n, (i, j) => plain.data[i * n + j] / (j === 5 ? factor : 1))
    const activations = matrix(samples, n, (s, j) => x.data[s * n + j] * (j === 5 ? factor : 1))
    const gram = gramOf(activations)
    const even = lowRank(plain, { rank: 4, activations: x })
    const inputs: LowRankOptions[] = [{ activations }, { gram }]
    if (factor === 1e3) {
      inputs.push({ gram: { data: Float32Array.from(gram.data), shape: gram.shape } })
      inputs.push({ activations: { data: Float32Array.from(activations.data), shape: activations.shape } })
    }
    for (const one of inputs) {
      const result = lowRank(a, { rank: 4, ...one })
      const error = relativeErrorOracle(a.data, wholeOf(result as AnyLowRank), n, activations.data)
      expect(error).toBeGreaterThan(0.5)
      expect(Math.abs(result.relativeError - error)).toBeLessThan(1e-5)
      expect(Math.abs(error - even.relativeError)).toBeLessThan(1e-5)
      const met = lowRank(a, { maxRelativeError: 0.5, ...one })
      expect(relativeErrorOracle(a.data, wholeOf(met as AnyLowRank), n, activations.data)).toBeLessThan(0.50001)
      expect(met.rank).toBe(lowRank(plain, { maxRelativeError: 0.5, activations: x }).rank)
      const energy = lowRank(a, { energy: 0.6, ...one })
      expect(energy.rank).toBe(lowRank(plain, { energy: 0.6, activations: x }).rank)
    }
  })

  it('a small block that is no Gram matrix is refused beside a great one', () => {
    const bad = (below: number, above: number): Matrix =>
      matrix(3, 3, (i, j) => [1e20, 0, 0, 0, 1, above, 0, below, 1][3 * i + j])
    const a = random(4, 3)
    expectError(() => lowRank(a, { rank: 1, gram: bad(2, 2) }), RangeError, 'positive semidefinite')
    expectError(
      () => lowRank(a, { rank: 1, gram: bad(0.5, 0.25) }),
      RangeError,
      'expected a symmetric matrix, got 0.5 at [2, 1] and 0.25 at [1, 2]; average it with its transpose'
    )
    expect(lowRank(a, { rank: 1, gram: bad(0.5, 0.5) }).rank).toBe(1)
  })
})

describe('any matrix and inputs', () => {
  it('errors are what a plain twin measures, and no more than those of the plain form', () => {
    const cases = fc.record({
      m: fc.integer({ min: 1, max: 14 }),
      n: fc.integer({ min: 1, max: 14 }),
      samples: fc.integer({ min: 0, max: 40 }),
      rank: fc.nat(13),
      single: fc.boolean(),
      few: fc.integer({ min: 1, max: 14 }),
      thin: fc.constantFrom(14, 14, 1, 2),
      seed: fc.nat(2 ** 31)
    })
    fc.assert(
      fc.property(cases, ({ m, n, samples, rank, single, few, thin, seed }) => {
        const next = seeded(seed)
        const [left, right] = [random(m, thin, seed % 1000), random(thin, n, seed % 1000)]
        const wide = matrix(m, n, (i, j) =>
          left.data.subarray(i * thin, (i + 1) * thin).reduce((sum, x, r) => sum + x * right.data[r * n + j], 0)
        )
        const a = { data: single ? Float32Array.from(wide.data) : wide.data, shape: [m, n] }
        // Columns that are zero, of sizes far apart, or repeat themselves.
        const sizes = Array.from({ length: n }, () => (next() < 0.2 ? 0 : 10 ** (4 * next() - 2)))
        const x = normals64(samples * n, seed % 997)
        const activations = matrix(samples, n, (i, j) => x[i * n + (j % few)] * sizes[j])
        const asked = { rank: 1 + (rank % Math.min(m, n)) }
        const result = lowRank(a, { ...asked, activations })
        checkErrors(a, result, 'the result', activations.data)
        const plain = lowRank(a, asked)
        const before = relativeErrorOracle(a.data, wholeOf(plain), n, activations.data)
        expect(result.relativeError).toBeLessThanOrEqual(before * (1 + 1e-9) + (single ? 1e-6 : 1e-7))
        expect(result.u.data).toBeInstanceOf(single ? Float32Array : Float64Array)
      }),
      { numRuns: 300 }
    )
  })
})

describe('kinds of inputs', () => {
  const a = random(9, 8)

  it('f32, f16 bits, whole numbers, nested arrays', () => {
    const data = Int8Array.from({ length: 160 }, (_, i) => (i * 37) % 100)
    const expected = lowRank(a, { rank: 3, activations: { data: Float64Array.from(data), shape: [20, 8] } })
    const nested = Array.from({ length: 20 }, (_, i) => Array.from(data.subarray(8 * i, 8 * i + 8)))
    for (const activations of [{ data, shape: [20, 8] }, nested, { data: Float32Array.from(data), dims: [20, 8] }]) {
      const result = lowRank(a, { rank: 3, activations })
      expectSameBits(result.u.data, expected.u.data)
      expectSameBits(result.v.data, expected.v.data)
    }
    const bits = { data: Uint16Array.from({ length: 160 }, (_, i) => 0x3c00 + i * 7), shape: [20, 8], dtype: 'float16' }
    const values = Float64Array.from(bits.data, (x) => 1 + (x - 0x3c00) / 1024)
    values.forEach((_, i) => (values[i] = i * 7 < 1024 ? values[i] : 2 * (1 + (i * 7 - 1024) / 1024)))
    expectSameBits(
      lowRank(a, { rank: 2, activations: bits }).u.data,
      lowRank(a, { rank: 2, activations: { data: values, shape: [20, 8] } }).u.data
    )
  })

  it.each([1e-300, 1e-150, 1e150, 1e300])('scaled by %f', (factor) => {
    const activations = anisotropic(30, 8, 5)
    const expected = lowRank(a, { rank: 3, activations })
    const result = lowRank(a, { rank: 3, activations: scaled(activations, factor) })
    expect(result.relativeError).toBeCloseTo(expected.relativeError, 10)
    wholeOf(result).forEach((value, i) => expect(value).toBeCloseTo(wholeOf(expected)[i], 8))
    const great = lowRank(scaled(a, factor), { rank: 3, activations })
    expect(great.relativeError).toBeCloseTo(expected.relativeError, 10)
    const few = lowRank(a, {
      rank: 3,
      activations: scaled({ ...activations, data: activations.data.slice(0, 40), shape: [5, 8] }, factor)
    })
    expect(few.relativeError).toBeLessThan(0.2)
  })

  it('more samples than are added up at once', () => {
    const activations = anisotropic(1500, 8, 2)
    const result = lowRank(a, { rank: 2, activations })
    checkErrors(a, result, '1500 samples', activations.data)
    expect(result.relativeError).toBeCloseTo(lowRank(a, { rank: 2, gram: gramOf(activations) }).relativeError, 9)
  })

  it('a Gram that was added up row by row', () => {
    const activations = anisotropic(300, 8, 2)
    const sums = createGram(8)
    for (let i = 0; i < 300; i++) sums.add(activations.data.subarray(8 * i, 8 * i + 8))
    const result = lowRank(a, { rank: 3, gram: sums })
    checkErrors(a, result, 'a Gram', activations.data)
    expect(result.relativeError).toBeCloseTo(lowRank(a, { rank: 3, activations }).relativeError, 9)
    expectError(() => lowRank(a, { rank: 3, gram: createGram(8) }), RangeError, 'expected a Gram with rows')
    expectError(
      () => lowRank(a, { rank: 3, gram: createGram(7).add(new Float32Array(7)) }),
      RangeError,
      '"gram" expected shape [8, 8]'
    )
  })

  it('no samples, or zeros: the plain form, without an error', () => {
    for (const samples of [0, 3, 20]) {
      const result = lowRank(a, { rank: 3, activations: { data: new Float32Array(samples * 8), shape: [samples, 8] } })
      const plain = lowRank(a, { rank: 3 })
      expect(result.relativeError).toBe(0)
      expect(result.matrixError).toBeCloseTo(plain.relativeError, 12)
      expect(result.energy).toBe(1)
      expect([...result.s.data].every((value) => value === 0)).toBe(true)
    }
    const zeros = lowRank(
      matrix(4, 3, () => 0),
      { rank: 2, activations: random(5, 3) }
    )
    expect([zeros.relativeError, zeros.matrixError]).toEqual([0, 0])
    expect([...zeros.u.data, ...zeros.v.data].every((value) => value === 0)).toBe(true)
  })

  it('an f32 Gram matrix, whose rounding makes it indefinite', () => {
    const activations = random(5, 8)
    const gram = gramOf(activations)
    const single = { data: Float32Array.from(gram.data), shape: gram.shape }
    const result = lowRank(a, { rank: 3, gram: single })
    expect(result.relativeError).toBeCloseTo(lowRank(a, { rank: 3, gram }).relativeError, 3)
  })

  it.each(['float16', 'bfloat16'] as const)('a Gram matrix in %s', (dtype) => {
    const activations = random(200, 8)
    const gram = gramOf(activations)
    const quantized = quantize({ data: Float32Array.from(gram.data), shape: gram.shape }, { format: dtype })
    const bits = { data: quantized.codes, shape: gram.shape, dtype }
    const expected = lowRank(a, { rank: 3, gram }).relativeError
    expect(lowRank(a, { rank: 3, gram: bits }).relativeError).toBeCloseTo(expected, 1)
    // Sums in another order, each rounded.
    bits.data[8]++
    expect(lowRank(a, { rank: 3, gram: bits }).relativeError).toBeCloseTo(expected, 1)
    bits.data[8] += 1 << (dtype === 'float16' ? 10 : 7)
    expectError(() => lowRank(a, { rank: 3, gram: bits }), RangeError, 'expected a symmetric matrix')
  })

  it('a Gram matrix of whole numbers is exact', () => {
    const activations = matrix(30, 8, (i, j) => ((i * 7 + j * j * 3) % 11) - (j === 3 ? 0 : 5))
    const gram = gramOf(activations)
    const whole = { data: Int32Array.from(gram.data), shape: gram.shape }
    expectSameBits(lowRank(a, { rank: 3, gram: whole }).u.data, lowRank(a, { rank: 3, gram }).u.data)
    whole.data[1]++
    const message = `got ${gram.data[8]} at [1, 0] and ${gram.data[1] + 1} at [0, 1]`
    expectError(() => lowRank(a, { rank: 3, gram: whole }), RangeError, message)
  })

  it('is not changed', () => {
    const activations = anisotropic(20, 8, 1)
    const gram = gramOf(activations)
    const copies = [activations.data.slice(), gram.data.slice()]
    lowRank(a, { rank: 2, activations })
    lowRank(a, { rank: 2, gram })
    expectSameBits(activations.data, copies[0])
    expectSameBits(gram.data, copies[1])
  })
})

describe('refused', () => {
  const a = random(4, 3)
  const gram = matrix(3, 3, (i, j) => (i === j ? 2 : 1))

  it('both, or neither of the two shapes', () => {
    const activations = random(6, 3)
    expectError(
      () => lowRank(a, { rank: 1, activations, gram }),
      TypeError,
      'lowRank: expected either "activations" or "gram"'
    )
    const narrow = { data: new Float32Array(8), shape: [4, 2] }
    const message = 'lowRank: "activations" expected shape [samples, 3], a column for each of the matrix, got [4, 2]'
    expectError(() => lowRank(a, { rank: 1, activations: narrow }), RangeError, message)
    expectError(
      () => lowRank(a, { rank: 1, activations: [1, 2, 3] }),
      RangeError,
      '"activations" expected a shape of two'
    )
    const square = 'lowRank: "gram" expected shape [3, 3], of the matrix\'s columns, got [4, 2]'
    expectError(() => lowRank(a, { rank: 1, gram: narrow }), RangeError, square)
    expectError(
      () => lowRank(a, { rank: 1, gram: { matrix: () => wrong(5) } }),
      TypeError,
      'lowRank: "gram" expected a tensor'
    )
    expectError(() => lowRank(a, { rank: 1, gram: wrong({}) }), TypeError, 'lowRank: "gram" expected a tensor')
  })

  it('a Gram matrix that is none', () => {
    const changed = (i: number, j: number, value: number): Matrix =>
      matrix(3, 3, (k, l) => (k === i && l === j ? value : gram.data[3 * k + l]))
    const asymmetric = 'lowRank: "gram" expected a symmetric matrix, got 1.5 at [2, 0] and 1 at [0, 2]; average'
    expectError(() => lowRank(a, { rank: 1, gram: changed(2, 0, 1.5) }), RangeError, asymmetric)
    const indefinite = [
      changed(1, 1, -1),
      matrix(3, 3, (i, j) => (i === j ? 1 : 2)),
      matrix(3, 3, (i, j) => (i === j ? 0 : 1))
    ]
    indefinite.push(matrix(3, 3, (i, j) => (i === j ? Number(i === 0) : i * j ? 0.5 : 0)))
    for (const gram of indefinite) {
      expectError(
        () => lowRank(a, { rank: 1, gram }),
        RangeError,
        'lowRank: "gram" expected sums of products',
        'semidefinite'
      )
    }
  })

  it('NaN and infinities, by their index', () => {
    for (const value of [NaN, Infinity, -Infinity]) {
      const bad = (length: number, shape: number[]): { data: Float32Array; shape: number[] } => {
        const data = new Float32Array(length).fill(1)
        data[index(seeded(3), length - 4) + 4] = value
        data[4] = value
        return { data, shape }
      }
      const message = `expected finite numbers, got ${value} at index 4`
      expectError(() => lowRank(a, { rank: 1, activations: bad(30, [10, 3]) }), RangeError, `"activations" ${message}`)
      expectError(() => lowRank(a, { rank: 1, activations: bad(6, [2, 3]) }), RangeError, `"activations" ${message}`)
      expectError(() => lowRank(a, { rank: 1, gram: bad(9, [3, 3]) }), RangeError, `"gram" ${message}`)
      expectError(() => lowRank(bad(12, [4, 3]), { rank: 1, gram }), RangeError, `"matrix" ${message}`)
    }
  })
})
