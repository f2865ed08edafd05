import { ALL_ZERO } from '../../../assembly/linalg/constants.js'

/** Numbers from 2^-easy to 2^easy need no scaling: squares and their sums stay far inside the type. */
const EASY_F32 = 40
const EASY_F64 = 250

/** Whether numbers, the greatest in [.5, 1) 2^exponent, are worked on as they are; so are zeros. */
export function isEasy(exponent: number, wide: boolean): boolean {
  return exponent === ALL_ZERO || Math.abs(exponent) <= (wide ? EASY_F64 : EASY_F32)
}

/** The exponent that numbers are scaled by. */
export function scaleFor(exponent: number, wide: boolean): number {
  return isEasy(exponent, wide) ? 0 : exponent
}
