import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { exportVectors, type VectorDestination } from '../../../src/embeddings/vectors/exportVectors.js'
import { float16Value, float16Bits } from '../../oracle/quantize.js'
import { expectError, wrong } from '../../support/errors.js'
import { normals } from '../../support/random.js'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex').toUpperCase()
const one = <To extends VectorDestination>(vector: readonly number[], to: To) => exportVectors([vector], { to })[0]!

/** The fewest digits that read back. */
function shortest(x: number): number {
  for (let digits = 1; ; digits++) {
    const short = Number(x.toPrecision(digits))
    if (Math.fround(short) === x) return short
  }
}

describe('pgvector', () => {
  // README.md, "Getting Started".
  it('takes vectors as text', () => {
    expect(
      exportVectors(
        [
          [1, 2, 3],
          [4, 5, 6]
        ],
        { to: 'pgvector/vector' }
      )
    ).toEqual(['[1,2,3]', '[4,5,6]'])
  })

  // test/expected/functions.out and halfvec.out, binary_quantize.
  it.each([
    [[1, 0, -1], '100'],
    [[0, 0.1, -0.2, -0.3, 0.4, 0.5, 0.6, -0.7, 0.8, -0.9, 1], '01001110101'],
    [[1, 2, 3, -4, 5, 6, -7, 8, 1, -2, -3, 4, 5, -6, 7, 8, -1, 2, 3], '1110110110011011011']
  ])('takes the bits of %j as %s', (vector, bits) => {
    expect(one(vector, 'pgvector/bit')).toBe(bits)
    expect(
      exportVectors({ data: Int8Array.from(vector, Math.sign), shape: [1, vector.length] }, { to: 'pgvector/bit' })
    ).toEqual([bits])
  })

  // test/expected/halfvec.out: '[1.23456]' reads as 1.234375, 65519 as 65504, 1e-8 as 0; 65520 is out of range.
  it('takes halfvec as text that it would not round any more', () => {
    expect(one([1.23456, 65519, -65519, 1e-8, 0.6, 0.8], 'pgvector/halfvec')).toBe('[1.234,65500,-65500,0,0.6,0.8]')
    expect(float16Bits(65500)).toBe(float16Bits(65504))
    expect(float16Bits(1.234)).toBe(float16Bits(1.234375))
  })

  it('reads every float16 back', () => {
    const patterns = Uint16Array.from({ length: 0x7c00 }, (_, i) => i)
    const [text] = exportVectors(
      { data: patterns, shape: [1, patterns.length], dtype: 'float16' },
      { to: 'pgvector/halfvec' }
    )
    const numbers = text!.slice(1, -1).split(',')
    const wrongs = numbers.filter((number, i) => float16Bits(Math.fround(Number(number))) !== i)
    expect(wrongs).toEqual([])
    const [negative] = exportVectors(
      { data: patterns.map((pattern) => pattern | 0x8000), shape: [1, patterns.length], dtype: 'float16' },
      { to: 'pgvector/halfvec' }
    )
    expect(negative!.slice(1, -1).split(',').slice(1)).toEqual(numbers.slice(1).map((number) => `-${number}`))
    expect(
      Math.max(...numbers.map((number) => number.replace(/e.*/, '').replace(/[.]|^0[.]0*/g, '').length))
    ).toBeLessThanOrEqual(6)
  })

  it('reads every float32 back, from nine digits at most', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (x) => {
        const number = one([x], 'pgvector/vector').slice(1, -1)
        expect(Math.fround(Number(number)) - x).toBe(0)
        expect(
          number
            .replace(/e.*/, '')
            .replace(/\D/g, '')
            .replace(/^0+|0+$/g, '').length
        ).toBeLessThanOrEqual(9)
      }),
      { numRuns: 2000 }
    )
    // The numbers of embeddings, and both sides of each power of ten.
    const random = normals(20_000, 3)
    const tens = Array.from({ length: 24 }, (_, i) => 10 ** (i - 12)).flatMap((x) => [x * 0.9999999, x, x * 1.0000001])
    const numbers = Float32Array.from([...random, ...random.map((x) => x / 1000), ...tens])
    const [text] = exportVectors({ data: numbers, shape: [1, numbers.length] }, { to: 'pgvector/vector' })
    const short = text!.slice(1, -1).split(',')
    expect(short.filter((number, i) => Math.fround(Number(number)) !== numbers[i])).toEqual([])
    expect(short.filter((number, i) => Number(number) !== shortest(numbers[i]!))).toEqual([])
    expect(one([0.1, 1 / 3, 3.4028234663852886e38, 1e-45, -0], 'pgvector/vector')).toBe(
      '[0.1,0.33333334,3.4028235e+38,1.4013e-45,0]'
    )
  })
})

