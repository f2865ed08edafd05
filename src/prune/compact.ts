import { frame, storageEngine } from './storageEngine.js'
import { TILE, eachRun } from '../core/tiles.js'

type Elements = Float32Array | Uint16Array | Uint8Array | Int8Array

function bytesOf(data: Elements, start: number, length: number): Uint8Array {
  const size = data.BYTES_PER_ELEMENT
  return new Uint8Array(data.buffer, data.byteOffset + start * size, length * size)
}

/**
 * The elements whose bit is 1, side by side; `to` has just so many. Sparse storage: they and the bitmask are all of the
 * tensor.
 */
export function gatherKept<T extends Elements>(to: T, data: T, bits: Uint8Array): T {
  const size = data.BYTES_PER_ELEMENT
  frame(storageEngine(), (memory, kernels) => {
    const input = memory.alloc(size * TILE)
    const output = memory.alloc(size * TILE)
    const mask = memory.alloc(TILE / 8)
    let kept = 0
    eachRun(data.length, (start, length) => {
      memory.u8(input, size * length).set(bytesOf(data, start, length))
      memory.u8(mask, Math.ceil(length / 8)).set(bits.subarray(start / 8, Math.ceil((start + length) / 8)))
      const count = kernels.gatherKept(output, input, mask, length, size) >>> 0
      bytesOf(to, kept, count).set(memory.u8(output, size * count))
      kept += count
    })
  })
  return to
}

/** The inverse of gatherKept: elements of `data` where the bit is 1, 0 elsewhere. */
export function scatterKept<T extends Elements>(to: T, data: T, bits: Uint8Array): T {
  const size = data.BYTES_PER_ELEMENT
  frame(storageEngine(), (memory, kernels) => {
    const input = memory.alloc(size * TILE)
    const output = memory.alloc(size * TILE)
    const mask = memory.alloc(TILE / 8)
    let used = 0
    eachRun(to.length, (start, length) => {
      const bytes = Math.ceil(length / 8)
      memory.u8(mask, bytes).set(bits.subarray(start / 8, start / 8 + bytes))
      const most = Math.min(length, data.length - used)
      memory.u8(input, size * most).set(bytesOf(data, used, most))
      used += kernels.scatterKept(output, input, mask, length, size, 0) >>> 0
      bytesOf(to, start, length).set(memory.u8(output, size * length))
    })
  })
  return to
}

/** Ones of a bitmask. */
export function countKept(bits: Uint8Array): number {
  return frame(storageEngine(), (memory, kernels) => {
    const mask = memory.alloc(TILE)
    let count = 0
    eachRun(bits.length, (start, length) => {
      memory.u8(mask, length).set(bits.subarray(start, start + length))
      count += kernels.countBits(mask, length)
    })
    return count
  })
}

/** Makes +0 of the elements whose bit is 0, as applyMask does, in place. */
export function clearRemoved(data: Float32Array, bits: Uint8Array): void {
  frame(storageEngine(), (memory, kernels) => {
    const values = memory.alloc(4 * TILE)
    const mask = memory.alloc(TILE / 8)
    eachRun(data.length, (start, length) => {
      const bytes = Math.ceil(length / 8)
      const view = memory.f32(values, length)
      view.set(data.subarray(start, start + length))
      memory.u8(mask, bytes).set(bits.subarray(start / 8, start / 8 + bytes))
      kernels.applyBits(values, values, mask, length)
      data.set(view, start)
    })
  })
}
