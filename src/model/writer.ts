import type { TensorArray, TensorEntry } from '../files/dtypes.js'
import type { Part } from './dense.js'
import { safetensorsHeader } from '../files/safetensorsWriter.js'

/** Where bytes go: a file, a buffer. Positions may be written in any order. */
export interface ByteSink {
  write(position: number, bytes: Uint8Array): Promise<void>
}

/** Collects what is written, for those who want the bytes. */
export class MemorySink implements ByteSink {
  private readonly pieces: { position: number; bytes: Uint8Array }[] = []
  private size = 0

  async write(position: number, bytes: Uint8Array): Promise<void> {
    this.pieces.push({ position, bytes })
    this.size = Math.max(this.size, position + bytes.length)
  }

  bytes(): Uint8Array<ArrayBuffer> {
    const whole = new Uint8Array(this.size)
    for (const { position, bytes } of this.pieces) whole.set(bytes, position)
    return whole
  }
}

/** Up to here a file is held back, so that its header can be as short as it is. */
const HELD_BACK = 64 << 20

const bytesOf = ({ buffer, byteOffset, byteLength }: TensorArray): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)

interface Piece {
  entry: TensorEntry
  bytes: Uint8Array
  /** bytes of an element: what the array is to be aligned to */
  alignment: number
}

/**
 * Writes a safetensors file array by array, without knowing the later ones. Small files are held back until the end;
 * larger ones leave `room` bytes for the header. Arrays that do not fill whole words come last, wide elements first. So
 * every array is aligned to its elements, on which readers that map the file rely.
 */
export class SafetensorsWriter {
  private readonly entries: TensorEntry[] = []
  private readonly ragged: Piece[] = []
  private held: Uint8Array[] | undefined = []
  private size = 0

  constructor(
    private readonly sink: ByteSink,
    private readonly room: number
  ) {}

  async add({ name, dtype, shape, data }: Part): Promise<void> {
    const bytes = bytesOf(data)
    const entry = { name, dtype, shape, byteLength: bytes.length }
    const piece = { entry, bytes, alignment: data.BYTES_PER_ELEMENT }
    if (bytes.length % 8) this.ragged.push(piece)
    else await this.append(piece)
  }

  /** @returns bytes of the whole file */
  async finish(metadata: Readonly<Record<string, string>>): Promise<number> {
    for (const piece of this.ragged.sort((a, b) => b.alignment - a.alignment)) await this.append(piece)
    const header = safetensorsHeader(this.entries, metadata, this.held ? undefined : this.room)
    if (this.held) await this.flush(this.held, header.length)
    await this.sink.write(0, header)
    return header.length + this.size
  }

  private async append({ entry, bytes }: Piece): Promise<void> {
    this.entries.push(entry)
    if (this.held && this.size + bytes.length > HELD_BACK) {
      const { held } = this
      this.held = undefined
      await this.flush(held, this.room)
    }
    if (this.held) this.held.push(bytes)
    else await this.sink.write(this.room + this.size, bytes)
    this.size += bytes.length
  }

  private async flush(pieces: Uint8Array[], from: number): Promise<void> {
    let position = from
    for (const bytes of pieces) {
      await this.sink.write(position, bytes)
      position += bytes.length
    }
  }
}
