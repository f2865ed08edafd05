import { layoutOf, type Layout } from '../core/layout.js'
import { TILE } from '../core/tiles.js'

/**
 * Elements of a chunk: 1 MiB of f32, milliseconds of work. Chunks are cut by index alone, never by the number of
 * threads. A chunk is made of whole tiles, so that sums over tiles come out alike.
 */
export const CHUNK = 8 * TILE

/** Starts of chunks are multiples of it, so that nibbles and bits of a chunk fill whole bytes. */
const ALIGNMENT = 8

export interface Run {
  readonly first: number
  readonly count: number
}

/**
 * Cuts `count` rows of `width` elements into runs of about a chunk. Each starts on a multiple of `alignment` elements.
 */
export function cutRows(count: number, width: number, alignment = ALIGNMENT): Run[] {
  const unit = alignment / greatestDivisor(alignment, width)
  const step = Math.max(unit, Math.floor(CHUNK / Math.max(1, width) / unit) * unit)
  const runs: Run[] = []
  for (let first = 0; first < count; first += step) runs.push({ first, count: Math.min(step, count - first) })
  return runs
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b)
}

/** A part of a layout, whose elements are consecutive. */
export interface LayoutPart {
  readonly start: number
  readonly layout: Layout
  /** number of the part's first set */
  readonly firstSet: number
  /** its sets go on in other parts, and are all those of the whole */
  readonly shared: boolean
}

/**
 * Cuts a layout into parts: along the outer dimensions where there are any, else along channels, else along the one
 * channel. Groups that are interleaved, and sets inside a channel of many, are not cut.
 */
export function cutLayout(layout: Layout): LayoutPart[] {
  const { size, outer, channels, inner, group, groupsPerChannel } = layout
  const part = (start: number, of: Layout, firstSet: number, shared = false): LayoutPart => {
    return { start, layout: of, firstSet, shared }
  }
  if (size <= CHUNK || (outer > 1 && group !== undefined)) return [part(0, layout, 0)]
  if (outer > 1) {
    const width = channels * inner
    return cutRows(outer, width).map(({ first, count }) =>
      part(first * width, layoutOf(count, channels, inner), 0, true)
    )
  }
  if (channels > 1) {
    return cutRows(channels, inner).map(({ first, count }) =>
      part(first * inner, layoutOf(1, count, inner, group), first * groupsPerChannel)
    )
  }
  const width = group ?? 1
  return cutRows(Math.ceil(inner / width), width).map(({ first, count }) => {
    const length = Math.min(count * width, inner - first * width)
    const shared = group === undefined
    return part(first * width, layoutOf(1, 1, length, group), shared ? 0 : first, shared)
  })
}
