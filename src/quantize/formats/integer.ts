import type { Grid, IntegerFormat, Packing } from './format.js'

interface IntegerShape {
  readonly name: IntegerFormat
  readonly bits: number
  readonly signed: boolean
  readonly packing?: Packing
}

/** Two codes to a byte, the first in the low nibble. */
export const NIBBLES: Packing = { perByte: 2, pack: 'packNibbles', unpack: 'unpackNibbles' }

/** All whole numbers of so many bits. Packed codes stand in plain bytes, whatever their sign. */
export function integerFormat({ name, bits, signed, packing }: IntegerShape): Grid {
  const half = 1 << (bits - 1)
  const middle = signed ? 0 : half
  const zeroPoints = signed ? Int8Array : Uint8Array
  const codes = packing ? Uint8Array : zeroPoints
  return {
    kind: 'integer',
    name,
    bits,
    signed,
    least: middle - half,
    most: middle + half - 1,
    middle,
    codes,
    zeroPoints,
    dtype: codes === Int8Array ? 'I8' : 'U8',
    packing,
    bytesOf: (size) => Math.ceil((size * bits) / 8)
  }
}
