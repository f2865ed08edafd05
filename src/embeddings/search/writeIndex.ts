import { byteLengthOf, type Dtype, type TensorEntry } from '../../files/dtypes.js'
import { artefactHeader } from '../../files/writeArtefact.js'
import type { Codec } from '../codec/codec.js'
import { BLOCK_ROWS } from '../scan/layout.js'
import type { Collection } from './collection.js'
import { bytesOf, type ArrayName } from './indexContents.js'
import { writeEntry } from './indexEntry.js'
import type { IndexSettings } from './options.js'

/**
 * An index as the pieces of a safetensors file (docs/formats.md). They are views: they hold until the index changes.
 */
export function indexPieces(codec: Codec, settings: IndexSettings, collection: Collection): Uint8Array[] {
  const { coarse, lists, codes, originals, size, ids, engine } = collection
  const entries: TensorEntry[] = []
  const pieces: Uint8Array[] = []
  const add = (name: ArrayName, dtype: Dtype, shape: number[], ...parts: Uint8Array[]): void => {
    entries.push({ name, dtype, shape, byteLength: byteLengthOf(dtype, shape) })
    pieces.push(...parts)
  }
  if (coarse) {
    const { centroids } = coarse
    add('centroids', 'F32', [coarse.lists, centroids.length / coarse.lists], bytesOf(centroids))
    add('lists', 'U32', [coarse.lists], bytesOf(Uint32Array.from(lists.all, ({ rows }) => rows)))
  }
  const numbers = idsInOrder(collection)
  const isPlain = !coarse && ids.next === size && numbers.every((id, i) => id === i)
  if (!isPlain) add('ids', 'U32', [size], bytesOf(numbers))

  const { blockBytes } = codes.store.form
  const used = lists.all.reduce((sum, list) => sum + list.used, 0)
  const blocks: Uint8Array[] = []
  collection.eachPiece(codes, (pointer, _, count) => blocks.push(engine.memory.u8(pointer, count * blockBytes)))
  add('codes', 'U8', [used, blockBytes], ...blocks)
  if (originals) {
    const { rowBytes } = originals.store.form
    const rows: Uint8Array[] = []
    // Without the rows that fill up a last block.
    collection.eachPiece(originals, (pointer, _, __, count) => rows.push(engine.memory.u8(pointer, count * rowBytes)))
    add('originals', 'U8', [size, rowBytes], ...rows)
  }
  const table = codec.toBytes()
  add('codec', 'U8', [table.length], table)
  return [artefactHeader(entries, writeEntry({ settings, rows: size, next: ids.next })), ...pieces]
}

function idsInOrder(collection: Collection): Uint32Array<ArrayBuffer> {
  const numbers = new Uint32Array(collection.size)
  let next = 0
  collection.eachPiece(collection.codes, (_, first, __, rows) => {
    for (let i = 0; i < rows; i++) numbers[next++] = collection.ids.at(BLOCK_ROWS * first + i)
  })
  return numbers
}
