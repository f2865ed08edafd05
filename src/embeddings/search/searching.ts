import { frame } from '../engine.js'
import type { Pointer } from '../../core/memory.js'
import type { Source, Tensor } from '../../core/tensor.js'
import { blockBytes, clearBlocks, placeRows } from '../scan/blocks.js'
import { BLOCK_ROWS, rowBytes, type RowLayout } from '../scan/layout.js'
import type { Query } from '../codec/quantizer.js'
import { scanBlocks, scoreFinely } from '../scan/scan.js'
import type { Collection } from './collection.js'
import { Masks } from './filter.js'
import { findNearest, type Found } from './find.js'
import { NO_ID } from './ids.js'
import type { LoadedCodec } from './loaded.js'
import type { SearchPlan } from './options.js'
import { isCoarse, refined, withMargin } from './refine.js'
import { Ranking, type Candidates } from './ranking.js'

/** Vectors that are asked for at once, about. */
const ASKED_FOR = 1024
/** Times k: how many rows are looked at first where their bounds decide; and how many times more then. */
const FIRST_LOOK = 8

export interface SearchResult {
  /** (queries, k): the best first, equals by id; 4294967295 where there is none */
  ids: Tensor<Uint32Array<ArrayBuffer>>
  /** (queries, k): the cosine, the inner product or the negative squared distance, by the codec's metric; -Infinity where there is none */
  scores: Tensor<Float32Array<ArrayBuffer>>
  /** how many of the k there are, for each query */
  counts: Uint32Array<ArrayBuffer>
  /** how many rows were scored again by their originals, for each query */
  rescored: Uint32Array<ArrayBuffer>
}

/** Yields the ids whose vectors it needs, unless originals are kept, and takes them as rows that are checked. */
export function* searching(
  collection: Collection,
  exact: () => LoadedCodec,
  queries: Source,
  plan: SearchPlan
): Generator<Uint32Array<ArrayBuffer>, SearchResult, Source> {
  const { k, rescore } = plan
  const count = queries.shape[0]!
  const results = emptyResults(count, k)
  const group = rescore === 'asked' ? Math.max(1, Math.floor(ASKED_FOR / plan.candidates)) : 1
  let masks = new Masks(collection.ids, plan.filter, collection.lists.blocks)
  let { version } = collection
  for (let first = 0; first < count; first += group) {
    const members = Array.from({ length: Math.min(group, count - first) }, (_, i) => first + i)
    if (!rescore) {
      for (const row of members) put(results, row, candidatesOf(collection, queries, row, plan, masks).found, 0)
      continue
    }
    // Where all rows that bounds let in are wanted, more of them are looked for until no other can be one.
    let most = plan.candidates < Infinity ? plan.candidates : FIRST_LOOK * k
    const rankings = members.map(
      (row) => new Ranking(candidatesOf(collection, queries, row, plan, masks, most), k, rescore === 'asked')
    )
    for (;;) {
      const wanted = rankings.map((ranking) => ranking.wanted())
      if (wanted.every(({ length }) => length === 0)) {
        if (plan.candidates < Infinity || rankings[0]!.settled || most >= collection.size) break
        most *= FIRST_LOOK
        rankings[0]!.extend(candidatesOf(collection, queries, first, plan, masks, most))
      } else if (rescore === 'kept') {
        wanted.forEach((ids, i) => rankings[i]!.take(ids, scoreKept(collection, exact, queries, members[i]!, ids)))
      } else {
        const all = Uint32Array.from(new Set(wanted.flatMap((ids) => [...ids]))).sort()
        const rows = yield all
        const places = new Map(Array.from(all, (id, place) => [id, place]))
        wanted.forEach((ids, i) => {
          const chosen = Uint32Array.from(ids, (id) => places.get(id)!)
          rankings[i]!.take(ids, scoreAsked(collection, exact(), queries, members[i]!, rows, chosen))
        })
        // While vectors were waited for, rows may have come, gone and moved: those that are there now count.
        if (version !== collection.version) {
          version = collection.version
          masks = new Masks(collection.ids, plan.filter, collection.lists.blocks)
          rankings.forEach((ranking, i) => {
            ranking.forget((id) => collection.ids.find(id) < 0)
            ranking.extend(candidatesOf(collection, queries, members[i]!, plan, masks, most))
          })
        }
      }
    }
    rankings.forEach((ranking, i) => put(results, members[i]!, ranking.result(), ranking.rescored))
  }
  return results
}

function emptyResults(count: number, k: number): SearchResult {
  return {
    ids: { data: new Uint32Array(count * k).fill(NO_ID), shape: [count, k] },
    scores: { data: new Float32Array(count * k).fill(-Infinity), shape: [count, k] },
    counts: new Uint32Array(count),
    rescored: new Uint32Array(count)
  }
}

function put({ ids, scores, counts, rescored }: SearchResult, row: number, found: Found, again: number): void {
  const k = ids.shape[1]!
  ids.data.set(found.ids, row * k)
  scores.data.set(found.scores, row * k)
  counts[row] = found.ids.length
  rescored[row] = again
}

