import { gemm } from './gemm.js'
import { defaultEngine, frame } from './decompositionEngine.js'
import type { Memory, Pointer } from '../core/memory.js'
import { elementAt, type Source } from '../core/tensor.js'
import { decompose } from './svd.js'
import type { GramKind } from './gramKind.js'
import { LIMIT, MOST_SQUARES } from './rows.js'

type Numbers = Float64Array<ArrayBuffer>

/** Second moments of rows by fewer rows: X^T X less at most `shrinkage` in any direction. */
export interface Sketch {
  readonly count: number
  readonly mean: Numbers
  /** (at most `directions`, dimensions) */
  readonly rows: Numbers
  readonly shrinkage: number
  /** the sum of the squares of X, as it was */
  readonly squares: number
}

/**
 * A leaf takes as many rows at a time as it has directions, but not fewer: each time costs a decomposition, however
 * small.
 */
const LEAST_ROWS = 32

/** Sums of squares, which are taken apart, may differ by so much of them, which is far more than rounding. */
const ROUNDING = 1e-6

/** Columns that are in linear memory at once. */
const WIDTH = 256

/**
 * Frequent Directions (E. Liberty, KDD 2013; M. Ghashami, E. Liberty, J. M. Phillips and D. P. Woodruff, SIAM J.
 * Comput. 45, 2016, arXiv 1501.01711): of more than `directions` rows the squares of all singular values lose the
 * greatest one that is left out. The losses of each step add up to a bound on |X^T X - B^T B|. It is at most |X -
 * X_k|^2 / (directions - k) for any k, however rows came together.
 */
export function sketchKind(dimensions: number, center: boolean, directions: number): GramKind<Sketch> {
  const shrunk = (sketch: Sketch): Sketch => shrink(sketch, dimensions, directions)
  return {
    leaf(source) {
      const count = source.shape[0]!
      const all = wideRows(source)
      const mean = meanRow(all, dimensions, count)
      if (center)
        for (let at = 0; at < all.length; at += dimensions)
          for (let j = 0; j < dimensions; j++) all[at + j]! -= mean[j]!
      let sketch: Sketch = { count, mean, rows: new Float64Array(0), shrinkage: 0, squares: squaresOf(all) }
      const step = Math.max(directions, LEAST_ROWS)
      for (let row = 0; row < count; row += step) {
        const more = all.subarray(row * dimensions, (row + step) * dimensions)
        sketch = shrunk({ ...sketch, rows: stacked(sketch.rows, more) })
      }
      return sketch
    },
    merge(left, right) {
      const count = left.count + right.count
      const share = right.count / count
      const d = right.mean.map((x, j) => x - left.mean[j]!)
      const mean = left.mean.map((x, j) => x + share * d[j]!)
      // The scatter about the common mean has count_a count_b / count of d d^T more: one row.
      const root = defaultEngine().kernels.sqrtF64(left.count * share)
      const between = center ? d.map((x) => root * x) : new Float64Array(0)
      return shrunk({
        count,
        mean,
        rows: stacked(left.rows, right.rows, between),
        shrinkage: left.shrinkage + right.shrinkage,
        squares: left.squares + right.squares + squaresOf(between)
      })
    },
    mean: ({ mean }) => mean.slice(),
    factor({ rows, squares, shrinkage }) {
      const columns = rows.length / dimensions
      const data = new Float64Array(rows.length)
      for (let r = 0; r < columns; r++)
        for (let j = 0; j < dimensions; j++) data[j * columns + r] = rows[r * dimensions + j]!
      return { data, columns, squares, bound: shrinkage }
    },
    arrays: ({ mean, rows, shrinkage, squares }) => ({
      mean: { shape: [dimensions], data: mean },
      rows: { shape: [rows.length / dimensions, dimensions], data: rows },
      totals: { shape: [2], data: Float64Array.of(shrinkage, squares) }
    }),
    restore(count, { mean, rows, totals }) {
      const [shrinkage, squares] = totals?.data ?? []
      if (mean?.data.length !== dimensions || rows?.shape.length !== 2 || rows.shape[1] !== dimensions) return undefined
      if (rows.shape[0]! > directions || totals?.data.length !== 2 || shrinkage! < 0 || squares! < 0) return undefined
      if (mean.data.some((x) => Math.abs(x) > LIMIT) || squares! >= MOST_SQUARES) return undefined
      // What was lost in one direction was there; written so that NaN, of squares beyond f64, is refused.
      if (!(squaresOf(rows.data) + shrinkage! <= squares! * (1 + ROUNDING))) return undefined
      return { count, mean: mean.data, rows: rows.data, shrinkage: shrinkage!, squares: squares! }
    }
  }
}

