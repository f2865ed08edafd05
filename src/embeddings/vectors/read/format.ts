import { FormatError } from '../../../core/errors.js'
import { brief } from '../../../files/names.js'
import { isNpy } from '../../../files/npy.js'
import { vecsFormatOf } from './vecs.js'

export const VECTOR_FORMATS = [
  'json',
  'jsonl',
  'csv',
  'npy',
  'safetensors',
  'fvecs',
  'bvecs',
  'ivecs',
  'parquet',
  'arrow'
] as const

export type VectorFormat = (typeof VECTOR_FORMATS)[number]

/** Bytes from which the formats of binary files are known, but for .fvecs. */
export const START = 10

/** Formats that are read piece by piece. */
export function pieceFormatOf(start: Uint8Array): 'npy' | 'safetensors' | undefined {
  if (isNpy(start)) return 'npy'
  // A length of less than 2^32, then the header.
  const isHeader = start.length === START && start[8] === 0x7b && start[4] === 0 && start[5] === 0
  return isHeader ? 'safetensors' : undefined
}

const startsWith = (bytes: Uint8Array, text: string): boolean =>
  bytes.length >= text.length && [...text].every((character, i) => bytes[i] === character.charCodeAt(0))

/** The first line of a text that has any, and whether others follow. */
function firstLine(bytes: Uint8Array): { text: string; isLast: boolean } {
  let start = startsWith(bytes, '\xef\xbb\xbf') ? 3 : 0
  while (start < bytes.length && bytes[start]! <= 0x20) start++
  const found = bytes.indexOf(0x0a, start)
  const end = found < 0 ? bytes.length : found
  let next = end
  while (next < bytes.length && bytes[next]! <= 0x20) next++
  return { text: new TextDecoder().decode(bytes.subarray(start, end)).trim(), isLast: next >= bytes.length }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** What a file is, by its content. Throws FormatError where it is nothing that is known. */
export function formatOf(bytes: Uint8Array, name = ''): VectorFormat {
  const piece = pieceFormatOf(bytes.subarray(0, START))
  if (piece) return piece
  if (startsWith(bytes, 'PAR1')) return 'parquet'
  if (startsWith(bytes, 'ARROW1') || startsWith(bytes, '\xff\xff\xff\xff')) return 'arrow'
  const vecs = vecsFormatOf(bytes)
  // The name tells the two of one layout apart, the numbers only nearly always.
  if (vecs) return (vecs !== 'bvecs' && (/\.(fvecs|ivecs)$/.exec(name)?.[1] as VectorFormat)) || vecs
  const isBinary = bytes.subarray(0, 4096).some((byte) => byte < 0x09 || (byte > 0x0d && byte < 0x20))
  if (isBinary || bytes.length === 0) {
    const got = bytes.length ? `bytes ${bytes.subarray(0, START).join(' ')}` : 'an empty one'
    throw new FormatError('unknown-format', `readVectors: expected a file of ${VECTOR_FORMATS.join(', ')}, got ${got}`)
  }
  const { text, isLast } = firstLine(bytes)
  if (/^[[{]/.test(text)) return !isLast && isJson(text) ? 'jsonl' : 'json'
  if (text.includes(',') || !isLast) return 'csv'
  throw new FormatError(
    'unknown-format',
    `readVectors: expected a file of ${VECTOR_FORMATS.join(', ')}, got ${brief(text)}`
  )
}
