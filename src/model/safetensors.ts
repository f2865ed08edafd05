import { carry, type Contents } from '../files/dtypes.js'
import { headerLength, parseHeader, PREFIX_LENGTH } from '../files/safetensors.js'
import type { ByteSource } from './source.js'

/** Reads the header of a safetensors file, and nothing else; tensors in the order of their data. Throws FormatError. */
export async function readSafetensors(source: ByteSource): Promise<Contents> {
  const { size } = source
  const length = headerLength(await source.read(0, Math.min(PREFIX_LENGTH, size)), size)
  const dataStart = PREFIX_LENGTH + length
  const { metadata, placed } = parseHeader(await source.read(PREFIX_LENGTH, length), size - dataStart)
  const tensors = placed.map(({ name, dtype, shape, byteLength }) => ({ name, dtype, shape, byteLength }))
  return {
    metadata,
    tensors,
    async read(index) {
      const { dtype, begin, byteLength } = placed[index]!
      return carry(dtype, await source.read(dataStart + begin, byteLength))
    }
  }
}
