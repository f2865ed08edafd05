import { FormatError } from '../../core/errors.js'
import { describe, type Dtype } from '../../files/dtypes.js'
import type { Readable } from '../../files/fileSystem.js'
import { brief } from '../../files/names.js'
import type { Placed } from '../../files/safetensors.js'

const NAMES = ['centroids', 'lists', 'ids', 'codes', 'originals', 'codec'] as const
export type ArrayName = (typeof NAMES)[number]

export const bytesOf = ({ buffer, byteOffset, byteLength }: Uint32Array | Float32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)

/** The arrays of a file, by name. */
export class Contents {
  private readonly arrays: ReadonlyMap<string, Placed>

  /** Throws FormatError for an array that no index has. */
  constructor(
    private readonly file: Readable,
    private readonly dataStart: number,
    placed: readonly Placed[]
  ) {
    const stranger = placed.find(({ name }) => !(NAMES as readonly string[]).includes(name))
    if (stranger) throw new FormatError('bad-header', `the index's metadata knows no array ${brief(stranger.name)}`)
    this.arrays = new Map(placed.map((one) => [one.name, one]))
  }

  has(name: ArrayName): boolean {
    return this.arrays.has(name)
  }

  /** Fills `to` with the bytes of an array from `offset` on. */
  read(name: ArrayName, to: Uint8Array, offset = 0): void {
    this.file.read(to, this.dataStart + this.arrays.get(name)!.begin + offset)
  }

  bytes(name: ArrayName): Uint8Array<ArrayBuffer> {
    const array = this.arrays.get(name)
    if (array?.dtype !== 'U8' || array.shape.length !== 1) {
      throw new FormatError('bad-tensor', `the index's array "${name}" expected bytes, got ${brief(array?.shape)}`)
    }
    const bytes = new Uint8Array(array.byteLength)
    this.read(name, bytes)
    return bytes
  }

  check(name: ArrayName, dtype: Dtype, shape: readonly number[]): void {
    const array = this.arrays.get(name)
    if (array?.dtype === dtype && array.shape.join() === shape.join()) return
    const got = array ? describe(array.dtype, array.shape) : 'none'
    throw new FormatError('bad-tensor', `the index's array "${name}" expected ${describe(dtype, shape)}, got ${got}`)
  }

  u32(name: ArrayName, length: number): Uint32Array<ArrayBuffer> {
    this.check(name, 'U32', [length])
    const numbers = new Uint32Array(length)
    this.read(name, bytesOf(numbers))
    return numbers
  }
}
