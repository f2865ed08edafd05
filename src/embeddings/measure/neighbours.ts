import { fitCodec } from '../codec/fit/fitCodec.js'
import type { Metric } from '../codec/quantizer.js'
import type { Index } from '../search/indexInterface.js'
import { createIndex } from '../search/createIndex.js'
import type { SearchOptions } from '../search/options.js'
import { rowsAt, rowsWithin, type Table } from './table.js'

/** Bytes of float32 rows in a shard, which is searched at once. */
const SHARD_BYTES = 1 << 26

/** The nearest of each query: (queries, width) row numbers, the best first. */
export interface Neighbours {
  readonly ids: Uint32Array
  readonly width: number
  /** queries whose last neighbour is as near as the first that is left out: another order would be as right */
  readonly tied: number
}

/** What an index found of so many queries, without what a query is itself. */
interface Hits {
  readonly ids: Uint32Array
  readonly scores: Float32Array
}

/**
 * Searches for `width` others: (queries, width). `own[q]` is query q among the rows. One more is asked for, and the
 * query itself, or else the last, is left out: the search of a table that never held it.
 */
export function searchOthers(
  index: Index,
  queries: Table,
  width: number,
  own?: Uint32Array,
  options: SearchOptions = {}
): Hits {
  const count = queries.shape[0]!
  const asked = own ? width + 1 : width
  const { ids, scores } = index.search(rowsAt(queries, 0, count), { ...options, k: asked })
  if (!own) return { ids: ids.data, scores: scores.data }
  const others = { ids: new Uint32Array(count * width), scores: new Float32Array(count * width) }
  for (let q = 0; q < count; q++) {
    const start = q * asked
    let last = start
    while (last < start + width && ids.data[last] !== own[q]) last++
    let to = q * width
    for (let from = start; from < start + asked; from++) {
      if (from === last) continue
      others.ids[to] = ids.data[from]!
      others.scores[to++] = scores.data[from]!
    }
  }
  return others
}

/** How many shards `exactNeighbours` searches. */
export function shardsOf({ shape }: Table): number {
  return Math.ceil(shape[0]! / rowsWithin(SHARD_BYTES, shape[1]!))
}

/** What neighbours are looked for. */
interface Wanted {
  readonly metric: Metric
  readonly k: number
  /** where the queries stand in the table itself */
  readonly own?: Uint32Array | undefined
  /** called after each shard */
  readonly onShard?: () => void
}

/**
 * The truth that recall is held against: the nearest rows of each query by float32 scores, of equally near ones the
 * first. Rows pass in shards, so that tables larger than linear memory are searched, too.
 */
export function exactNeighbours(table: Table, queries: Table, { metric, k, own, onShard }: Wanted): Neighbours {
  const [count, dimensions] = table.shape as [number, number]
  const number = queries.shape[0]!
  // One more than k shows ties.
  const width = Math.min(k + 1, count - (own ? 1 : 0))
  const codec = fitCodec(rowsAt(table, 0, 1), { method: 'float32', metric })
  let best: Hits | undefined
  const shard = rowsWithin(SHARD_BYTES, dimensions)
  for (let first = 0; first < count; first += shard) {
    const size = Math.min(shard, count - first)
    const index = createIndex(codec)
    index.add(rowsAt(table, first, size))
    // The query itself is in one of the shards.
    const found = searchOthers(
      index,
      queries,
      width,
      own?.map((row) => (row >= first ? row - first : NOWHERE))
    )
    const { ids } = found
    for (let i = 0; i < ids.length; i++) if (ids[i] !== NOWHERE) ids[i]! += first
    best = best ? merged(best, found, number, width) : found
    onShard?.()
  }
  const kept = Math.min(k, width)
  const ids = new Uint32Array(number * kept)
  let tied = 0
  for (let q = 0; q < number; q++) {
    ids.set(best!.ids.subarray(q * width, q * width + kept), q * kept)
    const { scores } = best!
    if (width > kept && scores[q * width + kept] === scores[q * width + kept - 1]) tied++
  }
  return { ids, width: kept, tied }
}

/** What a search that finds fewer fills up with. */
const NOWHERE = 0xffffffff

/** The best of both; those of `left` stand first in the table. */
function merged(left: Hits, right: Hits, queries: number, width: number): Hits {
  const ids = new Uint32Array(queries * width)
  const scores = new Float32Array(queries * width)
  for (let q = 0; q < queries; q++) {
    let [a, b] = [q * width, q * width]
    for (let to = q * width; to < (q + 1) * width; to++) {
      const fromLeft = left.scores[a]! >= right.scores[b]!
      ids[to] = fromLeft ? left.ids[a]! : right.ids[b]!
      scores[to] = fromLeft ? left.scores[a++]! : right.scores[b++]!
    }
  }
  return { ids, scores }
}
