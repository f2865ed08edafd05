import { frame, type Engine } from '../engine.js'
import type { Pointer } from '../../core/memory.js'
import { BLOCK_ROWS } from '../scan/layout.js'
import type { Coarse } from './coarse.js'
import { Ids, NO_ID } from './ids.js'
import { Lists } from './lists.js'
import type { LoadedCodec } from './loaded.js'
import { eachBatch } from './batches.js'
import type { Store } from './store.js'

/** Rows of one codec. */
export interface Shelf {
  readonly codec: LoadedCodec
  readonly store: Store
}

/** Writes the rows of a batch, as codes of each shelf, to where they are told. */
export type WriteRows = (to: readonly Pointer[], first: number, count: number) => void

/** What an index holds: shelves whose rows stand at the same positions (the codes, and the originals where they are kept), ids, lists. */
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
        this.moveRow(last, position)
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
    for (const { store } of this.present()) this.permute(store, to.slice())
    this.ids.adopt(ids, to.length)
    this.lists = lists
    this.version++
  }

  /**
   * Visits the blocks of all lists, in order: pieces that follow one another in memory, the first block's number, how many
   * blocks and how many rows they hold.
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

  private appendBatch(ids: Uint32Array, first: number, write: WriteRows): void {
    const { engine, lists, ids: known, coarse } = this
    const shelves = this.present()
    const count = ids.length
    // Room is made between the frames: what stays may not stand above what goes.
    const { rows, numbers } = frame(engine, (memory) => {
      const at = shelves.map(({ store }) => memory.alloc(count * store.form.rowBytes))
      write(at, first, count)
      return {
        rows: shelves.map(({ store }, i) => memory.u8(at[i]!, count * store.form.rowBytes).slice()),
        numbers: coarse?.numbersOf(engine, this.codes.codec, at[0]!, count)
      }
    })
    const more = new Uint32Array(lists.all.length)
    if (numbers) for (const number of numbers) more[number]!++
    else more[0] = count
    const blocks = lists.blocksWith(more)
    for (const { store } of shelves) store.reserve(blocks)
    const isImplicit = known.implicit && !coarse && ids.every((id, i) => id === this.size + i)
    if (!isImplicit) known.keep(BLOCK_ROWS * blocks)
    known.reserve(BLOCK_ROWS * blocks, count)

    const positions = Uint32Array.from(ids, (id, i) => {
      const position = lists.push(numbers ? numbers[i]! : 0)
      known.put(position, id)
      return position
    })
    frame(engine, (memory) => {
      shelves.forEach(({ store }, i) => {
        const { rowBytes } = store.form
        const at = memory.alloc(count * rowBytes)
        memory.u8(at, count * rowBytes).set(rows[i]!)
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

  private moveRow(from: number, to: number): void {
    for (const { store } of this.present()) {
      frame(this.engine, (memory) => {
        const row = memory.alloc(store.form.rowBytes)
        store.take(row, from, 1)
        store.place(to, row, 1)
      })
    }
  }

  private clear(position: number): void {
    for (const { store } of this.present()) store.clear(position)
  }

  /** Follows the cycles of a permutation, and chains that end in places without a row. */
  private permute(store: Store, to: Uint32Array<ArrayBuffer>): void {
    frame(this.engine, (memory) => {
      const { rowBytes } = store.form
      let row = memory.alloc(rowBytes)
      let other = memory.alloc(rowBytes)
      for (let start = 0; start < to.length; start++) {
        let target = to[start]!
        if (target === NO_ID || target === start) continue
        store.take(row, start, 1)
        store.clear(start)
        to[start] = NO_ID
        while (target < to.length && to[target] !== NO_ID) {
          store.take(other, target, 1)
          store.place(target, row, 1)
          const next = to[target]!
          to[target] = NO_ID
          target = next
          const moved = row
          row = other
          other = moved
        }
        store.place(target, row, 1)
      }
    })
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