describe('sqlite-vec', () => {
  // site/api-reference.md, vec_f32 and vec_int8.
  it('takes f32 and int8 as bytes', () => {
    expect(hex(one([0.1, 0.2, 0.3, 4], 'sqlite-vec/float'))).toBe('CDCCCC3DCDCC4C3E9A99993E00008040')
    const [int8] = exportVectors({ data: Int8Array.of(1, 2, 3, 4), shape: [1, 4] }, { to: 'sqlite-vec/int8' })
    expect(hex(int8!)).toBe('01020304')
  })

  // site/guides/binary-quant.md.
  it('takes bits, the first in the lowest', () => {
    expect(hex(one([-0.73, -0.8, 0.12, -0.73, 0.79, -0.11, 0.23, 0.97], 'sqlite-vec/bit'))).toBe('D4')
  })

  it('refuses bits that do not fill bytes', () => {
    expectError(() => one([1, 2, 3], 'sqlite-vec/bit'), RangeError, 'a multiple of 8 bits for sqlite-vec, got 3')
  })
})

describe('Redis and Qdrant', () => {
  // As np.array([...], dtype).tobytes() of the documentation of redis-py; the values of float16 are NumPy's.
  it('take little-endian bytes', () => {
    expect(hex(one([1, -2.5], 'redis/float32'))).toBe('0000803F000020C0')
    expect(hex(one([1, -2.5, 0.1], 'redis/float16'))).toBe('003C00C1662E')
    expect(hex(exportVectors([[1, -2.5, 0.5, 1.5, 9]], { to: 'redis/int8', scale: 1 })[0]!)).toBe('01FE000209')
  })

  it('takes numbers that are short in JSON', () => {
    expect(JSON.stringify(exportVectors(Float32Array.of(0.1, -0.7), { to: 'qdrant/float32' }))).toBe('[[0.1,-0.7]]')
  })

  it('takes whole numbers from 0 to 255', () => {
    expect(exportVectors([[-2, -1, 0, 0.5, 1, 2]], { to: 'qdrant/uint8', scale: 127 })).toEqual([
      [0, 1, 128, 192, 255, 255]
    ])
    const data = Uint8Array.of(0, 7, 255)
    expect(exportVectors({ data, shape: [1, 3] }, { to: 'qdrant/uint8' })).toEqual([[0, 7, 255]])
  })
})

describe('codes of one bit', () => {
  // Two vectors of 10 bits, then two bytes of something else.
  const data = Uint8Array.of(0b0000_0101, 0b1111_1110, 9, 9, 0xff, 0, 9, 9)
  const codes = { data, shape: [2, 4] }

  it('are bits of the lowest place first', () => {
    expect(exportVectors(codes, { to: 'pgvector/bit', bits: 10 })).toEqual(['1010000001', '1111111100'])
    expect(exportVectors(codes, { to: 'sqlite-vec/bit', bits: 16 }).map(hex)).toEqual(['05FE', 'FF00'])
  })

  it('are bits of the highest place first where NumPy has packed them', () => {
    expect(exportVectors(codes, { to: 'pgvector/bit', bits: 10, order: 'highest' })).toEqual([
      '0000010111',
      '1111111100'
    ])
    expect(exportVectors(codes, { to: 'sqlite-vec/bit', bits: 8, order: 'highest' }).map(hex)).toEqual(['A0', 'FF'])
  })
})

