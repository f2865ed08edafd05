import { describe, expect, it } from 'vitest'
import { cholesky } from '../../src/index.js'
import type { CholeskyOptions } from '../../src/index.js'
import { defaultEngine, frame } from '../../src/linalg/decompositionEngine.js'
import { factorPivotedInPlace } from '../../src/linalg/cholesky.js'
import {
  choleskyOracle,
  differenceRatio,
  pivotedCholeskyOracle,
  productOracle,
  transposeOracle
} from '../oracle/factor.js'
import { float16Bits } from '../oracle/quantize.js'
import { expectSameBits } from '../support/bits.js'
import { solveVectors } from '../support/vectors.js'
import { expectError } from '../support/errors.js'
import { geometric, matrix, MATRIX_TYPES, random, scaled, withSpectrum, type Matrix } from '../support/matrices.js'

const ULP = 2 ** -52
const RATIO = 10

/** X' X of X (m, n). */
function gram({ data, shape: [m, n] }: Matrix): Matrix {
  return { data: productOracle(transposeOracle(data, m, n), data, n, n, m), shape: [n, n] }
}

function checkLower(l: ArrayLike<number>, n: number, k: number): void {
  for (let i = 0; i < n; i++) {
    for (let j = i; j < k; j++) {
      if (i === j) expect(l[i * k + j], `diagonal ${i}`).toBeGreaterThan(0)
      else expect(Object.is(l[i * k + j], 0), `[${i}, ${j}] above the diagonal is +0`).toBe(true)
    }
  }
}

function check(a: Matrix, what: string): Float64Array {
  const n = a.shape[0]
  const { l, ...rest } = cholesky(a)
  expect(rest).toEqual({})
  expect(l.shape).toEqual([n, n])
  expect(l.data).toBeInstanceOf(Float64Array)
  checkLower(l.data, n, n)
  const back = productOracle(l.data, transposeOracle(l.data, n, n), n, n, n)
  expect(differenceRatio(a.data, back, n, n, n), `residual of ${what}`).toBeLessThan(RATIO)
  return l.data as Float64Array
}

const SIZES = [...Array.from({ length: 41 }, (_, n) => n), 63, 64, 65, 66, 67, 100, 127, 128, 129, 131, 257]

describe('positive definite', () => {
  it('Gram matrices of all sizes to 40 and some above', () => {
    for (const n of SIZES) check(gram(random(n + 5, n)), `n = ${n}`)
  })

  it('equals the plain twin', () => {
    for (const n of [1, 2, 5, 17, 33, 70]) {
      const a = gram(random(2 * n, n, 3))
      const expected = choleskyOracle(a.data, n)!
      const actual = check(a, `n = ${n}`)
      expect(differenceRatio(expected, actual, n, n, n), `n = ${n}`).toBeLessThan(100)
    }
  })

  it.each(solveVectors.cholesky)('of mpmath, $name', ({ name, n, input, l }) => {
    const actual = check({ data: Float64Array.from(input), shape: [n, n] }, name)
    // Hilbert's of order 7 has condition 5e8.
    expect(differenceRatio(l, actual, n, n, n)).toBeLessThan(name.startsWith('Hilbert') ? 5e8 : 100)
  })

  it('small whole numbers are exact', () => {
    const l = matrix(70, 70, (i, j) => (j > i ? 0 : j === i ? 1 + (i % 3) : ((i * 5 + j * 3) % 5) - 2))
    const a: Matrix = { data: productOracle(l.data, transposeOracle(l.data, 70, 70), 70, 70, 70), shape: [70, 70] }
    expectSameBits(cholesky(a).l.data, l.data)
  })

  it('identity and diagonal matrices', () => {
    for (const n of [1, 7, 65]) {
      const a = matrix(n, n, (i, j) => (i === j ? 4 ** (i % 5) : 0))
      expectSameBits(cholesky(a).l.data, matrix(n, n, (i, j) => (i === j ? 2 ** (i % 5) : 0)).data)
    }
  })

  it('near the ends of the range: powers of four change no bit of the digits', () => {
    const a = gram(random(30, 20, 2))
    const { l } = cholesky(a)
    for (const exponent of [-1000, -600, 600, 1000]) {
      const moved = cholesky(scaled(a, 2 ** exponent))
      expectSameBits(
        moved.l.data,
        (l.data as Float64Array).map((x) => x * 2 ** (exponent / 2))
      )
    }
    check(scaled(a, 1e300), '1e300')
    check(scaled(a, 1e-300), '1e-300')
    check(scaled(a, 2 ** 1013), 'near overflow')
    expect(cholesky([[2 ** -1074]]).l.data[0]).toBe(2 ** -537)
  })

  it('rows of any size: powers of two on rows and columns change no bit of the digits', () => {
    const a = gram(random(120, 90, 4))
    const { l } = cholesky(a)
    const powers = Array.from({ length: 90 }, (_, i) => 2 ** (((i * 367) % 1000) - 505))
    const moved = cholesky(matrix(90, 90, (i, j) => a.data[i * 90 + j]! * powers[i]! * powers[j]!))
    expectSameBits(moved.l.data, matrix(90, 90, (i, j) => l.data[i * 90 + j]! * powers[i]!).data)
    for (const [first, last] of [
      [1e300, 1e-300],
      [1e-300, 1e300],
      [1e300, 1e-20],
      [1, 2 ** -1074]
    ] as const) {
      const root = cholesky([
        [first, 0],
        [0, last]
      ])
      for (const [i, value] of [Math.sqrt(first), 0, 0, Math.sqrt(last)].entries()) {
        expect(Math.abs(root.l.data[i]! - value)).toBeLessThanOrEqual(ULP * value)
      }
    }
  })

  it('indefinite ones of any size are told', () => {
    for (const [first, off, last] of [
      [1e-300, 1e300, 1e-300],
      [1e300, 1e300, 1e-300],
      [1e-300, 1e10, 1e300]
    ] as const) {
      const a = [
        [1, 0, 0],
        [0, first, off],
        [0, off, last]
      ]
      expectError(() => cholesky(a), RangeError, 'positive definite', 'index 2)')
    }
  })

  it('ill-conditioned ones that are still definite', () => {
    const n = 30
    check(gram(withSpectrum(n, n, geometric(n, 1e6))), 'condition 1e12')
    // Scaling rows and columns alike changes no error.
    const a = gram(random(40, n))
    check(
      matrix(n, n, (i, j) => a.data[i * n + j]! * 10 ** (-4 * ((i % 5) + (j % 5)))),
      'graded'
    )
  })

  it('reads the lower triangle where both differ by rounding', () => {
    const a = gram(random(12, 9))
    const other = matrix(9, 9, (i, j) => a.data[i * 9 + j]! * (j > i ? 1 + 100 * ULP : 1))
    expectSameBits(cholesky(other).l.data, cholesky(a).l.data)
  })
})

