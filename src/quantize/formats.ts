import { rangeError, typeError } from '../core/errors.js'
import { checkAttached, checkBoolean, checkChoice, checkOptions, show } from '../core/check.js'

export type IntegerFormat = 'int8' | 'uint8' | 'int4' | 'uint4'
export type HalfFormat = 'float16' | 'bfloat16'
export type QuantizeFormat = IntegerFormat | HalfFormat

export const FORMATS: readonly QuantizeFormat[] = ['int8', 'uint8', 'int4', 'uint4', 'float16', 'bfloat16']

/** The codes of an integer format. */
export interface Grid {
  readonly bits: 4 | 8
  readonly signed: boolean
  readonly least: number
  readonly most: number
  /** zero point of the symmetric form */
  readonly middle: number
}

export const GRIDS: Readonly<Record<IntegerFormat, Grid>> = {
  int8: { bits: 8, signed: true, least: -128, most: 127, middle: 0 },
  uint8: { bits: 8, signed: false, least: 0, most: 255, middle: 128 },
  int4: { bits: 4, signed: true, least: -8, most: 7, middle: 0 },
  uint4: { bits: 4, signed: false, least: 0, most: 15, middle: 8 }
}

export function isHalf(format: QuantizeFormat): format is HalfFormat {
  return format === 'float16' || format === 'bfloat16'
}

/** The codes that a grid uses: all of it, or, symmetric, as many above the zero point as below. */
export function codeRange(grid: Grid, symmetric: boolean): { low: number; high: number } {
  if (!symmetric) return { low: grid.least, high: grid.most }
  const half = (grid.most - grid.least) >> 1
  return { low: grid.middle - half, high: grid.middle + half }
}

/** 2^-126: 1 / scale is finite from here on. */
const LEAST_SCALE = 2 ** -126

export interface QuantizeOptions {
  /** what each element becomes */
  format: QuantizeFormat
  /** channel axis: one scale for each index along it. Negative counts from the end. Default: one scale for the whole tensor */
  axis?: number
  /** one scale for each run of so many elements of a channel, the last run may be short (a group longer than a channel is one short run); the channel axis is then 0 by default */
  group?: number
  /** default true: zero stays in the middle of the codes and only the greatest magnitude counts; false: least and greatest value count */
  symmetric?: boolean
  /** scales to use instead of the data's own, one for each set (channel * groups per channel + group) */
  scales?: ArrayLike<number>
  /** zero points that go with `scales`; required with them when symmetric is false, else not allowed */
  zeroPoints?: ArrayLike<number>
  /**
   * an earlier result for the same shape and options, whose arrays are written again (where an error stops the work, in part):
   * fresh memory costs more than the quantising
   */
  out?: Quantized
}

const KNOWN = ['format', 'axis', 'group', 'symmetric', 'scales', 'zeroPoints'] as const

/** Options read and checked, but for the lengths that only the tensor knows. */
export function readOptions(
  verb: string,
  options: QuantizeOptions,
  writes = true
): QuantizeOptions & { symmetric: boolean } {
  checkOptions(verb, options, writes ? [...KNOWN, 'out'] : KNOWN)
  const format = checkChoice(verb, 'format', options.format, FORMATS)
  const { axis, group, scales, zeroPoints, out } = options
  if (out !== undefined && (typeof out !== 'object' || out === null)) {
    throw typeError(`${verb}: "out" expected an earlier result, got ${show(out)}`)
  }
  const symmetric = options.symmetric === undefined ? true : checkBoolean(verb, 'symmetric', options.symmetric)
  if (isHalf(format)) {
    for (const name of KNOWN.slice(1)) {
      if (options[name] !== undefined) {
        throw typeError(`${verb}: "${name}" does not apply to ${format}, which has no scales; leave it out`)
      }
    }
  }
  if (zeroPoints !== undefined && (scales === undefined || symmetric)) {
    throw typeError(`${verb}: "zeroPoints" go with "scales" and symmetric: false`)
  }
  if (scales !== undefined && !symmetric && zeroPoints === undefined) {
    throw typeError(`${verb}: "scales" with symmetric: false need "zeroPoints" as well`)
  }
  return { format, axis, group, symmetric, scales, zeroPoints, out }
}

/** Scales as f32, each a positive normal number. */
export function readScales(verb: string, scales: ArrayLike<number>, sets: number): Float32Array<ArrayBuffer> {
  checkLength(verb, 'scales', scales, sets)
  const out = new Float32Array(sets)
  for (let i = 0; i < sets; i++) {
    const scale = (out[i] = scales[i]!)
    if (!(Math.fround(scale) >= LEAST_SCALE && Math.fround(scale) < Infinity)) {
      throw rangeError(`${verb}: "scales" expected numbers in [2^-126, Infinity), got ${scale} at index ${i}`)
    }
  }
  return out
}

export function readZeroPoints(verb: string, zeroPoints: ArrayLike<number>, sets: number, grid: Grid): Int32Array {
  checkLength(verb, 'zeroPoints', zeroPoints, sets)
  const out = new Int32Array(sets)
  for (let i = 0; i < sets; i++) {
    const zero = (out[i] = zeroPoints[i]!)
    if (!Number.isInteger(zero) || zero < grid.least || zero > grid.most) {
      throw rangeError(
        `${verb}: "zeroPoints" expected whole numbers from ${grid.least} to ${grid.most}, got ${zero} at index ${i}`
      )
    }
  }
  return out
}

function checkLength(verb: string, name: string, values: ArrayLike<number>, sets: number): void {
  if (typeof values !== 'object' || values === null || typeof values.length !== 'number') {
    throw typeError(`${verb}: "${name}" expected an array of ${sets} numbers, got ${show(values)}`)
  }
  if (values.length !== sets) {
    checkAttached(`${verb}: "${name}"`, values)
    throw rangeError(`${verb}: "${name}" expected ${sets} numbers, one for each set, got ${values.length}`)
  }
}

/** What `quantize` returns for the integer formats. */
export interface QuantizedIntegers {
  format: IntegerFormat
  shape: number[]
  axis?: number
  group?: number
  symmetric: boolean
  /** int8: Int8Array, uint8: Uint8Array, one an element; int4 and uint4: Uint8Array, two to a byte, the first in the low nibble */
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
