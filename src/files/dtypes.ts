import { FormatError, rangeError, typeError } from '../core/errors.js'
import { brief, shorten } from './names.js'

/** The typed arrays that carry tensors of a file. */
export type TensorArray<B extends ArrayBufferLike = ArrayBufferLike> =
  | Float64Array<B>
  | Float32Array<B>
  | BigInt64Array<B>
  | BigUint64Array<B>
  | Int32Array<B>
  | Uint32Array<B>
  | Int16Array<B>
  | Uint16Array<B>
  | Int8Array<B>
  | Uint8Array<B>

interface Carrier {
  readonly BYTES_PER_ELEMENT: number
  readonly name: string
  new (buffer: ArrayBuffer): TensorArray<ArrayBuffer>
}

// Files are little-endian and carriers have the host's byte order: big-endian hosts (s390x) are not supported.
const TYPES = {
  BOOL: Uint8Array,
  U8: Uint8Array,
  I8: Int8Array,
  U16: Uint16Array,
  I16: Int16Array,
  U32: Uint32Array,
  I32: Int32Array,
  U64: BigUint64Array,
  I64: BigInt64Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  F32: Float32Array,
  F64: Float64Array,
  F8_E4M3: Uint8Array,
  F8_E5M2: Uint8Array,
  F8_E8M0: Uint8Array,
  F8_E4M3FNUZ: Uint8Array,
  F8_E5M2FNUZ: Uint8Array,
  C64: Float32Array,
  F4: Uint8Array,
  F6_E2M3: Uint8Array,
  F6_E3M2: Uint8Array
} satisfies Record<string, Carrier>

/** Bits of an element where it is not one of its carrier. */
const BITS: Readonly<Record<string, number | undefined>> = { C64: 64, F4: 4, F6_E2M3: 6, F6_E3M2: 6 }

/**
 * Element types, by the names of safetensors (safetensors/src/tensor.rs, `enum Dtype`). F16 and BF16 are carried as bit
 * patterns in a Uint16Array, C64 as pairs (real, imaginary) in a Float32Array. BOOL and F8 are bytes; F4 and F6 are
 * packed in bytes as in the file.
 */
export type Dtype = keyof typeof TYPES

export type FloatDtype = 'F64' | 'F32' | 'F16' | 'BF16'

export const DTYPES = /* @__PURE__ */ Object.keys(TYPES) as Dtype[]

/** A tensor of a file, not yet read. Row-major. */
export interface TensorEntry {
  name: string
  dtype: Dtype
  shape: number[]
  byteLength: number
}

/** A tensor of a file. With F64, F32, F16 or BF16 the verbs of the library take it as it is. */
export interface FileTensor extends TensorEntry {
  data: TensorArray<ArrayBuffer>
}

/**
 * A tensor to write. Without `dtype` the array decides; a Uint16Array then holds numbers (U16), not the patterns of F16
 * or BF16.
 */
export interface NewTensor {
  readonly dtype?: Dtype
  readonly shape: readonly number[]
  readonly data: TensorArray | Uint8ClampedArray
}

/** What the reader of a format hands to openTensors. */
export interface Contents {
  readonly metadata: Readonly<Record<string, string>>
  readonly tensors: readonly TensorEntry[]
  /** reads the tensor of that index */
  read(index: number): Promise<TensorArray<ArrayBuffer>>
  /** reads rows [first, first + count) of its first dimension, which are within it */
  readRows(index: number, first: number, count: number): Promise<TensorArray<ArrayBuffer>>
}

/** Bytes of one row of a tensor's first dimension. Throws FormatError where rows are no whole bytes. */
export function rowLength({ dtype, shape }: TensorEntry): number {
  const length = byteLengthOf(dtype, shape.slice(1))
  if (shape.length > 0 && Number.isInteger(length)) return length
  throw new FormatError('bad-tensor', `expected rows of whole bytes, got ${describe(dtype, shape)}; read all of it`)
}

export function isDtype(value: unknown): value is Dtype {
  return typeof value === 'string' && Object.hasOwn(TYPES, value)
}

