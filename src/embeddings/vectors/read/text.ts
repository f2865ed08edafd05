import { show } from '../../../core/check.js'
import { FormatError, typeError } from '../../../core/errors.js'
import { brief, shorten } from '../../../files/names.js'
import { vectorsOf } from '../vectors.js'
import { reading, Records, type ReadVectors, type RecordOptions } from './records.js'
import { halves, roundedF32 } from './tensors.js'

const NEWLINE = 0x0a

/** The lines of a text, one decoded after the other: a whole file can be longer than a string may be. */
export function* lines(bytes: Uint8Array): Generator<{ text: string; line: number }> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  for (let start = 0, line = 1; start < bytes.length; line++) {
    const found = bytes.indexOf(NEWLINE, start)
    const end = found < 0 ? bytes.length : found
    let text: string
    try {
      // Drops the mark that some editors put at the beginning.
      text = decoder.decode(bytes.subarray(start, end))
    } catch {
      throw new FormatError('bad-header', `readVectors: "input", line ${line}, expected UTF-8, got bytes that are not`)
    }
    yield { text, line }
    start = end + 1
  }
}

function parse(place: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new FormatError('bad-header', `${place} expected JSON: ${shorten((error as Error).message)}`)
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value)

/** A JSON value on each line: records, or vectors. */
export function readJsonLines(bytes: Uint8Array, options: RecordOptions): ReadVectors {
  const records = new Records({ ...options, isFile: true })
  for (const { text, line } of lines(bytes)) {
    if (!text.trim()) continue
    const place = `readVectors: "input", line ${line},`
    const value = parse(place, text)
    if (!isRecord(value) && !Array.isArray(value)) {
      throw new FormatError('bad-tensor', `${place} expected a record or a vector, got ${brief(value)}`)
    }
    records.add(place, isRecord(value) ? value : { embedding: value })
  }
  return records.finish()
}

/** One JSON value: anything that vectors may come in. */
export function readJson(bytes: Uint8Array, options: RecordOptions): ReadVectors {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new FormatError(
      'bad-header',
      'readVectors: "input" expected UTF-8 and at most 512 MB; write JSON lines instead'
    )
  }
  return readValue(parse('readVectors: "input"', text), { ...options, isFile: true })
}

/**
 * What is read already. Records keep what else they hold; an answer of an API, and a store with ids beside the vectors,
 * too.
 */
export function readValue(value: unknown, options: RecordOptions): ReadVectors {
  const { isFile } = options
  if (Array.isArray(value) && isRecord(value[0]) && !('data' in value[0])) return readRecords(value, options)
  const { ids, records } = (isRecord(value) ? value : {}) as { ids?: unknown; records?: unknown }
  const list = listOf(value)
  if (list) return readRecords(list, options)
  const column = options.column === undefined || !isRecord(value) ? value : value[options.column]
  const { shape, floats } = reading(isFile, () => {
    const { name, data, bits, ...read } = vectorsOf('readVectors', column, 'input')
    return { ...read, floats: bits ? halves(bits, new Uint16Array(data)) : roundedF32(name, data) }
  })
  const count = shape[0]
  return {
    vectors: { data: floats, shape: [...shape] },
    ...(isIds(ids, count) ? { ids } : {}),
    ...(Array.isArray(records) && records.length === count ? { records: records as Record<string, unknown>[] } : {})
  }
}

/** The records in { vectors: [{ ... }] } or { points: [...] }, where a store puts them. */
function listOf(value: unknown): readonly unknown[] | undefined {
  if (!isRecord(value)) return undefined
  const lists = ['vectors', 'points', 'records', 'documents', 'items', 'result'].map((name) => value[name])
  const list = lists.find((items) => Array.isArray(items) && isRecord(items[0]) && !('data' in items[0]))
  return list as readonly unknown[] | undefined
}

function isIds(ids: unknown, count: number): ids is (string | number)[] {
  return (
    Array.isArray(ids) && ids.length === count && ids.every((id) => typeof id === 'string' || typeof id === 'number')
  )
}

function readRecords(items: readonly unknown[], options: RecordOptions): ReadVectors {
  const records = new Records(options, items.length)
  for (let i = 0; i < items.length; i++) {
    const place = `readVectors: "input", vector ${i},`
    const item = items[i]
    if (!isRecord(item)) {
      throw reading(options.isFile, () => typeError(`${place} expected a record like the first, got ${show(item)}`))
    }
    records.add(place, item)
  }
  return records.finish()
}
