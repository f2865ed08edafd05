import { describe, expect, it } from 'vitest'
import { lowRank } from '../../src/index.js'
import { MATRIX_TYPES, matrix as matrixOf, random, withSpectrum, type Matrix } from '../support/matrices.js'
import { CHUNK, checkError, checkResult, numbers, somePools, type Call } from '../support/pool.js'
import { nameOf } from '../support/quantize.js'
import { normals64 } from '../support/random.js'

const pools = somePools()

let turn = 0
const check = (call: Call): Promise<void> => checkResult([pools[turn++ % 4]!], call)

const LENGTHS = [0, 1, 5, 32768, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 1, 3 * CHUNK + 32769]

describe('compare', () => {
  it.each(LENGTHS)('of %i', async (length) => {
    const a = numbers(length, length)
    const b = a.map((x, i) => x * (1 + 1e-3 * (i % 5)))
    const wide = normals64(length, 2, 1e30)
    for (const args of [
      [a, b],
      [a, a],
      [b, a],
      [wide, wide.map((x) => x * 1.25)],
      [wide, a],
      [a, wide]
    ]) {
      await check({ verb: 'compare', args })
    }
    await check({ verb: 'compare', args: [new Float32Array(length), a] })
    await check({ verb: 'compare', args: [a, new Float64Array(length)] })
  })

  it.each([[[]], [[3, 0]], [[3, CHUNK + 1]], [[7, 101, 1003]]])('of shape %j', async (shape) => {
    const size = shape.reduce((product, n) => product * n, 1)
    await check({
      verb: 'compare',
      args: [
        { data: numbers(size, 3), shape },
        { data: normals64(size, 4), dims: shape }
      ]
    })
  })

  it('f64 near the ends of its range', async () => {
    const data = normals64(CHUNK + 99, 5)
    for (const factor of [1e150, 1e-160, 2 ** -1060]) {
      const a = data.map((x) => x * factor)
      await check({ verb: 'compare', args: [a, a.map((x) => x * 0.75)] })
    }
    const beyond = data.map((x) => x * 1e200)
    await checkError(pools, { verb: 'compare', args: [beyond, data] }, 'float32', 'index')
  })
})

