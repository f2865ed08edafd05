import type { TensorEntry } from './dtypes.js'
import { METADATA_KEY } from './entry.js'
import { headerText, padHeader } from './safetensorsHeader.js'

/** The header of a file that tersor makes of what it has checked before; `entry` is its metadata (docs/formats.md). */
export function artefactHeader(tensors: Iterable<TensorEntry>, entry: object): Uint8Array<ArrayBuffer> {
  return padHeader(headerText(tensors, { [METADATA_KEY]: JSON.stringify(entry) }))
}

/** An array of such a file. */
export interface Table {
  readonly name: string
  readonly shape: readonly number[]
  readonly data: Float64Array | Float32Array | Int8Array
}

/** Such a file as pieces, which are views of its tables. Wide elements come first, so that all arrays are aligned. */
export function artefactPieces(tables: readonly Table[], entry: object): Uint8Array[] {
  const placed = [...tables].sort((a, b) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT)
  const entries = placed.map(({ name, shape, data }): TensorEntry => {
    const dtype = data instanceof Int8Array ? 'I8' : data instanceof Float64Array ? 'F64' : 'F32'
    return { name, dtype, shape: [...shape], byteLength: data.byteLength }
  })
  const views = placed.map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  return [artefactHeader(entries, entry), ...views]
}
