import { frame, type Engine } from '../engine.js'
import type { Pointer } from '../../core/memory.js'
import { BLOCK_ROWS } from '../scan/layout.js'
import { eachBatch } from './batches.js'
import type { Coarse } from './coarse.js'
import { Ids, NO_ID } from './ids.js'
import { Lists } from './lists.js'
import type { LoadedCodec } from './loaded.js'
import { moveRow, permuteRows } from './moveRows.js'
import type { Store } from './store.js'

/** Rows of one codec. */
export interface Shelf {
  readonly codec: LoadedCodec
  readonly store: Store
}

/** Writes the rows [first, first + count) of what is added, as codes of each shelf. */
export type WriteRows = (to: readonly Pointer[], first: number, count: number) => void

interface Batch {
  readonly rows: readonly Uint8Array<ArrayBuffer>[]
  readonly numbers: Uint16Array<ArrayBuffer> | undefined
}

/**
 * What an index holds: shelves (the codes, and the originals where they are kept), ids, lists. What always holds:
 * - a row stands at the same position on each shelf, and `ids` knows it by that position;
 * - lists say which positions hold rows; all other lanes of the stores are as empty ones;
 * - there is one list until `coarse` is set, and from then on each row is in the list that `coarse` gives it.
 */
export class Collection {
  readonly ids = new Ids()
  lists = new Lists(1)
  /** where there are several lists, their centroids */
  coarse: Coarse | undefined
  /** another one whenever rows have come, gone or moved */
  version = 0

  constructor(
    readonly engine: Engine,
    readonly shelves: readonly [codes: Shelf, originals?: Shelf]
  ) {}

  get size(): number {
    return this.ids.count
  }

  get bytes(): number {
    return this.engine.memory.size + this.ids.bytes + this.lists.bytes + (this.coarse?.bytes ?? 0)
  }

  get codes(): Shelf {
    return this.shelves[0]
  }

  get originals(): Shelf | undefined {
    return this.shelves[1]
  }

  /** Makes room for so many rows in all. */
  reserve(rows: number, how: { exactly?: boolean; uncleared?: boolean } = {}): void {
    for (const { store } of this.present()) store.reserve(Math.ceil(rows / BLOCK_ROWS), how)
  }

  /** Adds rows with these ids, none of which is here yet; all of them or, where something throws, none. */
  append(ids: Uint32Array, step: number, write: WriteRows): void {
    const { lists, ids: known } = this
    this.version++
    const before = { rows: lists.all.map(({ rows }) => rows), next: known.next }
    try {
      if (!this.coarse) this.reserve(this.size + ids.length)
      eachBatch(ids.length, step, (first, count) => this.appendBatch(ids.subarray(first, first + count), first, write))
    } catch (error) {
      this.shrink(before.rows)
      known.next = before.next
      throw error
    }
  }

  /** Removes rows by id, and answers how many there were: the last row of a list takes the place of one that goes. */
  remove(ids: Uint32Array): number {
    const { lists, ids: known } = this
    let removed = 0
    this.version++
    for (const id of ids) {
      const position = known.find(id)
      if (position < 0) continue
      if (removed++ === 0) known.keep(this.positions)
      const last = lists.pop(lists.ownerOf(position))
      known.drop(position)
      if (last !== position) {
        for (const { store } of this.present()) moveRow(this.engine, store, last, position)
        known.move(last, position)
      }
      this.clear(last)
    }
    return removed
  }

  /** Positions in blocks that are in use; not all of them hold a row. */
  get positions(): number {
    return BLOCK_ROWS * this.lists.blocks
  }

  /** Moves every row: to[position] says where to. Afterwards the lists are those given. */
  rearrange(to: Uint32Array<ArrayBuffer>, lists: Lists): void {
    this.reserve(BLOCK_ROWS * lists.blocks)
    const ids = new Uint32Array(BLOCK_ROWS * lists.blocks).fill(NO_ID)
    to.forEach((target, position) => (ids[target] = this.ids.at(position)))
    for (const { store } of this.present()) permuteRows(this.engine, store, to.slice())
    this.ids.adopt(ids, to.length)
    this.lists = lists
    this.version++
  }

