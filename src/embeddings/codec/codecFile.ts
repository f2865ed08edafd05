import { isArrayOf, show } from '../../core/check.js'
import { FormatError, typeError } from '../../core/errors.js'
import { isLength } from '../../files/dtypes.js'
import { isRecord, malformed, METADATA_KEY, parseEntry } from '../../files/entry.js'
import { brief } from '../../files/names.js'
import { decodeSafetensors, encodeSafetensors } from '../../files/safetensors.js'
import type { CodecParts } from './codec.js'
import { openFront } from './front.js'
import { MOST_DIMENSIONS } from '../scan/layout.js'
import { METRICS, methodOf } from './methods/index.js'
import type { Tables } from './quantizer.js'

const KIND = 'codec'
const VERSION = 1
const FRONT = 'front:'
const TABLE = 'table:'
/** Lengths, of rows; all else are coordinates and what they are multiplied with, which rows' own limit of 2^48 keeps below. */
const SQUARES = 'table:squares'
const MOST = 2 ** 50

/** A codec as the bytes of a safetensors file (docs/formats.md). */
export function encodeCodec({ front, quantizer, seed }: CodecParts): Uint8Array<ArrayBuffer> {
  const { dimensions, metric, truncate, components, mean } = front
  const tables = [
    ...Object.entries({ components, mean }).flatMap(([name, table]) =>
      table ? [{ name: FRONT + name, ...table }] : []
    ),
    ...Object.entries(quantizer.tables).map(([name, table]) => ({ name: TABLE + name, ...table }))
  ]
  // Wide elements first: so all arrays are aligned.
  tables.sort((a, b) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT)
  const { method, parameters } = quantizer
  const entry = { kind: KIND, version: VERSION, method, metric, dimension: dimensions, truncate, seed, parameters }
  return encodeSafetensors(tables, { [METADATA_KEY]: JSON.stringify(entry) })
}

/** Reads and checks such bytes. Throws TypeError for what are no bytes, FormatError for a file that is damaged, of another kind or version. */
export function decodeCodec(verb: string, bytes: unknown): CodecParts {
  if (!isArrayOf(bytes, Uint8Array)) {
    throw typeError(`${verb}: "bytes" expected a Uint8Array, got ${show(bytes)}`)
  }
  const { metadata, tensors } = decodeSafetensors(bytes)
  const text = metadata[METADATA_KEY]
  if (text === undefined) throw new FormatError('bad-header', 'the file lacks the tersor metadata of a codec')
  const { method, metric, dimension: dimensions, truncate, seed, parameters } = parseEntry(text, KIND, VERSION)
  const kind = methodOf(method)
  if (!kind) throw malformed('expected a method that this release has', method)
  const known = METRICS.find((name) => name === metric)
  if (!known) throw malformed(`expected a metric of ${METRICS.join(', ')}`, metric)
  if (!isLength(dimensions) || dimensions === 0 || dimensions > MOST_DIMENSIONS) {
    throw malformed(`expected 1 to ${MOST_DIMENSIONS} dimensions`, dimensions)
  }
  if (!isLength(truncate) || truncate === 0 || truncate > dimensions) {
    throw malformed(`expected 1 to ${dimensions} leading elements`, truncate)
  }
  if (!isLength(seed)) throw malformed('expected a seed', seed)
  if (!isRecord(parameters)) throw malformed('expected parameters', parameters)

  const tables: Record<string, Tables[string]> = {}
  const fronts: Record<string, Tables[string]> = {}
  for (const [name, { dtype, shape, data }] of tensors) {
    if (!(data instanceof Float32Array && dtype === 'F32') && !(data instanceof Int8Array)) {
      throw new FormatError('bad-tensor', `the codec's array ${brief(name)} expected F32 or I8, got ${dtype}`)
    }
    const most = name === SQUARES ? Infinity : MOST
    const beyond = data.findIndex((x: number) => !(Math.abs(x) < most))
    if (beyond >= 0) {
      const wanted = most === MOST ? 'numbers below 2^50' : 'finite numbers'
      const got = `${data[beyond]} at index ${beyond}`
      throw new FormatError('bad-tensor', `the codec's array ${brief(name)} expected ${wanted}, got ${got}`)
    }
    const table = { data, shape: [...shape] } as Tables[string]
    if (name.startsWith(TABLE)) tables[name.slice(TABLE.length)] = table
    else if (name === `${FRONT}components` || name === `${FRONT}mean`) fronts[name.slice(FRONT.length)] = table
    else throw new FormatError('bad-header', `the codec's metadata knows no array ${brief(name)}`)
  }
  const { components, mean } = fronts
  if (components?.data instanceof Int8Array || mean?.data instanceof Int8Array) {
    throw new FormatError('bad-tensor', "the codec's components expected F32, got I8")
  }
  type Floats = Parameters<typeof openFront>[3]
  const front = openFront(dimensions, known, truncate, components as Floats, mean as Floats)
  return { front, quantizer: kind.open(front.width, known, parameters, tables), seed }
}
