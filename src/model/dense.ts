import { FormatError, rangeError, isArgumentError } from '../core/errors.js'
import type { Bitmask } from '../core/mask.js'
import { sizeOf, type Tensor, type TensorLike } from '../core/tensor.js'
import { clearRemoved, countKept, gatherKept, scatterKept } from '../prune/compact.js'
import { dequantize } from '../quantize/dequantize.js'
import { FORMATS, hasZeroPoints, type Grid, type Packing } from '../quantize/formats.js'
import type { QuantizeOptions } from '../quantize/options.js'
import { packCodes, packedLength, unpackCodes } from '../quantize/packing.js'
import { quantize } from '../quantize/quantize.js'
import type { Quantized } from '../quantize/quantized.js'
import type { Dtype, TensorArray } from '../files/dtypes.js'
import { partName, type DenseEncoding } from './encoding.js'

/** An array as it goes into a file. */
export interface Part {
  name: string
  dtype: Dtype
  shape: number[]
  data: TensorArray<ArrayBuffer>
}

/**
 * Stores an array under `base`, quantised where options are given. With a mask, only its kept elements are stored
 * beside it, if that is smaller. `values` are the masked ones, as f32 where there are no options.
 */
export function encodeDense(
  base: string,
  values: TensorLike & { readonly shape: readonly number[] },
  mask: Bitmask | undefined,
  options: QuantizeOptions | undefined
): { parts: Part[]; encoding: DenseEncoding } {
  const shape = [...values.shape]
  const encoding: DenseEncoding = { shape }
  const parts: Part[] = []
  let data: Float32Array<ArrayBuffer> | Quantized['codes']
  let dtype: Dtype = 'F32'
  let packing: Packing | undefined
  if (options) {
    const { format, axis, group, symmetric } = options
    const q = quantize(values, options)
    encoding.quantize = JSON.parse(JSON.stringify({ format, axis, group, symmetric })) as typeof encoding.quantize
    data = q.codes
    ;({ dtype, packing } = FORMATS[format])
    if ('scales' in q) {
      const sets = [q.scales.length]
      parts.push({ name: partName(base, 'scales'), dtype: 'F32', shape: sets, data: q.scales })
      if (q.zeroPoints) {
        const zeroPoints = { name: partName(base, 'zeroPoints'), shape: sets, data: q.zeroPoints }
        parts.push({ ...zeroPoints, dtype: zeroPointsDtype(FORMATS[q.format]) })
      }
    }
  } else data = (values as Tensor).data

  const size = sizeOf(shape)
  let stored = packing ? [data.length] : shape
  if (mask) {
    const kept = countKept(mask.bits)
    const length = packing ? packedLength(packing, kept) : kept
    if (length * data.BYTES_PER_ELEMENT + mask.bits.length < data.byteLength) {
      encoding.kept = kept
      stored = [length]
      data = packing
        ? packCodes(
            packing,
            gatherKept(new Uint8Array(kept), unpackCodes(packing, data as Uint8Array, size), mask.bits)
          )
        : keepOnly(data, kept, mask.bits)
      parts.push({ name: partName(base, 'mask'), dtype: 'U8', shape: [mask.bits.length], data: mask.bits })
    }
  }
  parts.unshift({ name: base, dtype, shape: stored, data })
  return { parts, encoding }
}

type Stored = Float32Array<ArrayBuffer> | Quantized['codes']

function keepOnly(data: Stored, kept: number, bits: Uint8Array): Stored {
  return gatherKept(freshLike(data, kept), data, bits)
}

function freshLike(data: Stored, length: number): Stored {
  return new (data.constructor as new (length: number) => Stored)(length)
}

function zeroPointsDtype({ signed }: Grid): Dtype {
  return signed ? 'I8' : 'U8'
}

/** Names and types of the arrays that an encoding is stored in. */
export function partTypes(base: string, { quantize: q, kept }: DenseEncoding): Map<string, Dtype> {
  const format = q && FORMATS[q.format]
  const parts = new Map<string, Dtype>([[base, format?.dtype ?? 'F32']])
  if (format?.kind === 'integer') {
    parts.set(partName(base, 'scales'), 'F32')
    if (hasZeroPoints(format, q?.symmetric !== false)) parts.set(partName(base, 'zeroPoints'), zeroPointsDtype(format))
  }
  if (kept !== undefined) parts.set(partName(base, 'mask'), 'U8')
  return parts
}

/**
 * The inverse of encodeDense; `get` gives a part's array by name. Throws FormatError where the parts do not fit
 * together.
 */
export function decodeDense(
  base: string,
  encoding: DenseEncoding,
  get: (name: string) => TensorArray<ArrayBuffer>
): Tensor {
  try {
    return restore(base, encoding, get)
  } catch (error) {
    if (isArgumentError(error)) {
      throw new FormatError('bad-tensor', `tensor ${JSON.stringify(base)} cannot be restored: ${error.message}`)
    }
    throw error
  }
}

function restore(
  base: string,
  { shape, quantize: q, kept }: DenseEncoding,
  get: (name: string) => TensorArray<ArrayBuffer>
): Tensor {
  const size = sizeOf(shape)
  let data = get(base) as Stored
  let mask: Bitmask | undefined
  if (kept !== undefined) {
    const bits = get(partName(base, 'mask')) as Uint8Array<ArrayBuffer>
    const stray = size % 8 ? bits.at(-1)! >> (size % 8) : 0
    if (bits.length !== Math.ceil(size / 8) || stray || countKept(bits) !== kept) {
      throw rangeError(`its mask expected ${kept} of ${size} bits`)
    }
    mask = { bits, shape }
    const packing = q && FORMATS[q.format].packing
    if (packing) {
      if (data.length !== packedLength(packing, kept)) {
        throw rangeError(`expected ${kept} packed codes, got ${data.length} bytes`)
      }
      const loose = unpackCodes(packing, data as Uint8Array, kept)
      data = packCodes(packing, scatterKept(new Uint8Array(size), loose, bits))
    } else {
      if (data.length !== kept) throw rangeError(`expected ${kept} elements, got ${data.length}`)
      data = scatterKept(freshLike(data, size), data, bits)
    }
  }
  if (!q) {
    if (!(data instanceof Float32Array) || data.length !== size) {
      throw rangeError(`expected ${size} F32 elements, got ${data.length}`)
    }
    return { data, shape: [...shape] }
  }
  const parts = partTypes(base, { shape, quantize: q })
  const part = (name: 'scales' | 'zeroPoints'): TensorArray | undefined =>
    parts.has(partName(base, name)) ? get(partName(base, name)) : undefined
  const scales = part('scales')
  const zeroPoints = part('zeroPoints')
  const values = dequantize({
    ...q,
    shape,
    codes: data,
    ...(scales ? { scales, symmetric: q.symmetric ?? true } : {}),
    ...(zeroPoints ? { zeroPoints } : {})
  } as Quantized)
  if (mask && scales) clearRemoved(values.data as Float32Array, mask.bits)
  return values
}
