import { describe, expect, it } from 'vitest'
import { quantize } from '../../src/index.js'
import { bfloat16Value, float16Value, quantizeOracle } from '../oracle/quantize.js'
import { expectSameBits } from '../support/bits.js'
import { FLOAT_FORMATS, ugly } from '../support/quantize.js'
import { index, seeded } from '../support/random.js'
import { LENGTHS } from '../support/shapes.js'
import { f32, quantizeVectors } from '../support/vectors.js'

describe.each(FLOAT_FORMATS)('%s', (format) => {
  const check = (data: Float32Array<ArrayBuffer>): void => {
    const { codes } = quantize(data, { format })
    expectSameBits(codes, quantizeOracle(data, [data.length], { format }).codes, `${format} of ${data.length}`)
  }

  it('is that of PyTorch, bit for bit', () => {
    const { input, bits } = quantizeVectors[format]
    expectSameBits(quantize(f32(input), { format }).codes, Uint16Array.from(bits), format)
  })

  it('lengths', () => {
    for (const n of [...LENGTHS, 32768, 32769, 40001]) check(ugly(n, n))
  })

  it('any bits of a finite f32', () => {
    const random = seeded(5)
    const words = Uint32Array.from({ length: 60000 }, () => index(random, 2 ** 32)).filter(
      (word) => (word & 0x7f800000) !== 0x7f800000
    )
    check(new Float32Array(words.buffer))
  })

  it('rounds half to even between every two neighbours', () => {
    const bits = format === 'float16' ? { last: 0x7bff, value: float16Value } : { last: 0x7f7f, value: bfloat16Value }
    const data: number[] = []
    for (let k = 0; k < bits.last; k += 3) data.push((bits.value(k) + bits.value(k + 1)) / 2)
    const codes = quantize(f32(data), { format }).codes
    data.forEach((_, i) => expect(codes[i]).toBe(3 * i + ((3 * i) % 2)))
  })

  it('saturates finite values', () => {
    const most = (2 - 2 ** -23) * 2 ** 127
    const expected = format === 'float16' ? [0x7bff, 0xfbff, 0x7bff] : [0x7f7f, 0xff7f, 0x7f7f]
    expect([...quantize(f32([most, -most, 3.4e38]), { format }).codes]).toEqual(expected)
  })

  it('keeps the shape', () => {
    const q = quantize({ data: new Float32Array(6), shape: [1, 3, 2] }, { format })
    expect(q).toEqual({ format, shape: [1, 3, 2], codes: new Uint16Array(6) })
    expect(quantize({ data: Float32Array.of(1), shape: [] }, { format }).shape).toEqual([])
  })
})