/** Whether the verbs of the library take this type. */
export function isFloat(dtype: Dtype): dtype is FloatDtype {
  return dtype === 'F64' || dtype === 'F32' || dtype === 'F16' || dtype === 'BF16'
}

export function bitsOf(dtype: Dtype): number {
  return BITS[dtype] ?? 8 * TYPES[dtype].BYTES_PER_ELEMENT
}

/** A shape's lengths are whole numbers; -0 is none. */
export function isLength(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && !Object.is(value, -0)
}

/**
 * Bytes of a tensor: a fraction where sub-byte elements do not fill the last byte, Infinity past 2^53. As in
 * safetensors, a product that overflows on the way does so for good, also before a length of 0.
 */
export function byteLengthOf(dtype: Dtype, shape: readonly number[]): number {
  let count = 1
  for (const length of shape) {
    count *= length
    if (!(count * bitsOf(dtype) <= Number.MAX_SAFE_INTEGER)) return Infinity
  }
  return (count * bitsOf(dtype)) / 8
}

export function describe(dtype: Dtype, shape: readonly number[]): string {
  return shorten(`${dtype} ${shape.join('x') || 'scalar'}`)
}

/** The bytes of a tensor as its typed array, in a buffer of its own, so aligned and transferable. */
export function carry(dtype: Dtype, bytes: Uint8Array<ArrayBuffer>): TensorArray<ArrayBuffer> {
  const whole = bytes.byteLength === bytes.buffer.byteLength
  return new TYPES[dtype]((whole ? bytes : new Uint8Array(bytes)).buffer)
}

const NATURAL: Readonly<Record<string, Dtype | undefined>> = {
  Float64Array: 'F64',
  Float32Array: 'F32',
  Float16Array: 'F16',
  BigInt64Array: 'I64',
  BigUint64Array: 'U64',
  Int32Array: 'I32',
  Uint32Array: 'U32',
  Int16Array: 'I16',
  Uint16Array: 'U16',
  Int8Array: 'I8',
  Uint8Array: 'U8',
  Uint8ClampedArray: 'U8'
}

/** Checks a tensor to write; `where` begins the messages. Throws TypeError, RangeError. */
export function checkNewTensor(where: string, tensor: NewTensor): { dtype: Dtype; shape: number[]; bytes: Uint8Array } {
  if (typeof tensor !== 'object' || tensor === null) {
    throw typeError(`${where} expected { shape, data }, got ${brief(tensor)}`)
  }
  const { data } = tensor
  const tag = Object.prototype.toString.call(data).slice(8, -1)
  const natural = Object.hasOwn(NATURAL, tag) ? NATURAL[tag] : undefined
  if (!natural) throw typeError(`${where} expected a typed array as "data", got ${brief(data)}`)
  const dtype = tensor.dtype ?? natural
  if (!isDtype(dtype)) {
    throw typeError(`${where} expected a "dtype" of ${DTYPES.join(', ')}, got ${brief(dtype)}`)
  }
  const carrier = TYPES[dtype].name
  if (natural !== dtype && tag !== carrier) {
    throw typeError(`${where} expected a ${carrier} for ${dtype}, got ${brief(data)}`)
  }
  if (!Array.isArray(tensor.shape) || !tensor.shape.every(isLength)) {
    throw typeError(`${where} expected a shape of whole numbers, got ${brief(tensor.shape)}`)
  }
  const shape = [...(tensor.shape as number[])]
  const needed = byteLengthOf(dtype, shape)
  if (!Number.isInteger(needed)) {
    const problem = needed === Infinity ? 'fewer than 2^53 bits' : 'whole bytes in all'
    throw rangeError(`${where} expected ${problem}, got ${describe(dtype, shape)}`)
  }
  if (data.byteLength !== needed) {
    const length = needed / data.BYTES_PER_ELEMENT
    throw rangeError(`${where} expected length ${length} (${describe(dtype, shape)}), got ${data.length}`)
  }
  return { dtype, shape, bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) }
}
