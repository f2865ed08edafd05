import { FormatError } from '../core/errors.js'
import type { Contents, FileTensor, TensorEntry } from './dtypes.js'
import { bitsOf, byteLengthOf, carry, describe, DTYPES, isDtype, isLength, rowLength } from './dtypes.js'
import { brief, isWellFormed, shorten } from './names.js'
import type { ByteSource } from './source.js'

// The format: https://github.com/huggingface/safetensors, README.md ("Format") and, where that is silent, what the
// reference implementation refuses (safetensors/src/tensor.rs, `read_metadata` and `validate`).

/** Bytes before the header's own: its length. */
export const PREFIX_LENGTH = 8
export const METADATA = '__metadata__'

/** The reference implementation's own limit (MAX_HEADER_SIZE). */
export const LONGEST_HEADER = 100_000_000

/** serde_json's recursion limit, hence the reference implementation's. */
const DEEPEST = 128

const fail = (code: FormatError['code'], message: string) => new FormatError(code, `safetensors: ${message}`)

/** The length of the header, from the first bytes of a file of `size`. Throws FormatError. */
export function headerLength(prefix: Uint8Array, size: number): number {
  if (prefix.length < PREFIX_LENGTH) {
    throw fail('truncated', `expected a header length of 8 bytes, but the file has ${size} bytes`)
  }
  const claimed = new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true)
  if (claimed > LONGEST_HEADER) {
    throw fail('bad-header', `expected a header of at most ${LONGEST_HEADER} bytes, but its length says ${claimed}`)
  }
  const length = Number(claimed)
  if (length > size - PREFIX_LENGTH) {
    throw fail('truncated', `expected a header of ${length} bytes, but the file has ${size} bytes in all`)
  }
  return length
}

function headerText(bytes: Uint8Array): string {
  if (bytes[0] !== 0x7b) {
    const got = bytes.length ? `byte 0x${bytes[0]!.toString(16).padStart(2, '0')}` : 'an empty header'
    throw fail('bad-header', `expected the header to begin with "{", got ${got}`)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw fail('bad-header', 'expected the header in UTF-8, got bytes that are not')
  }
}

/** Throws where an object has a name twice, escapes considered: JSON.parse would take the last. Expects valid JSON. */
function checkNames(json: string): void {
  // The names of each open object; undefined for an array.
  const open: (Set<string> | undefined)[] = []
  let isName = false
  let outermost = ''
  for (let i = 0; i < json.length; i++) {
    const character = json[i]
    if (character === '"') {
      const start = i
      while (json[++i] !== '"') if (json[i] === '\\') i++
      const names = open[open.length - 1]
      if (!names || !isName) continue
      isName = false
      const name = JSON.parse(json.slice(start, i + 1)) as string
      if (names.has(name)) {
        const where = open.length > 1 ? ` in ${outermost}` : ''
        throw fail('duplicate-name', `the header has the name ${brief(name)} twice${where}`)
      }
      names.add(name)
      if (open.length === 1) outermost = brief(name)
    } else if (character === '{' || character === '[') {
      if (open.length === DEEPEST) throw fail('bad-header', `the header nests deeper than ${DEEPEST} levels`)
      open.push(character === '{' ? new Set() : undefined)
      isName = true
    } else if (character === '}' || character === ']') {
      open.pop()
    } else if (character === ',') {
      isName = true
    }
  }
}

function parseJson(json: string): Record<string, unknown> {
  let header: Record<string, unknown>
  try {
    header = JSON.parse(json) as Record<string, unknown>
  } catch (error) {
    throw fail('bad-header', `expected the header in JSON: ${shorten((error as Error).message)}`)
  }
  checkNames(json)
  return header
}

function readMetadata(value: unknown): Record<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw fail('bad-header', `${METADATA} expected an object of strings, got ${brief(value)}`)
  }
  // Without a prototype: metadata['constructor'] is undefined unless the file says so.
  const metadata = Object.create(null) as Record<string, string>
  for (const [name, text] of Object.entries(value)) {
    if (typeof text !== 'string') {
      throw fail('bad-header', `${METADATA} expected a string as ${brief(name)}, got ${brief(text)}`)
    }
    if (!isWellFormed(name) || !isWellFormed(text)) {
      throw fail('bad-header', `${METADATA} has half a surrogate pair in ${brief(name)}`)
    }
    metadata[name] = text
  }
  return metadata
}

/** A tensor and where its bytes stand. */
export interface Placed extends TensorEntry {
  begin: number
  end: number
}

