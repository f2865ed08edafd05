import { frame, type Engine } from '../engine.js'
import type { Pointer } from '../../core/memory.js'
import { BLOCK_ROWS } from '../scan/layout.js'

/** How rows stand in a block of 32, and how they get there and back. */
export interface BlockForm {
  readonly rowBytes: number
  readonly blockBytes: number
  /** Writes rows (count, rowBytes) to the rows from `first` on of blocks that follow one another. */
  place(blocks: Pointer, first: number, rows: Pointer, count: number): void
  /** Reads them. */
  take(rows: Pointer, blocks: Pointer, first: number, count: number): void
}

/** Blocks that follow one another in memory. */
interface Chunk {
  /** number of the first block */
  readonly first: number
  count: number
  readonly pointer: Pointer
}

/** A chunk has this many bytes at least, and at most unless more are needed at once: what stands idle is one chunk. */
const LEAST_CHUNK = 1 << 14
const MOST_CHUNK = 1 << 21

/** Rows one after the other: what is only ever read by the row. */
export function rowForm(engine: Engine, rowBytes: number): BlockForm {
  const copy = (to: Pointer, from: Pointer, count: number): void =>
    engine.memory.u8(to, count * rowBytes).set(engine.memory.u8(from, count * rowBytes))
  return {
    rowBytes,
    blockBytes: BLOCK_ROWS * rowBytes,
    place: (blocks, first, rows, count) => copy(blocks + first * rowBytes, rows, count),
    take: (rows, blocks, first, count) => copy(rows, blocks + first * rowBytes, count)
  }
}

/**
 * Blocks of rows by number, in an engine of their owner's, where they stay. Room is made in chunks, a sixteenth of what
 * is there, so that nothing is ever moved; lanes without a row are zero. No frame may be open where room is made.
 */
export class Store {
  /** blocks that there is room for */
  capacity = 0
  private readonly chunks: Chunk[] = []
  private empty: Uint8Array<ArrayBuffer> | undefined

  constructor(
    private readonly engine: Engine,
    readonly form: BlockForm
  ) {}

  /** bytes of the chunks */
  get bytes(): number {
    return this.capacity * this.form.blockBytes
  }

  /**
   * Makes room for blocks [0, blocks); `exactly` without some more, and `uncleared` where all of it is written at once.
   * Throws MemoryLimitError, having changed nothing.
   */
  reserve(blocks: number, { exactly = false, uncleared = false } = {}): void {
    const missing = blocks - this.capacity
    if (missing <= 0) return
    const { blockBytes } = this.form
    const spare = Math.min(Math.max(this.bytes / 16, LEAST_CHUNK), MOST_CHUNK)
    const count = exactly ? missing : Math.max(missing, Math.floor(spare / blockBytes))
    const { memory } = this.engine
    const pointer = memory.alloc(count * blockBytes)
    if (!uncleared) memory.u8(pointer, count * blockBytes).fill(0)
    const last = this.chunks.at(-1)
    if (last && last.pointer + last.count * blockBytes === pointer) last.count += count
    else this.chunks.push({ first: this.capacity, count, pointer })
    this.capacity += count
  }

  /** Visits blocks [first, first + count) in pieces that follow one another in memory. */
  eachPiece(first: number, count: number, visit: (pointer: Pointer, first: number, count: number) => void): void {
    let index = this.chunkOf(first)
    for (let done = 0; done < count; index++) {
      const chunk = this.chunks[index]!
      const skipped = first + done - chunk.first
      const here = Math.min(count - done, chunk.count - skipped)
      visit(chunk.pointer + skipped * this.form.blockBytes, first + done, here)
      done += here
    }
  }

  /** Writes rows to the rows from `position` on; a row's position is 32 times its block, plus its place there. */
  place(position: number, rows: Pointer, count: number): void {
    this.eachRun(position, count, (blocks, first, done, here) =>
      this.form.place(blocks, first, rows + done * this.form.rowBytes, here)
    )
  }

  take(rows: Pointer, position: number, count: number): void {
    this.eachRun(position, count, (blocks, first, done, here) =>
      this.form.take(rows + done * this.form.rowBytes, blocks, first, here)
    )
  }

  /** Makes the lane of a row what it is without one. */
  clear(position: number): void {
    const { rowBytes } = this.form
    const empty = (this.empty ??= this.emptyRow())
    frame(this.engine, (memory) => {
      const row = memory.alloc(rowBytes)
      memory.u8(row, rowBytes).set(empty)
      this.place(position, row, 1)
    })
  }

  /** What is read from a lane that is zero: forms may keep other bytes than a row's. */
  private emptyRow(): Uint8Array<ArrayBuffer> {
    return frame(this.engine, (memory) => {
      const { rowBytes, blockBytes } = this.form
      const block = memory.alloc(blockBytes)
      memory.u8(block, blockBytes).fill(0)
      const row = memory.alloc(rowBytes)
      this.form.take(row, block, 0, 1)
      return memory.u8(row, rowBytes).slice()
    })
  }

  private eachRun(
    position: number,
    count: number,
    visit: (blocks: Pointer, first: number, done: number, here: number) => void
  ): void {
    if (count === 0) return
    const block = Math.floor(position / BLOCK_ROWS)
    const blocks = Math.floor((position + count - 1) / BLOCK_ROWS) - block + 1
    this.eachPiece(block, blocks, (pointer, first, length) => {
      const start = Math.max(position, first * BLOCK_ROWS)
      const end = Math.min(position + count, (first + length) * BLOCK_ROWS)
      visit(pointer, start - first * BLOCK_ROWS, start - position, end - start)
    })
  }

  /** Index of the chunk that has a block. */
  private chunkOf(block: number): number {
    let [low, high] = [0, this.chunks.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.chunks[middle]!.first <= block) low = middle
      else high = middle - 1
    }
    return low
  }
}
