import { bfloat16 } from './formats/bfloat16.js'
import { float16 } from './formats/float16.js'
import type {
  ByteArray,
  Format,
  Grid,
  Half,
  HalfFormat,
  IntegerFormat,
  Packing,
  QuantizeFormat
} from './formats/format.js'
import { int4 } from './formats/int4.js'
import { int8 } from './formats/int8.js'
import { uint4 } from './formats/uint4.js'
import { uint8 } from './formats/uint8.js'

export type { ByteArray, Format, Grid, Half, HalfFormat, IntegerFormat, Packing, QuantizeFormat }

type Table = Readonly<Record<IntegerFormat, Grid> & Record<HalfFormat, Half>>

/**
 * Every number format: a file of its own and a line here. Its name is in formats/format.ts, from where callers have it.
 */
export const FORMATS: Table = { int8, uint8, int4, uint4, float16, bfloat16 }

export const FORMAT_NAMES = /* @__PURE__ */ Object.keys(FORMATS) as readonly QuantizeFormat[]

/** Whether zero points are stored: where they are not all 0. */
export function hasZeroPoints({ middle }: Grid, symmetric: boolean): boolean {
  return !symmetric || middle !== 0
}

/** The least code that a set uses: with as many above the zero point as below where it is symmetric. */
export function leastCode({ least, most, middle }: Grid, symmetric: boolean): number {
  return symmetric ? middle - ((most - least) >> 1) : least
}
