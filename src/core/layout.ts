import { rangeError } from './errors.js'
import { checkInteger } from './check.js'
import { sizeOf } from './tensor.js'

/**
 * How a tensor falls into parameter sets. The shape is seen as (outer, channels, inner) around the channel axis. A
 * channel's elements in row-major order are one set, or one set for each run of `group` (the last may be short).
 * Set number: channel * groupsPerChannel + run.
 */
export interface Layout {
  readonly size: number
  readonly outer: number
  readonly channels: number
  readonly inner: number
  /** elements in a set; undefined: the whole channel */
  readonly group?: number
  readonly groupsPerChannel: number
  readonly sets: number
}

/**
 * @param axis channel axis; negative counts from the end. Absent: 0 with `group` on two or more dimensions, else one
 * channel for all.
 * @throws RangeError for an axis outside the shape or a group below 1
 */
export function channelLayout(verb: string, shape: readonly number[], axis?: number, group?: number): Layout {
  if (axis !== undefined) {
    if (shape.length === 0) throw rangeError(`${verb}: "axis" expected a tensor with dimensions, got a scalar`)
    checkInteger(verb, 'axis', axis, -shape.length, shape.length - 1)
  }
  if (group !== undefined) checkInteger(verb, 'group', group, 1, Infinity)
  const at = axis ?? (group !== undefined && shape.length > 1 ? 0 : undefined)
  if (at === undefined) return layoutOf(1, 1, sizeOf(shape), group)
  const index = at < 0 ? at + shape.length : at
  return layoutOf(sizeOf(shape.slice(0, index)), shape[index]!, sizeOf(shape.slice(index + 1)), group)
}

/** The layout of a shape seen as (outer, channels, inner). */
export function layoutOf(outer: number, channels: number, inner: number, asked?: number): Layout {
  // A group longer than a channel is one short group; kernels count in i32.
  const group = asked === undefined ? undefined : Math.min(asked, Math.max(1, outer * inner))
  const groupsPerChannel = group === undefined ? 1 : Math.ceil((outer * inner) / group)
  const size = outer * channels * inner
  return { size, outer, channels, inner, group, groupsPerChannel, sets: channels * groupsPerChannel }
}
