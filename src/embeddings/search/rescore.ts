import { frame } from '../engine.js'
import type { Pointer } from '../../core/memory.js'
import type { Source } from '../../core/tensor.js'
import { blockBytes, clearBlocks, placeRows } from '../scan/blocks.js'
import { BLOCK_ROWS, rowBytes } from '../scan/layout.js'
import type { Query } from '../scan/query.js'
import { scanBlocks, scoreFinely } from '../scan/scan.js'
import type { Collection } from './collection.js'
import type { LoadedCodec } from './loaded.js'

/** A query behind a codec's front, in the frame that is open. */
export function innerRow({ engine }: Collection, codec: LoadedCodec, queries: Source, row: number): Pointer {
  const { memory } = engine
  const inner = memory.alloc(4 * codec.inner)
  codec.front(inner, queries, row, 1)
  return inner
}

/** Scores of rows by the originals that the index keeps. `exact` gives the codec of vectors as they are. */
export function scoreKept(
  collection: Collection,
  exact: () => LoadedCodec,
  queries: Source,
  row: number,
  ids: Uint32Array
): Float32Array {
  const { engine } = collection
  const { codec, store } = collection.originals!
  // Rounding to float16 has changed the lengths that the cosine relies on.
  const whole = codec.layout.scan === 'half' && codec.metric === 'cosine' ? exact() : undefined
  return frame(engine, (memory, kernels) => {
    const query = codec.query(innerRow(collection, codec, queries, row))
    const { rowBytes: bytes } = store.form
    const rows = memory.alloc(bytes * ids.length)
    ids.forEach((id, i) => store.take(rows + i * bytes, collection.ids.find(id), 1))
    if (!whole) return scoreRows(collection, codec, query, rows, ids.length)
    const inner = memory.alloc(4 * codec.inner * ids.length)
    codec.decode(inner, rows, ids.length)
    kernels.unitRows(inner, ids.length, codec.inner)
    const codes = memory.alloc(rowBytes(whole.layout) * ids.length)
    whole.encode(codes, inner, ids.length)
    return scoreRows(collection, whole, whole.query(innerRow(collection, whole, queries, row)), codes, ids.length)
  })
}

/** Scores of the `chosen` ones among vectors that came from outside. */
export function scoreAsked(
  collection: Collection,
  codec: LoadedCodec,
  queries: Source,
  row: number,
  vectors: Source,
  chosen: Uint32Array
): Float32Array {
  const { engine } = collection
  return frame(engine, (memory) => {
    const query = codec.query(innerRow(collection, codec, queries, row))
    const inner = memory.alloc(4 * codec.inner * chosen.length)
    chosen.forEach((place, i) => codec.front(inner + 4 * i * codec.inner, vectors, place, 1))
    const codes = memory.alloc(rowBytes(codec.layout) * chosen.length)
    codec.encode(codes, inner, chosen.length)
    return scoreRows(collection, codec, query, codes, chosen.length)
  })
}

/** Scores of codes in row form. */
function scoreRows(
  { engine }: Collection,
  { layout }: LoadedCodec,
  query: Query,
  rows: Pointer,
  count: number
): Float32Array {
  const { memory } = engine
  const blocks = Math.ceil(count / BLOCK_ROWS)
  const at = memory.alloc(blocks * blockBytes(layout))
  const scores = memory.alloc(4 * BLOCK_ROWS * blocks)
  clearBlocks(engine, layout, at, blocks)
  placeRows(engine, layout, at, 0, rows, count)
  if (query.fine) scoreFinely(engine, layout, query, query.fine(), scores, at, blocks)
  else scanBlocks(engine, layout, query, scores, at, blocks)
  return memory.f32(scores, count).slice()
}
