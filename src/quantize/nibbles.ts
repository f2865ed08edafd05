import { defaultEngine, frame } from './engine.js'
import { eachRun, TILE } from '../core/tiles.js'

/** One byte (0 .. 15) for each of `length` packed nibbles. */
export function unpackNibbles(packed: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(length)
  frame(defaultEngine(), (memory, kernels) => {
    const from = memory.alloc(TILE / 2)
    const to = memory.alloc(TILE)
    eachRun(length, (start, count) => {
      const bytes = Math.ceil(count / 2)
      memory.u8(from, bytes).set(packed.subarray(start / 2, start / 2 + bytes))
      kernels.unpackNibbles(to, from, count, 0)
      out.set(memory.u8(to, count), start)
    })
  })
  return out
}

/** The inverse of unpackNibbles. */
export function packNibbles(codes: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(Math.ceil(codes.length / 2))
  frame(defaultEngine(), (memory, kernels) => {
    const from = memory.alloc(TILE)
    const to = memory.alloc(TILE / 2)
    eachRun(codes.length, (start, count) => {
      memory.u8(from, count).set(codes.subarray(start, start + count))
      kernels.packNibbles(to, from, count)
      out.set(memory.u8(to, Math.ceil(count / 2)), start / 2)
    })
  })
  return out
}
