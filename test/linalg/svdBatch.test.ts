import { describe, expect, it } from 'vitest'
import { svd } from '../../src/index.js'
import type { Svd } from '../../src/index.js'
import { bfloat16Bits, float16Bits, float16Value } from '../oracle/quantize.js'
import { expectSameBits } from '../support/bits.js'
import { expectError, wrong } from '../support/errors.js'
import { MATRIX_TYPES, random } from '../support/matrices.js'
import { normals, normals64 } from '../support/random.js'
import { sizeOf } from '../support/shapes.js'

type Floats = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>

interface Batch {
  data: Floats
  shape: number[]
}

const OPTIONS = [{}, { dtype: 'float32' }, { dtype: 'float64' }] as const

/** Every matrix of a batch comes out as it does alone, to the byte. */
function checkBatch({ data, shape }: Batch, options: (typeof OPTIONS)[number] = {}): void {
  const [m, n] = shape.slice(-2)
  const lead = shape.slice(0, -2)
  const k = Math.min(m, n)
  const whole = svd({ data, shape }, options)
  expect([whole.u.shape, whole.s.shape, whole.v.shape]).toEqual([
    [...lead, m, k],
    [...lead, k],
    [...lead, n, k]
  ])
  const count = sizeOf(lead)
  const alone: Svd[] = Array.from({ length: count }, (_, b) =>
    svd({ data: data.slice(b * m * n, (b + 1) * m * n), shape: [m, n] }, options)
  )
  alone.forEach(({ u, s, v }, b) => {
    expectSameBits(whole.u.data.subarray(b * m * k, (b + 1) * m * k), u.data, `u of matrix ${b}`)
    expectSameBits(whole.s.data.subarray(b * k, (b + 1) * k), s.data, `s of matrix ${b}`)
    expectSameBits(whole.v.data.subarray(b * n * k, (b + 1) * n * k), v.data, `v of matrix ${b}`)
  })
  expect([whole.u.data.length, whole.s.data.length, whole.v.data.length]).toEqual([
    count * m * k,
    count * k,
    count * n * k
  ])
  expect({ sweeps: whole.sweeps, converged: whole.converged, offDiagonal: whole.offDiagonal }).toEqual({
    sweeps: Math.max(0, ...alone.map(({ sweeps }) => sweeps)),
    converged: alone.every(({ converged }) => converged),
    offDiagonal: Math.max(0, ...alone.map(({ offDiagonal }) => offDiagonal))
  })
}

describe('batches', () => {
  it.each([
    [[1, 4, 3]],
    [[1, 1, 1, 1]],
    [[7, 1, 1]],
    [[2, 3, 5, 5]],
    [[2, 3, 8, 3]],
    [[2, 3, 3, 8]],
    [[4, 1, 9]],
    [[4, 9, 1]],
    [[2, 1, 2, 1, 17, 12]],
    [[3, 33, 20]],
    [[40, 2, 2]]
  ])('of shape %j', (shape) => {
    for (const options of OPTIONS) {
      checkBatch({ data: normals64(sizeOf(shape), shape.length), shape }, options)
      checkBatch({ data: normals(sizeOf(shape), shape.length), shape }, options)
    }
  })

  it.each([[[0, 4, 3]], [[3, 0, 5]], [[3, 5, 0]], [[0, 0, 0]], [[2, 0, 4, 4]], [[0, 3, 2, 2]], [[2, 2, 0, 0]]])(
    'without elements, %j',
    (shape) => {
      checkBatch({ data: new Float64Array(0), shape })
      checkBatch({ data: new Float32Array(0), shape })
      const { sweeps, converged, offDiagonal, s } = svd({ data: new Float64Array(0), shape })
      expect({ sweeps, converged, offDiagonal }).toEqual({ sweeps: 0, converged: true, offDiagonal: 0 })
      expect(s.data).toEqual(new Float64Array(0))
    }
  )

  it('of matrices of all kinds, one after the other', () => {
    for (const [m, n] of [
      [9, 9],
      [12, 7],
      [7, 12]
    ]) {
      const parts = MATRIX_TYPES.map(({ make }) => make(m, n).data)
      const data = new Float64Array(parts.length * m * n)
      parts.forEach((part, b) => data.set(part, b * m * n))
      checkBatch({ data, shape: [parts.length, m, n] })
      // The other way round, so that nothing of one is left over to the next.
      const turned = new Float64Array(data.length)
      parts.reverse().forEach((part, b) => turned.set(part, b * m * n))
      checkBatch({ data: turned, shape: [parts.length, m, n] })
    }
  })

  it('larger than one piece of memory', () => {
    checkBatch({ data: normals64(5 * 150 * 130, 2), shape: [5, 150, 130] })
  })

  it('as nested arrays, with dims, as a view', () => {
    const nested = [
      [
        [1, 2],
        [3, 4],
        [5, 6.5]
      ],
      [
        [0, 1],
        [1, 0],
        [0, 0]
      ]
    ]
    const flat = Float64Array.from(nested.flat(2))
    const expected = svd({ data: flat, shape: [2, 3, 2] })
    expect(expected.s.data).toBeInstanceOf(Float64Array)
    expect(svd(nested)).toEqual(expected)
    expect(svd({ data: nested })).toEqual(expected)
    const wide = new Float64Array(20)
    wide.set(flat, 5)
    expect(svd({ data: wide.subarray(5, 17), dims: [2, 3, 2] })).toEqual(expected)
    expect(wide.subarray(5, 17)).toEqual(flat)
  })
})

