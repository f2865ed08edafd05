import type { TensorEntry } from './dtypes.js'
import { METADATA, PREFIX_LENGTH } from './safetensors.js'

/** The JSON of a header. The same metadata gives the same bytes: its names are sorted. */
export function headerText(entries: Iterable<TensorEntry>, metadata: Readonly<Record<string, string>>): Uint8Array {
  // Members are joined, not put into an object, which would move names like "0" to the front and swallow "__proto__".
  const member = (name: string, value: unknown) => `${JSON.stringify(name)}:${JSON.stringify(value)}`
  const texts = Object.keys(metadata).sort()
  const members = texts.length ? [`"${METADATA}":{${texts.map((name) => member(name, metadata[name])).join(',')}}`] : []
  let offset = 0
  for (const { name, dtype, shape, byteLength } of entries) {
    members.push(member(name, { dtype, shape, data_offsets: [offset, (offset += byteLength)] }))
  }
  return new TextEncoder().encode(`{${members.join(',')}}`)
}

/** Bytes of a header with its length before it, a multiple of 8. */
export function headerSize(text: Uint8Array): number {
  return PREFIX_LENGTH + Math.ceil(text.length / 8) * 8
}

/** The length and the text, filled up with spaces to `size` bytes. */
export function padHeader(text: Uint8Array, size = headerSize(text)): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(size).fill(0x20)
  new DataView(header.buffer).setBigUint64(0, BigInt(size - PREFIX_LENGTH), true)
  header.set(text, PREFIX_LENGTH)
  return header
}
