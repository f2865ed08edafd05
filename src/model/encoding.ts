import { sizeOf } from '../core/tensor.js'
import { FORMAT_NAMES, FORMATS, type QuantizeFormat } from '../quantize/formats.js'
import { byteLengthOf, isDtype, isFloat, isLength, type Dtype } from '../files/dtypes.js'
import { isRecord, malformed, parseEntry } from '../files/entry.js'
import { brief } from '../files/names.js'

/** How one dense array is stored (docs/formats.md). */
export interface DenseEncoding {
  shape: number[]
  quantize?: { format: QuantizeFormat; axis?: number; group?: number; symmetric?: boolean }
  /** elements stored, where a bitmask says which */
  kept?: number
}

/** How one tensor is stored: as one array, or as two factors. */
export interface TensorEncoding {
  name: string
  shape: number[]
  /** of the tensor before compression */
  dtype: Dtype
  dense?: DenseEncoding
  lowRank?: { rank: number; u: DenseEncoding; v: DenseEncoding }
}

/** The `tersor` entry of a safetensors file's metadata. */
export interface Artefact {
  kind: 'model'
  version: 1
  source: { format: 'npy' | 'safetensors' }
  /** names of all tensors as they stood in the source; the file's own order is by alignment */
  order: string[]
  tensors: TensorEncoding[]
}

const VERSION = 1

/** Names of the arrays that belong to one. ':' does not occur in the names that frameworks give. */
export const partName = (base: string, part: 'u' | 'v' | 'mask' | 'scales' | 'zeroPoints'): string => `${base}:${part}`

/** Reads the metadata entry. Throws FormatError for another version or something malformed. */
export function parseArtefact(text: string): Artefact {
  const value = parseEntry(text, 'model', VERSION)
  // Without an order the tensors stand as their data does.
  const { source, order = [], tensors } = value
  if (!isRecord(source) || (source.format !== 'npy' && source.format !== 'safetensors')) {
    throw malformed('expected a source format', source)
  }
  if (!Array.isArray(tensors)) throw malformed('expected a list of tensors', tensors)
  if (!Array.isArray(order) || !order.every((name) => typeof name === 'string')) {
    throw malformed('expected an order of names', order)
  }
  return {
    kind: 'model',
    version: VERSION,
    source: { format: source.format },
    order,
    tensors: tensors.map(parseTensor)
  }
}

function parseShape(shape: unknown): number[] {
  if (!Array.isArray(shape) || !shape.every(isLength) || byteLengthOf('F64', shape) === Infinity) {
    throw malformed('expected a shape', shape)
  }
  return shape
}

function parseTensor(value: unknown): TensorEncoding {
  if (!isRecord(value) || typeof value.name !== 'string' || !isDtype(value.dtype) || !isFloat(value.dtype)) {
    throw malformed('expected a tensor with a name and the dtype of floating-point numbers', value)
  }
  const { name, dtype, dense, lowRank } = value
  const base = { name, dtype, shape: parseShape(value.shape) }
  if (isRecord(lowRank) && dense === undefined && isLength(lowRank.rank)) {
    const { rank } = lowRank
    const [u, v] = [parseDense(lowRank.u), parseDense(lowRank.v)]
    const fit = [u, v].every(({ shape }) => shape.length === 2 && shape[1] === rank)
    if (fit && u.shape[0]! * v.shape[0]! === sizeOf(base.shape)) return { ...base, lowRank: { rank, u, v } }
  }
  if (lowRank !== undefined) throw malformed(`expected factors that make up ${brief(name)}`, lowRank)
  const whole = parseDense(dense)
  if (whole.shape.join() !== base.shape.join()) throw malformed(`expected ${brief(name)} in its shape`, whole.shape)
  return { ...base, dense: whole }
}

function parseDense(value: unknown): DenseEncoding {
  if (!isRecord(value)) throw malformed('expected an encoding', value)
  const { kept, quantize } = value
  if (kept !== undefined && !isLength(kept)) throw malformed('expected a count of kept elements', kept)
  if (quantize !== undefined && !isQuantize(quantize)) throw malformed('expected options of quantize', quantize)
  return {
    shape: parseShape(value.shape),
    ...(kept === undefined ? {} : { kept }),
    ...(quantize === undefined ? {} : { quantize })
  }
}

/** Whether the axis is one of the shape's, dequantize says. */
function isQuantize(value: unknown): value is NonNullable<DenseEncoding['quantize']> {
  if (!isRecord(value)) return false
  const { format, axis, group, symmetric, ...others } = value
  const known = FORMAT_NAMES.find((name) => name === format)
  if (!known || Object.keys(others).length > 0) return false
  if (FORMATS[known].kind === 'half') return axis === undefined && group === undefined && symmetric === undefined
  return (
    (axis === undefined || Number.isSafeInteger(axis)) &&
    (group === undefined || (isLength(group) && group > 0)) &&
    (symmetric === undefined || typeof symmetric === 'boolean')
  )
}

/** The encoding in a few words, for tables. */
export function describeEncoding({ dense, lowRank }: TensorEncoding): string {
  const words: string[] = []
  if (lowRank) words.push(`rank ${lowRank.rank}`)
  const arrays = dense ? [dense] : [lowRank!.u, lowRank!.v]
  if (arrays.some(({ kept }) => kept !== undefined)) {
    const size = (shape: number[]): number => shape.reduce((a, b) => a * b, 1)
    const all = arrays.reduce((sum, { shape }) => sum + size(shape), 0)
    const left = arrays.reduce((sum, { shape, kept }) => sum + (kept ?? size(shape)), 0)
    words.push(`${Math.round(100 - (100 * left) / all)}% pruned`)
  }
  const { quantize } = arrays[0]!
  if (quantize) {
    const { format, axis, group, symmetric } = quantize
    words.push(format)
    if (group !== undefined) words.push(`group ${group}`)
    if (axis !== undefined) words.push(`axis ${axis}`)
    if (symmetric === false) words.push('asymmetric')
  }
  return words.join(', ') || 'F32'
}
