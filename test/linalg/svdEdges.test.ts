import { describe, expect, it } from 'vitest'
import { defaultEngine } from '../../src/linalg/decompositionEngine.js'
import { cholesky, qr, svd } from '../../src/index.js'
import { expectSameBits } from '../support/bits.js'
import { geometric, matrix, MATRIX_TYPES, random, scaled, transposed, withSpectrum } from '../support/matrices.js'
import type { Matrix } from '../support/matrices.js'
import { check, checkFar, checkForm, power, ULP } from '../support/svd.js'

const identity = (n: number): number[] => Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0))

const plus = (values: ArrayLike<number>): number[] => Array.from(values, (x) => x + 0)

describe('small and empty', () => {
  it('no rows, no columns', () => {
    for (const [m, n] of [
      [0, 0],
      [0, 1],
      [1, 0],
      [0, 7],
      [7, 0]
    ]) {
      const result = svd({ data: new Float32Array(0), shape: [m, n] })
      expect(result).toEqual({
        u: { data: new Float32Array(0), shape: [m, 0] },
        s: { data: new Float32Array(0), shape: [0] },
        v: { data: new Float32Array(0), shape: [n, 0] },
        sweeps: 0,
        converged: true,
        offDiagonal: 0
      })
    }
  })

  it('one number', () => {
    for (const x of [1, -1, 3, -0.1, 2 ** -1074, -(2 ** -1074), Number.MAX_VALUE, -Number.MAX_VALUE, 1e-310]) {
      const { u, s, v } = check(
        matrix(1, 1, () => x),
        `${x}`
      )
      expect([...u.data, ...s.data, ...v.data]).toEqual([1, Math.abs(x), Math.sign(x)])
    }
  })

  it('a row and a column of any length', () => {
    for (let n = 1; n <= 40; n++) {
      const row = random(1, n, 3)
      const { u, s, v } = check(row, `1x${n}`)
      expect(Math.abs(u.data[0] - 1)).toBeLessThanOrEqual(ULP)
      const norm = Math.sqrt(row.data.reduce((sum, x) => sum + x * x, 0))
      expect(Math.abs(s.data[0] / norm - 1)).toBeLessThan(n * ULP)
      row.data.forEach((x, i) => expect(Math.abs(v.data[i] * norm - x)).toBeLessThan(10 * n * ULP * norm))
      const column = check(transposed(row), `${n}x1`)
      expect(Math.abs(column.s.data[0] / norm - 1)).toBeLessThan(n * ULP)
      expect(Math.abs(Math.abs(column.v.data[0]) - 1)).toBeLessThanOrEqual(ULP)
    }
  })

  it('two columns of which one or both are zero', () => {
    expect([
      ...check(
        matrix(3, 2, (i, j) => (j === 1 ? i + 1 : 0)),
        'one'
      ).s.data
    ]).toEqual([Math.sqrt(14), 0])
    expect([
      ...check(
        matrix(3, 2, () => 0),
        'both'
      ).s.data
    ]).toEqual([0, 0])
  })
})

describe('what is diagonal', () => {
  it('the identity is its own factors', () => {
    for (const n of [1, 2, 3, 5, 8, 17, 40]) {
      const { u, s, v } = check(
        matrix(n, n, (i, j) => (i === j ? 1 : 0)),
        `identity of ${n}`
      )
      expect(plus(u.data)).toEqual(identity(n))
      expect(plus(v.data)).toEqual(identity(n))
      expect([...s.data]).toEqual(new Array(n).fill(1))
    }
  })

  it('equal values keep the order of the columns', () => {
    const entries = [2, -3, 2, 5, -3, 2]
    const { u, s, v } = check(
      matrix(6, 6, (i, j) => (i === j ? entries[i] : 0)),
      'a diagonal with equals'
    )
    expect([...s.data]).toEqual([5, 3, 3, 2, 2, 2])
    const order = [3, 1, 4, 0, 2, 5]
    expect(plus(u.data)).toEqual(plus(matrix(6, 6, (i, c) => (order[c] === i ? 1 : 0)).data))
    expect(plus(v.data)).toEqual(plus(matrix(6, 6, (j, c) => (order[c] === j ? Math.sign(entries[j]) : 0)).data))
  })

  it('entries that are far apart come out as they are', () => {
    const entries = [1e-60, -7, 1e70, 2 ** -190, 0.1]
    const { s } = check(
      matrix(5, 5, (i, j) => (i + j === 4 ? entries[i] : 0)),
      'an antidiagonal'
    )
    expect([...s.data]).toEqual([1e70, 7, 0.1, 2 ** -190, 1e-60])
  })
})

