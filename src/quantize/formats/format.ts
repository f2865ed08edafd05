import type { Dtype } from '../../files/dtypes.js'

export type IntegerFormat = 'int8' | 'uint8' | 'int4' | 'uint4'
export type HalfFormat = 'float16' | 'bfloat16'
export type QuantizeFormat = IntegerFormat | HalfFormat

/** What every number format tells of its codes. */
interface Common<Name, Codes> {
  readonly name: Name
  /** bits of one element */
  readonly bits: number
  /** class of the array that carries the codes */
  readonly codes: new (length: number) => Codes
  /** the name that files store the codes under */
  readonly dtype: Dtype
  /** bytes that the codes of `size` elements take */
  bytesOf(size: number): number
}

export type ByteArray = Int8Array<ArrayBuffer> | Uint8Array<ArrayBuffer>
type ByteClass = new (length: number) => ByteArray

/** How several codes share a byte; both kernels work on a byte a code. */
export interface Packing {
  readonly perByte: number
  readonly pack: 'packNibbles'
  readonly unpack: 'unpackNibbles'
}

/** Whole numbers from `least` to `most`, read by a scale and a zero point. */
export interface Grid extends Common<IntegerFormat, ByteArray> {
  readonly kind: 'integer'
  readonly signed: boolean
  readonly least: number
  readonly most: number
  /** zero point of the symmetric form */
  readonly middle: number
  /** class of the array that carries the zero points */
  readonly zeroPoints: ByteClass
  /** absent: a byte a code */
  readonly packing?: Packing
}

/** Floating-point numbers of 16 bits, as their patterns. */
export interface Half extends Common<HalfFormat, Uint16Array<ArrayBuffer>> {
  readonly kind: 'half'
  readonly dtype: 'F16' | 'BF16'
  readonly exponentBits: number
  readonly encode: 'encodeF16' | 'encodeBF16'
  readonly decode: 'decodeF16' | 'decodeBF16'
  readonly packing?: undefined
}

export type Format = Grid | Half
