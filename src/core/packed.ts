import type { Layout } from './layout.js'
import type { Memory, Pointer } from './memory.js'
import { eachRun, tileLength, TILE, writeTile, type RunTile, type Tile } from './tiles.js'

type Pack = (to: Pointer, from: Pointer, length: number) => void

/**
 * Collects a byte for each element and packs `perByte` of them to one, in flat order. Tiles that follow each other are
 * packed as they come; otherwise the bytes are collected first.
 */
export class PackedOutput {
  private readonly loose: Uint8Array<ArrayBuffer> | undefined
  private readonly scratch: Pointer

  constructor(
    private readonly memory: Memory,
    private readonly layout: Layout,
    private readonly perByte: number,
    private readonly pack: Pack,
    sequential: boolean,
    readonly bytes = new Uint8Array(Math.ceil(layout.size / perByte))
  ) {
    this.loose = sequential ? undefined : new Uint8Array(layout.size)
    this.scratch = memory.alloc(TILE / perByte)
  }

  /** The tile's bytes stand at `from`. */
  write(tile: Tile, from: Pointer): void {
    const length = tileLength(tile)
    if (this.loose) writeTile(this.loose, this.memory.u8(from, length), this.layout, tile)
    // Of sequential windows every tile is a run.
    else this.flush((tile as RunTile).start, from, length)
  }

  /** @returns the packed bytes. `room` is a tile of bytes in memory. */
  finish(room: Pointer): Uint8Array<ArrayBuffer> {
    const { loose } = this
    if (loose) {
      eachRun(loose.length, (start, length) => {
        this.memory.u8(room, length).set(loose.subarray(start, start + length))
        this.flush(start, room, length)
      })
    }
    return this.bytes
  }

  private flush(start: number, from: Pointer, length: number): void {
    this.pack(this.scratch, from, length)
    this.bytes.set(this.memory.u8(this.scratch, Math.ceil(length / this.perByte)), start / this.perByte)
  }
}
