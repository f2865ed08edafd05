import { FormatError } from '../../core/errors.js'
import { readArtefact } from '../../files/artefact.js'
import { isLength } from '../../files/dtypes.js'
import { isRecord, malformed } from '../../files/entry.js'
import type { Readable } from '../../files/fileSystem.js'
import { brief } from '../../files/names.js'
import { openInput, type FileInput } from '../../files/openInput.js'
import type { BlobLike } from '../../files/source.js'
import { MOST_DIMENSIONS } from '../vectors/vectors.js'
import { codecOf, type Codec } from './codec.js'
import { coding } from './coding.js'
import { CODEC_KIND, CODEC_VERSION, FRONT_PREFIX, TABLE_PREFIX, type CodecParts } from './codecFile.js'
import { openFront } from './front.js'
import { openerOf } from './methods/openers.js'
import { METRICS, type Metric, type OpenMethod, type Tables } from './quantizer.js'

/**
 * The array of lengths of rows. All other numbers are coordinates and their factors, which the limit of 2^48 for rows
 * keeps below MOST.
 */
const SQUARES = 'table:squares'
const MOST = 2 ** 50

/**
 * Opens what `toBytes` or `save` gave: bytes, a Blob (a File is one; as a promise), or the path of a file (Node, Deno,
 * Bun).
 *
 * @throws TypeError for any other input
 * @throws FormatError for a file that is damaged, of another kind or by a later version
 * @throws the runtime's own error where a path or a Blob cannot be read
 */
export function openCodec(input: FileInput): Codec
export function openCodec(input: BlobLike): Promise<Codec>
export function openCodec(input: FileInput | BlobLike): Codec | Promise<Codec> {
  return openInput('openCodec', 'a codec', input, (file) => codecOf(decodeCodec(file), coding))
}

/** Reads and checks a codec's file. Throws FormatError for one that is damaged, of another kind or version. */
export function decodeCodec(file: Readable): CodecParts {
  const { entry, placed, dataStart } = readArtefact(file, CODEC_KIND, CODEC_VERSION)
  const { open, metric, dimensions, truncate, seed, parameters } = readEntry(entry)
  const tables: Record<string, Tables[string]> = {}
  const fronts: Record<string, Tables[string]> = {}
  for (const { name, dtype, shape, begin, byteLength } of placed) {
    if (dtype !== 'F32' && dtype !== 'I8') {
      throw new FormatError('bad-tensor', `the codec's array ${brief(name)} expected F32 or I8, got ${dtype}`)
    }
    const bytes = new Uint8Array(byteLength)
    file.read(bytes, dataStart + begin)
    const data = dtype === 'I8' ? new Int8Array(bytes.buffer) : new Float32Array(bytes.buffer)
    checkNumbers(name, data)
    const table = { data, shape: [...shape] } as Tables[string]
    if (name.startsWith(TABLE_PREFIX)) tables[name.slice(TABLE_PREFIX.length)] = table
    else if (name === `${FRONT_PREFIX}components` || name === `${FRONT_PREFIX}mean`) {
      fronts[name.slice(FRONT_PREFIX.length)] = table
    } else throw new FormatError('bad-header', `the codec's metadata knows no array ${brief(name)}`)
  }
  const { components, mean } = fronts
  if (components?.data instanceof Int8Array || mean?.data instanceof Int8Array) {
    throw new FormatError('bad-tensor', "the codec's components expected F32, got I8")
  }
  type Floats = Parameters<typeof openFront>[3]
  const front = openFront(dimensions, metric, truncate, components as Floats, mean as Floats)
  return { front, quantizer: open(front.width, metric, parameters, tables), seed }
}

interface CodecEntry {
  readonly open: OpenMethod
  readonly metric: Metric
  readonly dimensions: number
  readonly truncate: number
  readonly seed: number
  readonly parameters: Readonly<Record<string, unknown>>
}

function readEntry(entry: Readonly<Record<string, unknown>>): CodecEntry {
  const { method, metric, dimension: dimensions, truncate, seed, parameters } = entry
  const open = openerOf(method)
  if (!open) throw malformed('expected a method that this release has', method)
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
  return { open, metric: known, dimensions, truncate, seed, parameters }
}

function checkNumbers(name: string, data: Float32Array | Int8Array): void {
  const most = name === SQUARES ? Infinity : MOST
  const beyond = data.findIndex((x: number) => !(Math.abs(x) < most))
  if (beyond < 0) return
  const wanted = most === MOST ? 'numbers below 2^50' : 'finite numbers'
  const got = `${data[beyond]} at index ${beyond}`
  throw new FormatError('bad-tensor', `the codec's array ${brief(name)} expected ${wanted}, got ${got}`)
}
