import type { HalfFormat, IntegerFormat } from './formats.js'

/** What `quantize` returns for the integer formats. */
export interface QuantizedIntegers {
  format: IntegerFormat
  shape: number[]
  axis?: number
  group?: number
  symmetric: boolean
  /**
   * int8: Int8Array, uint8: Uint8Array, one an element; int4 and uint4: Uint8Array, two to a byte, the first in the low
   * nibble
   */
  codes: Int8Array<ArrayBuffer> | Uint8Array<ArrayBuffer>
  /** one for each set: channel * groups per channel + group */
  scales: Float32Array<ArrayBuffer>
  /** one for each set; absent where all are 0 (int8 and int4, symmetric) */
  zeroPoints?: Int8Array<ArrayBuffer> | Uint8Array<ArrayBuffer>
}

/** What `quantize` returns for float16 and bfloat16: the bit patterns. */
export interface QuantizedHalf {
  format: HalfFormat
  shape: number[]
  codes: Uint16Array<ArrayBuffer>
}

export type Quantized = QuantizedIntegers | QuantizedHalf
