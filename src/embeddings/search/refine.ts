import { frame } from '../engine.js'
import { blockBytes, clearBlocks, placeRows } from '../scan/blocks.js'
import { BLOCK_ROWS, rowBytes } from '../scan/layout.js'
import type { Query } from '../scan/query.js'
import { scoreFinely } from '../scan/scan.js'
import type { Collection, Shelf } from './collection.js'
import type { Found } from './find.js'

/**
 * Codes of fewer bits are so much coarser than the scan's tables that these do not matter. Where originals decide in
 * the end, one bit more is coarse enough.
 */
const LEAST_BITS = 2

/** Whether the tables of a query are coarser than the codes are worth, so that the best are scored once more. */
export function deservesRefining({ codec }: Shelf, { fine, uneven }: Query, rescored: boolean): boolean {
  const { scan, bits } = codec.layout
  return fine !== undefined && (scan === 'tables' ? bits >= LEAST_BITS + (rescored ? 1 : 0) : uneven === true)
}

/**
 * How many to find for so many that are wanted: among hundreds of nearly the same rows the order of the scan is its
 * rounding's.
 */
export function withMargin(wanted: number): number {
  return 2 * wanted + 96
}

/** The first `wanted` of what a scan has found, by finer scores of their codes. */
export function refined(collection: Collection, query: Query, found: Found, wanted: number): Found {
  const { engine, codes, ids } = collection
  const { layout } = codes.codec
  return frame(engine, (memory) => {
    const count = found.ids.length
    if (count === 0) return found
    const bytes = rowBytes(layout)
    const rows = memory.alloc(bytes * count)
    found.ids.forEach((id, i) => codes.store.take(rows + bytes * i, ids.find(id), 1))
    const blocks = Math.ceil(count / BLOCK_ROWS)
    const at = memory.alloc(blocks * blockBytes(layout))
    clearBlocks(engine, layout, at, blocks)
    placeRows(engine, layout, at, 0, rows, count)
    const scores = memory.alloc(4 * BLOCK_ROWS * blocks)
    scoreFinely(engine, layout, query, query.fine!(), scores, at, blocks)
    const exact = memory.f32(scores, count)
    const order = Array.from(found.ids.keys()).sort((a, b) => exact[b]! - exact[a]! || found.ids[a]! - found.ids[b]!)
    const best = order.slice(0, wanted)
    return {
      ids: Uint32Array.from(best, (i) => found.ids[i]!),
      scores: Float32Array.from(best, (i) => exact[i]!)
    }
  })
}
