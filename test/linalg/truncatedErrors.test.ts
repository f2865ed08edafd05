import { describe, expect, it, vi } from 'vitest'
import { Memory } from '../../src/core/memory.js'
import { MemoryLimitError, truncatedSvd } from '../../src/index.js'
import type { LinearOperator, Tensor, TensorLike, TruncatedSvdOptions } from '../../src/index.js'
import { expectSameBits } from '../support/bits.js'
import { expectError, wrong } from '../support/errors.js'
import { random, withSpectrum } from '../support/matrices.js'

const a = random(12, 5)
const f32 = { data: Float32Array.from(a.data), shape: a.shape }

describe('options', () => {
  it.each<[unknown, new (message: string) => Error, string]>([
    [undefined, TypeError, 'truncatedSvd: "options" expected an object with rank, energy'],
    [{}, TypeError, 'truncatedSvd: expected exactly one of rank, energy, maxRelativeError, got none'],
    [{ rank: 1, energy: 0.5 }, TypeError, 'got rank and energy'],
    [
      { rank: 1, ranks: 2 },
      TypeError,
      'unknown option "ranks"; expected rank, energy, maxRelativeError, method, seed, dtype'
    ],
    [{ rank: '3' }, TypeError, '"rank" expected a whole number, got "3"'],
    [{ rank: 0 }, RangeError, '"rank" expected a whole number of at least 1, got 0'],
    [{ rank: 1.5 }, RangeError, '"rank" expected a whole number'],
    [{ rank: NaN }, RangeError, '"rank" expected a whole number'],
    [{ rank: 6 }, RangeError, '"rank" expected a whole number from 1 to 5, got 6'],
    [{ energy: 0 }, RangeError, '"energy" expected a number in'],
    [{ energy: 1.01 }, RangeError, '"energy" expected a number in'],
    [{ energy: NaN }, RangeError, '"energy" expected a number in'],
    [{ energy: '1' }, TypeError, '"energy" expected a number, got "1"'],
    [{ maxRelativeError: -0.1 }, RangeError, '"maxRelativeError" expected a number in [0, 1], got -0.1'],
    [{ maxRelativeError: 2 }, RangeError, '"maxRelativeError" expected a number in [0, 1], got 2'],
    [{ rank: 1, method: 'svd' }, TypeError, '"method" expected one of gram, krylov, got "svd"'],
    [{ rank: 1, seed: -1 }, RangeError, '"seed" expected a whole number'],
    [{ rank: 1, seed: 0.5 }, RangeError, '"seed" expected a whole number'],
    [{ rank: 1, seed: 2 ** 53 }, RangeError, '"seed" expected a whole number'],
    [{ rank: 1, dtype: 'float16' }, TypeError, '"dtype" expected one of float32, float64, got "float16"'],
    [
      { maxRelativeError: 1e-8, method: 'gram' },
      RangeError,
      '"maxRelativeError" 1e-8 is closer than "method" \'gram\' can tell; leave "method" out'
    ],
    [{ energy: 1, method: 'krylov' }, RangeError, '"energy" 1 is closer than "method" \'krylov\' can tell'],
    [
      { rank: 2, method: 'krylov' },
      RangeError,
      '"method" \'krylov\' expected min(m, n) of at least 54 for rank 2, got 5; leave it out'
    ],
    [
      { energy: 0.5, method: 'krylov' },
      RangeError,
      '"method" \'krylov\' expected min(m, n) of at least 240 for a target of energy or error, got 5; leave it out'
    ],
    [{ maxRelativeError: 0.5, method: 'krylov' }, RangeError, 'of at least 240 for a target of energy or error, got 5']
  ])('%j', (options, type, message) => {
    expectError(() => truncatedSvd(a, wrong(options)), type, message)
    const rows = (): TensorLike[] => [a]
    if (options) expectError(() => truncatedSvd({ rows }, wrong(options)), type, message)
  })
})

