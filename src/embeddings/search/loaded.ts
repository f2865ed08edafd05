import type { Engine } from '../engine.js'
import type { Pointer } from '../../core/memory.js'
import type { Source } from '../../core/tensor.js'
import { blockBytes, placeRows, takeRows } from '../scan/blocks.js'
import { createFront, type Front } from '../codec/front.js'
import { rowBytes, type RowLayout } from '../scan/layout.js'
import { floatQuantizer } from '../codec/methods/floats.js'
import { vectorQuantizer } from '../codec/methods/int8.js'
import type { Encoders, Metric, Quantizer } from '../codec/quantizer.js'
import type { Query } from '../scan/query.js'
import type { BlockForm } from './store.js'

/** What the originals are kept as, beside the codes. */
export type OriginalsFormat = 'float32' | 'float16' | 'int8'
export const ORIGINALS: readonly OriginalsFormat[] = ['float32', 'float16', 'int8']

/**
 * A codec in an engine. Rows from outside pass its front first: they are cut, projected, scaled; `inner` numbers are
 * left of a row.
 */
export interface LoadedCodec {
  readonly layout: RowLayout
  readonly metric: Metric
  /** numbers of a row as it comes */
  readonly dimensions: number
  readonly inner: number
  readonly centroids: number
  /** Rows of a source -> f32 (count, inner). Throws RangeError for a number that is not finite, naming its row. */
  front(to: Pointer, source: Source, first: number, count: number): void
  /** f32 (count, inner), which may be overwritten -> codes */
  encode(codes: Pointer, rows: Pointer, count: number): void
  /** codes -> f32 (count, inner) */
  decode(rows: Pointer, codes: Pointer, count: number): void
  /** Of a row of inner numbers; allocated in the frame that is open. */
  query(row: Pointer): Query
}

/** Puts what a codec consists of into an engine, for good. */
export function loadParts(engine: Engine, front: Front, quantizer: Quantizer, encoders?: Encoders): LoadedCodec {
  const loadedFront = front.load(engine)
  const loaded = quantizer.load(engine, encoders)
  return {
    layout: quantizer.layout,
    metric: front.metric,
    dimensions: front.dimensions,
    inner: front.width,
    centroids: quantizer.centroids,
    front: (to, source, first, count) => loadedFront.apply(to, source, first, count),
    encode: (codes, rows, count) => loaded.encode(codes, rows, count),
    decode: (rows, codes, count) => loaded.decode(rows, codes, count),
    query: (row) => loaded.query(row)
  }
}

/**
 * A codec of whole vectors, which needs no sample. It keeps floats, or a byte for each rotated coordinate of a vector
 * less `centroid`.
 */
export function exactCodec(
  engine: Engine,
  format: OriginalsFormat,
  dimensions: number,
  metric: Metric,
  centroid = new Float32Array(dimensions)
): LoadedCodec {
  const quantizer =
    format === 'int8' ? vectorQuantizer(dimensions, metric, 0, centroid) : floatQuantizer(format, dimensions, metric)
  return loadParts(engine, createFront(dimensions, metric), quantizer)
}

/** The mean of whole vectors that a codec knows, if any. */
export function knownMean(
  { dimensions, truncate, components }: Front,
  { tables }: Quantizer
): Float32Array<ArrayBuffer> | undefined {
  if (components || truncate < dimensions) return undefined
  const table = tables.mean ?? tables.centre
  return table?.data instanceof Float32Array && table.data.length === dimensions ? table.data : undefined
}

/** Codes as a scan takes them. */
export function codeForm(engine: Engine, layout: RowLayout): BlockForm {
  return {
    rowBytes: rowBytes(layout),
    blockBytes: blockBytes(layout),
    place: (blocks, first, rows, count) => placeRows(engine, layout, blocks, first, rows, count),
    take: (rows, blocks, first, count) => takeRows(engine, layout, rows, blocks, first, count)
  }
}
