/**
 * The room of codecs: a fitted way to write vectors as codes.
 *
 * Read in this order: this file (what a method is); front (what happens to a row before it); codec (both together);
 * openCodec and codecFile (the file); coding (encodes and decodes). methods/ has a file a method, which opens it; fit/
 * fits it and is reached by fitCodec alone. rotation, nearest, panels and codebooks are shared by methods.
 * May import core, files, linalg, and the rooms of vectors and scans.
 */
import type { Engine } from '../engine.js'
import type { Pointer } from '../../core/memory.js'
import type { Tensor } from '../../core/tensor.js'
import type { RowLayout } from '../scan/layout.js'
import type { Query } from '../scan/query.js'

export const METRICS = ['cosine', 'dot', 'l2'] as const

/** What two vectors are compared by: the greatest cosine or inner product, or the least squared distance. */
export type Metric = (typeof METRICS)[number]

export const METHODS = [
  'turbo',
  'rabitq',
  'osq',
  'int8',
  'binary',
  'float16',
  'float32',
  'pq',
  'opq',
  'residual'
] as const

export type Method = (typeof METHODS)[number]

/** The tables of a quantizer, as they stand in a codec's file. */
export type Tables = Readonly<Record<string, Tensor<Float32Array<ArrayBuffer>> | Tensor<Int8Array<ArrayBuffer>>>>

/** Encoders that are more than a call of a kernel. What only searches does without their code. */
export interface Encoders {
  /** @param tables as methods/residualTables.ts has loaded them */
  residual(engine: Engine, tables: unknown, codes: Pointer, rows: Pointer, count: number): void
}

/**
 * A fitted method: what it knows, apart from any engine. Rows are f32, of `dimensions`, as the codec's front gives them
 * (unit length for cosine).
 */
export interface Quantizer {
  readonly method: Method
  readonly dimensions: number
  readonly metric: Metric
  readonly layout: RowLayout
  /** k-means centroids that rows are centered on; 1: the mean; 0: none */
  readonly centroids: number
  /** what else the file's entry holds, with `tables` enough to open it again */
  readonly parameters: Readonly<Record<string, number | string | boolean>>
  readonly tables: Tables
  /**
   * Puts the tables into an engine, where they live until the caller's frame ends. Without `encoders` it only searches.
   */
  load(engine: Engine, encoders?: Encoders): LoadedQuantizer
}

/** A quantizer in an engine. Its calls take scratch from the arena and give it back. */
export interface LoadedQuantizer {
  /** rows: f32 (count, dimension) -> codes: (count, rowBytes). Rows are finite; they may be overwritten. */
  encode(codes: Pointer, rows: Pointer, count: number): void
  /** codes: (count, rowBytes) -> rows: f32 (count, dimension) */
  decode(rows: Pointer, codes: Pointer, count: number): void
  /** What a scan needs of a query (f32, dimension; may be overwritten); allocated in the frame that is open. */
  query(row: Pointer): Query
}

/** What a codec's file holds of a method, beside its tables. */
export type Parameters = Readonly<Record<string, unknown>>

/** Opens a method's quantizer from a file's contents. Throws FormatError for what does not fit together. */
export type OpenMethod = (dimensions: number, metric: Metric, parameters: Parameters, tables: Tables) => Quantizer