describe('a matrix', () => {
  it.each<[unknown, new (message: string) => Error, string]>([
    [undefined, TypeError, 'truncatedSvd: "source" expected a tensor'],
    [null, TypeError, 'truncatedSvd: "source" expected a tensor'],
    ['a', TypeError, 'truncatedSvd: "source" expected a tensor'],
    [new Float32Array(6), RangeError, '"source" expected a shape of two dimensions, got [6]'],
    [{ data: new Float32Array(8), shape: [2, 2, 2] }, RangeError, 'got [2, 2, 2]'],
    [
      { data: new Float32Array(0), shape: [0, 3] },
      RangeError,
      '"source" expected a matrix with elements, got shape [0, 3]'
    ],
    [{ data: new Float32Array(0), shape: [3, 0] }, RangeError, 'got shape [3, 0]'],
    [{ data: new Float32Array(5), shape: [2, 3] }, RangeError, '"source" expected length 6 (2x3), got 5'],
    [{ shape: [2, 2], rows: [[1, 2]] }, TypeError, 'truncatedSvd: "source" expected a tensor']
  ])('%j', (matrix, type, message) => {
    expectError(() => truncatedSvd(wrong(matrix), { rank: 1 }), type, message)
  })

  it.each([NaN, Infinity, -Infinity])('%f', (value) => {
    for (const place of [0, 37, 59]) {
      for (const { data, shape } of [a, f32]) {
        for (const turned of [shape, [5, 12]]) {
          const bad = data.slice()
          bad[place] = value
          const run = (options: TruncatedSvdOptions): unknown => truncatedSvd({ data: bad, shape: turned }, options)
          const message = `truncatedSvd: "source" expected finite numbers, got ${value} at index ${place}`
          expectError(() => run({ rank: 2 }), RangeError, message)
          expectError(() => run({ energy: 0.99999 }), RangeError, message)
          expectError(() => run({ maxRelativeError: 1e-9 }), RangeError, message)
        }
      }
    }
  })

  it('NaN beside what is beyond f32', () => {
    const data = a.data.slice()
    data[3] = 1e300
    expect(truncatedSvd({ data, shape: a.shape }, { rank: 1 }).s.data[0]).toBeGreaterThan(1e299)
    for (const method of [undefined, 'gram'] as const) {
      const { s } = truncatedSvd({ data, shape: a.shape }, { rank: 2, dtype: 'float32', method })
      expect(s.data).toBeInstanceOf(Float32Array)
      expect(s.data[0]).toBe(Infinity)
    }
    data[40] = NaN
    expectError(() => truncatedSvd({ data, shape: a.shape }, { rank: 1 }), RangeError, 'got NaN at index 40')
  })

  it('for which there is no memory', () => {
    let calls = 0
    const rows = (): TensorLike[] => {
      calls++
      return [{ data: new Float32Array(40_000), shape: [1, 40_000] }]
    }
    const stream = { shape: [50_000, 40_000], rows }
    expectError(
      () => truncatedSvd(stream, { rank: 5, method: 'gram' }),
      MemoryLimitError,
      'bytes of WebAssembly memory'
    )
    expectError(() => truncatedSvd(stream, { rank: 5000 }), MemoryLimitError, 'bytes of WebAssembly memory')
    // Looked at, but not read.
    expect(calls).toBe(2)
  })
})

describe('memory', () => {
  it.each<[number, number, TruncatedSvdOptions]>([
    [700, 60, { rank: 5 }],
    [60, 700, { rank: 5 }],
    [60, 700, { rank: 60 }],
    [700, 200, { rank: 200 }],
    [700, 200, { rank: 3, dtype: 'float32' }],
    [600, 300, { rank: 8 }],
    [300, 600, { rank: 8 }],
    [300, 600, { rank: 8, dtype: 'float32' }],
    [600, 300, { energy: 0.3, method: 'krylov' }]
  ])('is had before any work: %ix%i, %j', (m, n, options) => {
    const matrix = random(m, n)
    const tops: number[] = []
    const alloc = Memory.prototype.alloc
    const spy = vi.spyOn(Memory.prototype, 'alloc').mockImplementation(function (this: Memory, bytes: number) {
      const pointer = alloc.call(this, bytes)
      tops.push(this.used)
      return pointer
    })
    truncatedSvd(matrix, options)
    spy.mockRestore()
    expect(Math.max(...tops)).toBe(tops[0])
  })
})

