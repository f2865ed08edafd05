import { describe, expect, it } from 'vitest'
import { truncatedSvd } from '../../src/index.js'
import type {
  AsyncRowStream,
  LinearOperator,
  Tensor,
  TensorLike,
  TruncatedSvd,
  TruncatedSvdOptions
} from '../../src/index.js'
import { float16Bits, float16Value } from '../oracle/quantize.js'
import { expectSameBits } from '../support/bits.js'
import { geometric, random, transposed, withSpectrum } from '../support/matrices.js'
import { index, seeded } from '../support/random.js'
import { checkTruncated } from '../support/truncated.js'

type Floats = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>
interface Given {
  data: Floats
  shape: [number, number]
}

/** Chunks of these heights, again and again. */
function* chunksOf({ data, shape: [m, n] }: Given, heights: readonly number[]): Generator<TensorLike> {
  for (let r = 0, i = 0; r < m; i++) {
    const count = Math.min(heights[i % heights.length], m - r)
    yield { data: data.slice(r * n, (r + count) * n), shape: [count, n] }
    r += count
  }
}

async function* later(chunks: Iterable<TensorLike>): AsyncGenerator<TensorLike> {
  for (const chunk of chunks) {
    await new Promise((resolve) => setTimeout(resolve, 0))
    yield chunk
  }
}

function expectSame(actual: TruncatedSvd, expected: TruncatedSvd, what: string): void {
  for (const name of ['u', 's', 'v'] as const) {
    expect(actual[name].shape, `${name} of ${what}`).toEqual(expected[name].shape)
    expectSameBits(actual[name].data, expected[name].data, `${name} of ${what}`)
  }
  expectSameBits(actual.residuals, expected.residuals, `residuals of ${what}`)
  const rest = ({ rank, energy, relativeError, method, seed }: TruncatedSvd): unknown[] => [
    rank,
    energy,
    relativeError,
    method,
    seed
  ]
  expect(rest(actual), what).toEqual(rest(expected))
}

const f32 = ({ data, shape }: Given): Given => ({ data: Float32Array.from(data), shape })
const scaledTo = ({ data, shape }: Given, factor: number): Given => ({ data: data.map((x) => x * factor), shape })

const tall = withSpectrum(700, 60, geometric(60, 1e4))
const large = withSpectrum(600, 230, geometric(230, 1e15))
const CASES: readonly [string, Given, TruncatedSvdOptions][] = [
  ['tall, f32', f32(tall), { rank: 7 }],
  ['tall, f64', tall, { rank: 7 }],
  ['tall, f64 as f32', tall, { rank: 7, dtype: 'float32' }],
  ['tall, f32 as f64', f32(tall), { rank: 7, dtype: 'float64' }],
  ['wide, f32', f32(transposed(tall)), { rank: 7 }],
  ['wide, f64', transposed(tall), { rank: 7 }],
  ['Krylov, f32', f32(large), { rank: 3 }],
  ['Krylov, f64', large, { rank: 3 }],
  ['Krylov, wide', f32(transposed(large)), { rank: 3 }],
  ['Krylov with a target', withSpectrum(500, 250, geometric(250, 1e15)), { energy: 0.99, method: 'krylov' }],
  ['an easy target', f32(tall), { energy: 0.9 }],
  ['a tight target', f32(tall), { maxRelativeError: 1e-3 }],
  ['a target for the whole', tall, { maxRelativeError: 1e-8 }],
  ['great numbers', f32(scaledTo(tall, 2 ** 100)), { rank: 7 }],
  ['small numbers, Krylov', f32(scaledTo(large, 2 ** -100)), { rank: 3 }],
  ['zeros', f32(scaledTo(tall, 0)), { rank: 3 }],
  ['one row', { data: Float32Array.of(3, 4), shape: [1, 2] }, { rank: 1 }]
]