describe('dtype', () => {
  const a = random(9, 6, 3)

  it('float64 is the default of f64 and of nested arrays, float32 that of all else', () => {
    const nested = [
      [1, 2],
      [3, 4]
    ]
    for (const wide of [a, nested, { data: nested }, { data: [1, 2, 3, 4], shape: [2, 2] }]) {
      for (const part of [svd(wide).u, svd(wide).s, svd(wide).v]) expect(part.data).toBeInstanceOf(Float64Array)
    }
    const shape = [2, 2]
    for (const Type of [Float32Array, Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array]) {
      const { u, s, v } = svd({ data: Type.of(1, 2, 3, 4), shape })
      for (const part of [u, s, v]) expect(part.data, Type.name).toBeInstanceOf(Float32Array)
      expect(svd({ data: Type.of(1, 2, 3, 4), shape }, { dtype: 'float64' })).toEqual(svd(nested))
    }
  })

  it('float64 of f32 input is what f64 of the same numbers gives', () => {
    const narrow = Float32Array.from(a.data)
    const wide = svd({ data: Float64Array.from(narrow), shape: a.shape })
    expect(svd({ data: narrow, shape: a.shape }, { dtype: 'float64' })).toEqual(wide)
  })

  it('float32 is float64, rounded once', () => {
    const wide = svd(a)
    const { u, s, v, ...rest } = svd(a, { dtype: 'float32' })
    expectSameBits(u.data, Float32Array.from(wide.u.data), 'u')
    expectSameBits(s.data, Float32Array.from(wide.s.data), 's')
    expectSameBits(v.data, Float32Array.from(wide.v.data), 'v')
    expect(rest).toEqual({ sweeps: wide.sweeps, converged: wide.converged, offDiagonal: wide.offDiagonal })
  })

  it('undefined is the default', () => {
    expect(svd(a, { dtype: undefined })).toEqual(svd(a))
    expect(svd(a, undefined)).toEqual(svd(a))
    expect(svd(a, {})).toEqual(svd(a))
  })

  it('the patterns of 16-bit floats are read as the numbers they stand for', () => {
    const values = Array.from(normals(2 * 4 * 3, 6), (x) => float16Value(float16Bits(x)))
    // A subnormal of float16, and a zero of either sign.
    values.splice(3, 3, 3 * 2 ** -24, 0, -0)
    const shape = [2, 4, 3]
    const halves = { data: Uint16Array.from(values, float16Bits), shape, dtype: 'float16' }
    const numbers = { data: Float32Array.from(values), shape }
    for (const options of OPTIONS) expect(svd(halves, options)).toEqual(svd(numbers, options))
    const coarse = values.map((x) => Math.round(x * 8) / 8)
    const brains = { data: Uint16Array.from(coarse, bfloat16Bits), dims: shape, type: 'bfloat16' }
    expect(svd(brains)).toEqual(svd({ data: Float32Array.from(coarse), shape }))
    expect(svd(brains).s.data).toBeInstanceOf(Float32Array)
  })
})

