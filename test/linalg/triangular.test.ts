import { describe, expect, it } from 'vitest'
import { MemoryLimitError, solveTriangular } from '../../src/index.js'
import type { SolveTriangularOptions } from '../../src/index.js'
import { defaultEngine, frame } from '../../src/linalg/decompositionEngine.js'
import { solveTriangleInPlace } from '../../src/linalg/triangular.js'
import { productOracle, transposeOracle, triangleOracle } from '../oracle/factor.js'
import { float16Bits } from '../oracle/quantize.js'
import { expectSameBits } from '../support/bits.js'
import { solveVectors } from '../support/vectors.js'
import { expectError, wrong } from '../support/errors.js'
import { matrix, random, type Matrix } from '../support/matrices.js'

const ULP = 2 ** -52

const WAYS = [false, true].flatMap((upper) =>
  [false, true].flatMap((transpose) =>
    [false, true].map((unitDiagonal): Required<SolveTriangularOptions> => ({ upper, transpose, unitDiagonal }))
  )
)
const nameOf = (way: object): string =>
  Object.entries(way)
    .filter(([, on]) => on)
    .map(([name]) => name)
    .join(', ') || 'lower'

/** Random, with NaN wherever it must not be read. */
function triangle(n: number, { upper, unitDiagonal }: Required<SolveTriangularOptions>, seed = 1): Matrix {
  const { data } = random(n, n, seed)
  return matrix(n, n, (i, j) => {
    if (i === j) return unitDiagonal ? NaN : 2 + data[i * n + j]! / 8
    return (upper ? j > i : j < i) ? data[i * n + j]! / Math.sqrt(n) : NaN
  })
}

/** |b - op(T) x| over |op(T)| |x| + |b|, entry by entry, in ulps: the backward error of each column. */
function backwardError(whole: Float64Array, x: ArrayLike<number>, b: ArrayLike<number>, n: number, p: number): number {
  const product = productOracle(whole, x, n, p, n)
  const size = productOracle(whole.map(Math.abs), Array.from(x, Math.abs), n, p, n)
  let worst = 0
  product.forEach((value, i) => {
    const error = Math.abs(value - b[i]!)
    const ratio = error === 0 ? 0 : error / (size[i]! + Math.abs(b[i]!)) / ULP
    if (!(ratio <= worst)) worst = ratio
  })
  return worst
}

describe.each(WAYS)('%#', (way) => {
  it(nameOf(way), () => {
    for (const n of [...Array.from({ length: 20 }, (_, i) => i), 63, 64, 65, 66, 100, 129, 257]) {
      for (const p of [1, 2, 3, 4, 5, 9, 70]) {
        if (n > 100 && p > 5) continue
        const t = triangle(n, way, n + p)
        const b = random(n, p, 2)
        const x = solveTriangular(t, b, way)
        expect(x.shape).toEqual([n, p])
        expect(x.data).toBeInstanceOf(Float64Array)
        const whole = triangleOracle(t.data, n, way.upper, way.transpose, way.unitDiagonal)
        expect(backwardError(whole, x.data, b.data, n, p), `n = ${n}, p = ${p}`).toBeLessThan(n + 2)
      }
    }
  })

  it(`${nameOf(way)}: whole numbers are exact, whatever the blocks`, () => {
    const n = 150
    const t = matrix(n, n, (i, j) =>
      i === j ? 1 : Math.abs(i - j) < 3 || (i * j) % 37 === 1 ? ((i + 2 * j) % 3) - 1 : 0
    )
    const whole = triangleOracle(t.data, n, way.upper, way.transpose, way.unitDiagonal)
    for (const p of [1, 3, 8]) {
      const expected = matrix(n, p, (i, j) => ((i * 7 + j) % 9) - 4)
      const b: Matrix = { data: productOracle(whole, expected.data, n, p, n), shape: [n, p] }
      expect(Array.from(solveTriangular(t, b, way).data, (x) => x + 0)).toEqual(Array.from(expected.data, (x) => x + 0))
    }
  })

  it(`${nameOf(way)}: from the right`, () => {
    for (const [n, p] of [
      [1, 1],
      [5, 2],
      [7, 4],
      [64, 9],
      [130, 33],
      [65, 70]
    ] as const) {
      const t = triangle(n, way, 3)
      const b = random(p, n, 4)
      const x = frame(defaultEngine(), (memory, kernels) => {
        const [tt, bb] = [memory.alloc(8 * n * n), memory.alloc(8 * n * p)]
        memory.f64(tt, n * n).set(t.data)
        memory.f64(bb, n * p).set(b.data)
        solveTriangleInPlace(memory, kernels, { ...way, b: bb, ldb: n, p, t: tt, ldt: n, n, right: true })
        return memory.f64(bb, n * p).slice()
      })
      const whole = triangleOracle(t.data, n, way.upper, way.transpose, way.unitDiagonal)
      // X op(T) = B is op(T)' X' = B'.
      const error = backwardError(
        transposeOracle(whole, n, n),
        transposeOracle(x, p, n),
        transposeOracle(b.data, p, n),
        n,
        p
      )
      expect(error, `n = ${n}, p = ${p}`).toBeLessThan(n + 2)
    }
  })
})

