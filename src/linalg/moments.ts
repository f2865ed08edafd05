import { defaultEngine, frame, type Kernels } from './productEngine.js'
import type { Memory, Pointer } from '../core/memory.js'
import type { Source } from '../core/tensor.js'
import type { GramKind } from './gramKind.js'
import { pivotedFactor } from './pivotedFactor.js'
import { isWide, LIMIT, loadRows, MOST_SQUARES, widthOf } from './rows.js'

/** Second moments of rows: about their mean, or about zero. */
export interface Moments {
  readonly count: number
  readonly mean: Float64Array<ArrayBuffer>
  /** the lower triangle, row after row: dimensions (dimensions + 1) / 2 */
  readonly scatter: Float64Array<ArrayBuffer>
}

/**
 * Rows whose products are summed before they are added to the sums of those before: two panels of so many fit the
 * first-level cache.
 */
const DEPTH = 256
/** Rows of the result that are made at once: their panels stay in the second-level cache. */
const STRIP = 128

const triangle = (dimensions: number): number => (dimensions * (dimensions + 1)) / 2

/** Exact second moments of tables of `dimensions` columns. */
export function momentsKind(dimensions: number, center: boolean): GramKind<Moments> {
  return {
    leaf: (rows) => momentsOf(rows, center),
    merge: (left, right, overwrite = false) => mergeMoments(left, right, center, overwrite),
    mean: ({ mean }) => mean.slice(),
    matrix: ({ scatter }) => mirrored(scatter, dimensions),
    factor: ({ scatter }) => {
      let squares = 0
      for (let i = 0; i < dimensions; i++) squares += scatter[triangle(i + 1) - 1]!
      return { ...pivotedFactor(scatter, dimensions), squares }
    },
    arrays: ({ mean, scatter }) => ({
      mean: { shape: [dimensions], data: mean },
      scatter: { shape: [triangle(dimensions)], data: scatter }
    }),
    restore: (count, { mean, scatter }) => {
      if (mean?.data.length !== dimensions || scatter?.data.length !== triangle(dimensions)) return undefined
      if (mean.data.some((x) => Math.abs(x) > LIMIT) || !isScatter(scatter.data, dimensions, count)) return undefined
      return { count, mean: mean.data, scatter: scatter.data }
    }
  }
}

/**
 * Of up to a block of rows. With `center` the mean is computed first and subtracted: the two-pass algorithm of T. F.
 * Chan, G. H. Golub and R. J. LeVeque (The American Statistician 37, 1983). What rounding left of the mean then
 * corrects it; of the scatter it is count times the square.
 */
function momentsOf(rows: Source, center: boolean): Moments {
  const [count, dimensions] = rows.shape as [number, number]
  const mean = new Float64Array(dimensions)
  const scatter = new Float64Array(triangle(dimensions))
  frame(defaultEngine(), (memory, kernels) => {
    const width = 4 * Math.ceil(dimensions / 4)
    const panels = memory.alloc(8 * width * count)
    const sums = memory.alloc(8 * width)
    const strip = memory.alloc(8 * Math.min(STRIP, dimensions) * dimensions)
    const edge = memory.alloc(128)
    /** Each stretch of rows as panels of their own. */
    const stretches: { readonly at: Pointer; readonly depth: number }[] = []
    for (let row = 0; row < count; row += DEPTH) {
      stretches.push({ at: panels + 8 * width * row, depth: Math.min(DEPTH, count - row) })
    }
    pack(memory, kernels, rows, stretches)
    const average = (): Float64Array => {
      memory.f64(sums, width).fill(0)
      for (const { at, depth } of stretches) kernels.sumPanels(sums, at, dimensions, depth)
      return memory.f64(sums, width).map((sum) => sum / count)
    }
    mean.set(average().subarray(0, dimensions))
    if (center) {
      memory.f64(sums, dimensions).set(mean)
      for (const { at, depth } of stretches) kernels.shiftPanels(at, sums, dimensions, depth)
      const rest = average()
      for (let j = 0; j < dimensions; j++) mean[j]! += rest[j]!
    }
    for (let first = 0; first < dimensions; first += STRIP) {
      const height = Math.min(STRIP, dimensions - first)
      memory.f64(strip, height * dimensions).fill(0)
      for (const { at, depth } of stretches) kernels.gramPanels(strip, dimensions, at, first, height, depth, edge)
      kernels.packLower(strip, dimensions, first, height)
      const length = triangle(first + height) - triangle(first)
      scatter.set(memory.f64(strip, length), triangle(first))
    }
  })
  return { count, mean, scatter }
}

