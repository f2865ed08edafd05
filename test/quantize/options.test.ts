import { describe, expect, it } from 'vitest'
import { dequantize, fakeQuantize, quantize } from '../../src/index.js'
import type { TensorLike } from '../../src/index.js'
import { expectError, wrong } from '../support/errors.js'
import { quantizedIntegers } from '../support/quantize.js'

describe('options', () => {
  const x = [1, 2, 3, 4]
  const q = quantizedIntegers(Float32Array.from(x), [4], { format: 'uint8' })

  describe.each([
    ['quantize', quantize],
    ['fakeQuantize', fakeQuantize]
  ] as const)('%s', (verb, run) => {
    const call =
      (options: object, tensor: TensorLike = [x, x]) =>
      (): unknown =>
        run(tensor, wrong({ format: 'int8', ...options }))

    it('format', () => {
      const formats = ['int8', 'uint8', 'int4', 'uint4', 'float16', 'bfloat16']
      for (const [format, shown] of [
        ['int3', '"int3"'],
        ['INT8', '"INT8"'],
        [8, '8'],
        [undefined, 'undefined'],
        [null, 'null']
      ]) {
        expectError(call({ format }), TypeError, `${verb}: "format"`, `got ${shown}`, ...formats)
      }
    })

    it('group', () => {
      for (const group of [0, 1.5, -1, NaN, Infinity]) {
        const message = `${verb}: "group" expected a whole number of at least 1, got ${group}`
        expectError(call({ group }), RangeError, message)
      }
      for (const group of ['4', null, true]) expectError(call({ group }), TypeError, `${verb}: "group" expected`)
    })

    it('axis', () => {
      for (const axis of [2, -3, 0.5, NaN, Infinity]) {
        expectError(call({ axis }), RangeError, `${verb}: "axis" expected a whole number from -2 to 1, got ${axis}`)
      }
      expectError(call({ axis: '0' }), TypeError, `${verb}: "axis" expected`, '"0"')
      expectError(call({ axis: 0 }, { data: Float32Array.of(1), shape: [] }), RangeError, `${verb}: "axis"`, 'scalar')
      expectError(call({ axis: 1 }, x), RangeError, `${verb}: "axis"`, 'got 1')
    })

    it('symmetric', () => {
      for (const symmetric of ['yes', 1, 0, null]) {
        expectError(call({ symmetric }), TypeError, `${verb}: "symmetric" expected true or false`)
      }
    })

    it('scales', () => {
      for (const scale of [0, -1, 2 ** -127, NaN, Infinity, 1e39]) {
        expectError(call({ scales: [1, scale], axis: 0 }), RangeError, `${verb}: "scales"`, `got ${scale} at index 1`)
      }
      expectError(call({ scales: [1, 1] }), RangeError, `${verb}: "scales" expected 1 numbers`, 'got 2')
      expectError(call({ scales: [], axis: 0 }), RangeError, `${verb}: "scales" expected 2 numbers`, 'got 0')
      expectError(call({ scales: [1, 1, 1], group: 3 }), RangeError, `${verb}: "scales" expected 4 numbers`, 'got 3')
      for (const scales of ['1', 1, null]) {
        expectError(call({ scales }), TypeError, `${verb}: "scales" expected an array`)
      }
      expect(call({ scales: [2 ** -126] })).not.toThrow()
    })

    it('zeroPoints', () => {
      const given = { scales: [1], symmetric: false }
      for (const zero of [-129, 128, 0.5, NaN, Infinity]) {
        const message = `"zeroPoints" expected whole numbers from -128 to 127, got ${zero} at index 0`
        expectError(call({ ...given, zeroPoints: [zero] }), RangeError, `${verb}: ${message}`)
      }
      const unsigned = { ...given, format: 'uint4' }
      for (const zero of [-1, 16]) {
        expectError(call({ ...unsigned, zeroPoints: [zero] }), RangeError, 'from 0 to 15', `got ${zero}`)
      }
      expectError(call({ ...given, zeroPoints: [1, 2] }), RangeError, `${verb}: "zeroPoints" expected 1 numbers`)
      expectError(call({ ...given, zeroPoints: 3 }), TypeError, `${verb}: "zeroPoints" expected an array`)
      expectError(call(given), TypeError, `${verb}: "scales" with symmetric: false need "zeroPoints"`)
      expectError(call({ zeroPoints: [0] }), TypeError, `${verb}: "zeroPoints" go with "scales"`)
      expectError(call({ zeroPoints: [0], scales: [1] }), TypeError, `${verb}: "zeroPoints" go with "scales"`)
      expectError(call({ zeroPoints: [0], symmetric: false }), TypeError, `${verb}: "zeroPoints" go with "scales"`)
    })

    it.each(['float16', 'bfloat16'])('%s takes nothing else', (format) => {
      for (const [name, value] of [
        ['axis', 0],
        ['group', 4],
        ['symmetric', true],
        ['scales', [1]]
      ] as const) {
        expectError(call({ format, [name]: value }), TypeError, `${verb}: "${name}" does not apply to ${format}`)
      }
      expectError(call({ format, zeroPoints: [0] }), TypeError, `${verb}: "zeroPoints"`)
    })
  })

  describe('dequantize', () => {
    const call = (changes: object) => (): unknown => dequantize(wrong({ ...q, ...changes }))
    const nibbles = quantizedIntegers(Float32Array.from(x), [4], { format: 'int4' })

    it('format and shape', () => {
      expectError(call({ format: 'int3' }), TypeError, 'dequantize: "format"', '"int3"', 'uint4')
      for (const shape of ['4', undefined, [-4], [1.5], 4]) {
        expectError(call({ shape }), TypeError, 'dequantize: "shape" expected an array of whole numbers')
      }
    })

    it('codes', () => {
      expectError(call({ codes: new Int8Array(4) }), TypeError, 'dequantize: "codes" expected a Uint8Array')
      expectError(call({ codes: [1, 2, 3, 4] }), TypeError, 'dequantize: "codes" expected a Uint8Array')
      expectError(call({ codes: undefined }), TypeError, 'dequantize: "codes" expected a Uint8Array')
      expectError(call({ codes: new Uint8Array(5) }), RangeError, 'dequantize: "codes" expected length 4', 'got 5')
      expectError(call({ shape: [5] }), RangeError, 'dequantize: "codes" expected length 5', 'got 4')
      const packed = (codes: Uint8Array) => (): unknown => dequantize(wrong({ ...nibbles, codes }))
      expectError(packed(new Uint8Array(4)), RangeError, 'dequantize: "codes" expected length 2', 'got 4')
      expectError(packed(new Uint8Array(1)), RangeError, 'dequantize: "codes" expected length 2', 'got 1')
      const half = { format: 'float16', shape: [2] }
      expectError(() => dequantize(wrong({ ...half, codes: new Uint8Array(2) })), TypeError, 'Uint16Array')
      expectError(() => dequantize(wrong({ ...half, codes: new Uint16Array(3) })), RangeError, 'length 2', 'got 3')
    })

    it('scales and zero points', () => {
      expectError(call({ scales: undefined }), TypeError, 'dequantize: "scales" expected an array')
      expectError(call({ scales: Float32Array.of(1, 1) }), RangeError, 'dequantize: "scales" expected 1 numbers')
      expectError(call({ scales: Float32Array.of(0) }), RangeError, 'dequantize: "scales"', 'index 0')
      expectError(call({ scales: Float32Array.of(NaN) }), RangeError, 'dequantize: "scales"', 'index 0')
      expectError(call({ zeroPoints: undefined }), TypeError, 'dequantize: "zeroPoints" are missing', 'uint8')
      expectError(call({ zeroPoints: Uint8Array.of(1, 1) }), RangeError, 'dequantize: "zeroPoints" expected 1')
      expectError(call({ zeroPoints: [256] }), RangeError, 'dequantize: "zeroPoints"', 'got 256')
      const asymmetric = { ...nibbles, symmetric: false }
      expectError(() => dequantize(wrong(asymmetric)), TypeError, 'dequantize: "zeroPoints" are missing', 'int4')
      expectError(call({ symmetric: undefined }), TypeError, 'dequantize: "symmetric" expected true or false')
    })

    it('axis and group', () => {
      expectError(call({ axis: 1 }), RangeError, 'dequantize: "axis"', 'got 1')
      expectError(call({ group: 0 }), RangeError, 'dequantize: "group"', 'got 0')
      expectError(call({ group: 2 }), RangeError, 'dequantize: "scales" expected 2 numbers', 'got 1')
    })
  })
})
