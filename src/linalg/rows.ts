import { rangeError } from '../core/errors.js'
import { tagOf } from '../core/check.js'
import { defaultEngine, frame, type Kernels } from './productEngine.js'
import type { Memory, Pointer } from '../core/memory.js'
import { elementAt, loadF32, partOf, type Source } from '../core/tensor.js'
import { TILE } from '../core/tiles.js'
import { loadF64, type Floats } from './matrix.js'
import { LEAF } from './mergeTree.js'

/** Rows of one leaf, which lacks others, in the precision that they came in; `data` may be longer, as room for more. */
export interface RowRun {
  /** row of the whole table */
  readonly first: number
  readonly count: number
  readonly data: Floats
}

/** Rows `from` to `from + count` of a source (rows, dimensions). */
export function rowsFrom(source: Source, from: number, count: number): Source {
  const dimensions = source.shape[1]!
  return partOf(source, from * dimensions, count * dimensions, [count, dimensions])
}

/** A run as a source. */
export function sourceOf({ count, data }: RowRun, dimensions: number): Source {
  return {
    name: 'rows',
    data: data.subarray(0, count * dimensions),
    shape: [count, dimensions],
    size: count * dimensions
  }
}

/** Whether f32 cannot hold all numbers of a source as they are. */
export function isWide({ data, bits }: Source): boolean {
  return !bits && /^(Float64|Int32|Uint32)Array$/.test(tagOf(data))
}

/** Bytes of an element as `loadRows` brings it. */
export const widthOf = (source: Source): number => (isWide(source) ? 8 : 4)

/**
 * Brings elements [start, start + length) to linear memory, as f64 where the source is wide, else as f32: exactly,
 * either way.
 */
export function loadRows(
  memory: Memory,
  kernels: Kernels,
  to: Pointer,
  source: Source,
  start: number,
  length: number
): void {
  if (isWide(source)) loadF64(memory, to, source, start, length)
  else loadF32(memory, kernels, to, source, start, length)
}

/** The rows of a source as a run of their own. */
export function keepRows(source: Source, first: number): RowRun {
  const { size } = source
  const wide = isWide(source)
  const data = new (wide ? Float64Array : Float32Array)(size)
  if (!source.bits) data.set(source.data)
  else {
    frame(defaultEngine(), (memory, kernels) => {
      const tile = memory.alloc(4 * TILE)
      for (let i = 0; i < size; i += TILE) {
        const length = Math.min(TILE, size - i)
        loadF32(memory, kernels, tile, source, i, length)
        data.set(memory.f32(tile, length), i)
      }
    })
  }
  return { first, count: source.shape[0]!, data }
}

/** A run in an array of its own, without room. */
export function copyRun({ first, count, data }: RowRun, dimensions: number): RowRun {
  return { first, count, data: data.slice(0, count * dimensions) }
}

/** Two runs of a leaf that touch, in one; the left one's room is used where there is enough. */
function join(left: RowRun, right: RowRun, dimensions: number): RowRun {
  const { first } = left
  const count = left.count + right.count
  const width = Math.max(left.data.BYTES_PER_ELEMENT, right.data.BYTES_PER_ELEMENT)
  let { data } = left
  if (data.length < count * dimensions || data.BYTES_PER_ELEMENT < width) {
    const room = Math.min(LEAF - (first % LEAF), Math.max(count, 2 * left.count))
    data = new (width === 8 ? Float64Array : Float32Array)(room * dimensions)
    data.set(left.data.subarray(0, left.count * dimensions))
  }
  data.set(right.data.subarray(0, right.count * dimensions), left.count * dimensions)
  return { first, count, data }
}

/** The runs of one leaf, in order, with one more, which must overlap none; those that touch become one. */
export function withRun(runs: readonly RowRun[], run: RowRun, dimensions: number): RowRun[] {
  const before = runs.filter(({ first }) => first < run.first)
  const after = runs.filter(({ first }) => first > run.first)
  const left = before.at(-1)
  if (left && left.first + left.count === run.first) {
    before.pop()
    run = join(left, run, dimensions)
  }
  const [right] = after
  if (right && run.first + run.count === right.first) {
    after.shift()
    run = join(run, right, dimensions)
  }
  return [...before, run, ...after]
}

/** Sums of so many squares stay finite. */
const GREATEST_EXPONENT = 480

/** What rows, and means of them, stay below; rounding may bring a mean there. */
export const LIMIT = 2 ** GREATEST_EXPONENT

/** Sums of squares of as many rows as can be counted stay below this. */
export const MOST_SQUARES = 2 ** 1020

/**
 * Throws a RangeError that names the row and column of the first number that is not finite, or whose square is out of
 * reach.
 */
export function checkRows(source: Source, first: number): void {
  const wide = isWide(source)
  const bad = frame(defaultEngine(), (memory, kernels) => {
    const tile = memory.alloc(widthOf(source) * TILE)
    for (let i = 0; i < source.size; i += TILE) {
      const length = Math.min(TILE, source.size - i)
      loadRows(memory, kernels, tile, source, i, length)
      if (
        wide
          ? kernels.unitExponent(tile, length) > GREATEST_EXPONENT
          : kernels.greatestBitsF32(tile, length) >= INFINITY
      )
        return true
    }
    return false
  })
  if (!bad) return
  const dimensions = source.shape[1]!
  for (let i = 0; i < source.size; i++) {
    const value = elementAt(source, i)
    if (Math.abs(value) < 2 ** GREATEST_EXPONENT) continue
    const row = Math.floor(i / dimensions)
    const [wanted, advice] = Number.isFinite(value)
      ? [`numbers below 2^${GREATEST_EXPONENT}, whose squares can be summed,`, 'rescale the data']
      : ['finite numbers,', 'replace or mask it first']
    throw rangeError(
      `${source.name} expected ${wanted} got ${value} at row ${first + row}, column ${i - row * dimensions}; ${advice}`
    )
  }
}

/** The pattern of an infinite f32. */
const INFINITY = 0x7f800000
