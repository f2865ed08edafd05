import type { Engine } from '../engine.js'
import type { Pointer } from '../../core/memory.js'
import type { Tensor } from '../../core/tensor.js'
import type { RowLayout } from '../scan/layout.js'

/** What two vectors are compared by: the greatest cosine or inner product, or the least squared distance. */
export type Metric = 'cosine' | 'dot' | 'l2'

export type Method = 'turbo' | 'rabitq' | 'osq' | 'int8' | 'binary' | 'float16' | 'float32' | 'pq' | 'opq' | 'residual'

/** The tables of a quantizer, as they stand in a codec's file. */
export type Tables = Readonly<Record<string, Tensor<Float32Array<ArrayBuffer>> | Tensor<Int8Array<ArrayBuffer>>>>

/** A fitted method: what it knows, apart from any engine. Rows are f32, of `dimensions`, as the codec's front gives them (unit length for cosine). */
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
  /** Puts the tables into an engine, where they live until the caller's frame ends. */
  load(engine: Engine): LoadedQuantizer
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

/**
 * A query as its scan takes it: score = (step raw + base) scale + bias + third multiplier + terms[centroid] + constant,
 * where the scan sums raw over the codes (its step and base are 1 and 0 where it sums floats).
 */
export interface Query {
  /** tables u8 [nibbles][16] | i16 pairs | packed bits | f32 tables | f32 row, by the layout's scan */
  readonly data: Pointer
  readonly step: number
  readonly base: number
  /** of the third factor, where it is an offset */
  readonly multiplier: number
  /** what a row's third factor is multiplied with to get the half-width of the bound of its score, where it is an error */
  readonly bound: number
  readonly constant: number
  /** f32 for each centroid; 0: none */
  readonly terms: Pointer
  /** 'tables': four entries sum to at most 255, and sums are exact; else they are averaged */
  readonly exact: boolean
  /** 'tables' and 'bytes': makes finer ones in the frame that is open, for scoreFinely */
  readonly fine?: (() => FineTables) | undefined
  /** 'bytes': coordinates are of such different sizes that the scan is coarser than the codes */
  readonly uneven?: boolean | undefined
  /** 'half' and 'float': minus the squared distance is summed, not the product */
  readonly squared?: boolean | undefined
  /** 'lookup': tables hold pairs, f32 [bytes][256][2], and raw is the first sum over the root of the second: the product with rows of unit length */
  readonly unit?: boolean | undefined
}

/** How much there is to fit a method from. */
export interface SampleShape {
  /** rows of the sample */
  readonly count: number
  readonly dimensions: number
  readonly metric: Metric
  /** rows of the table that the sample stands for */
  readonly total: number
}

/** Tables of 4096 steps, in two digits, whose sums times `factor` plus `offset` are those of the query's own tables but for their rounding. */
export interface FineTables {
  readonly high: Pointer
  readonly low: Pointer
  readonly factor: number
  readonly offset: number
}

/** What a method is fitted from. */
export interface Sample extends SampleShape {
  /** f32 (count, dimension), as the front gives them; in the engine, for as long as fitting takes */
  readonly rows: Pointer
  readonly seed: number
}

/** One method of fitCodec: its options by name, how it is fitted, how its file is opened. */
export interface MethodKind<Options extends object = object> {
  readonly method: Method
  /** names of the options that it takes beside those of all methods */
  readonly options: readonly string[]
  /** the bits that it has */
  readonly bits: readonly number[]
  /** the bits where none are asked for; default 2 where the method has them, else the first that it has */
  readonly usual?: number
  /**
   * The rows that it can make: options (`bits` among them), and bytes of a row, for `bytes` to choose from. Without it, fitCodec fits
   * one after the other from the most bits down.
   */
  choices?(shape: SampleShape, options: Options): readonly { options: Options; bytes: number }[]
  /** Checks the options (closed by fitCodec already) and fits. Errors begin with 'fitCodec: '. */
  fit(engine: Engine, sample: Sample, options: Options): Quantizer
  /** Opens what `parameters` and `tables` hold. Throws FormatError for what does not fit together. */
  open(dimensions: number, metric: Metric, parameters: Readonly<Record<string, unknown>>, tables: Tables): Quantizer
}
