import { internalError, rangeError, typeError } from './errors.js'
import { checkAttached, show, tagOf } from './check.js'
import type { HalfKernels } from './engine.js'
import type { Memory, Pointer } from './memory.js'

/** Arrays whose elements are JavaScript numbers. Float16Array, where the runtime has it, is one too. */
export type NumberArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array

export type NestedArray = readonly number[] | readonly NestedArray[]

/**
 * What every operation takes for a tensor: `{ data, shape }`, `{ data, dims }` (onnxruntime, transformers.js), a typed
 * array (one dimension) or nested arrays. Row-major. A Uint16Array holds numbers, unless `dtype` (or `type`) says
 * 'float16' or 'bfloat16': then it holds their bit patterns.
 */
export type TensorLike =
  | NumberArray
  | NestedArray
  | {
      readonly data: NumberArray | NestedArray | object
      readonly shape?: readonly number[]
      readonly dims?: readonly number[]
      readonly dtype?: string
      readonly type?: string
    }

/** What operations return: fresh typed arrays, row-major. */
export interface Tensor<T = Float32Array<ArrayBuffer>> {
  data: T
  shape: number[]
}

/** A tensor read and checked. `bits` says that data holds the bit patterns of a 16-bit float. */
export interface Source {
  readonly name: string
  readonly data: NumberArray
  readonly shape: readonly number[]
  readonly size: number
  readonly bits?: 'float16' | 'bfloat16'
  /** for a part of a tensor: the index of its first element in the whole, by which errors name elements */
  readonly first?: number
}

/** `size` elements from `start` on as a tensor of their own, over the same memory. */
export function partOf(source: Source, start: number, size: number, shape: readonly number[] = [size]): Source {
  return { ...source, data: source.data.subarray(start, start + size), shape, size, first: start }
}

/** Types whose arrays hold something else than the numbers they stand for. */
const NOT_NUMBERS = /^(f[468]_|f4$|float[468]_?e|c64|c128|complex)/

const LARGEST_EXACT = Number.MAX_SAFE_INTEGER

function isNumberArray(value: unknown): value is NumberArray {
  if (!ArrayBuffer.isView(value)) return false
  // Most are this. The name of the class holds in every realm, but takes as long as the work on a small tensor.
  return value instanceof Float32Array || !/^(DataView|BigInt64Array|BigUint64Array)$/.test(tagOf(value))
}

export function sizeOf(shape: readonly number[]): number {
  let size = 1
  for (const length of shape) size *= length
  return size
}

function checkShape(where: string, shape: unknown): number[] {
  const isShape =
    Array.isArray(shape) &&
    Array.from(shape).every((n) => Number.isInteger(n) && n >= 0) &&
    sizeOf(shape) <= LARGEST_EXACT
  if (!isShape) throw typeError(`${where} expected a shape of whole numbers, got ${show(shape)}`)
  return [...(shape as number[])]
}

/** Nested arrays, all of one length at each depth. */
function flatten(where: string, nested: NestedArray): { data: Float64Array; shape: number[] } {
  const shape: number[] = []
  for (let level: unknown = nested; Array.isArray(level); level = level[0]) {
    shape.push(level.length)
    if (level.length === 0) break
  }
  const data = new Float64Array(sizeOf(shape))
  let next = 0
  const visit = (value: unknown, depth: number): void => {
    if (depth === shape.length) {
      if (typeof value !== 'number') {
        throw typeError(`${where} expected numbers at depth ${depth}, got ${show(value)} at index ${next}`)
      }
      data[next++] = value
      return
    }
    if (!Array.isArray(value) || value.length !== shape[depth]) {
      const got = Array.isArray(value) ? `one of ${value.length}` : show(value)
      throw rangeError(`${where} expected arrays of ${shape[depth]} at depth ${depth}, got ${got}`)
    }
    for (const item of value) visit(item, depth + 1)
  }
  visit(nested, 0)
  return { data, shape }
}

/** Whether a value reads as one tensor (and not as a list or record of tensors). */
export function isTensorLike(value: unknown): value is TensorLike {
  if (isNumberArray(value)) return true
  if (Array.isArray(value)) {
    let first: unknown = value
    while (Array.isArray(first)) first = first[0]
    return first === undefined ? value.length === 0 : typeof first === 'number'
  }
  return typeof value === 'object' && value !== null && 'data' in value
}

