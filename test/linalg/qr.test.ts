import { describe, expect, it } from 'vitest'
import { MemoryLimitError, qr } from '../../src/index.js'
import type { QrOptions } from '../../src/index.js'
import { differenceRatio, productOracle, qrOracle } from '../oracle/factor.js'
import { orthogonalityRatio } from '../oracle/linalg.js'
import { float16Bits } from '../oracle/quantize.js'
import { expectSameBits } from '../support/bits.js'
import { solveVectors } from '../support/vectors.js'
import { expectError, wrong } from '../support/errors.js'
import { geometric, matrix, MATRIX_TYPES, random, scaled, withSpectrum, type Matrix } from '../support/matrices.js'

/** The bound that the docstring states; LAPACK's own tests let pass 30. */
const RATIO = 10
const WAYS: readonly QrOptions[] = [{}, { pivot: true }]

interface Checked {
  q: Float64Array
  r: Float64Array
  rank?: number
  pivots?: Uint32Array
}

/** What is wrong with the form of r. */
function problemsOf(r: ArrayLike<number>, k: number, n: number, pivot: boolean): string[] {
  const problems: string[] = []
  for (let i = 0; i < k; i++) {
    const own = r[i * n + i]!
    if (!(own >= 0) || Object.is(own, -0)) problems.push(`r[${i}, ${i}] = ${own}`)
    for (let j = 0; j < i; j++) if (!Object.is(r[i * n + j], 0)) problems.push(`r[${i}, ${j}] = ${r[i * n + j]}`)
    // No column of what is left is longer than the one that was taken.
    if (!pivot) continue
    for (let j = i; j < n; j++) {
      // Relative to the pivot, whose square may be no number.
      let square = 0
      for (let s = i; s <= Math.min(j, k - 1); s++) square += own ? (r[s * n + j]! / own) ** 2 : Math.abs(r[s * n + j]!)
      if (square > (own ? 1 + 1e-7 : 0))
        problems.push(`column ${j} has ${square} left at step ${i}, whose pivot is ${own}`)
    }
  }
  return problems
}

function check(a: Matrix, what: string, options: QrOptions = {}): Checked {
  const [m, n] = a.shape
  const k = Math.min(m, n)
  const { q, r, pivots, rank, ...others } = qr(a, options)
  expect(others).toEqual({})
  expect([q.shape, r.shape], what).toEqual([
    [m, k],
    [k, n]
  ])
  expect(q.data).toBeInstanceOf(Float64Array)
  expect(r.data).toBeInstanceOf(Float64Array)
  const { pivot = false } = options
  expect(problemsOf(r.data, k, n, pivot), what).toEqual([])
  if (pivot) expect([...pivots!].sort((i, j) => i - j)).toEqual(Array.from({ length: n }, (_, i) => i))
  else expect([pivots, rank]).toEqual([undefined, undefined])
  const ordered = matrix(m, n, (i, j) => a.data[i * n + (pivots ? pivots[j]! : j)]!)
  const back = productOracle(q.data, r.data, m, n, k)
  const residual = differenceRatio(ordered.data, back, m, n, Math.max(m, n))
  if (!(residual < RATIO)) expect.fail(`ratio of the residual of ${what}: ${residual}`)
  const orthogonality = orthogonalityRatio(q.data, m, k)
  if (!(orthogonality < RATIO)) expect.fail(`ratio of orthogonality of ${what}: ${orthogonality}`)
  return { q: q.data as Float64Array, r: r.data as Float64Array, rank, pivots }
}

const SHAPES: readonly [number, number][] = [1, 2, 3, 4, 5, 8, 13, 16, 17, 32, 33, 40].flatMap((n) => [
  [n, n],
  [n, Math.ceil(n / 2)],
  [Math.ceil(n / 3), n],
  [n + 7, n],
  [n, 3 * n]
])

