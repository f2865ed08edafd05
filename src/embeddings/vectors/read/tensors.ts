import { show, tagOf } from '../../../core/check.js'
import { FormatError, rangeError } from '../../../core/errors.js'
import type { NumberArray, Tensor } from '../../../core/tensor.js'
import type { FileTensor } from '../../../files/dtypes.js'
import { brief } from '../../../files/names.js'
import { openTensors } from '../../../files/open.js'
import type { ByteSource } from '../../../files/source.js'
import { dequantize } from '../../../quantize/dequantize.js'
import { reading } from './records.js'

/** By which names files hold their vectors, where there are several tensors. */
const NAMES = ['embeddings', 'vectors', 'embedding', 'data']

/** Types that are numbers as they are, or become so. */
const NUMBERS = /^(F64|F32|F16|BF16|[IU](8|16|32|64))$/

/**
 * The vectors of a .npy or safetensors file, whose source stays open. Throws FormatError, RangeError for a column that
 * the file does not have.
 */
export async function readTensors(source: ByteSource, column?: string): Promise<Tensor> {
  const file = await openTensors(source)
  const known = file.tensors.map(({ name }) => name)
  const fits = file.tensors.filter(({ dtype, shape }) => shape.length === 2 && NUMBERS.test(dtype))
  const only = file.tensors.length === 1 ? file.tensors : fits
  const name =
    column ??
    NAMES.find((name) => fits.some((tensor) => tensor.name === name)) ??
    (only.length === 1 ? only[0]!.name : undefined)
  if (name === undefined || !known.includes(name)) {
    const list = known.map(brief).join(', ') || 'none'
    if (column !== undefined) {
      throw rangeError(`readVectors: "column" expected one of the tensors (${list}), got ${show(column)}`)
    }
    throw rangeError(
      `readVectors: "input" expected one tensor of shape (n, d), got ${list}; say which it is: { column: "name" }`
    )
  }
  return toVectors(await file.read(name))
}

function toVectors(tensor: FileTensor): Tensor {
  const { name, dtype, shape, data } = tensor
  const where = `tensor ${brief(name)}`
  if (!NUMBERS.test(dtype)) {
    throw new FormatError('unsupported-dtype', `${where} expected numbers, got ${dtype}; convert it to F32, F16 or I8`)
  }
  if (shape.length !== 1 && shape.length !== 2) {
    throw new FormatError(
      'bad-tensor',
      `${where} expected vectors of shape (n, d), got ${shape.join('x') || 'a scalar'}`
    )
  }
  const whole = shape.length === 2 ? [...shape] : [1, ...shape]
  return { data: toF32(where, dtype, data), shape: whole }
}

function toF32(where: string, dtype: string, data: FileTensor['data']): Float32Array<ArrayBuffer> {
  if (dtype === 'F32') return data as Float32Array<ArrayBuffer>
  if (dtype === 'F16' || dtype === 'BF16')
    return halves(dtype === 'F16' ? 'float16' : 'bfloat16', data as Uint16Array<ArrayBuffer>)
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return Float32Array.from(data, Number)
  return reading(true, () => roundedF32(where, data as NumberArray))
}

/** Numbers as f32; infinities stay. Throws RangeError for finite ones beyond. */
export function roundedF32(where: string, data: NumberArray): Float32Array<ArrayBuffer> {
  const rounded = Float32Array.from(data)
  if (tagOf(data) !== 'Float64Array') return rounded
  const beyond = rounded.findIndex((value, i) => Math.abs(value) === Infinity && Math.abs(data[i]!) < Infinity)
  if (beyond >= 0) {
    throw rangeError(`${where} expected numbers within float32, got ${data[beyond]} at index ${beyond}`)
  }
  return rounded
}

/** Patterns of 16-bit floats as f32. */
export function halves(format: 'float16' | 'bfloat16', codes: Uint16Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  return dequantize({ format, shape: [codes.length], codes }).data
}