describe('bad input', () => {
  it('fewer than two dimensions', () => {
    for (const [input, shape] of [
      [[1, 2, 3], '[3]'],
      [Float32Array.of(1, 2), '[2]'],
      [new Float64Array(0), '[0]'],
      [{ data: Float64Array.of(1, 2), dims: [2] }, '[2]'],
      [{ data: Float64Array.of(1), shape: [] }, '[]']
    ] as const) {
      expectError(() => svd(input), RangeError, 'svd: "matrix"', 'expected', 'dimensions', `got ${shape}`)
    }
  })

  it('what is no tensor', () => {
    for (const input of [undefined, null, 3, 'matrix', {}, { shape: [1, 1] }]) {
      expectError(() => svd(wrong(input)), TypeError, 'svd: "matrix"', 'expected')
    }
    expectError(() => svd({ data: new Float32Array(5), shape: [2, 3] }), RangeError, 'svd: "matrix"', '6', 'got 5')
    expectError(() => svd({ data: new Float32Array(5), shape: [2, 2, 3] }), RangeError, 'svd: "matrix"', '12', 'got 5')
    expectError(() => svd([[1, 2], [3]]), RangeError, 'svd: "matrix"')
  })

  it.each([NaN, Infinity, -Infinity])('%f, whose first index is named', (bad) => {
    for (const shape of [
      [1, 1],
      [7, 5],
      [5, 7],
      [40, 40],
      [3, 5, 4],
      [2, 3, 4, 5],
      [4, 100, 100]
    ]) {
      const size = sizeOf(shape)
      for (const index of [0, size >> 1, size - 1]) {
        for (const data of [normals64(size, 3), normals(size, 3)]) {
          data[index] = bad
          // A later one, which is not the first.
          data[size - 1] = NaN
          const shown = index === size - 1 ? NaN : bad
          expectError(() => svd({ data, shape }), RangeError, `svd: "matrix"`, `${shown} at index ${index};`)
        }
      }
    }
  })

  it('NaN and infinities among the patterns of 16-bit floats', () => {
    const data = Uint16Array.from(normals(24, 3), float16Bits)
    for (const [pattern, shown] of [
      [0x7e00, 'NaN'],
      [0x7c00, 'Infinity'],
      [0xfc00, '-Infinity']
    ] as const) {
      data[17] = pattern
      const input = { data, shape: [2, 3, 4], dtype: 'float16' }
      expectError(() => svd(input), RangeError, 'svd: "matrix"', `got ${shown} at index 17`)
    }
  })

  it('options that do not exist, or are none', () => {
    const a = random(2, 2)
    for (const name of ['full', 'fullMatrices', 'type', 'DType']) {
      expectError(() => svd(a, wrong({ [name]: true })), TypeError, `svd: unknown option "${name}"`, 'dtype')
    }
    for (const options of [null, 3, 'float32', true]) {
      expectError(() => svd(a, wrong(options)), TypeError, 'svd: "options" expected', 'dtype')
    }
  })

  it('a dtype that is neither', () => {
    for (const dtype of ['float16', 'f32', 'Float64', '', null, 64, Float32Array]) {
      expectError(
        () => svd(random(2, 2), wrong({ dtype })),
        TypeError,
        'svd: "dtype" expected',
        'float32',
        'float64',
        'got'
      )
    }
  })

  it('is found before anything is computed: a bad matrix at the end of a batch', () => {
    const data = normals64(6 * 30 * 30, 5)
    data[data.length - 1] = NaN
    expectError(() => svd({ data, shape: [6, 30, 30] }), RangeError, `index ${data.length - 1}`)
    // And nothing is left behind: the next call is what it was.
    data[data.length - 1] = 1
    checkBatch({ data, shape: [6, 30, 30] })
  })
})
