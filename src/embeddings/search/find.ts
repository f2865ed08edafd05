import { frame } from '../engine.js'
import type { Pointer } from '../../core/memory.js'
import { BLOCK_ROWS, type RowLayout } from '../scan/layout.js'
import type { Query } from '../scan/query.js'
import { scanBlocks } from '../scan/scan.js'
import { TopK } from '../scan/select.js'
import type { Collection } from './collection.js'
import type { Masks } from './filter.js'

/** Blocks that are scored at once: their scores stay in the first-level cache. */
const TILE_BLOCKS = 32

/** Rows that are found, the best first; equal scores by id. */
export interface Found {
  readonly ids: Uint32Array<ArrayBuffer>
  readonly scores: Float32Array<ArrayBuffer>
}

/** The rows of a collection that score highest by their codes (of this layout, or one that adds the third factor in another way), for a query that stands in its engine. */
export function findNearest(
  { engine, codes, ids, lists }: Collection,
  layout: RowLayout,
  query: Query,
  probes: readonly number[],
  masks: Masks,
  k: number
): Found {
  const { store } = codes
  return frame(engine, (memory) => {
    const top = new TopK(engine, k)
    const scores = memory.alloc(4 * BLOCK_ROWS * TILE_BLOCKS)
    const lanes = memory.alloc(4 * TILE_BLOCKS)
    const labels = memory.alloc(4 * BLOCK_ROWS * TILE_BLOCKS)

    const tile = (pointer: Pointer, first: number, count: number, lastRows: number): void => {
      if (!masks.write(() => memory.u32(lanes, count), first, count, lastRows)) return
      scanBlocks(engine, layout, query, scores, pointer, count)
      const own = ids.view(BLOCK_ROWS * first, BLOCK_ROWS * count)
      if (own) memory.u32(labels, own.length).set(own)
      top.add(scores, BLOCK_ROWS * count, { masks: lanes, ids: own ? labels : 0, first: BLOCK_ROWS * first })
    }

    for (const number of probes) {
      const list = lists.all[number]!
      let left = list.rows
      for (const run of list.runs) {
        store.eachPiece(run.first, run.count, (pointer, first, count) => {
          for (let done = 0; done < count; done += TILE_BLOCKS) {
            const blocks = Math.min(TILE_BLOCKS, count - done)
            const rows = Math.min(left, BLOCK_ROWS * blocks)
            left -= rows
            tile(pointer + done * store.form.blockBytes, first + done, blocks, rows - BLOCK_ROWS * (blocks - 1))
          }
        })
      }
    }
    return top.take()
  })
}