/** Reads what a caller gave as the argument `name` of `verb`. */
export function readTensor(verb: string, name: string, value: unknown): Source {
  const where = `${verb}: "${name}"`
  if (isNumberArray(value)) {
    checkAttached(where, value)
    return { name: where, data: value, shape: [value.length], size: value.length }
  }
  if (Array.isArray(value)) {
    const { data, shape } = flatten(where, value as NestedArray)
    return { name: where, data, shape, size: data.length }
  }
  if (typeof value !== 'object' || value === null || !('data' in value)) {
    throw typeError(
      `${where} expected a tensor ({ data, shape }, { data, dims }, a typed array or nested arrays), got ${show(value)}`
    )
  }
  const tensor = value as { data: unknown; shape?: unknown; dims?: unknown; dtype?: unknown; type?: unknown }
  let data = tensor.data
  let shape = tensor.shape ?? tensor.dims
  if (Array.isArray(data)) {
    const nested = flatten(`${where}.data`, data as NestedArray)
    data = nested.data
    shape ??= nested.shape
  }
  if (!isNumberArray(data)) {
    throw typeError(`${where}.data expected a typed array of numbers, got ${show(data)}`)
  }
  const checked = shape === undefined ? [data.length] : checkShape(`${where}.shape`, shape)
  const size = sizeOf(checked)
  if (size !== data.length) checkAttached(where, data)
  if (size !== data.length) {
    throw rangeError(`${where} expected length ${size} (${checked.join('x') || 'scalar'}), got ${data.length}`)
  }
  const dtype = String(tensor.dtype ?? tensor.type ?? '').toLowerCase()
  const bits = dtype ? readDtype(where, dtype, data) : undefined
  return { name: where, data, shape: checked, size, bits }
}

/** The 16-bit float whose patterns the array holds, if any. */
function readDtype(where: string, dtype: string, data: NumberArray): Source['bits'] {
  if (NOT_NUMBERS.test(dtype)) {
    throw typeError(
      `${where} expected numbers, or the bits of float16 or bfloat16, got dtype ${show(dtype)}; convert it first`
    )
  }
  const carrier = tagOf(data)
  const half = /^(float16|f16)$/.test(dtype) ? 'float16' : /^(bfloat16|bf16)$/.test(dtype) ? 'bfloat16' : undefined
  if (half && !/^(Uint16Array|Float(16|32|64)Array)$/.test(carrier)) {
    throw typeError(`${where} expected a Uint16Array of ${half} patterns, or floats, got ${show(data)}`)
  }
  return carrier === 'Uint16Array' ? half : undefined
}

/** Writes elements [start, start + length) to f32[length] at `pointer`, rounding what is not f32. */
export function loadF32(
  memory: Memory,
  kernels: HalfKernels,
  pointer: Pointer,
  source: Source,
  start: number,
  length: number
): void {
  const part = start === 0 && length === source.size ? source.data : source.data.subarray(start, start + length)
  rawView(memory, pointer, source, length).set(part)
  decodeRaw(kernels, pointer, source, length)
}

/**
 * Where elements of a source are put on their way to f32[length] at `pointer`; `decodeRaw` does the rest. Patterns go
 * to the upper half of their own place: the decoder writes behind what it has read.
 */
export function rawView(memory: Memory, pointer: Pointer, { bits }: Source, length: number): NumberArray {
  return bits ? memory.u16(pointer + 2 * length, length) : memory.f32(pointer, length)
}

export function decodeRaw(kernels: HalfKernels, pointer: Pointer, { bits }: Source, length: number): void {
  if (bits === 'float16') kernels.decodeF16(pointer, pointer + 2 * length, length)
  else if (bits) kernels.decodeBF16(pointer, pointer + 2 * length, length)
}

const WORD = /* @__PURE__ */ new Int32Array(1)
const FLOAT = /* @__PURE__ */ floatsOf(WORD)

function floatsOf({ buffer }: Int32Array): Float32Array {
  return new Float32Array(buffer)
}

/** Element `index` as a number. */
export function elementAt({ data, bits }: Source, index: number): number {
  const value = data[index]!
  if (!bits) return value
  // Sign, exponent and fraction at the places that float32 has for them; a float16's exponent is then 112 too low.
  const isHalf = bits === 'float16'
  WORD[0] = isHalf ? ((value & 0x8000) << 16) | ((value & 0x7fff) << 13) : value << 16
  const beyond = isHalf && (value & 0x7c00) === 0x7c00
  return beyond ? (value & 0x3ff ? NaN : FLOAT[0]! * Infinity) : FLOAT[0]! * (isHalf ? 2 ** 112 : 1)
}

/**
 * The error that names the first number of a source that is not finite, or not within f32 unless `wide`; only this scan
 * knows which.
 */
export function firstNonFinite(
  source: Source,
  allowed: (value: number) => boolean = Number.isFinite,
  wide = false
): RangeError | undefined {
  const { first = 0 } = source
  for (let i = 0; i < source.size; i++) {
    const value = elementAt(source, i)
    if (!allowed(value)) {
      return rangeError(
        `${source.name} expected finite numbers, got ${value} at index ${first + i}; replace or mask it first`,
        'not-finite'
      )
    }
    if (!wide && !allowed(Math.fround(value))) {
      return rangeError(
        `${source.name} expected numbers within float32, got ${value} at index ${first + i}; rescale the data`,
        'not-finite'
      )
    }
  }
  return undefined
}

/** The error for data that a kernel has found not finite, or not within f32 unless it works in f64 (`wide`). */
export function nonFiniteError(source: Source, allowed?: (value: number) => boolean, wide = false): Error {
  return (
    firstNonFinite(source, allowed, wide) ??
    internalError(`all of ${source.name} is finite, but a kernel said it is not`)
  )
}

/** The same for a kernel that works in f64. */
export function nonFiniteF64Error(source: Source): Error {
  return nonFiniteError(source, undefined, true)
}
