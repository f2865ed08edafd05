import { describe, expect, it } from 'vitest'
import { applyMask, prune } from '../../src/index.js'
import { applyMaskOracle } from '../oracle/prune.js'
import { float16Bits, packBits } from '../oracle/quantize.js'
import { expectSameBits } from '../support/bits.js'
import { ugly } from '../support/quantize.js'
import { normals, seeded } from '../support/random.js'
import { LENGTHS } from '../support/shapes.js'
import { f32 } from '../support/vectors.js'

function mask(length: number, seed: number, share = 0.5): Uint8Array<ArrayBuffer> {
  const random = seeded(seed)
  return Uint8Array.from(packBits(Array.from({ length }, () => random() < share)))
}

describe('applyMask', () => {
  it('many lengths', () => {
    for (const n of [...LENGTHS, 32767, 32768, 32769, 100003]) {
      for (const share of [0, 0.5, 0.9, 1]) {
        const data = ugly(n, n)
        const bits = mask(n, n + 1, share)
        const { data: values, shape } = applyMask(data, { bits, shape: [n] })
        expect(shape).toEqual([n])
        expectSameBits(values, applyMaskOracle(data, bits), `${share} of ${n}`)
      }
    }
  })

  it('each byte of a mask', () => {
    const bits = Uint8Array.from({ length: 256 }, (_, i) => i)
    const data = new Float32Array(2048).fill(-1)
    const { data: values } = applyMask(data, { bits, shape: [2048] })
    // Bit i & 7 of byte i >> 3, the least significant first.
    const expected = Float32Array.from(data, (x, i) => ((i >> 3) & (1 << (i & 7)) ? x : 0))
    expectSameBits(values, expected)
  })

  it('keeps bits, also those of NaN, infinities and -0, and removes them to +0', () => {
    const words = Uint32Array.of(
      0x7fc00001,
      0xffc12345,
      0x7f800001,
      0xff800000,
      0x80000000,
      0x7f800000,
      0x80000001,
      0x3f800000,
      0x7fabcdef
    )
    const data = new Float32Array(words.buffer)
    for (const n of [9, 8]) {
      const part = data.subarray(0, n)
      const all = applyMask(part, { bits: new Uint8Array(Math.ceil(n / 8)).fill(255), shape: [n] })
      expectSameBits(all.data, part)
      const none = applyMask(part, { bits: new Uint8Array(Math.ceil(n / 8)), shape: [n] })
      expectSameBits(none.data, new Float32Array(n))
    }
    const many = new Float32Array(40)
    new Uint32Array(many.buffer).set(Array.from({ length: 40 }, (_, i) => words[i % 9]))
    const bits = Uint8Array.of(0xaa, 0x55, 0xff, 0x0f, 0xf0)
    expectSameBits(applyMask(many, { bits, shape: [40] }).data, applyMaskOracle(many, bits))
  })

  it('takes what prune returned', () => {
    const data = normals(1000, 1)
    const { values, mask } = prune({ data, shape: [10, 20, 5] }, { sparsity: 0.8 })
    const again = applyMask({ data, shape: [10, 20, 5] }, mask)
    expect(again.shape).toEqual([10, 20, 5])
    expectSameBits(again.data, values.data)
    // After a step of training the removed weights are zero again.
    const trained = data.map((x, i) => x + i)
    applyMask({ data: trained, shape: [10, 20, 5] }, mask).data.forEach((x, i) => {
      expect(x).toBe(values.data[i] === 0 ? 0 : trained[i])
    })
  })

  it('f64, whole numbers, nested arrays, bit patterns and views', () => {
    const bits = Uint8Array.of(0b101)
    const expected = f32([Math.fround(0.1), 0, 3])
    expectSameBits(applyMask(Float64Array.of(0.1, 2, 3), { bits, shape: [3] }).data, expected)
    expectSameBits(applyMask([0.1, 2, 3], { bits, shape: [3] }).data, expected)
    expectSameBits(applyMask([[0.1, 2, 3]], { bits, shape: [1, 3] }).data, expected)
    expectSameBits(applyMask(f32([7, 0.1, 2, 3]).subarray(1), { bits, shape: [3] }).data, expected)
    expectSameBits(applyMask(Int16Array.of(1, 2, 3), { bits, shape: [3] }).data, f32([1, 0, 3]))
    const halves = { data: Uint16Array.of(float16Bits(0.5), 1, float16Bits(3)), dims: [3], type: 'float16' }
    expectSameBits(applyMask(halves, { bits, shape: [3] }).data, f32([0.5, 0, 3]))
  })

  it('a mask that begins inside its buffer', () => {
    const whole = mask(1000, 5)
    const data = normals(400, 6)
    const bits = whole.subarray(7, 57)
    expectSameBits(applyMask(data, { bits, shape: [400] }).data, applyMaskOracle(data, bits.slice()))
  })

  it('scalars and tensors without elements', () => {
    const scalar = { data: Float32Array.of(5), shape: [] }
    expectSameBits(applyMask(scalar, { bits: Uint8Array.of(1), shape: [] }).data, f32([5]))
    expectSameBits(applyMask(scalar, { bits: Uint8Array.of(0), shape: [] }).data, f32([0]))
    expectSameBits(applyMask(new Float32Array(0), { bits: new Uint8Array(0), shape: [0] }).data, f32([]))
  })
})
