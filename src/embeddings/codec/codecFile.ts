import { METADATA_KEY } from '../../files/entry.js'
import { safetensorsHeader } from '../../files/safetensors.js'
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
  // Wide elements first: so all arrays are aligned.
  tables.sort((a, b) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT)
  const { method, parameters } = quantizer
  const entry = {
    ...{ kind: CODEC_KIND, version: CODEC_VERSION, method, metric },
    ...{ dimension: dimensions, truncate, seed, parameters }
  }
  const entries = tables.map(({ name, shape, data }) => ({
    ...{ name, shape: [...shape], byteLength: data.byteLength },
    dtype: data instanceof Int8Array ? ('I8' as const) : ('F32' as const)
  }))
  return [
    safetensorsHeader(entries, { [METADATA_KEY]: JSON.stringify(entry) }),
    ...tables.map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  ]
}