describe('what is exported', () => {
  it('has a buffer of its own', () => {
    for (const bytes of exportVectors(
      [
        [1, 2],
        [3, 4]
      ],
      { to: 'sqlite-vec/float' }
    )) {
      expect(bytes.buffer.byteLength).toBe(bytes.length)
    }
  })

  it('is a list, of none and of one', () => {
    expect(exportVectors([], { to: 'pgvector/vector' })).toEqual([])
    expect(exportVectors([1, 2], { to: 'pgvector/vector' })).toEqual(['[1,2]'])
    expect(exportVectors({ data: [{ embedding: [1, 2] }] }, { to: 'pgvector/vector' })).toEqual(['[1,2]'])
  })

  it('comes from 16-bit floats, too', () => {
    const halves = { data: Uint16Array.of(0x3c00, 0xb000), shape: [1, 2], dtype: 'F16' }
    expect(float16Value(0xb000)).toBe(-0.125)
    expect(exportVectors(halves, { to: 'pgvector/vector' })).toEqual(['[1,-0.125]'])
    expect(exportVectors(halves, { to: 'pgvector/bit' })).toEqual(['10'])
    expect(exportVectors(halves, { to: 'redis/float16' }).map(hex)).toEqual(['003C00B0'])
  })

  it('rounds to even and saturates', () => {
    const numbers = [0.5, 1.5, 2.5, -0.5, -1.5, 126.5, 127.4, 300, -128.5, -300]
    const [bytes] = exportVectors([numbers], { to: 'sqlite-vec/int8', scale: 1 })
    expect([...new Int8Array(bytes!.buffer)]).toEqual([0, 2, 2, 0, -2, 126, 127, 127, -128, -128])
  })
})

describe('is refused', () => {
  const cases: Record<string, [vectors: unknown, options: object, type: typeof TypeError, ...parts: string[]]> = {
    'no destination': [[[1]], {}, TypeError, 'exportVectors: "to" expected one of pgvector/vector', 'got undefined'],
    'an unknown destination': [[[1]], { to: 'pgvector' }, TypeError, 'got "pgvector"'],
    'an unknown option': [[[1]], { to: 'pgvector/bit', bit: 1 }, TypeError, 'unknown option "bit"'],
    NaN: [[[1, NaN]], { to: 'pgvector/vector' }, RangeError, 'expected finite numbers, got NaN at index 1'],
    'NaN for bits': [[[1, NaN]], { to: 'pgvector/bit' }, RangeError, 'got NaN at index 1'],
    infinity: [[[-Infinity]], { to: 'redis/float16' }, RangeError, 'got -Infinity at index 0'],
    'what float16 does not hold': [
      [[1], [65520]],
      { to: 'pgvector/halfvec' },
      RangeError,
      'within float16, got 65520 at index 1'
    ],
    'int8 without a scale': [
      [[0.1, -0.5]],
      { to: 'sqlite-vec/int8' },
      TypeError,
      '"scale" expected a number',
      '{ scale: 127 / 0.5 }'
    ],
    'int8 of zeros without a scale': [
      [[0, 0]],
      { to: 'redis/int8' },
      TypeError,
      '"scale" expected a number',
      'all numbers here are 0'
    ],
    'a scale of 0': [[[1]], { to: 'redis/int8', scale: 0 }, RangeError, 'above 0, got 0'],
    'a scale of integers': [
      { data: new Int8Array(2), shape: [1, 2] },
      { to: 'redis/int8', scale: 2 },
      TypeError,
      'does not apply to Int8Array'
    ],
    'a scale for text': [
      [[1]],
      { to: 'pgvector/vector', scale: 2 },
      TypeError,
      '"scale" does not apply to pgvector/vector'
    ],
    'bits for text': [[[1]], { to: 'pgvector/vector', bits: 2 }, TypeError, '"bits" does not apply to pgvector/vector'],
    'an order without bits': [
      [[1]],
      { to: 'pgvector/bit', order: 'lowest' },
      TypeError,
      '"order" goes with "bits" only'
    ],
    'an unknown order': [[[1]], { to: 'pgvector/bit', bits: 1, order: 'first' }, TypeError, 'lowest, highest'],
    'bits of floats': [
      [[1]],
      { to: 'pgvector/bit', bits: 1 },
      TypeError,
      'expected bytes (a Uint8Array) that hold bits'
    ],
    'more bits than there are': [
      { data: new Uint8Array(2), shape: [1, 2] },
      { to: 'pgvector/bit', bits: 17 },
      RangeError,
      'from 1 to 16, got 17'
    ],
    'vectors of two lengths': [[[1], [2, 3]], { to: 'pgvector/bit' }, RangeError, 'vector 1, expected 1 numbers']
  }
  it.each(Object.keys(cases))('%s', (what) => {
    const [vectors, options, type, ...parts] = cases[what]!
    expectError(() => exportVectors(wrong(vectors), wrong(options)), type, ...parts)
  })
})