describe.each(WAYS)('%j', (options) => {
  it('random matrices of all sizes to 40', () => {
    for (let n = 0; n <= 40; n++) {
      for (const [m, k] of [
        [n, n],
        [n, (n >> 1) + 1],
        [(n >> 2) + 1, n],
        [n, 1],
        [1, n],
        [2 * n, n]
      ]) {
        check(random(m, k), `${m}x${k}`, options)
      }
    }
  })

  it.each(MATRIX_TYPES)('$name', ({ name, make }) => {
    for (const [m, n] of SHAPES) check(make(m, n), `${name}, ${m}x${n}`, options)
    for (const [m, n] of [
      [64, 64],
      [100, 30],
      [30, 100],
      [65, 97]
    ] as const) {
      check(make(m, n), `${name}, ${m}x${n}`, options)
    }
  })

  it.each(['random', 'clustered spectrum', 'rank 1', 'geometric spectrum of condition 1e12', 'zero'])(
    '%s, 257',
    (name) => {
      const { make } = MATRIX_TYPES.find((candidate) => candidate.name === name)!
      check(make(257, 257), name, options)
      check(make(257, 100), name, options)
      check(make(100, 257), name, options)
    }
  )

  it('wide beyond a strip of columns, and tall', () => {
    check(random(40, 1100), 'wide', options)
    check(random(1, 5000), 'a row', options)
    check(random(5000, 1), 'a column', options)
    check(random(3000, 33), 'tall', options)
  })

  it('of no rows, no columns', () => {
    for (const [m, n] of [
      [0, 0],
      [0, 5],
      [5, 0]
    ]) {
      check({ data: new Float64Array(0), shape: [m, n] }, `${m}x${n}`, options)
    }
  })

  it('a power of two changes no bit', () => {
    const a = random(40, 35, 4)
    const { q, r, pivots } = qr(a, options)
    for (const exponent of [-1000, -400, 500, 1000]) {
      const moved = qr(scaled(a, 2 ** exponent), options)
      expectSameBits(moved.q.data, q.data)
      expectSameBits(
        moved.r.data,
        r.data.map((x: number) => x * 2 ** exponent)
      )
      expect(moved.pivots).toEqual(pivots)
    }
  })

  it('subnormal numbers', () => {
    const { q, r } = qr(
      matrix(5, 5, (i, j) => (i === 4 - j ? -(2 ** -1074) : 0)),
      options
    )
    expect([...r.data].filter((x) => x !== 0)).toEqual(new Array(5).fill(2 ** -1074))
    expect(orthogonalityRatio(q.data, 5, 5)).toBe(0)
  })

  it('columns whose squares vanish beside the first keep their own precision', () => {
    const a = random(12, 6, 5)
    const factors = [1, 1e-100, 1e-140, 1e-155, 1e-160, 1e-250]
    const graded = matrix(12, 6, (i, j) => a.data[i * 6 + j]! * factors[j]!)
    const { q, r, pivots = [0, 1, 2, 3, 4, 5] } = check(graded, 'graded', options)
    for (let j = 0; j < 6; j++) {
      // Column by column: |a_j - Q r_j| is small beside |a_j|.
      const column = pivots[j]!
      for (let i = 0; i < 12; i++) {
        let sum = 0
        for (let s = 0; s < 6; s++) sum += q[i * 6 + s]! * r[s * 6 + j]!
        const error = Math.abs(sum - graded.data[i * 6 + column]!) / factors[column]!
        expect(error, `column ${column}, row ${i}`).toBeLessThan(1e-13)
      }
    }
  })

  it('does not change its input, and gives the same bits again', () => {
    const a = random(20, 30)
    const copy = a.data.slice()
    const first = qr(a, options)
    qr(random(50, 50), options)
    expect(qr(a, options)).toEqual(first)
    expectSameBits(a.data, copy)
  })

  it('f32 gives f32, computed in f64', () => {
    for (const [m, n] of [
      [20, 20],
      [40, 9],
      [9, 40]
    ]) {
      const data = Float32Array.from(random(m, n).data)
      const result = qr({ data, shape: [m, n] }, options)
      const wide = qr({ data: Float64Array.from(data), shape: [m, n] }, options)
      for (const name of ['q', 'r'] as const) {
        expect(result[name].data).toBeInstanceOf(Float32Array)
        expectSameBits(result[name].data, Float32Array.from(wide[name].data), name)
      }
      expect(result.pivots).toEqual(wide.pivots)
    }
  })
})

describe('without pivots', () => {
  it('equals Gram and Schmidt, where the rank is full', () => {
    for (const [m, n] of [
      [1, 1],
      [6, 4],
      [33, 33],
      [70, 66],
      [150, 40]
    ]) {
      const a = withSpectrum(m, n, geometric(n, 10), 3)
      const expected = qrOracle(a.data, m, n)
      const { q, r } = check(a, `${m}x${n}`)
      expect(differenceRatio(expected.q, q, m, n, m)).toBeLessThan(50)
      expect(differenceRatio(expected.r, r, n, n, m)).toBeLessThan(50)
    }
  })

  it.each(solveVectors.qr)('of mpmath, $name', ({ name, m, n, input, q, r, pivots }) => {
    const a: Matrix = { data: Float64Array.from(input), shape: [m, n] }
    const actual = check(a, name)
    // Hilbert's has condition 5e7.
    const bound = name.startsWith('Hilbert') ? 5e7 : 100
    expect(differenceRatio(q, actual.q, m, n, m)).toBeLessThan(bound)
    expect(differenceRatio(r, actual.r, n, n, m)).toBeLessThan(100)
    expect([...qr(a, { pivot: true }).pivots!]).toEqual(pivots)
  })

  it('triangles and diagonals come back exactly', () => {
    const a = matrix(40, 40, (i, j) => (j < i ? 0 : j === i ? 1 + (i % 4) : ((i * 3 + j) % 7) - 3))
    const { q, r } = check(a, 'a triangle')
    expectSameBits(r, a.data)
    expectSameBits(q, matrix(40, 40, (i, j) => (i === j ? 1 : 0)).data)
    const negative = check(
      matrix(3, 3, (i, j) => (i === j ? -i - 1 : 0)),
      'a diagonal'
    )
    expectSameBits(negative.q, Float64Array.of(-1, 0, 0, 0, -1, 0, 0, 0, -1))
    expectSameBits(negative.r, Float64Array.of(1, 0, 0, 0, 2, 0, 0, 0, 3))
  })
})

