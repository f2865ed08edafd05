import { artefactPieces } from '../../files/writeArtefact.js'
import type { Front } from './front.js'
import type { Quantizer } from './quantizer.js'

/** What a codec is made of, and what its file holds. */
export interface CodecParts {
  readonly front: Front
  readonly quantizer: Quantizer
  readonly seed: number
}

export const CODEC_KIND = 'codec'
export const CODEC_VERSION = 1
/** What the names of arrays begin with: tables of the front, and of the quantizer. */
export const FRONT_PREFIX = 'front:'
export const TABLE_PREFIX = 'table:'

/** A codec as the pieces of a safetensors file (docs/formats.md). They are views of its tables. */
export function codecPieces({ front, quantizer, seed }: CodecParts): Uint8Array[] {
  const { dimensions, metric, truncate, components, mean } = front
  const tables = [
    ...Object.entries({ components, mean }).flatMap(([name, table]) =>
      table ? [{ name: FRONT_PREFIX + name, ...table }] : []
    ),
    ...Object.entries(quantizer.tables).map(([name, table]) => ({ name: TABLE_PREFIX + name, ...table }))
  ]
  const { method, parameters } = quantizer
  const entry = {
    ...{ kind: CODEC_KIND, version: CODEC_VERSION, method, metric },
    ...{ dimension: dimensions, truncate, seed, parameters }
  }
  return artefactPieces(tables, entry)
}
