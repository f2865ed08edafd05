import { LEVEL_BYTES, LEVELS, PLANES } from '../../../../assembly/embeddings/constants.js'
import type { Memory, Pointer } from '../../../core/memory.js'

/**
 * The positive levels of the quantisers with the least mean squared error for the normal distribution (J. Max, IRE
 * Trans. Inf. Theory 6, 1960). They have 12 digits by test/vectors/make_lloydMax.py, as have the other numbers here.
 */
const POSITIVE: Readonly<Record<number, readonly number[]>> = {
  1: [0.797884560803],
  2: [0.452780034636, 1.5104176085],
  3: [0.245094178944, 0.756005281206, 1.3439092785, 2.15194570454],
  4: [
    0.128395029851, 0.38804829949, 0.656759118532, 0.942340456487, 1.25623119735, 1.61804638602, 2.06901722653,
    2.732589571
  ]
}

/** The step of the uniform grid of 256 levels with the least error. */
export const GRID_STEP = 0.03076238753

/** Mean squared errors, of a variance of 1. */
const DISTORTIONS: Readonly<Record<number, number>> = {
  1: 0.36338023,
  2: 0.11748185,
  3: 0.034547761,
  4: 0.009501008,
  8: 8.7686186e-5
}

/**
 * What a scale that keeps inner products right is multiplied with for the least squared error.
 * Levels are means of what they stand for, so that E v y = E y^2.
 */
export function shrinkage(bits: number): number {
  return 1 - DISTORTIONS[bits]!
}

/** The greatest level of so many bits, 1 to 4. */
export function greatestLevel(bits: number): number {
  return POSITIVE[bits]!.at(-1)!
}

/** The levels of codes 0 .. 2^bits - 1, ascending. */
export function levelsOf(bits: number): Float32Array<ArrayBuffer> {
  const positive = POSITIVE[bits]!
  return Float32Array.from([...positive.map((x) => -x).reverse(), ...positive])
}

/** Writes LEVEL_BYTES of tables: thresholds, bytes of levels, levels. */
export function writeLevels(memory: Memory, at: Pointer, bits: number): void {
  memory.u8(at, LEVEL_BYTES).fill(0)
  if (bits > 4) return
  const positive = POSITIVE[bits]!
  const levels = levelsOf(bits)
  // Half way between two levels, where a value is as near to either.
  const thresholds = positive.slice(1).map((x, i) => (x + positive[i]!) / 2)
  memory.u16(at, 8).set(thresholds.map((x) => Math.round(4096 * x)))
  memory.f32(at + LEVELS, levels.length).set(levels)
  const bytes = memory.u8(at + LEVELS, 4 * levels.length)
  const planes = memory.u8(at + PLANES, 64)
  for (let code = 0; code < levels.length; code++) {
    for (let plane = 0; plane < 4; plane++) planes[16 * plane + code] = bytes[4 * code + plane]!
  }
}

/** Where the levels themselves stand: f32[2^bits]. */
export const levelsAt = (tables: Pointer): Pointer => tables + LEVELS
