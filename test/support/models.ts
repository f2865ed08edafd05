import { expect } from 'vitest'
import { openModel, encodeSafetensors } from '../../src/model/index.js'
import type { Dtype, Model, NewTensor, Recipe } from '../../src/model/index.js'
import type { Pruned } from '../oracle/prune.js'
import { patternOracle, pruneOracle } from '../oracle/prune.js'
import type { Format, QuantizedIntegers } from '../oracle/quantize.js'
import { bfloat16Value, dequantizeOracle, float16Value, quantizeOracle } from '../oracle/quantize.js'
import { flagsOf } from './bits.js'
import { sizeOf } from './shapes.js'

export type Input = NewTensor & { name: string; shape: number[] }

export interface RawArray {
  dtype: string
  shape: number[]
  bytes: Uint8Array
}

export interface RawFile {
  metadata: Record<string, string>
  arrays: Map<string, RawArray>
  /** where the data begins */
  dataStart: number
}

/** A safetensors file as its specification says, read without any of the code under test. */
export function readRaw(file: Uint8Array): RawFile {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const dataStart = 8 + Number(view.getBigUint64(0, true))
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, dataStart))) as Record<string, unknown>
  const { __metadata__: metadata = {}, ...entries } = header
  const arrays = new Map<string, RawArray>()
  for (const [name, entry] of Object.entries(entries)) {
    const { dtype, shape, data_offsets } = entry as { dtype: string; shape: number[]; data_offsets: [number, number] }
    arrays.set(name, { dtype, shape, bytes: file.subarray(dataStart + data_offsets[0], dataStart + data_offsets[1]) })
  }
  return { metadata: metadata as Record<string, string>, arrays, dataStart }
}

export const openInputs = (inputs: Input[], metadata: Record<string, string> = {}): Promise<Model> =>
  openModel(encodeSafetensors(inputs, metadata))

/** Numbers of a tensor as f32, whatever type of float holds them. */
export function f32Of({ dtype, data }: NewTensor): Float32Array<ArrayBuffer> {
  const value = dtype === 'F16' ? float16Value : dtype === 'BF16' ? bfloat16Value : Number
  return Float32Array.from(data as ArrayLike<number>, value)
}

const bytesOf = (array: ArrayBufferView): Uint8Array => new Uint8Array(array.buffer, array.byteOffset, array.byteLength)

const CODES: Record<Format, Dtype> = {
  int8: 'I8',
  uint8: 'U8',
  int4: 'U8',
  uint4: 'U8',
  float16: 'F16',
  bfloat16: 'BF16'
}

export interface Stored {
  parts: Map<string, RawArray>
  /** what the parts give back */
  values: Float32Array
}

export function prunedBy(prune: Recipe['prune'], data: Float32Array, shape: number[]): Pruned | undefined {
  if (!prune) return undefined
  if (prune.sparsity !== undefined) return pruneOracle([data], { sparsity: prune.sparsity })[0]
  const [n, m] = prune.pattern!.split(':').map(Number)
  return patternOracle(data, shape, n, m)
}

/** Nibble or byte i of packed codes, the first in the low half of its byte. */
const nibbleAt = (codes: ArrayLike<number>, i: number): number => (codes[i >> 1] >> (i % 2 ? 4 : 0)) & 15

/** Only the kept ones of an array of codes, packed as those. */
function only(kept: boolean[], codes: Float32Array | Int8Array | Uint8Array | Uint16Array, packed: boolean) {
  const indices = kept.flatMap((keep, i) => (keep ? [i] : []))
  if (!packed) return (codes as Float32Array).filter((_, i) => kept[i])
  const bytes = new Uint8Array(Math.ceil(indices.length / 2))
  indices.forEach((i, k) => (bytes[k >> 1] |= nibbleAt(codes, i) << (k % 2 ? 4 : 0)))
  return bytes
}

/** The arrays that a tensor is stored in, by the oracles and docs/formats.md. */
export function storedOracle(
  base: string,
  data: Float32Array,
  shape: number[],
  { quantize, prune }: Recipe,
  pruned = prunedBy(prune, data, shape)
): Stored {
  const masked = pruned?.values ?? data
  const parts = new Map<string, RawArray>()
  let codes: Float32Array | Int8Array | Uint8Array | Uint16Array = masked
  let values: Float32Array = masked
  let dtype: Dtype = 'F32'
  const packed = quantize?.format === 'int4' || quantize?.format === 'uint4'
  if (quantize) {
    const q = quantizeOracle(masked, shape, quantize)
    const { scales, zeroPoints } = q as QuantizedIntegers
    codes = q.codes
    values = dequantizeOracle(q, shape, quantize)
    dtype = CODES[quantize.format]
    if (scales) parts.set(`${base}:scales`, { dtype: 'F32', shape: [scales.length], bytes: bytesOf(scales) })
    if (zeroPoints) {
      const signed = quantize.format.startsWith('int')
      parts.set(`${base}:zeroPoints`, {
        dtype: signed ? 'I8' : 'U8',
        shape: [zeroPoints.length],
        bytes: bytesOf(zeroPoints)
      })
    }
  }
  let stored = packed ? [codes.length] : shape
  if (pruned) {
    const kept = flagsOf(pruned.bits, sizeOf(shape))
    const sparse = only(kept, codes, packed)
    if (sparse.byteLength + pruned.bits.length < codes.byteLength) {
      codes = sparse
      stored = [sparse.length]
      parts.set(`${base}:mask`, { dtype: 'U8', shape: [pruned.bits.length], bytes: pruned.bits })
    }
  }
  parts.set(base, { dtype, shape: stored, bytes: bytesOf(codes) })
  return { parts, values }
}

/** u vT in f64, rounded once. */
export function productOracle(u: Float32Array, v: Float32Array, rank: number): Float32Array {
  const [m, n] = [u.length / rank, v.length / rank]
  return Float32Array.from({ length: m * n }, (_, index) => {
    const [i, j] = [Math.floor(index / n), index % n]
    let sum = 0
    for (let r = 0; r < rank; r++) sum += u[i * rank + r] * v[j * rank + r]
    return sum
  })
}

export function expectParts(file: RawFile, expected: Map<string, RawArray>): void {
  for (const [name, { dtype, shape, bytes }] of expected) {
    const actual = file.arrays.get(name)
    expect(actual && { dtype: actual.dtype, shape: actual.shape }, `type of ${name}`).toEqual({ dtype, shape })
    expect(Buffer.compare(actual!.bytes, bytes), `bytes of ${name}`).toBe(0)
  }
}

/** The `tersor` metadata of a file that compressModel has not written. */
export const artefact = (tensors: unknown, extra: Record<string, unknown> = {}): Record<string, string> => ({
  tersor: JSON.stringify({ kind: 'model', version: 1, source: { format: 'safetensors' }, tensors, ...extra })
})
