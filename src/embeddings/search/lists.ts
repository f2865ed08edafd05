import { BLOCK_ROWS } from '../scan/layout.js'

/** Rows for each list that there have to be before lists are made. */
export const LEAST_ROWS = 32

/** Blocks whose numbers follow one another. */
export interface Run {
  first: number
  count: number
}

/** The blocks of one list, in order; its rows fill all of them but the last. */
export class List {
  rows = 0
  readonly runs: Run[] = []
  private blocks = 0

  /** The position of its row `index`. */
  positionOf(index: number): number {
    const wanted = Math.floor(index / BLOCK_ROWS)
    // Rows are mostly asked for at the end.
    let first = this.blocks
    for (let i = this.runs.length - 1; i >= 0; i--) {
      const run = this.runs[i]!
      first -= run.count
      if (wanted >= first) return (run.first + wanted - first) * BLOCK_ROWS + (index % BLOCK_ROWS)
    }
    return -1
  }

  /** Rows that it still has room for. */
  get room(): number {
    return this.blocks * BLOCK_ROWS - this.rows
  }

  append(block: number, count = 1): void {
    const last = this.runs.at(-1)
    if (last && last.first + last.count === block) last.count += count
    else this.runs.push({ first: block, count })
    this.blocks += count
  }

  /** Gives up the last block and answers its number. */
  pop(): number {
    const last = this.runs.at(-1)!
    this.blocks--
    if (last.count === 1) this.runs.pop()
    return last.first + --last.count
  }

  /** Blocks that hold a row. */
  get used(): number {
    return Math.ceil(this.rows / BLOCK_ROWS)
  }
}

/**
 * Which blocks belong to which list. With one list blocks are used from the first on; with several, freed ones are used
 * again.
 */
export class Lists {
  readonly all: List[]
  /** blocks that have been given to lists, or freed since */
  blocks = 0
  private readonly free: number[] = []
  /** the list of each block, where there are several */
  private owners: Uint32Array<ArrayBuffer> | undefined

  constructor(count: number) {
    this.all = Array.from({ length: count }, () => new List())
    if (count > 1) this.owners = new Uint32Array(0)
  }

  get bytes(): number {
    return this.owners?.byteLength ?? 0
  }

  /** Blocks in all once each list has got so many rows more. */
  blocksWith(more: readonly number[] | Uint32Array): number {
    let missing = 0
    this.all.forEach((list, i) => (missing += Math.ceil(Math.max(0, more[i]! - list.room) / BLOCK_ROWS)))
    return this.blocks + Math.max(0, missing - this.free.length)
  }

  /** The position of a further row of a list, whose block may be a new one. */
  push(number: number): number {
    const list = this.all[number]!
    if (list.room === 0) {
      const block = this.free.pop() ?? this.blocks++
      list.append(block)
      if (this.owners) this.note(block, number)
    }
    return list.positionOf(list.rows++)
  }

  /** The position of the last row of a list, which is given up. */
  pop(number: number): number {
    const list = this.all[number]!
    const position = list.positionOf(--list.rows)
    if (list.rows % BLOCK_ROWS === 0) {
      const block = list.pop()
      if (block === this.blocks - 1) this.blocks--
      else this.free.push(block)
    }
    return position
  }

  ownerOf(position: number): number {
    return this.owners ? this.owners[Math.floor(position / BLOCK_ROWS)]! : 0
  }

  /** Gives each list rows of its own, in blocks one list after the other. */
  layOut(rows: readonly number[] | Uint32Array): void {
    for (let number = 0; number < rows.length; number++) {
      const list = this.all[number]!
      const blocks = Math.ceil(rows[number]! / BLOCK_ROWS)
      if (blocks === 0) continue
      list.append(this.blocks, blocks)
      list.rows = rows[number]!
      for (let block = this.blocks; this.owners && block < this.blocks + blocks; block++) this.note(block, number)
      this.blocks += blocks
    }
  }

  private note(block: number, list: number): void {
    if (block >= this.owners!.length) {
      const grown = new Uint32Array(Math.max(16, block + 1, Math.ceil(this.owners!.length * 1.125)))
      grown.set(this.owners!)
      this.owners = grown
    }
    this.owners![block] = list
  }
}