/** Panels of f64 from rows of any type. */
function pack(
  memory: Memory,
  kernels: Kernels,
  rows: Source,
  stretches: readonly { readonly at: Pointer; readonly depth: number }[]
): void {
  const dimensions = rows.shape[1]!
  const wide = isWide(rows)
  const raw = memory.alloc(widthOf(rows) * stretches[0]!.depth * dimensions)
  let row = 0
  for (const { at, depth } of stretches) {
    loadRows(memory, kernels, raw, rows, row * dimensions, depth * dimensions)
    if (wide) kernels.packAcrossF64(at, raw, dimensions, 4, depth, dimensions)
    else kernels.packRowsF32(at, raw, dimensions, depth)
    row += depth
  }
}

/**
 * The pairwise update of Chan, Golub and LeVeque: the scatters, and count_a count_b / count of d d^T, d the difference
 * of the means.
 */
function mergeMoments(left: Moments, right: Moments, center: boolean, overwrite: boolean): Moments {
  const count = left.count + right.count
  const share = right.count / count
  const d = right.mean.map((x, j) => x - left.mean[j]!)
  const mean = left.mean.map((x, j) => x + share * d[j]!)
  const [a, b] = [left.scatter, right.scatter]
  const scatter = overwrite ? a : new Float64Array(a.length)
  if (!center) {
    for (let i = 0; i < a.length; i++) scatter[i] = a[i]! + b[i]!
    return { count, mean, scatter }
  }
  for (let i = 0, at = 0; at < a.length; i++) {
    const factor = left.count * share * d[i]!
    for (let j = 0; j <= i; j++, at++) scatter[at] = a[at]! + b[at]! + factor * d[j]!
  }
  return { count, mean, scatter }
}

/** Squares of sums may exceed the products of the sums of squares by so much, which is far more than rounding. */
const SLACK = 1 + 1e-9
/** What a row may lose of each product below the least number. */
const LEAST = 2 ** -1070

/**
 * Whether a packed triangle can be that of `count` rows: sums of squares, and by Cauchy and Schwarz no product greater
 * than they allow.
 */
function isScatter(scatter: Float64Array, dimensions: number, count: number): boolean {
  const { sqrtF64 } = defaultEngine().kernels
  const roots = new Float64Array(dimensions)
  for (let i = 0; i < dimensions; i++) {
    const square = scatter[triangle(i + 1) - 1]!
    if (!(square >= 0 && square < MOST_SQUARES)) return false
    roots[i] = sqrtF64(square + count * LEAST)
  }
  for (let i = 0, at = 0; i < dimensions; i++) {
    for (let j = 0; j <= i; j++, at++) if (Math.abs(scatter[at]!) > roots[i]! * roots[j]! * SLACK) return false
  }
  return true
}

/** Both halves, (dimensions, dimensions). */
function mirrored(scatter: Float64Array, dimensions: number): Float64Array<ArrayBuffer> {
  const whole = new Float64Array(dimensions * dimensions)
  for (let i = 0; i < dimensions; i++) {
    whole.set(scatter.subarray(triangle(i), triangle(i + 1)), i * dimensions)
    for (let j = 0; j < i; j++) whole[j * dimensions + i] = whole[i * dimensions + j]!
  }
  return whole
}
