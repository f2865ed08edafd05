import { FormatError } from '../core/errors.js'
import { METADATA_KEY, parseEntry } from './entry.js'
import type { Readable } from './fileSystem.js'
import { headerLength, parseHeader, PREFIX_LENGTH, type Placed } from './safetensors.js'

/** A safetensors file that tersor wrote, its header read. */
export interface Artefact {
  /** what its metadata says of it (docs/formats.md) */
  readonly entry: Readonly<Record<string, unknown>>
  readonly placed: readonly Placed[]
  /** where the data begins that arrays are placed in */
  readonly dataStart: number
}

/** Reads such a header. Throws FormatError for a damaged file, and for one of another kind or version. */
export function readArtefact(file: Readable, kind: string, version: number): Artefact {
  const prefix = new Uint8Array(Math.min(PREFIX_LENGTH, file.size))
  file.read(prefix, 0)
  const header = new Uint8Array(headerLength(prefix, file.size))
  file.read(header, PREFIX_LENGTH)
  const dataStart = PREFIX_LENGTH + header.length
  const { metadata, placed } = parseHeader(header, file.size - dataStart)
  const text = metadata[METADATA_KEY]
  if (text === undefined) {
    throw new FormatError(
      'bad-header',
      `the file lacks the tersor metadata of ${kind === 'index' ? 'an' : 'a'} ${kind}`
    )
  }
  return { entry: parseEntry(text, kind, version), placed, dataStart }
}