/** The best rows by their codes, `most` of them; where all that bounds let in are wanted, the best by their upper bounds. */
function candidatesOf(
  collection: Collection,
  queries: Source,
  row: number,
  plan: SearchPlan,
  masks: Masks,
  most = plan.k
): Candidates {
  const { engine, codes, coarse, size } = collection
  const { codec } = codes
  const { layout } = codec
  const wanted = Math.min(size, Math.ceil(most))
  if (wanted === 0) return { found: { ids: new Uint32Array(0), scores: new Float32Array(0) } }
  return frame(engine, (memory) => {
    const inner = innerRow(collection, codec, queries, row)
    const probes = coarse ? coarse.probe(inner, plan.probes) : [0]
    const query = codec.query(inner)
    if (plan.rescore && plan.candidates === Infinity) {
      // An error that is added like an offset makes scores their upper bounds.
      const upper = { ...layout, third: 'offset' } as const
      const found = findNearest(collection, upper, { ...query, multiplier: query.bound }, probes, masks, wanted)
      return { found, uppers: found.scores }
    }
    const found = isCoarse(codes, query, !!plan.rescore)
      ? refined(
          collection,
          query,
          findNearest(collection, layout, query, probes, masks, Math.min(size, withMargin(wanted))),
          wanted
        )
      : findNearest(collection, layout, query, probes, masks, wanted)
    if (!plan.rescore || layout.third !== 'error') return { found }
    const at = memory.alloc(rowBytes(layout))
    const uppers = Float32Array.from(found.ids, (id, i) => {
      codes.store.take(at, collection.ids.find(id), 1)
      return found.scores[i]! + thirdOf(collection, layout, at) * query.bound
    })
    return { found, uppers }
  })
}

/** The third factor of a row of codes, which need not be aligned. */
function thirdOf({ engine }: Collection, { codeBytes }: RowLayout, row: Pointer): number {
  return new DataView(engine.memory.u8(row + codeBytes + 8, 4).slice().buffer).getFloat32(0, true)
}

/** A query behind a codec's front, in the frame that is open. */
function innerRow({ engine }: Collection, codec: LoadedCodec, queries: Source, row: number): Pointer {
  const { memory } = engine
  const inner = memory.alloc(4 * codec.inner)
  codec.front(inner, queries, row, 1)
  return inner
}

/** Scores of rows that the index keeps; of float16, where the cosine is asked for, by what they decode to, of unit length again. */
function scoreKept(
  collection: Collection,
  exact: () => LoadedCodec,
  queries: Source,
  row: number,
  ids: Uint32Array
): Float32Array {
  const { engine } = collection
  const { codec, store } = collection.originals!
  return frame(engine, (memory, kernels) => {
    const query = codec.query(innerRow(collection, codec, queries, row))
    const { rowBytes: bytes } = store.form
    const rows = memory.alloc(bytes * ids.length)
    ids.forEach((id, i) => store.take(rows + i * bytes, collection.ids.find(id), 1))
    const isRounded = codec.layout.scan === 'half' && codec.metric === 'cosine'
    if (!isRounded) return scoreRows(collection, codec, query, rows, ids.length)
    // Rounding has changed the lengths.
    const inner = memory.alloc(4 * codec.inner * ids.length)
    codec.decode(inner, rows, ids.length)
    kernels.unitRows(inner, ids.length, codec.inner)
    const whole = exact()
    const codes = memory.alloc(rowBytes(whole.layout) * ids.length)
    whole.encode(codes, inner, ids.length)
    return scoreRows(collection, whole, whole.query(innerRow(collection, whole, queries, row)), codes, ids.length)
  })
}

/** Scores of rows that came from outside; of those, the ones that are chosen. */
function scoreAsked(
  collection: Collection,
  codec: LoadedCodec,
  queries: Source,
  row: number,
  vectors: Source,
  chosen: Uint32Array
): Float32Array {
  const { engine } = collection
  return frame(engine, (memory) => {
    const query = codec.query(innerRow(collection, codec, queries, row))
    const inner = memory.alloc(4 * codec.inner * chosen.length)
    chosen.forEach((place, i) => codec.front(inner + 4 * i * codec.inner, vectors, place, 1))
    const codes = memory.alloc(rowBytes(codec.layout) * chosen.length)
    codec.encode(codes, inner, chosen.length)
    return scoreRows(collection, codec, query, codes, chosen.length)
  })
}

/** Scores of codes in row form. */
function scoreRows(
  { engine }: Collection,
  { layout }: LoadedCodec,
  query: Query,
  rows: Pointer,
  count: number
): Float32Array {
  const { memory } = engine
  const blocks = Math.ceil(count / BLOCK_ROWS)
  const at = memory.alloc(blocks * blockBytes(layout))
  const scores = memory.alloc(4 * BLOCK_ROWS * blocks)
  clearBlocks(engine, layout, at, blocks)
  placeRows(engine, layout, at, 0, rows, count)
  if (query.fine) scoreFinely(engine, layout, query, query.fine(), scores, at, blocks)
  else scanBlocks(engine, layout, query, scores, at, blocks)
  return memory.f32(scores, count).slice()
}