describe('rank below the shape', () => {
  const shapes = [1, 2, 3, 5, 8, 17, 32].flatMap((n) => [
    [n, n],
    [n + 5, n],
    [n, n + 6]
  ])

  it('columns that are equal, or multiples of one another', () => {
    for (const [m, n] of shapes) {
      const { data } = random(m, n, 8)
      check(
        matrix(m, n, (i, j) => data[i * n + (j >> 1)]),
        `pairs of equal columns, ${m}x${n}`
      )
      check(
        matrix(m, n, (i, j) => data[i * n] * (j + 1)),
        `multiples of one column, ${m}x${n}`
      )
      check(
        matrix(m, n, (i, j) => data[i * n] * 10 ** (j % 9)),
        `multiples far apart, ${m}x${n}`
      )
      const rank = withSpectrum(m, n, [3, 2, 1].slice(0, Math.min(m, n)), 5)
      const { s } = check(rank, `rank 3, ${m}x${n}`)
      for (const x of s.data.subarray(3)) expect(x).toBeLessThan(100 * Math.max(m, n) * ULP)
    }
  })

  it('zero rows and columns leave exact zeros', () => {
    for (const [m, n] of shapes) {
      const { data } = random(m, n, 9)
      for (const step of [2, 3]) {
        const a = matrix(m, n, (i, j) => (i % step === 1 || j % step === 1 ? 0 : data[i * n + j]))
        const { s } = check(a, `every ${step}. row and column zero, ${m}x${n}`)
        const kept = (length: number): number =>
          Array.from({ length }, (_, i) => i).filter((i) => i % step !== 1).length
        const rank = Math.min(kept(m), kept(n))
        expect(s.data.filter((x) => x > 0).length, `rank of ${m}x${n}`).toBe(rank)
      }
    }
  })

  it('minus zero counts as zero', () => {
    for (const [m, n] of shapes) {
      const { data } = random(m, n, 10)
      const [one, other] = [0, -0].map((zero) => {
        const a = matrix(m, n, (i, j) => ((i + j) % 3 === 0 ? zero : data[i * n + j]))
        return check(a, `zeros as ${Object.is(zero, 0) ? '+0' : '-0'}, ${m}x${n}`)
      })
      expectSameBits(one.s.data, other.s.data)
      expect(plus(one.u.data)).toEqual(plus(other.u.data))
      expect(plus(one.v.data)).toEqual(plus(other.v.data))
    }
  })
})

/** The exponents of the greatest and of the least entry but 0. */
function range({ data }: Matrix): [most: number, least: number] {
  const sizes = data.map(Math.abs).filter((x) => x > 0)
  return [Math.log2(sizes.reduce((a, b) => Math.max(a, b), 0)), Math.log2(sizes.reduce((a, b) => Math.min(a, b)))]
}

describe('scaling', () => {
  const types = MATRIX_TYPES.filter(({ name }) => !/zero$/.test(name))

  it.each(types)('by powers of two changes the exponents of s alone: $name', ({ make }) => {
    for (const [m, n] of [
      [1, 1],
      [7, 7],
      [12, 5],
      [5, 12]
    ]) {
      const a = make(m, n)
      if (a.data.every((x) => x === 0)) continue
      const [most, least] = range(a)
      const { u, s, v, ...rest } = svd(a)
      let moves = 0
      for (const exponent of [-1900, -900, -500, -77, -1, 1, 60, 511, 900, 1900]) {
        // Some head room: a singular value is at most sqrt(m n) of the greatest entry.
        if (least + exponent < -1022 || most + exponent > 1018) continue
        moves++
        const moved = svd(matrix(m, n, (i, j) => power(a.data[i * n + j], exponent)))
        expectSameBits(moved.u.data, u.data, 'u')
        expectSameBits(moved.v.data, v.data, 'v')
        s.data.forEach((x, i) => {
          const expected = power(x, exponent)
          if (Math.min(x, expected) >= 2 ** -1022) expect(moved.s.data[i]).toBe(expected)
        })
        expect({ sweeps: moved.sweeps, converged: moved.converged, offDiagonal: moved.offDiagonal }).toEqual(rest)
      }
      expect(moves).toBeGreaterThan(1)
    }
  })

  it.each([1e300, 1e-300, 1e150, 1e-150])('by %f', (factor) => {
    for (const [m, n] of [
      [1, 1],
      [6, 6],
      [13, 8],
      [8, 13],
      [40, 40]
    ]) {
      const a = withSpectrum(m, n, geometric(Math.min(m, n), 10), 3)
      const plain = check(a, `${m}x${n}`)
      const { s } = checkFar(scaled(a, factor), `${m}x${n} times ${factor}`)
      s.data.forEach((x, i) => expect(Math.abs(x / factor / plain.s.data[i] - 1)).toBeLessThan(100 * m * n * ULP))
    }
  })
})