describe('with pivots', () => {
  it('finds the rank', () => {
    for (const [m, n] of [
      [10, 10],
      [60, 40],
      [40, 60],
      [33, 65]
    ]) {
      for (const rank of [0, 1, 2, 7, 10]) {
        const a = withSpectrum(m, n, geometric(rank, 10), 2)
        expect(check(a, `rank ${rank}, ${m}x${n}`, { pivot: true }).rank).toBe(rank)
        const single = { data: Float32Array.from(a.data), shape: a.shape }
        expect(qr(single, { pivot: true }).rank, `rank ${rank} of f32, ${m}x${n}`).toBe(rank)
      }
    }
    expect(qr(random(9, 5), { pivot: true }).rank).toBe(5)
    expect(qr({ data: new Float32Array(0), shape: [0, 3] }, { pivot: true })).toMatchObject({
      rank: 0,
      pivots: Uint32Array.of(0, 1, 2)
    })
  })

  it('takes the longest first, the first of equals', () => {
    const lengths = [3, 5, 1, 5, 4]
    const { pivots, r } = check(
      matrix(6, 5, (i, j) => (i === j ? lengths[j]! : 0)),
      'a diagonal',
      { pivot: true }
    )
    expect([...pivots!]).toEqual([1, 3, 4, 0, 2])
    expect([0, 1, 2, 3, 4].map((i) => r[i * 6])).toEqual([5, 5, 4, 3, 1])
  })

  it('Kahan and duplicate columns', () => {
    const n = 50
    const { data } = random(n, 5)
    const twice = check(
      matrix(n, 10, (i, j) => data[i * 5 + (j % 5)]!),
      'duplicates',
      { pivot: true }
    )
    expect(twice.rank).toBe(5)
  })
})

describe('kinds of input', () => {
  it('nested arrays, whole numbers, bits of float16', () => {
    const values = [3, 1, 4, 2]
    const { q, r } = qr([values.slice(0, 2), values.slice(2)])
    expect(r.data).toBeInstanceOf(Float64Array)
    expect(Array.from(q.data, (x) => Math.abs(x * 5))).toEqual([3, 4, 4, 3].map((x) => expect.closeTo(x, 14) as number))
    const expected = qr({ data: Float32Array.from(values), shape: [2, 2] })
    expect(qr({ data: Uint16Array.from(values, float16Bits), dims: [2, 2], type: 'float16' })).toEqual(expected)
    expect(qr({ data: Int16Array.from(values), shape: [2, 2] })).toEqual(expected)
  })

  it('an entry of r beyond the type is Infinity', () => {
    const a = matrix(4, 1, () => 1.7e308)
    expect(qr(a).r.data[0]).toBe(Infinity)
    expect(orthogonalityRatio(qr(a).q.data, 4, 1)).toBeLessThan(RATIO)
    expect(qr({ data: new Float32Array(4).fill(3e38), shape: [4, 1] }).r.data[0]).toBe(Infinity)
  })
})

describe('errors', () => {
  it('shapes', () => {
    expectError(() => qr(new Float32Array(3)), RangeError, 'qr: "matrix"', 'two dimensions', '[3]')
    expectError(() => qr({ data: new Float32Array(8), shape: [2, 2, 2] }), RangeError, '[2, 2, 2]')
  })

  it('what is not finite', () => {
    for (const options of WAYS) {
      for (const value of [NaN, Infinity, -Infinity]) {
        const a = random(30, 7)
        a.data[100] = value
        expectError(() => qr(a, options), RangeError, `got ${value} at index 100`)
      }
    }
  })

  it('what does not fit', () => {
    const large = { data: new Uint8Array(24000 * 24000), shape: [24000, 24000] }
    expectError(() => qr(large), MemoryLimitError, 'bytes of WebAssembly memory', 'smaller')
  })

  it('options', () => {
    expectError(() => qr([[1]], wrong({ pivoting: true })), TypeError, 'qr: unknown option "pivoting"; expected pivot')
    expectError(() => qr([[1]], { pivot: wrong('yes') }), TypeError, '"pivot"', '"yes"')
    expectError(() => qr([[1]], wrong(3)), TypeError, '"options"')
  })

  it('nothing that is no matrix', () => {
    expectError(() => qr(wrong('abc')), TypeError, 'qr: "matrix" expected a tensor')
  })
})
