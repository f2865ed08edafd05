/** The greatest id; the number after it stands for no row. */
export const LAST_ID = 4294967294
export const NO_ID = 4294967295

/** A table is at most three quarters full: linear probing stays short (Knuth, TAOCP 3, 6.4). */
const FULL = 0.75
const LEAST_SLOTS = 16

/** Spreads ids, which are often numbers in a row, over the table: the finaliser of MurmurHash3 (A. Appleby). */
function hash(id: number): number {
  let h = id
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** Where ids are: open addressing over positions, the ids themselves stand in `ids` alone. */
class Table {
  /** position + 1; 0: none */
  private slots: Uint32Array<ArrayBuffer>
  private count = 0

  constructor(
    private readonly ids: () => Uint32Array,
    rows: number
  ) {
    this.slots = new Uint32Array(Table.slotsFor(rows))
  }

  get bytes(): number {
    return this.slots.byteLength
  }

  static slotsFor(rows: number): number {
    let slots = LEAST_SLOTS
    while (rows > slots * FULL) slots *= 2
    return slots
  }

  /** Makes room for so many rows in all. */
  reserve(rows: number): void {
    const slots = Table.slotsFor(rows)
    if (slots <= this.slots.length) return
    const old = this.slots
    this.slots = new Uint32Array(slots)
    this.count = 0
    for (const slot of old) if (slot) this.insert(slot - 1)
  }

  find(id: number): number {
    const slot = this.slotOf(id)
    return this.slots[slot]! - 1
  }

  /** Notes a row that is in `ids`; false where its id is here already. There has to be room. */
  insert(position: number): boolean {
    const slot = this.slotOf(this.ids()[position]!)
    if (this.slots[slot]) return false
    this.slots[slot] = position + 1
    this.count++
    return true
  }

  move(id: number, to: number): void {
    this.slots[this.slotOf(id)] = to + 1
  }

  /** Forgets an id that is here; those behind it move up, so that no tombstones are left. */
  remove(id: number): void {
    const { slots } = this
    const mask = slots.length - 1
    const ids = this.ids()
    let hole = this.slotOf(id)
    for (let next = (hole + 1) & mask; slots[next]; next = (next + 1) & mask) {
      const home = hash(ids[slots[next]! - 1]!) & mask
      if (((next - home) & mask) >= ((next - hole) & mask)) {
        slots[hole] = slots[next]!
        hole = next
      }
    }
    slots[hole] = 0
    this.count--
  }

  /** The slot of an id, or the empty one where it would stand. */
  private slotOf(id: number): number {
    const { slots } = this
    const ids = this.ids()
    const mask = slots.length - 1
    let slot = hash(id) & mask
    while (slots[slot] && ids[slots[slot]! - 1] !== id) slot = (slot + 1) & mask
    return slot
  }
}

/**
 * The ids of rows by position and positions by id. While every id is its position nothing is kept. From then on each
 * position has a number, and, once an id is looked for, there is a table.
 */
export class Ids {
  /** the number that the next row gets which brings none */
  next = 0
  /** rows; while ids are positions they are 0 .. count - 1 */
  count = 0
  private ids: Uint32Array<ArrayBuffer> | undefined
  private table: Table | undefined

  /** Whether every id is its position. */
  get implicit(): boolean {
    return this.ids === undefined
  }

  get bytes(): number {
    return (this.ids?.byteLength ?? 0) + (this.table?.bytes ?? 0)
  }

  /**
   * Of positions [first, first + count), NO_ID where there is no row; a view, or undefined where each id is its
   * position.
   */
  view(first: number, count: number): Uint32Array<ArrayBuffer> | undefined {
    return this.ids?.subarray(first, first + count)
  }

  at(position: number): number {
    return this.ids ? this.ids[position]! : position
  }

  /** The position of an id, or -1. */
  find(id: number): number {
    if (!this.ids) return id < this.count ? id : -1
    return this.tabled().find(id)
  }

  /** From here on ids are kept by position. */
  keep(positions: number): void {
    if (!this.ids) {
      this.ids = new Uint32Array(Math.max(positions, this.count)).fill(NO_ID)
      for (let i = 0; i < this.count; i++) this.ids[i] = i
    }
    this.room(positions)
  }

  /** Makes room for positions below `positions`, and in the table for `rows` more. */
  reserve(positions: number, rows: number): void {
    if (!this.ids) return
    this.room(positions)
    this.table?.reserve(this.count + rows)
  }

  /** Gives a row its id, which is not here yet. Implicit ids are given in the order of the positions. */
  put(position: number, id: number): void {
    if (this.ids) {
      this.ids[position] = id
      this.table?.insert(position)
    }
    this.count++
    if (id >= this.next) this.next = id + 1
  }

  /** Forgets the row of a position. Ids are kept. */
  drop(position: number): void {
    const ids = this.ids!
    this.table?.remove(ids[position]!)
    ids[position] = NO_ID
    this.count--
  }

  /** Takes back the rows from position `count` on, while ids are positions. */
  truncate(count: number): void {
    this.count = count
  }

  /** The row at `from` goes to `to`, where there is none. Ids are kept. */
  move(from: number, to: number): void {
    const ids = this.ids!
    const id = ids[from]!
    this.table?.move(id, to)
    ids[to] = id
    ids[from] = NO_ID
  }

  /** Takes ids by position as they are (NO_ID where there is no row); answers one that is there twice, if any. */
  adopt(ids: Uint32Array<ArrayBuffer>, count: number): number | undefined {
    this.ids = ids
    this.count = count
    this.table = undefined
    return this.build()
  }

  private tabled(): Table {
    if (!this.table) this.build()
    return this.table!
  }

  private build(): number | undefined {
    const ids = this.ids!
    const table = new Table(() => this.ids!, this.count)
    let twice: number | undefined
    for (let i = 0; i < ids.length; i++) if (ids[i] !== NO_ID && !table.insert(i)) twice ??= ids[i]
    this.table = table
    return twice
  }

  private room(positions: number): void {
    const old = this.ids!
    if (positions <= old.length) return
    this.ids = new Uint32Array(Math.max(positions, old.length + (old.length >> 3))).fill(NO_ID, old.length)
    this.ids.set(old)
  }
}