  /**
   * Visits the blocks of all lists, in order, as pieces that follow one another in memory. `visit` gets the first
   * block's number, and how many blocks and rows a piece holds.
   */
  eachPiece(
    { store }: Shelf,
    visit: (pointer: Pointer, first: number, blocks: number, rows: number) => void,
    numbers: Iterable<number> = this.lists.all.keys()
  ): void {
    for (const number of numbers) {
      const list = this.lists.all[number]!
      let left = list.rows
      for (const run of list.runs) {
        store.eachPiece(run.first, run.count, (pointer, first, blocks) => {
          const rows = Math.min(left, BLOCK_ROWS * blocks)
          left -= rows
          visit(pointer, first, blocks, rows)
        })
      }
    }
  }

  present(): Shelf[] {
    return this.originals ? [this.codes, this.originals] : [this.codes]
  }

  /**
   * Three steps, since permanent room may not be made while a frame is open. Codes in scratch memory are copied out,
   * room is made, and the codes are copied to their places.
   */
  private appendBatch(ids: Uint32Array, first: number, write: WriteRows): void {
    const { rows, numbers } = this.encodeBatch(ids.length, first, write)
    this.makeRoom(ids, numbers)
    const positions = Uint32Array.from(ids, (id, i) => {
      const position = this.lists.push(numbers ? numbers[i]! : 0)
      this.ids.put(position, id)
      return position
    })
    this.placeBatch(positions, rows)
  }

  /** The rows of a batch as codes of each shelf, and the list of each, where there are several. */
  private encodeBatch(count: number, first: number, write: WriteRows): Batch {
    const { engine, coarse } = this
    const shelves = this.present()
    return frame(engine, (memory) => {
      const at = shelves.map(({ store }) => memory.alloc(count * store.form.rowBytes))
      write(at, first, count)
      return {
        rows: shelves.map(({ store }, i) => memory.u8(at[i]!, count * store.form.rowBytes).slice()),
        numbers: coarse?.numbersOf(engine, this.codes.codec, at[0]!, count)
      }
    })
  }

  private makeRoom(ids: Uint32Array, numbers: Batch['numbers']): void {
    const { lists, ids: known } = this
    const more = new Uint32Array(lists.all.length)
    if (numbers) for (const number of numbers) more[number]!++
    else more[0] = ids.length
    const blocks = lists.blocksWith(more)
    for (const { store } of this.present()) store.reserve(blocks)
    const isImplicit = known.implicit && !numbers && ids.every((id, i) => id === this.size + i)
    if (!isImplicit) known.keep(BLOCK_ROWS * blocks)
    known.reserve(BLOCK_ROWS * blocks, ids.length)
  }

  private placeBatch(positions: Uint32Array, rows: Batch['rows']): void {
    frame(this.engine, (memory) => {
      this.present().forEach(({ store }, i) => {
        const { rowBytes } = store.form
        const at = memory.alloc(rows[i]!.length)
        memory.u8(at, rows[i]!.length).set(rows[i]!)
        eachRun(positions, (start, length) => store.place(positions[start]!, at + start * rowBytes, length))
      })
    })
  }

  /** Takes back the rows that lists have beyond so many. */
  private shrink(rows: readonly number[]): void {
    const { lists, ids } = this
    lists.all.forEach((list, number) => {
      while (list.rows > rows[number]!) {
        const position = lists.pop(number)
        if (ids.implicit) ids.truncate(ids.count - 1)
        else ids.drop(position)
        this.clear(position)
      }
    })
  }

  private clear(position: number): void {
    for (const { store } of this.present()) store.clear(position)
  }
}

/** Visits runs of positions that follow one another. */
function eachRun(positions: Uint32Array, visit: (start: number, length: number) => void): void {
  for (let start = 0; start < positions.length;) {
    let end = start + 1
    while (end < positions.length && positions[end] === positions[end - 1]! + 1) end++
    visit(start, end - start)
    start = end
  }
}
