import { describe, expect, it } from 'vitest'
import { dequantize, quantize } from '../../src/index.js'
import { expectSameBits } from '../support/bits.js'
import { codeRange, FLOAT_FORMATS, GRIDS, ugly } from '../support/quantize.js'
import { normals } from '../support/random.js'
import { f32 } from '../support/vectors.js'

describe('what comes back', () => {
  const data = normals(24, 3)

  it('says how it was made', () => {
    const q = quantize({ data, shape: [2, 3, 4] }, { format: 'uint4', axis: -2, group: 5, symmetric: false })
    expect(q).toMatchObject({ format: 'uint4', shape: [2, 3, 4], axis: -2, group: 5, symmetric: false })
    expect(q.codes.length).toBe(12)
    expect(q.scales.length).toBe(3 * 2)
    expect(q.zeroPoints).toBeInstanceOf(Uint8Array)
    const plain = quantize(data, { format: 'int8' })
    expect(Object.keys(plain).sort()).toEqual(['codes', 'format', 'scales', 'shape', 'symmetric'])
  })

  it('has zero points where they are not all 0', () => {
    const zeroPoints = (format: 'int8' | 'uint8' | 'int4' | 'uint4', symmetric: boolean): unknown =>
      quantize(data, { format, symmetric }).zeroPoints
    expect(zeroPoints('int8', true)).toBeUndefined()
    expect(zeroPoints('int4', true)).toBeUndefined()
    expect(zeroPoints('uint8', true)).toEqual(Uint8Array.of(128))
    expect(zeroPoints('uint4', true)).toEqual(Uint8Array.of(8))
    expect(zeroPoints('int8', false)).toBeInstanceOf(Int8Array)
    expect(zeroPoints('int4', false)).toBeInstanceOf(Int8Array)
    expect(zeroPoints('uint8', false)).toBeInstanceOf(Uint8Array)
  })

  it('shares nothing with what went in', () => {
    const scales = Float32Array.of(0.25)
    const zeroPoints = Uint8Array.of(3)
    const shape = [24]
    const copy = data.slice()
    const q = quantize({ data, shape }, { format: 'uint8', symmetric: false, scales, zeroPoints })
    expect(q.scales).not.toBe(scales)
    expect(q.zeroPoints).not.toBe(zeroPoints)
    expect(q.shape).not.toBe(shape)
    expect(q.codes.buffer.byteLength).toBe(24)
    expectSameBits(data, copy)
    quantize(normals(1000, 4), { format: 'uint8' })
    expectSameBits(scales, Float32Array.of(0.25))
    expectSameBits(q.scales, scales)
  })

  it('packs two codes to a byte, the first in the low nibble', () => {
    // Scale 1: the codes are the numbers themselves, in two's complement for int4 and 8 above for uint4.
    const x = [7, -7, 1, -1, 0, 3, -4]
    const int4 = [0x97, 0xf1, 0x30, 0x0c]
    const uint4 = [0x1f, 0x79, 0xb8, 0x04]
    expect(quantize(x, { format: 'int4' }).codes).toEqual(Uint8Array.from(int4))
    expect(quantize(x, { format: 'uint4' }).codes).toEqual(Uint8Array.from(uint4))
    expect(dequantize(quantize(x, { format: 'int4' })).data).toEqual(f32(x))
    expect(dequantize(quantize(x, { format: 'uint4' })).data).toEqual(f32(x))
  })

  it('gives each code back from what it stands for', () => {
    for (const { format, symmetric } of GRIDS) {
      const { least, most, middle } = codeRange[format]
      const zero = symmetric ? middle : least + 3
      const low = symmetric && format[0] === 'i' ? least + 1 : symmetric ? 1 : least
      const x = Array.from({ length: most - low + 1 }, (_, i) => (low + i - zero) * 0.5)
      const options = symmetric ? { scales: [0.5] } : { scales: [0.5], zeroPoints: [zero] }
      expect(dequantize(quantize(x, { format, symmetric, ...options })).data).toEqual(f32(x))
    }
  })
})

describe('an earlier result to write to', () => {
  it.each(GRIDS)('$format, symmetric $symmetric', (grid) => {
    for (const cut of [{ shape: [9, 7] }, { shape: [9, 7], axis: 1 }, { shape: [3, 3, 7], axis: 1, group: 4 }]) {
      const { shape, ...rest } = cut
      const options = { ...rest, ...grid }
      const out = quantize({ data: ugly(63, 1), shape }, options)
      const next = { data: ugly(63, 2), shape }
      const again = quantize(next, { ...options, out })
      expect(again).toEqual(quantize(next, options))
      expect(again.codes).toBe(out.codes)
      expect(again.scales).toBe(out.scales)
      expect(again.zeroPoints).toBe(out.zeroPoints)
    }
  })

  it('scales of the caller are written to it, and not to those of the caller', () => {
    const scales = Float32Array.of(0.5)
    const out = quantize([1, 2, 3], { format: 'uint8' })
    const again = quantize([3, 2, 1], { format: 'uint8', scales, out })
    expect(again.scales).toBe(out.scales)
    expect([...out.scales]).toEqual([0.5])
    expect([...out.codes]).toEqual([134, 132, 130])
    quantize([30, 2, 1], { format: 'uint8', out })
    expect([...scales]).toEqual([0.5])
  })

  it.each(FLOAT_FORMATS)('%s', (format) => {
    const out = quantize(ugly(40, 1), { format })
    const again = quantize(ugly(40, 2), { format, out })
    expect(again.codes).toBe(out.codes)
    expect(again).toEqual(quantize(ugly(40, 2), { format }))
  })
})