describe('rows in chunks', () => {
  it.each(CASES)('give the bytes of the matrix: %s', async (_, matrix, options) => {
    const expected = truncatedSvd(matrix, options)
    for (const heights of [[7], [255, 1, 3], [257], [1000]]) {
      const what = `chunks of ${heights.join(', ')}`
      for (const shape of [undefined, matrix.shape]) {
        const rows = (): Iterable<TensorLike> => chunksOf(matrix, heights)
        expectSame(truncatedSvd({ rows, shape }, options), expected, what)
      }
    }
    const rows = (): AsyncIterable<TensorLike> => later(chunksOf(matrix, [300]))
    expectSame(await truncatedSvd({ rows }, options), expected, 'later')
  })

  it('of any heights', () => {
    const next = seeded(3)
    const matrix = f32(random(900, 11))
    const expected = truncatedSvd(matrix, { rank: 4 })
    for (let round = 0; round < 20; round++) {
      const heights = Array.from({ length: 40 }, () => index(next, 90))
      heights[0] = 1
      expectSame(truncatedSvd({ rows: () => chunksOf(matrix, heights) }, { rank: 4 }), expected, heights.join())
    }
  })

  it('are read again at each pass: one more without a shape', () => {
    const count = (matrix: Given, options: TruncatedSvdOptions, shape?: readonly number[]): number => {
      let calls = 0
      const rows = (): Iterable<TensorLike> => {
        calls++
        return chunksOf(matrix, [64])
      }
      truncatedSvd({ rows, shape }, options)
      return calls
    }
    // One call looks at the first chunk, or counts; then the Gram matrix, and the vectors.
    expect(count(tall, { rank: 5 })).toBe(3)
    expect(count(tall, { rank: 5 }, tall.shape)).toBe(3)
    expect(count(large, { rank: 3 })).toBe(8)
    expect(count(scaledTo(tall, 1e200), { rank: 5 })).toBe(4)
  })

  it('may belong to an object of a class', async () => {
    class Table {
      readonly shape = tall.shape
      constructor(private readonly height: number) {}
      *rows(): Generator<TensorLike> {
        yield* chunksOf(tall, [this.height])
      }
    }
    class Later extends Table {
      // @ts-expect-error: rows of another kind
      override async *rows(): AsyncGenerator<TensorLike> {
        yield* super.rows()
      }
    }
    const expected = truncatedSvd(tall, { rank: 4 })
    expectSame(truncatedSvd(new Table(90), { rank: 4 }), expected, 'of a class')
    expectSame(
      await truncatedSvd(new Later(90) as unknown as AsyncRowStream, { rank: 4 }),
      expected,
      'of a class, later'
    )
  })

  it('of mixed classes, float16 bits among them', () => {
    const bits = Uint16Array.from(random(300, 8).data, float16Bits)
    const data = Float32Array.from(bits, float16Value)
    const part = (from: number, to: number): Floats => data.slice(8 * from, 8 * to)
    function* rows(): Generator<TensorLike> {
      yield { data: bits.slice(0, 800), shape: [100, 8], dtype: 'float16' }
      yield { data: part(100, 100), shape: [0, 8] }
      yield { data: part(100, 250), shape: [150, 8] }
      yield Array.from({ length: 50 }, (_, i) => [...part(250 + i, 251 + i)])
    }
    expectSame(truncatedSvd({ rows }, { rank: 3 }), truncatedSvd({ data, shape: [300, 8] }, { rank: 3 }), 'mixed')
  })

  it('leave the core to others while they are waited for, and while they are made', async () => {
    const [a, b] = [f32(random(600, 20, 1)), f32(random(500, 30, 2))]
    const [x, y] = await Promise.all(
      [a, b].map((matrix) => truncatedSvd({ rows: () => later(chunksOf(matrix, [50])) }, { rank: 3 }))
    )
    expectSame(x, truncatedSvd(a, { rank: 3 }), 'the first')
    expectSame(y, truncatedSvd(b, { rank: 3 }), 'the second')
    function* busy(): Generator<TensorLike> {
      for (const chunk of chunksOf(a, [100])) {
        truncatedSvd(b, { rank: 2 })
        yield chunk
      }
    }
    expectSame(truncatedSvd({ rows: busy }, { rank: 3 }), x, 'busy')
  })

  it('that fail are closed, and the core is as before', async () => {
    let closed = 0
    function* rows(): Generator<TensorLike> {
      try {
        yield* chunksOf(tall, [100])
        throw new Error('no more')
      } finally {
        closed++
      }
    }
    expect(() => truncatedSvd({ rows, shape: tall.shape }, { rank: 3 })).toThrow('no more')
    expect(closed).toBe(2)
    const failing = truncatedSvd({ rows: () => later(rows()) }, { rank: 3 })
    await expect(failing).rejects.toThrow('no more')
    expectSame(truncatedSvd(tall, { rank: 3 }), truncatedSvd(tall, { rank: 3 }), 'afterwards')
  })
})

