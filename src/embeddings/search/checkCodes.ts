import { FormatError } from '../../core/errors.js'
import type { Engine } from '../engine.js'
import { blockParts } from '../scan/blocks.js'
import { BLOCK_ROWS, type RowLayout } from '../scan/layout.js'
import type { Collection, Shelf } from './collection.js'

/**
 * Checks what a scan of blocks relies on: floats and factors that are finite, centroids that exist. Throws FormatError.
 */
export function checkBlocks({ engine, codes }: Collection, pointer: number, count: number): void {
  const { layout, centroids } = codes.codec
  const { factors, centroid, bytes } = blockParts(layout)
  for (let at = pointer; at < pointer + count * bytes; at += bytes) {
    if (!areNumbers(engine, layout, at, factors)) {
      throw new FormatError('bad-tensor', 'the index\'s array "codes" expected finite numbers')
    }
    if (layout.factors && !engine.kernels.finiteF32(at + factors, BLOCK_ROWS * layout.factors)) {
      throw new FormatError('bad-tensor', 'the index\'s array "codes" expected finite factors')
    }
    if (layout.centroidBytes && greatest(centroidsAt(engine, layout, at + centroid)) >= centroids) {
      throw new FormatError('bad-tensor', `the index's array "codes" expected numbers of ${centroids} centroids`)
    }
  }
}

/** The same of originals, row after row. */
export function checkOriginals({ engine }: Collection, { codec, store }: Shelf, pointer: number, count: number): void {
  const { layout } = codec
  const { rowBytes } = store.form
  const bytes = engine.memory.u8(pointer, count * rowBytes)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let isGood = layout.factors > 0 || areNumbers(engine, layout, pointer, bytes.length)
  for (let row = 0; row < count; row++) {
    for (let i = 0; i < layout.factors; i++) {
      isGood &&= Number.isFinite(view.getFloat32(row * rowBytes + layout.codeBytes + 4 * i, true))
    }
  }
  if (!isGood) throw new FormatError('bad-tensor', 'the index\'s array "originals" expected finite numbers')
}

/** Whether codes that are floats, in so many bytes, have neither NaN nor an infinity. */
function areNumbers({ memory, kernels }: Engine, { scan }: RowLayout, at: number, bytes: number): boolean {
  if (scan === 'float') return kernels.finiteF32(at, bytes / 4) !== 0
  return scan !== 'half' || memory.u16(at, bytes / 2).every((half) => (half & HALF_ONES) !== HALF_ONES)
}

/** The exponent of a float16 that is not finite. */
const HALF_ONES = 0x7c00

function centroidsAt({ memory }: Engine, layout: RowLayout, at: number): Uint8Array | Uint16Array {
  return layout.centroidBytes === 2 ? memory.u16(at, BLOCK_ROWS) : memory.u8(at, BLOCK_ROWS)
}

function greatest(numbers: Uint8Array | Uint16Array): number {
  let top = 0
  for (const number of numbers) if (number > top) top = number
  return top
}
