import { frame } from '../engine.js'
import type { Pointer } from '../../core/memory.js'
import { BLOCK_ROWS, type RowLayout } from '../scan/layout.js'
import type { Query } from '../scan/query.js'
import { scanBlocks } from '../scan/scan.js'
import { TopK } from '../scan/select.js'
import type { Collection } from './collection.js'
import type { Masks } from './filter.js'

/** Blocks that are scored at once: their scores stay in the first-level cache. */
const SPAN_BLOCKS = 32

/** Rows that are found, the best first; equal scores by id. */
export interface Found {
  readonly ids: Uint32Array<ArrayBuffer>
  readonly scores: Float32Array<ArrayBuffer>
}

/**
 * The k rows with the best code scores, in the lists of `probes`, for a query that stands in the collection's engine.
 * `layout` may differ from the collection's in how the third factor is used.
 */
export function findNearest(
  collection: Collection,
  layout: RowLayout,
  query: Query,
  probes: readonly number[],
  masks: Masks,
  k: number
): Found {
  const { engine, codes, ids } = collection
  const { store } = codes
  return frame(engine, (memory) => {
    const top = new TopK(engine, k)
    const scores = memory.alloc(4 * BLOCK_ROWS * SPAN_BLOCKS)
    const lanes = memory.alloc(4 * SPAN_BLOCKS)
    const labels = memory.alloc(4 * BLOCK_ROWS * SPAN_BLOCKS)

    const score = (pointer: Pointer, first: number, count: number, lastRows: number): void => {
      if (!masks.write(() => memory.u32(lanes, count), first, count, lastRows)) return
      scanBlocks(engine, layout, query, scores, pointer, count)
      const own = ids.view(BLOCK_ROWS * first, BLOCK_ROWS * count)
      if (own) memory.u32(labels, own.length).set(own)
      top.add(scores, BLOCK_ROWS * count, { masks: lanes, ids: own ? labels : 0, first: BLOCK_ROWS * first })
    }

    collection.eachPiece(
      codes,
      (pointer, first, count, rows) => {
        for (let done = 0; done < count; done += SPAN_BLOCKS) {
          const blocks = Math.min(SPAN_BLOCKS, count - done)
          const here = Math.min(rows - BLOCK_ROWS * done, BLOCK_ROWS * blocks)
          score(pointer + done * store.form.blockBytes, first + done, blocks, here - BLOCK_ROWS * (blocks - 1))
        }
      },
      probes
    )
    return top.take()
  })
}