it.each(solveVectors.solveTriangular)('of mpmath, $name', ({ n, p, upper, transpose, triangle: t, b, x }) => {
  const shape = [n, n]
  const actual = solveTriangular(
    { data: Float64Array.from(t), shape },
    { data: Float64Array.from(b), shape: [n, p] },
    { upper, transpose }
  )
  x.forEach((expected, i) =>
    expect(Math.abs(actual.data[i]! - expected)).toBeLessThan(1e-14 * (1 + Math.abs(expected)))
  )
})

describe('shapes and kinds', () => {
  it('a vector gives a vector', () => {
    const x = solveTriangular(
      [
        [2, 0],
        [1, 4]
      ],
      [2, 9]
    )
    expect(x).toEqual({ data: Float64Array.of(1, 2), shape: [2] })
  })

  it('more systems than are solved at once', () => {
    const t = triangle(3, { upper: false, transpose: false, unitDiagonal: false })
    const b = random(3, 5001)
    const x = solveTriangular(t, b)
    const whole = triangleOracle(t.data, 3, false, false, false)
    expect(backwardError(whole, x.data, b.data, 3, 5001)).toBeLessThan(5)
  })

  it('f32 unless one of both is f64', () => {
    const t = { data: Float32Array.of(2, 9, 1, 3), shape: [2, 2] }
    const b = Float32Array.of(1, 1)
    const single = solveTriangular(t, b)
    expect(single.data).toBeInstanceOf(Float32Array)
    const wide = solveTriangular(t, Float64Array.from(b))
    expect(wide.data).toBeInstanceOf(Float64Array)
    expectSameBits(single.data, Float32Array.from(wide.data))
    expectSameBits(solveTriangular({ data: Float64Array.from(t.data), shape: [2, 2] }, b).data, wide.data)
  })

  it('bits of float16, whole numbers, none at all', () => {
    const halves = { data: Uint16Array.from([2, NaN, 1, 4], float16Bits), dims: [2, 2], type: 'float16' }
    expect(solveTriangular(halves, Int8Array.of(2, 9)).data).toEqual(Float32Array.of(1, 2))
    expect(
      solveTriangular({ data: new Float32Array(0), shape: [0, 0] }, { data: new Float64Array(0), shape: [0, 3] })
    ).toEqual({
      data: new Float64Array(0),
      shape: [0, 3]
    })
    expect(solveTriangular([[1]], { data: new Float64Array(0), shape: [1, 0] }).shape).toEqual([1, 0])
  })

  it('input stays as it is', () => {
    const t = triangle(9, { upper: true, transpose: false, unitDiagonal: false })
    const b = random(9, 4)
    const [t0, b0] = [t.data.slice(), b.data.slice()]
    solveTriangular(t, b, { upper: true })
    expectSameBits(t.data, t0)
    expectSameBits(b.data, b0)
  })
})