describe('rows in chunks', () => {
  const chunk = (m: number, n: number, fill = 1): TensorLike => ({
    data: new Float32Array(m * n).fill(fill),
    shape: [m, n]
  })
  const run = (rows: () => Iterable<TensorLike>, shape?: readonly number[]): unknown =>
    truncatedSvd({ rows, shape }, { rank: 1 })

  it('that are none, or of other shapes', () => {
    expectError(() => run(() => []), RangeError, '"source" expected a matrix with elements, got shape [0, 0]')
    expectError(() => run(() => [], [3, 2]), RangeError, '"rows" expected 3 rows in all, as "shape" says, got 0')
    expectError(
      () => run(() => [chunk(2, 3), chunk(2, 4)]),
      RangeError,
      'truncatedSvd: "rows[1]" expected shape (rows, 3), got [2, 4]'
    )
    expectError(() => run(() => [chunk(2, 4)], [2, 3]), RangeError, '"rows[0]" expected shape (rows, 3), got [2, 4]')
    expectError(
      () => run(() => [Float32Array.of(1, 2)]),
      RangeError,
      '"rows[0]" expected shape (rows, columns), got [2]'
    )
    expectError(() => run(() => wrong([3])), TypeError, '"rows[0]" expected a tensor')
    expectError(
      () => run(() => wrong([Promise.resolve(chunk(1, 2))])),
      TypeError,
      '"rows[0]" expected a tensor, got a promise'
    )
    expectError(
      () => run(() => wrong(5)),
      TypeError,
      '"rows" expected a function that returns an iterable of tensors (rows, columns), got one that returns 5'
    )
    expectError(
      () => run(() => [chunk(2, 3)], [2]),
      RangeError,
      '"source" expected a matrix with elements, got shape [2]'
    )
    expectError(() => run(() => [chunk(2, 3)], wrong('2x3')), RangeError, '"source" expected a matrix with elements')
  })

  it('of which the first is empty: the next decides the type', async () => {
    const empty = { data: new Float32Array(0), shape: [0, 5] }
    const expected = truncatedSvd(a, { rank: 2 })
    for (const shape of [undefined, a.shape]) {
      for (const result of [
        truncatedSvd({ shape, rows: () => [empty, empty, a] }, { rank: 2 }),
        await truncatedSvd(
          {
            shape,
            rows: async function* () {
              yield empty
              yield await Promise.resolve(a)
            }
          },
          { rank: 2 }
        )
      ]) {
        expectSameBits(result.s.data, expected.s.data)
        expectSameBits(result.u.data, expected.u.data)
      }
    }
    expectError(() => run(() => [empty]), RangeError, 'got shape [0, 5]')
    expectError(() => run(() => [empty, chunk(2, 3)]), RangeError, '"rows[1]" expected shape (rows, 5), got [2, 3]')
  })

  it('that are more or fewer than the shape says, or than before', () => {
    expectError(
      () => run(() => [chunk(2, 3)], [3, 3]),
      RangeError,
      '"rows" expected 3 rows in all, as "shape" says, got 2'
    )
    expectError(() => run(() => [chunk(2, 3), chunk(2, 3)], [3, 3]), RangeError, 'got at least 4')
    for (const [last, got] of [
      [9, '9'],
      [11, 'at least 11'],
      [0, '0']
    ] as const) {
      for (const change of [2, 3]) {
        let calls = 0
        const rows = (): TensorLike[] => [chunk(++calls === change ? last : 10, 3)]
        expectError(
          () => run(rows),
          RangeError,
          `"rows" expected 10 rows in all, as the first pass had, got ${got}; each call has to give the same rows`
        )
      }
    }
    const once = [chunk(4, 3)].values()
    expectError(() => run(() => once), RangeError, 'got 0')
  })

  it('with a number that is not finite, also where it comes later', async () => {
    for (const change of [1, 2, 3]) {
      for (const type of [Float32Array, Float64Array]) {
        let calls = 0
        const rows = function* (): Generator<TensorLike> {
          calls++
          yield { data: new type(600).fill(1), shape: [300, 2] }
          const data = new type(10).fill(1)
          if (calls >= change) data[7] = NaN
          yield { data, shape: [5, 2] }
        }
        expectError(() => run(rows), RangeError, 'truncatedSvd: "rows" expected finite numbers, got NaN at index 607')
        calls = 0
        const later = async function* (): AsyncGenerator<TensorLike> {
          yield* rows()
        }
        await expect(truncatedSvd({ rows: later }, { rank: 1 })).rejects.toThrow('got NaN at index 607')
      }
    }
  })
})

