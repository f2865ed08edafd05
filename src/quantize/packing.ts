import { eachRun, TILE } from '../core/tiles.js'
import { defaultEngine, frame } from './engine.js'
import type { Packing } from './formats.js'

/** Bytes that hold `count` codes. */
export function packedLength({ perByte }: Packing, count: number): number {
  return Math.ceil(count / perByte)
}

/** One byte for each of `length` packed codes, without their sign. */
export function unpackCodes(packing: Packing, packed: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const { perByte, unpack } = packing
  const out = new Uint8Array(length)
  frame(defaultEngine(), (memory, kernels) => {
    const from = memory.alloc(TILE / perByte)
    const to = memory.alloc(TILE)
    eachRun(length, (start, count) => {
      const first = start / perByte
      const bytes = packedLength(packing, count)
      memory.u8(from, bytes).set(packed.subarray(first, first + bytes))
      kernels[unpack](to, from, count, 0)
      out.set(memory.u8(to, count), start)
    })
  })
  return out
}

/** The inverse of unpackCodes. */
export function packCodes(packing: Packing, codes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { perByte, pack } = packing
  const out = new Uint8Array(packedLength(packing, codes.length))
  frame(defaultEngine(), (memory, kernels) => {
    const from = memory.alloc(TILE)
    const to = memory.alloc(TILE / perByte)
    eachRun(codes.length, (start, count) => {
      memory.u8(from, count).set(codes.subarray(start, start + count))
      kernels[pack](to, from, count)
      out.set(memory.u8(to, packedLength(packing, count)), start / perByte)
    })
  })
  return out
}