function reordered({ data, shape: [n] }: Matrix, pivots: ArrayLike<number>): Matrix {
  return matrix(n, n, (i, j) => data[pivots[i]! * n + pivots[j]!]!)
}

function checkPivoted(a: Matrix, what: string, options: CholeskyOptions = {}, allowed = 0): number {
  const n = a.shape[0]
  const { l, pivots, rank } = cholesky(a, { pivot: true, ...options })
  expect(pivots).toBeInstanceOf(Uint32Array)
  expect([...pivots!].sort((i, j) => i - j)).toEqual(Array.from({ length: n }, (_, i) => i))
  expect(l.shape).toEqual([n, rank])
  checkLower(l.data, n, rank!)
  for (let j = 0; j < rank!; j++) {
    const pivot = l.data[j * rank! + j]!
    // No later entry of a row can be greater than the pivot, since what is left of the diagonal was no greater.
    for (let i = j + 1; i < n; i++) {
      expect(Math.abs(l.data[i * rank! + j]!), `pivot ${j} of ${what}`).toBeLessThanOrEqual(
        pivot * (1 + 1e-7) + 1e-7 * l.data[0]!
      )
    }
  }
  const back = productOracle(l.data, transposeOracle(l.data, n, rank!), n, n, rank!)
  const ratio = differenceRatio(reordered(a, pivots!).data, back, n, n, n)
  expect(ratio, `residual of ${what}`).toBeLessThan(RATIO + n + allowed)
  return rank!
}

describe('semidefinite, with pivots', () => {
  it('of every rank', () => {
    for (const n of [1, 2, 3, 4, 5, 8, 13, 31, 32, 33, 40, 64, 65, 100]) {
      for (const r of new Set([1, 2, 3, n >> 1, n - 1, n].filter((k) => k > 0 && k <= n))) {
        const a = gram(withSpectrum(r + 3, n, geometric(r, 10)))
        expect(checkPivoted(a, `rank ${r} of ${n}`), `rank ${r} of ${n}`).toBe(r)
      }
    }
  })

  it.each(MATRIX_TYPES.filter(({ name }) => !/1e300|1e-300|near overflow/.test(name)))('Gram of $name', ({ make }) => {
    for (const [m, n] of [
      [7, 7],
      [40, 12],
      [5, 34],
      [70, 70]
    ] as const) {
      checkPivoted(gram(make(m, n)), `${m}x${n}`)
    }
  })

  it('equals the plain twin, pivots and all', () => {
    for (const n of [1, 2, 7, 20, 41, 75]) {
      const a = gram(random(Math.ceil(n / 2), n, 8))
      const tolerance = 1e-10
      const expected = pivotedCholeskyOracle(a.data, n, tolerance)
      const { l, pivots, rank } = cholesky(a, { pivot: true, tolerance })
      expect(rank).toBe(expected.rank)
      // Beyond the rank the order is that of the exchanges, too.
      expect([...pivots!]).toEqual(expected.pivots)
      expect(differenceRatio(expected.l, l.data, n, rank!, n)).toBeLessThan(1000)
    }
  })

  it('equal entries are taken in the order of their indices', () => {
    const { pivots, rank } = cholesky(
      matrix(9, 9, (i, j) => (i === j ? (i % 2 ? 3 : 1) : 0)),
      { pivot: true }
    )
    expect(rank).toBe(9)
    expect([...pivots!.subarray(0, 4)]).toEqual([1, 3, 5, 7])
    const ones = cholesky(
      matrix(6, 6, () => 1),
      { pivot: true }
    )
    expect(ones.rank).toBe(1)
    expect([...ones.l.data]).toEqual(new Array(6).fill(1))
  })

  it('zero has rank 0', () => {
    for (const n of [0, 1, 6]) {
      const { l, pivots, rank } = cholesky(
        matrix(n, n, () => 0),
        { pivot: true }
      )
      expect([l.shape, l.data.length, pivots!.length, rank]).toEqual([[n, 0], 0, n, 0])
    }
  })

  it('stops at the tolerance', () => {
    const a = matrix(5, 5, (i, j) => (i === j ? [1, 100, 1e-3, 10, 1e-6][i]! : 0))
    const ranks = [1e-9, 1e-6, 1e-5, 0.5, 1, 50, 100].map((tolerance) => cholesky(a, { pivot: true, tolerance }).rank)
    expect(ranks).toEqual([5, 4, 4, 3, 2, 1, 0])
    for (const exponent of [-900, 900]) {
      const moved = scaled(a, 2 ** exponent)
      expect(cholesky(moved, { pivot: true, tolerance: 0.5 * 2 ** exponent }).rank).toBe(3)
    }
  })

  it('stops at the rank inside and at the ends of blocks, and what is left is small', () => {
    for (const r of [30, 31, 32, 33, 34, 35, 36, 63, 64, 65]) {
      const a = gram(withSpectrum(r + 1, 90, geometric(r, 10)))
      expect(checkPivoted(a, `rank ${r}`)).toBe(r)
    }
  })
})