function stacked(...parts: readonly Numbers[]): Numbers {
  const whole = new Float64Array(parts.reduce((size, { length }) => size + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

function squaresOf(rows: Numbers): number {
  let sum = 0
  for (let i = 0; i < rows.length; i++) sum += rows[i]! * rows[i]!
  return sum
}

/** Rows in f64. */
function wideRows(source: Source): Numbers {
  const rows = new Float64Array(source.size)
  if (source.bits) for (let i = 0; i < rows.length; i++) rows[i] = elementAt(source, i)
  else rows.set(source.data)
  return rows
}

/** Sums in the order of the rows. */
function meanRow(rows: Numbers, dimensions: number, count: number): Numbers {
  const mean = new Float64Array(dimensions)
  for (let at = 0; at < rows.length; at += dimensions) for (let j = 0; j < dimensions; j++) mean[j]! += rows[at + j]!
  return mean.map((sum) => sum / count)
}

function shrink(sketch: Sketch, dimensions: number, directions: number): Sketch {
  const { rows } = sketch
  const m = rows.length / dimensions
  if (m <= directions) return sketch
  // B B^T = U diag(lambda) U^T, lambda the squares of the singular values of B.
  const { u, s } = decompose(
    { name: 'sketch', data: dotsOf(rows, m, dimensions), shape: [m, m], size: m * m },
    Float64Array
  )
  const lost = s.data[directions]!
  // What is there by rounding alone is none of the directions.
  const least = Math.max(lost, m * 2 ** -52 * s.data[0]!)
  let kept = directions
  while (kept > 0 && s.data[kept - 1]! <= least) kept--
  const { sqrtF64 } = defaultEngine().kernels
  const weights = new Float64Array(kept * m)
  for (let r = 0; r < kept; r++) {
    const weight = sqrtF64((s.data[r]! - lost) / s.data[r]!)
    for (let i = 0; i < m; i++) weights[r * m + i] = weight * u.data[i * m + r]!
  }
  // Directions that are kept lose `lost`, the greatest of the others all that it has.
  return { ...sketch, rows: combined(weights, kept, rows, m, dimensions), shrinkage: sketch.shrinkage + s.data[kept]! }
}

/** Columns [from, from + width) of rows (m, dimensions) to f64[m][width]. */
function loadColumns(
  memory: Memory,
  to: Pointer,
  rows: Numbers,
  m: number,
  dimensions: number,
  from: number,
  width: number
): void {
  const view = memory.f64(to, m * width)
  for (let i = 0; i < m; i++) view.set(rows.subarray(i * dimensions + from, i * dimensions + from + width), i * width)
}

/** B B^T of B (m, dimensions), both halves. */
function dotsOf(rows: Numbers, m: number, dimensions: number): Numbers {
  return frame(defaultEngine(), (memory, kernels) => {
    const dots = memory.alloc(8 * m * m)
    const edge = memory.alloc(128)
    const strip = memory.alloc(8 * m * WIDTH)
    const panels = memory.alloc(8 * 4 * Math.ceil(m / 4) * WIDTH)
    memory.f64(dots, m * m).fill(0)
    for (let from = 0; from < dimensions; from += WIDTH) {
      const width = Math.min(WIDTH, dimensions - from)
      loadColumns(memory, strip, rows, m, dimensions, from, width)
      kernels.packAlongF64(panels, strip, m, 4, width, width)
      for (let first = 0; first < m; first += WIDTH) {
        kernels.gramPanels(dots + 8 * first * m, m, panels, first, Math.min(WIDTH, m - first), width, edge)
      }
    }
    kernels.mirrorF64(dots, m, m)
    return memory.f64(dots, m * m).slice()
  })
}

/** weights (kept, m) times rows (m, dimensions). */
function combined(weights: Numbers, kept: number, rows: Numbers, m: number, dimensions: number): Numbers {
  const out = new Float64Array(kept * dimensions)
  frame(defaultEngine(), (memory, kernels) => {
    const left = memory.alloc(8 * kept * m)
    const strip = memory.alloc(8 * m * WIDTH)
    const product = memory.alloc(8 * kept * WIDTH)
    const work = memory.alloc(kernels.multiplyWork(WIDTH, 3))
    memory.f64(left, kept * m).set(weights)
    for (let from = 0; from < dimensions; from += WIDTH) {
      const width = Math.min(WIDTH, dimensions - from)
      loadColumns(memory, strip, rows, m, dimensions, from, width)
      const view = memory.f64(product, kept * width)
      view.fill(0)
      gemm(kernels.multiplyF64, {
        c: product,
        ldc: width,
        a: left,
        lda: m,
        b: strip,
        ldb: width,
        m: kept,
        n: width,
        k: m,
        work
      })
      for (let r = 0; r < kept; r++) out.set(view.subarray(r * width, (r + 1) * width), r * dimensions + from)
    }
  })
  return out
}