describe('an operator', () => {
  const matrix = withSpectrum(70, 60, [5, 4, 3, 2, 1])
  const [m, n] = matrix.shape
  type Product = Tensor<Float64Array<ArrayBuffer>>
  const product = ({ data, shape }: Tensor<ArrayLike<number> & object>, across: boolean, sign = 1): Product => {
    const b = shape[1]
    const out = new Float64Array((across ? n : m) * b)
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        const [to, from] = across ? [j, i] : [i, j]
        for (let c = 0; c < b; c++) out[to * b + c] += sign * matrix.data[i * n + j] * data[from * b + c]
      }
    }
    return { data: out, shape: [across ? n : m, b] }
  }
  const sound: LinearOperator = {
    shape: [m, n],
    multiply: (x) => product(x, false),
    multiplyTransposed: (y) => product(y, true)
  }
  const run = (more: object, options: TruncatedSvdOptions = { rank: 2 }): unknown =>
    truncatedSvd({ ...sound, ...more }, options)

  it('of the wrong kind', () => {
    expectError(() => run({ shape: [m] }), RangeError, '"source" expected a matrix with elements, got shape [70]')
    expectError(
      () => run({ shape: undefined }),
      RangeError,
      '"source" expected a matrix with elements, got shape undefined'
    )
    expectError(
      () => run({ multiplyTransposed: undefined }),
      TypeError,
      '"source.multiplyTransposed" expected a function, got undefined'
    )
    expectError(() => run({ norm: -1 }), RangeError, '"source.norm" expected a number in')
    expectError(() => run({ norm: NaN }), RangeError, '"source.norm" expected a number in')
    expectError(() => run({}, { energy: 0.5 }), TypeError, '"source.norm" expected the operator\'s Frobenius norm')
    expectError(() => run({}, { rank: 61 }), RangeError, '"rank" expected a whole number from 1 to 60')
    expectError(() => run({}, { rank: 5, method: 'krylov' }), RangeError, 'at least 63 for rank 5, got 60')
    expectError(() => run({ norm: 9 }, { energy: 0.5, method: 'krylov' }), RangeError, 'at least 240', 'got 60')
  })

  // Rank 2 is Krylov's, rank 30 has the matrix made from its products.
  it.each([2, 30])('whose answers are no products, rank %i', (rank) => {
    const answer = (what: unknown): object => ({ multiply: () => what })
    const expected = (more: object, type: new (message: string) => Error, ...parts: string[]): void =>
      expectError(() => run(more, { rank }), type, ...parts)
    expected(answer(undefined), TypeError, 'truncatedSvd: "multiply" expected a tensor')
    expected(answer(Promise.resolve()), TypeError, '"multiply" expected to return a tensor, got a promise')
    expected(answer(new Float64Array(70)), RangeError, '"multiply" expected to return shape [70, ', 'got [70]')
    expected(
      { multiply: (x: never) => product(x, true) },
      RangeError,
      '"multiply" expected to return shape [70, ',
      '(A is 70x60), got [60, '
    )
    expected(
      { multiplyTransposed: (y: never) => product(y, false) },
      RangeError,
      '"multiplyTransposed" expected to return shape [60, '
    )
    const spoilt = (value: number) => (x: never) => {
      const result = product(x, false)
      result.data[5] = value
      return result
    }
    expected(
      { multiply: spoilt(NaN) },
      RangeError,
      'truncatedSvd: "multiply" expected finite numbers, got NaN at index 5'
    )
    expected({ multiply: spoilt(-Infinity) }, RangeError, 'got -Infinity at index 5')
    expected(
      {
        multiplyTransposed: (y: never) => ({
          data: new Uint16Array(60 * (y as Product).shape[1]),
          shape: [60, (y as Product).shape[1]],
          dtype: 'bfloat16'
        })
      },
      TypeError,
      'expected to return numbers, got bfloat16 patterns'
    )
    const error = new Error('of its own')
    expect(() =>
      run(
        {
          multiply: () => {
            throw error
          }
        },
        { rank }
      )
    ).toThrow(error)
  })

  it.each([2, 30])('whose functions contradict each other, rank %i', (rank) => {
    const message = '"multiplyTransposed" is not the transpose of "multiply": <A x, y> and <x, A\'y> differ by'
    for (const multiplyTransposed of [
      (y: never) => product(y, true, -1),
      (y: never) => product(y, true, 1.01),
      (y: never) => ({
        data: new Float64Array(60 * (y as Product).shape[1]).fill(1),
        shape: [60, (y as Product).shape[1]]
      })
    ]) {
      expectError(() => run({ multiplyTransposed }, { rank }), RangeError, message)
    }
  })

  it('whose norm is less than its singular values', () => {
    expectError(() => run({ norm: 5 }), RangeError, '"source.norm" expected at least 6.4', 'got 5')
    expectError(() => run({ norm: 5 }, { rank: 30 }), RangeError, '"source.norm" expected at least 7.4', 'got 5')
    expect(run({ norm: Math.sqrt(55) }, { rank: 30 })).toMatchObject({ rank: 30 })
    expect(run({ norm: Math.sqrt(55) })).toMatchObject({ rank: 2 })
  })
})