function readEntry(name: string, value: unknown, dataSize: number): Placed {
  const where = `tensor ${brief(name)}`
  if (!isWellFormed(name)) throw fail('bad-header', `${where} has half a surrogate pair in its name`)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw fail('bad-header', `${where} expected { dtype, shape, data_offsets }, got ${brief(value)}`)
  }
  const [dtype, shape, offsets] = ['dtype', 'shape', 'data_offsets'].map((field) =>
    Object.hasOwn(value, field) ? (value as Record<string, unknown>)[field] : undefined
  )
  if (typeof dtype !== 'string') throw fail('bad-header', `${where} expected a string as dtype, got ${brief(dtype)}`)
  if (!isDtype(dtype)) {
    throw fail('unsupported-dtype', `${where} expected a dtype of ${DTYPES.join(', ')}, got ${brief(dtype)}`)
  }
  if (!Array.isArray(shape) || !shape.every(isLength)) {
    throw fail('bad-header', `${where} expected a shape of whole numbers, got ${brief(shape)}`)
  }
  const byteLength = byteLengthOf(dtype, shape)
  if (byteLength === Infinity) {
    throw fail('bad-header', `${where} expected fewer than 2^53 bits, got ${describe(dtype, shape)}`)
  }
  if (!Number.isInteger(byteLength)) {
    const got = `${describe(dtype, shape)} of ${bitsOf(dtype)} bits an element`
    throw fail('bad-header', `${where} expected whole bytes in all, got ${got}`)
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isLength)) {
    throw fail('bad-offsets', `${where} expected data_offsets [begin, end] in whole bytes, got ${brief(offsets)}`)
  }
  const [begin, end] = offsets as [number, number]
  if (begin > end) throw fail('bad-offsets', `${where} expected begin <= end, got data_offsets [${begin}, ${end}]`)
  if (end - begin !== byteLength) {
    const got = `${end - begin}, data_offsets [${begin}, ${end}]`
    throw fail('bad-offsets', `${where} expected ${byteLength} bytes (${describe(dtype, shape)}), got ${got}`)
  }
  if (end > dataSize) {
    throw fail('truncated', `${where} expected data up to byte ${end}, but the file has only ${dataSize} bytes of data`)
  }
  return { name, dtype, shape: shape as number[], byteLength, begin, end }
}

/** The tensors, without gaps and overlaps, cover the data exactly. Expects them in the order of their data. */
function checkCover(placed: readonly Placed[], dataSize: number): void {
  let covered = 0
  let before = ''
  for (const { name, begin, end } of placed) {
    if (begin !== covered) {
      const what = begin < covered ? `overlaps tensor ${before}` : 'leaves a hole before it'
      throw fail('bad-offsets', `tensor ${brief(name)} ${what}: expected it to begin at ${covered}, got ${begin}`)
    }
    covered = end
    before = brief(name)
  }
  if (covered !== dataSize) {
    throw fail('bad-offsets', `expected the tensors to cover ${dataSize} bytes of data, but they end at ${covered}`)
  }
}

/** A header as it is read: tensors in the order of their data, with their places from the data's beginning on. */
export interface Header {
  readonly metadata: Readonly<Record<string, string>>
  readonly placed: readonly Placed[]
}

/** Reads a header, without its length, of a file that has `dataSize` bytes after it. Throws FormatError. */
export function parseHeader(bytes: Uint8Array, dataSize: number): Header {
  let metadata = Object.create(null) as Record<string, string>
  const placed: Placed[] = []
  for (const [name, value] of Object.entries(parseJson(headerText(bytes)))) {
    if (name === METADATA) metadata = readMetadata(value)
    else placed.push(readEntry(name, value, dataSize))
  }
  // An empty tensor shares its place with its neighbour: it comes first.
  placed.sort((a, b) => a.begin - b.begin || a.end - b.end)
  checkCover(placed, dataSize)
  return { metadata, placed }
}

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
    },
    async readRows(index, first, count) {
      const length = rowLength(tensors[index]!)
      const { dtype, begin } = placed[index]!
      return carry(dtype, await source.read(dataStart + begin + first * length, count * length))
    }
  }
}

/** The metadata and all tensors of the bytes of a safetensors file, each in an array of its own. Throws FormatError. */
export function decodeSafetensors(file: Uint8Array): {
  metadata: Readonly<Record<string, string>>
  tensors: Map<string, FileTensor>
} {
  const dataStart = PREFIX_LENGTH + headerLength(file.subarray(0, PREFIX_LENGTH), file.length)
  const { metadata, placed } = parseHeader(file.subarray(PREFIX_LENGTH, dataStart), file.length - dataStart)
  const tensors = placed.map(({ begin, end, ...entry }): [string, FileTensor] => {
    const data = carry(entry.dtype, new Uint8Array(file.subarray(dataStart + begin, dataStart + end)))
    return [entry.name, { ...entry, data }]
  })
  return { metadata, tensors: new Map(tensors) }
}
