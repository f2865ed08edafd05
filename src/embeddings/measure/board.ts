import type { Neighbours } from './neighbours.js'
import { gathered, type Table } from './table.js'

/** Queries, what they are searched for among, and what they should find. */
export interface Board {
  readonly rows: Table
  readonly queries: Table
  readonly truth: Neighbours
  /** where the queries stand among the rows themselves */
  readonly own?: Uint32Array
}

/** Some of a list, evenly. */
export function every(list: Uint32Array, count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, i) => list[Math.floor((i * list.length) / count)]!)
}

/** The same with some of its queries, or itself where it has no more. */
export function spread(board: Board, count: number): Board {
  const { queries, truth } = board
  const number = queries.shape[0]!
  if (number <= count) return board
  const which = every(
    Uint32Array.from({ length: number }, (_, i) => i),
    count
  )
  const ids = new Uint32Array(count * truth.width)
  which.forEach((q, i) => ids.set(truth.ids.subarray(q * truth.width, (q + 1) * truth.width), i * truth.width))
  return { ...board, queries: gathered(queries, which), truth: { ...truth, ids } }
}
