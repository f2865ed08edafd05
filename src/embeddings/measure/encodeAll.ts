import type { Codec } from '../codec/codec.js'
import { createIndex } from '../search/createIndex.js'
import type { Index } from '../search/indexInterface.js'
import { rowsAt, rowsWithin, type Table } from './table.js'

/** Bytes of float32 rows that are encoded at once. */
const BATCH_BYTES = 1 << 24

/** How many batches `encodeAll` encodes. */
export function batchesOf({ shape }: Table): number {
  return Math.ceil(shape[0]! / rowsWithin(BATCH_BYTES, shape[1]!))
}

/** All rows as codes, in an index and as they are. */
export function encodeAll(
  codec: Codec,
  table: Table,
  onBatch?: () => void
): { index: Index; codes: Uint8Array; seconds: number } {
  const [count, dimensions] = table.shape as [number, number]
  const { bytesPerVector } = codec
  const index = createIndex(codec)
  const codes = new Uint8Array(count * bytesPerVector)
  const batch = rowsWithin(BATCH_BYTES, dimensions)
  let milliseconds = 0
  for (let first = 0; first < count; first += batch) {
    const size = Math.min(batch, count - first)
    const started = performance.now()
    const { data } = codec.encode(rowsAt(table, first, size))
    milliseconds += performance.now() - started
    codes.set(data, first * bytesPerVector)
    index.addCodes({ data, shape: [size, bytesPerVector] })
    onBatch?.()
  }
  // A clock that is too coarse to see it, as browsers have them, says 0.
  return { index, codes, seconds: Math.max(milliseconds, 1e-3) / 1000 }
}
