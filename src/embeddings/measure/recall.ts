import { elementAt, type Source, type Tensor } from '../../core/tensor.js'
import { fitCodec } from '../codec/fit/fitCodec.js'
import { numberError } from '../codec/front.js'
import type { Metric } from '../codec/quantizer.js'
import type { Index } from '../search/indexInterface.js'
import { createIndex } from '../search/createIndex.js'
import type { SearchOptions } from '../search/options.js'

/** Vectors, read: a tensor of shape (n, d). */
export type Rows = Pick<Source, 'data' | 'bits'> & { readonly shape: readonly number[] }

/** Throws where a number is not finite, by the name that the rows were given under. */
export function checkFinite(rows: Source): void {
  const { data, bits, size } = rows
  for (let i = 0; i < size; i++) {
    const x = bits ? elementAt(rows, i) : data[i]!
    if (x - x !== 0) throw numberError(rows, rows.shape[1]!)
  }
}

/** Bytes of float32 rows that are searched at once. */
const TILE_BYTES = 1 << 26

/** Rows that a tile of `bytes` has, at least one. */
export function tileOf(dimensions: number, bytes = TILE_BYTES): number {
  return Math.max(1, Math.floor(bytes / (4 * dimensions)))
}

/** Rows [first, first + count), over the same memory, as every verb reads them. */
export function rowsAt(
  { data, bits, shape }: Rows,
  first: number,
  count: number
): Tensor<Rows['data']> & { dtype?: string } {
  const dimensions = shape[1]!
  return {
    data: data.subarray(first * dimensions, (first + count) * dimensions),
    shape: [count, dimensions],
    ...(bits ? { dtype: bits } : {})
  }
}

/** Some rows, copied. */
export function gathered(rows: Rows, which: ArrayLike<number>): Rows {
  const dimensions = rows.shape[1]!
  const data = rows.data.slice(0, 0)
  const copy = new (data.constructor as new (length: number) => Rows['data'])(which.length * dimensions)
  for (let i = 0; i < which.length; i++) {
    copy.set(rows.data.subarray(which[i]! * dimensions, (which[i]! + 1) * dimensions), i * dimensions)
  }
  return { data: copy, shape: [which.length, dimensions], bits: rows.bits }
}

/** The nearest of each query: (queries, width) row numbers, the best first. */
export interface Neighbours {
  readonly ids: Uint32Array
  readonly width: number
  /** queries whose last neighbour is as near as the first that is left out: another order would be as right */
  readonly tied: number
}

/** What an index found of so many queries, without what a query is itself. */
interface Ranking {
  readonly ids: Uint32Array
  readonly scores: Float32Array
}

/**
 * Searches for `width` others: (queries, width). `own[q]` is query q among the rows; one more is asked for, and the query itself, or else the last,
 * left out, so that it is the search of a table that never held it.
 */
export function searchOthers(
  index: Index,
  queries: Rows,
  width: number,
  own?: Uint32Array,
  options: SearchOptions = {}
): Ranking {
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

/**
 * The nearest rows of each query by float32 scores, of equally near ones those that stand first: the truth that recall is held against. Rows pass in
 * tiles, so that tables larger than linear memory are searched, too.
 */
export function exactNeighbours(rows: Rows, queries: Rows, metric: Metric, k: number, own?: Uint32Array): Neighbours {
  const [count, dimensions] = rows.shape as [number, number]
  const number = queries.shape[0]!
  // One more than k shows ties.
  const width = Math.min(k + 1, count - (own ? 1 : 0))
  const codec = fitCodec(rowsAt(rows, 0, 1), { method: 'float32', metric })
  let best: Ranking | undefined
  const tile = tileOf(dimensions)
  for (let first = 0; first < count; first += tile) {
    const size = Math.min(tile, count - first)
    const index = createIndex(codec)
    index.add(rowsAt(rows, first, size))
    // The query itself is in one of the tiles.
    const found = searchOthers(
      index,
      queries,
      width,
      own?.map((row) => (row >= first ? row - first : NOWHERE))
    )
    const { ids } = found
    for (let i = 0; i < ids.length; i++) if (ids[i] !== NOWHERE) ids[i]! += first
    best = best ? merged(best, found, number, width) : found
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
function merged(left: Ranking, right: Ranking, queries: number, width: number): Ranking {
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

/** Of each query, the share of its true neighbours among the first `within` that were found: rows of `width`. */
export function sharesFound(
  truth: Neighbours,
  found: Uint32Array,
  width: number,
  within: number
): Float64Array<ArrayBuffer> {
  const queries = truth.ids.length / truth.width
  const shares = new Float64Array(queries)
  for (let q = 0; q < queries; q++) {
    const wanted = new Set(truth.ids.subarray(q * truth.width, (q + 1) * truth.width))
    let hits = 0
    const start = q * width
    for (let i = start; i < start + Math.min(width, within); i++) if (wanted.has(found[i]!)) hits++
    shares[q] = hits / truth.width
  }
  return shares
}

export function meanOf(values: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]!
  return sum / values.length
}