/** Products with a matrix, by definition. */
function operatorOf({ data, shape }: Given, more: Partial<LinearOperator> = {}): LinearOperator {
  const [m, n] = shape
  const product = (x: Tensor<Floats>, across: boolean): Tensor<Float64Array<ArrayBuffer>> => {
    const [inner, b] = x.shape
    const rows = across ? n : m
    const out = new Float64Array(rows * b)
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < inner; j++) {
        const entry = across ? data[j * n + i] : data[i * n + j]
        for (let c = 0; c < b; c++) out[i * b + c] += entry * x.data[j * b + c]
      }
    }
    return { data: out, shape: [rows, b] }
  }
  return { shape, multiply: (x) => product(x, false), multiplyTransposed: (y) => product(y, true), ...more }
}

describe('operators', () => {
  const sigma = geometric(120, 1e8)
  const a = withSpectrum(150, 120, sigma)
  const norm = Math.sqrt(sigma.reduce((sum, x) => sum + x * x, 0))

  it.each([
    ['tall', a],
    ['wide', transposed(a)]
  ])('%s', (_, matrix) => {
    for (const rank of [1, 10, 24, 25, 60, 120]) {
      const told = truncatedSvd(operatorOf(matrix, { norm }), { rank })
      // Three blocks of 40 columns fill the smaller side.
      expect(told.method).toBe(rank <= 24 ? 'krylov' : 'gram')
      checkTruncated(matrix.data, matrix.shape, told, `rank ${rank}`, { sigma, excess: 1e-5, precision: 1e-8 })
      const untold = truncatedSvd(operatorOf(matrix), { rank })
      expectSameBits(untold.u.data, told.u.data)
      if (told.method === 'krylov') expect([untold.energy, untold.relativeError]).toEqual([undefined, undefined])
    }
  })

  it('by energy and error, where the norm is known', () => {
    for (const target of [{ energy: 0.5 }, { energy: 0.99 }, { maxRelativeError: 0.3 }, { maxRelativeError: 1e-5 }]) {
      const expected = truncatedSvd(a, target)
      const result = truncatedSvd(operatorOf(a, { norm }), target)
      expect(result.rank).toBe(expected.rank)
      expect(Math.abs(result.energy! - expected.energy!)).toBeLessThan(1e-9)
    }
    const broad = withSpectrum(400, 300, geometric(300, 1e30))
    const size = Math.sqrt(geometric(300, 1e30).reduce((sum, x) => sum + x * x, 0))
    expect(truncatedSvd(operatorOf(broad, { norm: size }), { energy: 0.999 })).toMatchObject({
      method: 'krylov',
      rank: truncatedSvd(broad, { energy: 0.999 }).rank
    })
    const whole = truncatedSvd(operatorOf(a, { norm }), { maxRelativeError: 1e-7 })
    expect(whole.method).toBe('full')
    expect(truncatedSvd(operatorOf(a), { rank: 5, method: 'gram' }).method).toBe('gram')
  })

  it('are given and may give f32, and are as large as they like', () => {
    const types = new Set<string>()
    const own = operatorOf(a)
    const single: LinearOperator = {
      shape: a.shape,
      multiply: (x) => {
        types.add(x.data.constructor.name)
        const { data, shape } = own.multiply(x) as Tensor<Float64Array<ArrayBuffer>>
        return { data: Float32Array.from(data), shape }
      },
      multiplyTransposed: (y) => own.multiplyTransposed(y)
    }
    const result = truncatedSvd(single, { rank: 6, dtype: 'float32' })
    expect([...types]).toEqual(['Float32Array'])
    expect(result.u.data).toBeInstanceOf(Float32Array)
    checkTruncated(a.data, a.shape, result, 'f32', { sigma, excess: 1e-4, precision: 2e-6 })
    for (const factor of [1e-300, 1e300]) {
      const { s } = truncatedSvd(operatorOf(scaledTo(a, factor), { norm: norm * factor }), { rank: 6 })
      s.data.forEach((x, j) => expect(Math.abs(x / factor - sigma[j])).toBeLessThan(1e-9))
    }
  })

  it('of zeros', () => {
    const zero = operatorOf(scaledTo(a, 0), { norm: 0 })
    for (const rank of [3, 30]) {
      const result = truncatedSvd(zero, { rank })
      expect([...result.s.data].every((x) => x === 0)).toBe(true)
      expect([result.energy, result.relativeError]).toEqual([1, 0])
      checkTruncated(new Float64Array(150 * 120), a.shape, result, 'zeros', { sigma: new Float64Array(120) })
    }
  })
})