describe('the ends of f64', () => {
  it('entries near overflow', () => {
    const entries = [1e308, -1.7e308, 5e307, Number.MAX_VALUE]
    const { s } = checkFar(
      matrix(4, 4, (i, j) => (i === j ? entries[i] : 0)),
      'a diagonal'
    )
    expect([...s.data]).toEqual([Number.MAX_VALUE, 1.7e308, 1e308, 5e307])
    for (const n of [2, 3, 8, 20]) {
      const a = random(n, n, 12)
      const most = a.data.reduce((greatest, x) => Math.max(greatest, Math.abs(x)), 0)
      // Every entry is finite, the greatest singular value need not be.
      const near = matrix(n, n, (i, j) => (a.data[i * n + j] / most) * 1.7e308)
      const small = svd(scaled(near, 2 ** -600))
      const { u, s, v } = svd(near)
      expectSameBits(u.data, small.u.data, 'u')
      expectSameBits(v.data, small.v.data, 'v')
      expect([...s.data]).toEqual(Array.from(small.s.data, (x) => x * 2 ** 600))
    }
  })

  it('a singular value beyond f64 is Infinity, and the vectors are none the worse', () => {
    const a = matrix(3, 3, () => Number.MAX_VALUE)
    const { u, s, v } = svd(a)
    expect(s.data[0]).toBe(Infinity)
    const third = 1 / Math.sqrt(3)
    for (let i = 0; i < 3; i++) {
      expect(u.data[3 * i]).toBeCloseTo(third, 14)
      expect(v.data[3 * i]).toBeCloseTo(third, 14)
    }
    const narrow = svd(
      matrix(2, 2, (i, j) => (i === j ? [1e100, 1][i] : 0)),
      { dtype: 'float32' }
    )
    expect(narrow.s.data).toEqual(Float32Array.of(Infinity, 1))
    expect(plus(narrow.u.data)).toEqual([1, 0, 0, 1])
  })

  it('subnormal numbers alone', () => {
    const unit = 2 ** -1074
    for (const [m, n] of [
      [1, 1],
      [1, 6],
      [6, 1],
      [5, 5],
      [4, 9],
      [9, 4],
      [20, 20]
    ]) {
      const whole = matrix(m, n, (i, j) => ((i * 7919 + j * 104729) % 2003) - 1001)
      const reference = check(whole, 'whole numbers')
      const result = svd(scaled(whole, unit))
      checkForm(result, [m, n], ULP, `subnormals ${m}x${n}`)
      // Exactly the same matrix but for its exponent, whose results are rounded to the unit of subnormals.
      expectSameBits(result.u.data, reference.u.data, 'u')
      expectSameBits(result.v.data, reference.v.data, 'v')
      result.s.data.forEach((x, i) => expect(x / unit).toBe(roundHalfEven(reference.s.data[i])))
    }
  })

  it('one subnormal number among others', () => {
    for (const [m, n] of [
      [5, 5],
      [8, 3],
      [3, 8]
    ]) {
      for (const size of [1, 1e-300, 2 ** -1022]) {
        const { data } = random(m, n, 14)
        const a = matrix(m, n, (i, j) => (i === 1 && j === 1 ? 3 * 2 ** -1074 : data[i * n + j] * size))
        checkFar(a, `among numbers about ${size}, ${m}x${n}`)
        const alone = matrix(m, n, (i, j) => (i === 1 ? (j === 1 ? 3 * 2 ** -1074 : 0) : data[i * n + j] * size))
        checkFar(alone, `alone in its row, among numbers about ${size}, ${m}x${n}`)
      }
    }
  })

  it('numbers from one end to the other', () => {
    const a = matrix(6, 6, (i, j) => (i === j ? 10 ** (300 - 120 * i) : 0))
    const { s } = checkFar(a, 'a diagonal from 1e300 to 1e-300')
    expect(s.data[0]).toBe(1e300)
    expect(s.data[1]).toBe(1e180)
  })
})

function roundHalfEven(x: number): number {
  const floor = Math.floor(x)
  const rest = x - floor
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor
}

describe('an iteration that does not end', () => {
  it.each([
    ['screenedSweeps', 20],
    ['jacobiSweeps', 3]
  ] as const)('%s: a result that says so', (name, n) => {
    const { kernels } = defaultEngine()
    const sweeps = kernels[name] as (...args: number[]) => number
    const patched = kernels as unknown as Record<string, unknown>
    patched[name] = (...args: number[]) => Math.max(31, sweeps(...args))
    try {
      const { converged, sweeps: taken, s } = svd(random(n, n))
      expect([converged, taken]).toEqual([false, 30])
      expect(s.data.every((x) => x > 0)).toBe(true)
    } finally {
      patched[name] = sweeps
    }
    expect(svd(random(n, n)).converged).toBe(true)
  })
})

it('a number that is none beside one beyond f32 is the one that is named', () => {
  const data = Float64Array.of(1e300, NaN, 1, 1)
  for (const call of [svd, qr, cholesky]) {
    expect(() => call({ data, shape: [2, 2] })).toThrow(/NaN at index 1;/)
  }
})