describe('svd and lowRank', () => {
  it.each(MATRIX_TYPES)('$name', async ({ make }) => {
    const sizes = [
      [17, 9],
      [8, 21]
    ] as const
    for (const [m, n] of sizes) {
      const matrix = make(m, n)
      await check({ verb: 'svd', args: [matrix] })
      await check({ verb: 'lowRank', args: [matrix], options: { rank: 3 } })
    }
  })

  it.each([
    [1, 1],
    [0, 3],
    [3, 0],
    [1, 400],
    [400, 1],
    [60, 90],
    [120, 40],
    [2, CHUNK + 1],
    [CHUNK + 1, 2]
  ])('svd %i x %i', async (m, n) => {
    const wide = random(m, n)
    const single = { data: Float32Array.from(wide.data), shape: wide.shape }
    await check({ verb: 'svd', args: [wide] })
    await check({ verb: 'svd', args: [single] })
    if (m * n > 0 && m * n < CHUNK) {
      await check({ verb: 'lowRank', args: [wide], options: { energy: 0.7 } })
      await check({ verb: 'lowRank', args: [single], options: { maxRelativeError: 0.3 } })
    }
  })

  it.each([
    [[7, 9, 5], {}],
    [[3, 5, 130, 40], { dtype: 'float32' }],
    [[40, 20, 30], { dtype: 'float64' }],
    [[0, 4, 4], {}],
    [[3, 0, 4], {}],
    [[700, 5, 6], {}]
  ])('svd of each matrix of %j, %o', async (shape, options) => {
    const size = shape.reduce((product, n) => product * n, 1)
    await check({ verb: 'svd', args: [{ data: normals64(size, 8), shape }], options })
    await check({ verb: 'svd', args: [{ data: numbers(size, 9), shape }], options })
  })

  it('a number that is none, in a batch', async () => {
    const data = numbers(40 * 20 * 30, 3)
    data[39 * 600 + 17] = NaN
    data[12 * 600 + 5] = Infinity
    await checkError(pools, { verb: 'svd', args: [{ data, shape: [40, 20, 30] }] }, 'index 7205')
  })

  it('factorisations and solutions', async () => {
    for (const [m, n] of [
      [1, 1],
      [9, 4],
      [70, 66],
      [4, 9]
    ] as const) {
      for (const make of [
        (data: Float64Array): Float64Array | Float32Array => data,
        (data: Float64Array): Float64Array | Float32Array => Float32Array.from(data)
      ]) {
        const [a, b] = [random(m, n), random(m, n, 2)].map(({ data, shape }) => ({ data: make(data), shape }))
        const square = Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) ? 0.5 : n + i))
        const triangle = { data: make(square), shape: [n, n] }
        for (const pivot of [false, true]) {
          await check({ verb: 'qr', args: [a], options: { pivot } })
          await check({ verb: 'cholesky', args: [triangle], options: { pivot } })
        }
        await check({ verb: 'solveTriangular', args: [triangle, random(n, 5)], options: { transpose: true } })
        await check({ verb: 'procrustes', args: [a, b], options: { center: true, scale: true } })
        await check({ verb: 'ridge', args: [a, b], options: { lambda: 0.1 } })
        const sampleWeights = Array.from({ length: m }, (_, i) => i + 1)
        await check({ verb: 'ridge', args: [a, make(random(m, 1).data)], options: { lambda: 1, sampleWeights } })
      }
    }
    const { data } = random(4, 3)
    data[7] = NaN
    const bad = { data, shape: [4, 3] }
    await checkError(pools, { verb: 'qr', args: [bad] }, 'qr: "matrix"', 'index 7')
    await checkError(pools, { verb: 'ridge', args: [random(4, 3), bad] }, 'ridge: "y"', 'index 7')
    await checkError(pools, { verb: 'procrustes', args: [bad, bad] }, 'procrustes: "a"', 'index 7')
  })

  it('lowRank for inputs, quantised, with a residual', async () => {
    const matrix = withSpectrum(24, 18, [9, 5, 2, 1, 0.1])
    const activations = random(40, 18)
    /** As a Gram is: a class of its own, with more than its matrix. */
    class GramOf {
      readonly rows = 7
      matrix(): Matrix {
        return matrixOf(3, 3, (i, j) => (i === j ? 2 + i : 1))
      }
    }
    const none = { matrix: () => matrixOf(3, 3, (i, j) => (i === j ? 9 : i + 2 * j)) }
    for (const options of [
      { rank: 3, activations },
      { rank: 3, quantize: 'int4', residual: { format: 'int8', group: 5 } },
      { maxRelativeError: 0.1, quantize: 'float16', activations: { ...activations, dtype: 'float64' } }
    ]) {
      await check({ verb: 'lowRank', args: [matrix], options })
    }
    for (const gram of [new GramOf(), new GramOf().matrix()]) {
      await check({ verb: 'lowRank', args: [random(5, 3)], options: { rank: 1, gram } })
    }
    const options = { rank: 1, gram: none }
    await checkError(pools, { verb: 'lowRank', args: [random(5, 3)], options }, 'lowRank: "gram" expected a symmetric')
  })

  it('lowRankPlan and reconstruct', async () => {
    const matrices = { a: random(20, 30), b: withSpectrum(25, 12, [4, 1]) }
    await check({ verb: 'lowRankPlan', args: [matrices], options: { bytes: 4000, weights: { a: 1, b: 3 } } })
    await check({ verb: 'lowRankPlan', args: [Object.values(matrices)], options: { bytes: 1500, quantize: 'int8' } })
    await checkError(pools, { verb: 'lowRankPlan', args: [matrices], options: { bytes: 3 } }, 'lowRankPlan: "bytes"')
    for (const options of [{}, { quantize: 'int4' }, { residual: 'float16' }]) {
      await check({ verb: 'reconstruct', args: [lowRank(matrices.a, { rank: 4, ...options } as never)] })
    }
    await checkError(pools, { verb: 'reconstruct', args: [{ u: [[1]], v: [[1, 2]] }] }, 'reconstruct: "v"')
  })

  it('nested arrays, whole numbers, half bits', async () => {
    const patterns = Uint16Array.from({ length: 48 }, (_, i) => 0x3c00 + i * 77)
    for (const matrix of [
      [
        [1, 2],
        [3, 4.5],
        [-1, 0]
      ],
      { data: Int8Array.from({ length: 48 }, (_, i) => (i * 37) % 100), shape: [6, 8] },
      { data: patterns, shape: [6, 8], dtype: 'float16' },
      { data: patterns, shape: [8, 6], dtype: 'bfloat16' }
    ]) {
      await check({ verb: 'svd', args: [matrix] })
      await check({ verb: 'lowRank', args: [matrix], options: { rank: 1 } })
    }
  })

  it('many at once', async () => {
    const calls = Array.from({ length: 30 }, (_, i): Call => {
      const matrix = withSpectrum(20 + i, 50 - i, [9, 5, 2, 1, 0.1, 0.01], i + 1)
      return i % 2
        ? { verb: 'svd', args: [matrix] }
        : { verb: 'lowRank', args: [matrix], options: { maxRelativeError: 0.01 } }
    })
    await Promise.all(calls.map((call) => checkResult(pools, call)))
  })
})

describe('applyMask', () => {
  const SHAPES = [[], [0], [3, 0], [7, 9], [CHUNK - 1], [CHUNK + 1], [3, CHUNK + 3], [2 * CHUNK], [777, 1001]]

  it.each(SHAPES.map((shape, i) => ({ name: nameOf({ shape }), shape, i })))('$name', async ({ shape, i }) => {
    const size = shape.reduce((product, n) => product * n, 1)
    const data = numbers(size, i)
    for (let k = 0; k < size; k += 1013) data[k] = [NaN, Infinity, -Infinity, -0][k % 4]!
    const bits = Uint8Array.from({ length: Math.ceil(size / 8) }, (_, k) => (k * 197 + 31) & 255)
    if (size % 8) bits[bits.length - 1]! &= 2 ** (size % 8) - 1
    await check({
      verb: 'applyMask',
      args: [
        { data, shape },
        { bits, shape }
      ]
    })
    await check({
      verb: 'applyMask',
      args: [
        { data: normals64(size, i), shape },
        { bits, shape }
      ]
    })
  })

  it('NaN keep their bits', async () => {
    const words = new Uint32Array(CHUNK + 5).fill(0x7fc12345)
    const data = new Float32Array(words.buffer)
    const bits = new Uint8Array(Math.ceil(data.length / 8)).fill(255)
    const result = await pools[1]!.applyMask(data, { bits, shape: [data.length] })
    expect(new Uint32Array(result.data.buffer).every((word) => word === 0x7fc12345)).toBe(true)
  })
})