describe('in place', () => {
  it('rows further apart than they are long, of so many columns at most', () => {
    const [n, ld] = [50, 57]
    const a = gram(random(70, n))
    const whole = cholesky(a, { pivot: true })
    for (const most of [0, 1, 4, 31, 32, 33, 50, 99]) {
      frame(defaultEngine(), (memory, kernels) => {
        const pointer = memory.alloc(8 * n * ld)
        const order = memory.alloc(4 * n)
        memory.f64(pointer, n * ld).fill(NaN)
        for (let i = 0; i < n; i++) memory.f64(pointer + 8 * ld * i, n).set(a.data.subarray(i * n, (i + 1) * n))
        const { rank, rest } = factorPivotedInPlace(memory, kernels, pointer, ld, n, order, { most })
        expect(rank).toBe(Math.min(most, n))
        const pivots = [...memory.u32(order, n)]
        expect(pivots.slice(0, rank)).toEqual([...whole.pivots!.subarray(0, rank)])
        let trace = 0
        for (let i = 0; i < n; i++) {
          trace += a.data[i * (n + 1)]!
          for (let j = 0; j < rank; j++) {
            const entry = memory.f64(pointer, n * ld)[i * ld + j]!
            if (j <= i) trace -= entry * entry
            const at = whole.pivots!.indexOf(pivots[i]!)
            if (j <= i) expect(entry).toBeCloseTo(whole.l.data[at * n + j]!, 10)
          }
        }
        expect(rest).toBeCloseTo(trace, 9)
      })
    }
  })
})

describe('kinds of input', () => {
  it('f32 gives f32, computed in f64', () => {
    const a = gram(random(30, 20))
    const data = Float32Array.from(a.data)
    for (const options of [{}, { pivot: true }]) {
      const { l } = cholesky({ data, shape: [20, 20] }, options)
      expect(l.data).toBeInstanceOf(Float32Array)
      const wide = cholesky({ data: Float64Array.from(data), shape: [20, 20] }, options)
      expectSameBits(l.data, Float32Array.from(wide.l.data))
    }
  })

  it('a rank that rounding to f32 has hidden is found', () => {
    const a = gram(withSpectrum(8, 60, geometric(7, 10)))
    expect(cholesky({ data: Float32Array.from(a.data), shape: [60, 60] }, { pivot: true }).rank).toBe(7)
  })

  it('nested arrays, bits of float16, whole numbers', () => {
    const values = [4, 2, 2, 5]
    const expected = [2, 0, 1, 2]
    expect(cholesky([values.slice(0, 2), values.slice(2)]).l.data).toEqual(Float64Array.from(expected))
    const halves = { data: Uint16Array.from(values, float16Bits), dims: [2, 2], type: 'float16' }
    expect(cholesky(halves).l.data).toEqual(Float32Array.from(expected))
    expect(cholesky({ data: Int8Array.from(values), shape: [2, 2] }).l.data).toEqual(Float32Array.from(expected))
  })

  it('does not change its input', () => {
    const a = gram(random(9, 9))
    const copy = a.data.slice()
    cholesky(a)
    cholesky(a, { pivot: true })
    expectSameBits(a.data, copy)
  })

  it('no rows', () => {
    expect(cholesky({ data: new Float64Array(0), shape: [0, 0] })).toEqual({
      l: { data: new Float64Array(0), shape: [0, 0] }
    })
  })
})