describe('errors', () => {
  const two = [
    [1, 0],
    [1, 1]
  ]

  it('a zero on the diagonal: its index', () => {
    for (const zero of [0, -0]) {
      const t = matrix(70, 70, (i, j) => (i === j ? (i === 66 ? zero : 1) : 0))
      expectError(
        () => solveTriangular(t, new Float64Array(70)),
        RangeError,
        'solveTriangular: "triangle"',
        '[66, 66]',
        'singular'
      )
      expectError(() => solveTriangular(t, new Float64Array(70), { upper: true }), RangeError, '[66, 66]')
      expect(solveTriangular(t, new Float64Array(70), { unitDiagonal: true }).shape).toEqual([70])
    }
  })

  it('what is not finite, where it is read', () => {
    for (const value of [NaN, Infinity, -Infinity]) {
      const t = matrix(5, 5, (i, j) => (i === 3 && j === 1 ? value : i === j ? 1 : 0))
      expectError(() => solveTriangular(t, new Float64Array(5)), RangeError, `got ${value} at index 16`)
      expectError(() => solveTriangular(t, new Float64Array(5), { transpose: true }), RangeError, 'index 16')
      expect(solveTriangular(t, new Float64Array(5), { upper: true }).data).toEqual(new Float64Array(5))
      expectError(
        () =>
          solveTriangular(two, [
            [1, 2],
            [0, value]
          ]),
        RangeError,
        '"b"',
        `got ${value} at index 3`
      )
    }
  })

  it('solutions beyond their type', () => {
    expectError(() => solveTriangular([[1e-300]], [1e10]), RangeError, '"triangle"', 'within float64', 'rescale')
    const tiny = { data: Float32Array.of(1, 0, 0, 1e-30), shape: [2, 2] }
    expectError(
      () => solveTriangular(tiny, Float32Array.of(1, 1e30)),
      RangeError,
      'solveTriangular: "triangle"',
      'solutions within float32',
      'Infinity at index 1',
      'float64'
    )
    expect(solveTriangular(tiny, Float64Array.of(1, 1e30)).data[1]! / 1e60).toBeCloseTo(1, 6)
  })

  it('shapes', () => {
    expectError(() => solveTriangular(new Float32Array(4), [1]), RangeError, '"triangle"', 'two dimensions')
    expectError(
      () => solveTriangular({ data: new Float32Array(6), shape: [2, 3] }, [1, 2]),
      RangeError,
      'square',
      '[2, 3]'
    )
    expectError(() => solveTriangular(two, [1, 2, 3]), RangeError, '"b"', '[2] or [2, columns]', '[3]')
    expectError(() => solveTriangular(two, { data: new Float32Array(4), shape: [1, 4] }), RangeError, '[1, 4]')
    expectError(() => solveTriangular(two, { data: new Float32Array(2), shape: [2, 1, 1] }), RangeError, '[2, 1, 1]')
    expectError(() => solveTriangular(two, { data: new Float32Array(1), shape: [] }), RangeError, 'got []')
  })

  it('what does not fit', () => {
    const large = { data: new Uint8Array(24000 * 24000), shape: [24000, 24000] }
    expectError(
      () => solveTriangular(large, new Float32Array(24000)),
      MemoryLimitError,
      'bytes of WebAssembly memory',
      'smaller'
    )
  })

  it('options', () => {
    expectError(
      () => solveTriangular(two, [1, 2], wrong({ lower: true })),
      TypeError,
      'unknown option "lower"',
      'upper, transpose, unitDiagonal'
    )
    for (const name of ['upper', 'transpose', 'unitDiagonal']) {
      expectError(() => solveTriangular(two, [1, 2], { [name]: wrong('yes') }), TypeError, `"${name}"`, 'true or false')
    }
  })
})
