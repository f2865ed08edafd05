import type { Half } from './format.js'

type HalfShape = Pick<Half, 'name' | 'exponentBits' | 'dtype' | 'encode' | 'decode'>

/** A float of 16 bits after IEEE 754-2019, 3.4: a sign, the exponent, and the fraction in the bits that are left. */
export function halfFormat(shape: HalfShape): Half {
  return { ...shape, kind: 'half', bits: 16, codes: Uint16Array, bytesOf: (size) => 2 * size }
}

/**
 * The pattern, as an f32, of the least magnitude that rounds to infinity: the f32 halfway from the greatest finite one.
 */
export function beyondPattern({ exponentBits }: Half): number {
  const fractionBits = 15 - exponentBits
  const bias = (1 << (exponentBits - 1)) - 1
  return ((bias + 127) << 23) | (((2 << fractionBits) - 1) << (22 - fractionBits))
}

export interface HalfRange {
  /** the least magnitude above 0 */
  readonly least: number
  /** the greatest finite number */
  readonly most: number
  /** the least magnitude that rounds to infinity, where nothing saturates */
  readonly beyond: number
}

export function halfRange({ exponentBits }: Half): HalfRange {
  const fractionBits = 15 - exponentBits
  const bias = 2 ** (exponentBits - 1) - 1
  const top = 2 ** bias
  return {
    least: 2 ** (1 - bias - fractionBits),
    most: (2 - 2 ** -fractionBits) * top,
    beyond: (2 - 2 ** (-1 - fractionBits)) * top
  }
}
