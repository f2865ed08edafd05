import { frame, type Engine } from '../engine.js'
import type { Pointer } from '../../core/memory.js'
import { lookUpRows } from './kernelCalls.js'
import { loadCentroids, nearest, type PackedCentroids } from './nearest.js'
import { codeBytesOf } from '../scan/layout.js'
import type { Metric } from './quantizer.js'
import type { Query } from '../scan/query.js'
import { pqTables4 } from '../scan/scan.js'

/**
 * Rows cut into sub-spaces, each with 2^bits centroids of its own (H. Jegou, M. Douze and C. Schmid, IEEE Trans.
 * Pattern Anal. Mach. Intell. 33, 2011). Where the dimension does not divide, the first ones are one wider.
 * Centroids: f32, of one sub-space (2^bits, width) after the other.
 */
export interface Split {
  readonly dimensions: number
  readonly subspaces: number
  readonly bits: 4 | 8
}

/** A run of dimensions with centroids of its own. */
export interface Subspace {
  readonly start: number
  readonly width: number
}

export function subspacesOf({ dimensions, subspaces }: Split): Subspace[] {
  const width = Math.floor(dimensions / subspaces)
  const wider = dimensions - width * subspaces
  return Array.from({ length: subspaces }, (_, m) => ({
    start: m * width + Math.min(m, wider),
    width: width + (m < wider ? 1 : 0)
  }))
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
  /** What a scan takes of a query, in the frame that is open: inner products, for l2 minus squared distances. */
  query(row: Pointer, metric: Metric): Query
}

/** Makes centroids ready, in the frame that is open; they have to stay where they are. */
export function loadCodebooks(engine: Engine, centroids: Pointer, split: Split): LoadedCodebooks {
  const { kernels } = engine
  const { dimensions, subspaces, bits } = split
  const k = 2 ** bits
  const codeBytes = codeBytesOf(bits, subspaces)
  const parts = subspacesOf(split)
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
        lookUpRows(engine, {
          ...{ rows: rows + 4 * start, stride, codes: codes + byte, step, count },
          ...{ width, words: centroids + 4 * k * start, shift, mask: k - 1, add }
        })
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
