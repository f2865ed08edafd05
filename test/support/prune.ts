import type { Bitmask, Tensor } from '../../src/index.js'
import { expect } from 'vitest'
import { expectSameBits } from './bits.js'
import { index, seeded } from './random.js'

export interface Removed {
  values: Float32Array<ArrayBuffer>
  bits: Uint8Array
  removed: number
}

const INDEX_BITS = 21

/**
 * The removal of `count` elements over several tensors of fewer than 2^21 elements together, by a sort of numbers that hold the
 * pattern of |x| above the position: for lengths where sorting objects takes seconds.
 */
export function removeLeast(list: readonly Float32Array[], count: number): Removed[] {
  const total = list.reduce((sum, { length }) => sum + length, 0)
  if (total > 2 ** INDEX_BITS) throw new RangeError('too many elements for one key')
  const keys = new Float64Array(total)
  let next = 0
  for (const data of list) {
    const words = new Uint32Array(data.slice().buffer)
    for (const word of words) keys[next] = (word % 2 ** 31) * 2 ** INDEX_BITS + next++
  }
  keys.sort()
  const kept = new Uint8Array(total).fill(1)
  for (const key of keys.subarray(0, count)) kept[key % 2 ** INDEX_BITS] = 0
  let base = 0
  return list.map((data) => {
    const values = new Float32Array(data)
    const bits = new Uint8Array(Math.ceil(data.length / 8))
    let removed = 0
    for (let i = 0; i < data.length; i++) {
      if (kept[base + i]) bits[i >> 3] |= 1 << (i & 7)
      else {
        values[i] = 0
        removed++
      }
    }
    base += data.length
    return { values, bits, removed }
  })
}

export interface Expected {
  values: Float32Array
  bits: Uint8Array
  sparsity: number
}

export function expectPruned(
  actual: { values: Tensor; mask: Bitmask; sparsity: number },
  expected: Expected,
  shape: readonly number[],
  what: string
): void {
  expect(actual.values.shape, `shape of ${what}`).toEqual(shape)
  expect(actual.mask.shape, `shape of the mask of ${what}`).toEqual(shape)
  expect(actual.sparsity, `sparsity of ${what}`).toBe(expected.sparsity)
  expectSameBits(actual.mask.bits, expected.bits, `mask of ${what}`)
  expectSameBits(actual.values.data, expected.values, `values of ${what}`)
}

/** Values that repeat, so that ties are cut through. */
export function tied(length: number, seed: number): Float32Array<ArrayBuffer> {
  const random = seeded(seed)
  const choices = [0, -0, 1, -1, 2, -2, 2 ** -149, -(2 ** -149)]
  return Float32Array.from({ length }, () => choices[index(random, choices.length)])
}
