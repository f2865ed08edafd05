import { frame, type Engine } from '../engine.js'
import type { Pointer } from '../../core/memory.js'
import { kmeans, loadCentroids, nearest, type PackedCentroids } from './kmeans.js'
import { codeBytesOf } from '../scan/layout.js'
import type { Metric, Query } from './quantizer.js'
import { pqTables4 } from '../scan/scan.js'

/**
 * Rows cut into sub-spaces, each with 2^bits centroids of its own (H. Jegou, M. Douze and C. Schmid, IEEE Trans. Pattern Anal. Mach. Intell. 33, 2011).
 * Where the dimension does not divide, the first ones are one wider. Centroids: f32, of one sub-space (2^bits, width) after the other.
 */
export interface Split {
  readonly dimensions: number
  readonly subspaces: number
  readonly bits: 4 | 8
}

interface Part {
  readonly start: number
  readonly width: number
}

export function partsOf({ dimensions, subspaces }: Split): Part[] {
  const width = Math.floor(dimensions / subspaces)
  const wider = dimensions - width * subspaces
  return Array.from({ length: subspaces }, (_, m) => ({
    start: m * width + Math.min(m, wider),
    width: width + (m < wider ? 1 : 0)
  }))
}

/** centroids: f32[2^bits * dimension] of rows: f32 (count, dimension), each sub-space by itself; `warm` goes on from what is there. */
export function fitCodebooks(
  engine: Engine,
  centroids: Pointer,
  rows: Pointer,
  count: number,
  split: Split,
  { seed, iterations, warm = false }: { seed: number; iterations: number; warm?: boolean }
): void {
  const { dimensions: stride, bits } = split
  const k = 2 ** bits
  partsOf(split).forEach(({ start, width }, stream) => {
    const to = centroids + 4 * k * start
    kmeans(engine, to, rows + 4 * start, count, width, k, { seed, iterations, stride, stream, warm })
  })
}

/** One round of all sub-spaces' k-means; to: f32 (count, dimension) becomes what the rows' numbers stand for, by the new centroids. */
export function refineCodebooks(
  engine: Engine,
  to: Pointer,
  centroids: Pointer,
  rows: Pointer,
  count: number,
  split: Split
): void {
  const { dimensions: stride, bits } = split
  const k = 2 ** bits
  for (const { start, width } of partsOf(split)) {
    frame(engine, (memory, kernels) => {
      const own = centroids + 4 * k * start
      const part = rows + 4 * start
      const numbers = memory.alloc(2 * count)
      const sums = memory.alloc(8 * k * width)
      const counts = memory.alloc(4 * k)
      nearest(engine, numbers, part, count, loadCentroids(engine, own, k, width), { stride })
      memory.f64(sums, k * width).fill(0)
      memory.i32(counts, k).fill(0)
      kernels.sumByNumberF32(sums, counts, part, count, stride, width, numbers)
      kernels.meansByNumberF32(own, sums, counts, k, width)
      // The lower bytes of the numbers are all of them.
      kernels.lookUpRowsF32(to + 4 * start, stride, numbers, 2, count, width, own, 0, k - 1, 0)
    })
  }
}

/** Where codes of 8 bits and rows stand, where they do not follow one another. */
export interface Place {
  /** numbers from one row to the next */
  readonly stride?: number
  /** bytes from one row's codes to the next */
  readonly step?: number
}

export interface LoadedCodebooks {
  encode(codes: Pointer, rows: Pointer, count: number, place?: Place): void
  /** `add`: to the rows that are there */
  decode(rows: Pointer, codes: Pointer, count: number, place?: Place & { readonly add?: boolean }): void
  /** f32[subspaces][2^bits]: inner products with a query's parts, or (`far`) minus their squared distances */
  fill(tables: Pointer, row: Pointer, far: boolean): void
  /** What a scan takes of a query, in the frame that is open: inner products with its parts, for l2 minus squared distances. */
  query(row: Pointer, metric: Metric): Query
}

/** Makes centroids ready, in the frame that is open; they have to stay where they are. */
export function loadCodebooks(engine: Engine, centroids: Pointer, split: Split): LoadedCodebooks {
  const { kernels } = engine
  const { dimensions, subspaces, bits } = split
  const k = 2 ** bits
  const codeBytes = codeBytesOf(bits, subspaces)
  const parts = partsOf(split)
  const packed: PackedCentroids[] = parts.map(({ start, width }) =>
    loadCentroids(engine, centroids + 4 * k * start, k, width)
  )
  const squares = engine.memory.alloc(4 * k * subspaces)
  parts.forEach(({ start, width }, m) => {
    kernels.rowSquaresF32(squares + 4 * k * m, centroids + 4 * k * start, k, width)
  })
  const fill = (tables: Pointer, row: Pointer, far: boolean): void => {
    parts.forEach(({ start }, m) => {
      const { panels, shift, dimensions: width } = packed[m]!
      kernels.productTableF32(tables + 4 * k * m, row + 4 * start, width, panels, shift, k, far ? 1 : 0)
    })
  }
  return {
    fill,
    encode: (codes, rows, count, { stride = dimensions, step = subspaces } = {}) => {
      frame(engine, (memory) => {
        const numbers = bits === 8 ? codes : memory.alloc(count * subspaces)
        parts.forEach(({ start }, m) => {
          const options = { stride, bytes: 1, step } as const
          nearest(engine, numbers + m, rows + 4 * start, count, packed[m]!, options)
        })
        if (bits === 8) return
        if (subspaces % 2 === 0) kernels.packNibbles(codes, numbers, count * subspaces)
        else {
          for (let r = 0; r < count; r++) {
            kernels.packNibbles(codes + r * codeBytes, numbers + r * subspaces, subspaces)
          }
        }
      })
    },
    decode: (rows, codes, count, { stride = dimensions, step = codeBytes, add = false } = {}) => {
      if (count === 0) return
      parts.forEach(({ start, width }, m) => {
        const [byte, shift] = bits === 8 ? [m, 0] : [m >> 1, 4 * (m & 1)]
        const from = centroids + 4 * k * start
        kernels.lookUpRowsF32(
          ...([rows + 4 * start, stride, codes + byte, step, count, width, from, shift, k - 1, add ? 1 : 0] as const)
        )
      })
    },
    query: (row, metric) => {
      const tables = engine.memory.alloc(4 * k * subspaces)
      fill(tables, row, metric === 'l2')
      const rest = { multiplier: 0, bound: 0, constant: 0, terms: 0 }
      if (bits === 4) return { ...pqTables4(engine, tables, subspaces), ...rest }
      // A centroid is shorter than what it stands for: cosines come from its own length, which its number tells.
      const unit = metric === 'cosine'
      const pairs = unit ? engine.memory.alloc(8 * k * subspaces) : 0
      if (unit) kernels.pairF32(pairs, tables, squares, k * subspaces)
      return { data: unit ? pairs : tables, step: 1, base: 0, exact: true, unit, ...rest }
    }
  }
}
