import { rangeError, typeError } from '../core/errors.js'
import { checkAttached, checkBoolean, checkChoice, checkOptions, show } from '../core/check.js'
import { FORMAT_NAMES, FORMATS, type Grid, type QuantizeFormat } from './formats.js'
import type { Quantized } from './quantized.js'

/** 2^-126: 1 / scale is finite from here on. */
const LEAST_SCALE = 2 ** -126

export interface QuantizeOptions {
  /** what each element becomes */
  format: QuantizeFormat
  /**
   * channel axis: one scale for each index along it. Negative counts from the end. Default: one scale for the whole
   * tensor
   */
  axis?: number
  /**
   * one scale for each run of so many elements of a channel. The last run may be short, and a group longer than its
   * channel is one short run. The channel axis is then 0 by default
   */
  group?: number
  /**
   * default true: zero stays in the middle of the codes and only the greatest magnitude counts; false: least and
   * greatest value count
   */
  symmetric?: boolean
  /** scales to use instead of the data's own, one for each set (channel * groups per channel + group) */
  scales?: ArrayLike<number>
  /** zero points that go with `scales`; required with them when symmetric is false, else not allowed */
  zeroPoints?: ArrayLike<number>
  /**
   * an earlier result for the same shape and options, whose arrays are written again, in part where an error stops the
   * work. Fresh memory costs more than the quantising
   */
  out?: Quantized
}

/** `out` last: verbs that write nothing take all but it. */
const KNOWN = ['format', 'axis', 'group', 'symmetric', 'scales', 'zeroPoints', 'out'] as const

/** Options read and checked, but for the lengths that only the tensor knows. */
export function readOptions(
  verb: string,
  options: QuantizeOptions,
  writes = true
): QuantizeOptions & { symmetric: boolean } {
  checkOptions(verb, options, writes ? KNOWN : KNOWN.slice(0, -1))
  const format = checkChoice(verb, 'format', options.format, FORMAT_NAMES)
  const { axis, group, scales, zeroPoints, out } = options
  if (out !== undefined && (typeof out !== 'object' || out === null)) {
    throw typeError(`${verb}: "out" expected an earlier result, got ${show(out)}`)
  }
  const symmetric = options.symmetric === undefined ? true : checkBoolean(verb, 'symmetric', options.symmetric)
  // Most give the format alone.
  if (FORMATS[format].kind === 'half' && Object.keys(options).length > 1) {
    for (const name of KNOWN.slice(1, -1)) {
      if (options[name as keyof QuantizeOptions] !== undefined) {
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

/** Scales and zero points, one for each set. Zero points that are absent are all in the middle of the codes. */
export interface Parameters {
  readonly scales: Float32Array
  readonly zeroPoints?: Int8Array | Uint8Array | Int32Array
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

export function readZeroPoints(
  verb: string,
  zeroPoints: ArrayLike<number>,
  sets: number,
  { least, most }: Grid
): Int32Array {
  checkLength(verb, 'zeroPoints', zeroPoints, sets)
  const out = new Int32Array(sets)
  for (let i = 0; i < sets; i++) {
    const zero = (out[i] = zeroPoints[i]!)
    if (!Number.isInteger(zero) || zero < least || zero > most) {
      throw rangeError(
        `${verb}: "zeroPoints" expected whole numbers from ${least} to ${most}, got ${zero} at index ${i}`
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
