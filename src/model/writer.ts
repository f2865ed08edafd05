import type { TensorArray, TensorEntry } from './dtypes.js'
import type { Part } from './dense.js'
import { safetensorsHeader } from './safetensors.js'

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

/**
 * Writes a safetensors file array by array, without knowing the later ones: small files are held back until the end, for larger ones
 * `room` bytes are left for the header.
 */
export class SafetensorsWriter {
  private readonly entries: TensorEntry[] = []
  private held: Uint8Array[] | undefined = []
  private size = 0

  constructor(
    private readonly sink: ByteSink,
    private readonly room: number
  ) {}

  async add({ name, dtype, shape, data }: Part): Promise<void> {
    const bytes = bytesOf(data)
    this.entries.push({ name, dtype, shape, byteLength: bytes.length })
    if (this.held && this.size + bytes.length > HELD_BACK) {
      const { held } = this
      this.held = undefined
      await this.flush(held, this.room)
    }
    if (this.held) this.held.push(bytes)
    else await this.sink.write(this.room + this.size, bytes)
    this.size += bytes.length
  }

  /** @returns bytes of the whole file */
  async finish(metadata: Readonly<Record<string, string>>): Promise<number> {
    const header = safetensorsHeader(this.entries, metadata, this.held ? undefined : this.room)
    if (this.held) await this.flush(this.held, header.length)
    await this.sink.write(0, header)
    return header.length + this.size
  }

  private async flush(pieces: Uint8Array[], from: number): Promise<void> {
    let position = from
    for (const bytes of pieces) {
      await this.sink.write(position, bytes)
      position += bytes.length
    }
  }
}
