import { rangeError, typeError } from '../core/errors.js'
import type { Dtype, NewTensor, TensorEntry } from './dtypes.js'
import { byteLengthOf, checkNewTensor, describe } from './dtypes.js'
import { brief, isWellFormed } from './names.js'
import { joinPieces } from './pieces.js'
import { LONGEST_HEADER, METADATA, PREFIX_LENGTH } from './safetensors.js'
import { headerSize, headerText, padHeader } from './safetensorsHeader.js'

function checkMetadata(verb: string, metadata: unknown): void {
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) {
    throw typeError(`${verb}: "metadata" expected an object of strings, got ${brief(metadata)}`)
  }
  for (const name of Object.keys(metadata).sort()) {
    const text = (metadata as Record<string, unknown>)[name]
    if (typeof text !== 'string' || !isWellFormed(text) || !isWellFormed(name)) {
      throw typeError(`${verb}: "metadata" expected well-formed strings, got ${brief(text)} as ${brief(name)}`)
    }
  }
}

function checkEntries(verb: string, entries: readonly TensorEntry[]): void {
  const names = new Set<string>([METADATA])
  for (const { name, dtype, shape, byteLength } of entries) {
    if (typeof name !== 'string' || !isWellFormed(name)) {
      throw typeError(`${verb}: a tensor's name expected a well-formed string, got ${brief(name)}`)
    }
    if (names.has(name)) {
      const why = name === METADATA ? 'that is not reserved' : 'of its own'
      throw rangeError(`${verb}: each tensor expected a name ${why}, got ${brief(name)}`)
    }
    names.add(name)
    const needed = byteLengthOf(dtype, shape)
    if (byteLength !== needed || !Number.isSafeInteger(needed)) {
      const got = `expected ${needed} bytes (${describe(dtype, shape)}), got ${byteLength}`
      throw rangeError(`${verb}: tensor ${brief(name)} ${got}`)
    }
  }
}

function checkedHeader(
  verb: string,
  entries: readonly TensorEntry[],
  metadata: Readonly<Record<string, string>>,
  room?: number
): Uint8Array<ArrayBuffer> {
  checkMetadata(verb, metadata)
  checkEntries(verb, entries)
  const text = headerText(entries, metadata)
  const needed = headerSize(text)
  if (room !== undefined && !(Number.isSafeInteger(room) && room % 8 === 0)) {
    throw rangeError(`${verb}: "room" expected a multiple of 8 bytes, got ${room}`)
  }
  if (room !== undefined && room < needed) {
    throw rangeError(`${verb}: "room" expected at least ${needed} bytes for this header, got ${room}`)
  }
  const size = room ?? needed
  if (size - PREFIX_LENGTH > LONGEST_HEADER) {
    throw rangeError(`${verb}: a header expected at most ${LONGEST_HEADER} bytes, got ${size - PREFIX_LENGTH}`)
  }
  return padHeader(text, size)
}

/**
 * The bytes of a safetensors file before its data: length and header, padded with spaces to a multiple of 8. The
 * tensors follow in this order. With `room` they are exactly that many (a multiple of 8), so that a writer can reserve
 * them before it knows all shapes. Throws TypeError and RangeError, also where `room` is too little.
 */
export function safetensorsHeader(
  entries: Iterable<TensorEntry>,
  metadata: Readonly<Record<string, string>> = {},
  room?: number
): Uint8Array<ArrayBuffer> {
  return checkedHeader('safetensorsHeader', [...entries], metadata, room)
}

/**
 * Writes tensors, in the order given, and metadata as the bytes of a safetensors file. The same input gives the same
 * bytes. Without `dtype` the typed array decides (Float32Array is F32, Uint16Array is U16). A tensor's data is aligned
 * to its element size when those before it fill whole elements: give wide types first. Throws TypeError and RangeError
 * naming the tensor. Format: https://github.com/huggingface/safetensors#format
 */
export function encodeSafetensors(
  tensors: Iterable<NewTensor & { readonly name: string }>,
  metadata: Readonly<Record<string, string>> = {}
): Uint8Array<ArrayBuffer> {
  const verb = 'encodeSafetensors'
  if (typeof (tensors as Partial<typeof tensors> | null)?.[Symbol.iterator] !== 'function') {
    throw typeError(`${verb}: "tensors" expected an iterable of { name, shape, data }, got ${brief(tensors)}`)
  }
  const parts: { name: string; dtype: Dtype; shape: number[]; byteLength: number; bytes: Uint8Array }[] = []
  for (const tensor of tensors) {
    const name = (tensor as Partial<typeof tensor> | null)?.name
    const part = checkNewTensor(`${verb}: tensor ${brief(name)}`, tensor)
    parts.push({ name: name as string, byteLength: part.bytes.byteLength, ...part })
  }
  return joinPieces([checkedHeader(verb, parts, metadata), ...parts.map(({ bytes }) => bytes)])
}
