import { expect } from 'vitest'

export type AnyArray = Int8Array | Uint8Array | Uint16Array | Int32Array | Uint32Array | Float32Array | Float64Array

const bytesOf = (array: AnyArray): Uint8Array => new Uint8Array(array.buffer, array.byteOffset, array.byteLength)

const hex = (array: AnyArray, i: number): string =>
  Array.from(bytesOf(array.subarray(i, i + 1)), (byte) => byte.toString(16).padStart(2, '0'))
    .reverse()
    .join('')

/** Equal class, length and bits: +0 is not -0, and a NaN is only itself. The message names the first difference. */
export function expectSameBits(actual: AnyArray, expected: AnyArray, what = 'array'): void {
  expect(actual.constructor, `class of ${what}`).toBe(expected.constructor)
  expect(actual.length, `length of ${what}`).toBe(expected.length)
  const a = bytesOf(actual)
  const b = bytesOf(expected)
  for (let k = 0; k < a.length; k++) {
    if (a[k] === b[k]) continue
    const i = Math.floor(k / actual.BYTES_PER_ELEMENT)
    expect.fail(
      `${what} differs first at index ${i} of ${actual.length}: ` +
        `got ${actual[i]} (0x${hex(actual, i)}), expected ${expected[i]} (0x${hex(expected, i)})`
    )
  }
}

/** Bits as flags, for a mask of `length` elements. */
export function flagsOf(bits: Uint8Array, length: number): boolean[] {
  return Array.from({ length }, (_, i) => Math.floor(bits[Math.floor(i / 8)] / 2 ** (i % 8)) % 2 === 1)
}
