import { frame } from '../engine.js'
import type { Source } from '../../core/tensor.js'
import type { Query } from '../scan/query.js'
import { rowBytes, type RowLayout } from '../scan/layout.js'
import type { Collection } from './collection.js'
import type { Masks } from './filter.js'
import { findNearest, type Found } from './find.js'
import type { SearchPlan } from './options.js'
import { deservesRefining, refined, withMargin } from './refine.js'
import { innerRow } from './rescore.js'

/** The rows that may be results of a query, by their codes. */
export interface Shortlist {
  readonly found: Found
  /** upper bounds of the scores, where the codes have bounds and rows are rescored */
  readonly uppers?: Float32Array<ArrayBuffer>
}

const NOTHING: Found = { ids: /* @__PURE__ */ new Uint32Array(0), scores: /* @__PURE__ */ new Float32Array(0) }

/**
 * The `most` rows that are best for query `row`, by the scores of their codes. A plan with endless candidates takes the
 * best by upper bounds: rows beyond them can be ruled out.
 */
export function shortlistOf(
  collection: Collection,
  queries: Source,
  row: number,
  plan: SearchPlan,
  masks: Masks,
  most: number
): Shortlist {
  const { engine, codes, coarse, size } = collection
  const { codec } = codes
  const wanted = Math.min(size, Math.ceil(most))
  if (wanted === 0) return { found: NOTHING }
  return frame(engine, () => {
    const inner = innerRow(collection, codec, queries, row)
    const probes = coarse ? coarse.probe(inner, plan.probes) : [0]
    const query = codec.query(inner)
    const nearest = (layout: RowLayout, asked: Query, count: number): Found =>
      findNearest(collection, layout, asked, probes, masks, count)

    if (plan.rescore && plan.candidates === Infinity) {
      // An error that is added like an offset makes scores their upper bounds.
      const found = nearest({ ...codec.layout, third: 'offset' }, { ...query, multiplier: query.bound }, wanted)
      return { found, uppers: found.scores }
    }
    const found = deservesRefining(codes, query, plan.rescore !== undefined)
      ? refined(collection, query, nearest(codec.layout, query, Math.min(size, withMargin(wanted))), wanted)
      : nearest(codec.layout, query, wanted)
    if (!plan.rescore || codec.layout.third !== 'error') return { found }
    return { found, uppers: upperBounds(collection, query, found) }
  })
}

/** Scores plus the half-width of their bounds, of codes whose third factor is an error. */
function upperBounds({ engine, codes, ids }: Collection, query: Query, found: Found): Float32Array<ArrayBuffer> {
  const { layout } = codes.codec
  return frame(engine, (memory) => {
    const row = memory.alloc(rowBytes(layout))
    return Float32Array.from(found.ids, (id, i) => {
      codes.store.take(row, ids.find(id), 1)
      return found.scores[i]! + thirdOf(memory.u8(row, rowBytes(layout)), layout) * query.bound
    })
  })
}

/** The third factor of a row of codes, which need not be aligned. */
function thirdOf(row: Uint8Array, { codeBytes }: RowLayout): number {
  return new DataView(row.buffer, row.byteOffset).getFloat32(codeBytes + 8, true)
}
