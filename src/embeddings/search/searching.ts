import type { Source } from '../../core/tensor.js'
import type { Collection } from './collection.js'
import { Masks } from './filter.js'
import type { LoadedCodec } from './loaded.js'
import type { SearchPlan } from './options.js'
import { Ranking } from './ranking.js'
import { scoreAsked, scoreKept } from './rescore.js'
import { emptyResult, putFound, type SearchResult } from './searchResult.js'
import { shortlistOf, type Shortlist } from './shortlist.js'

/** Vectors that are asked for at once, about. */
const ASKED_FOR = 1024
/** Times k: how many rows are looked at first where bounds decide how many it takes; and how many times more then. */
const FIRST_LOOK = 8

/** A search that stops wherever it needs vectors: it yields their ids, and takes them as rows that are checked. */
export type Searching = Generator<Uint32Array<ArrayBuffer>, SearchResult, Source>

/**
 * Searches by one of four modes:
 * - `byCodes`: the scores of the codes stand;
 * - `byKept`: the best are scored again by the originals in the index;
 * - `byAsked`: the same by vectors from outside, which are asked for in groups of queries;
 * - `untilRuledOut`: each of the last two, with more and more rows until the codes' bounds rule out all others.
 */
export function* searching(
  collection: Collection,
  exact: () => LoadedCodec,
  queries: Source,
  plan: SearchPlan
): Searching {
  const task = new Task(collection, exact, queries, plan)
  const count = queries.shape[0]!
  const group = plan.rescore === 'asked' ? Math.max(1, Math.floor(ASKED_FOR / plan.candidates)) : 1
  for (let first = 0; first < count; first += group) {
    const members = Array.from({ length: Math.min(group, count - first) }, (_, i) => first + i)
    if (!plan.rescore) byCodes(task, first)
    else if (plan.candidates === Infinity) yield* untilRuledOut(task, first)
    else if (plan.rescore === 'kept') byKept(task, first)
    else yield* byAsked(task, members)
  }
  return task.result
}

function byCodes(task: Task, row: number): void {
  putFound(task.result, row, task.shortlist(row, task.plan.k).found)
}

function byKept(task: Task, row: number): void {
  const contender = task.contender(row, task.plan.candidates)
  scoreByKept(task, contender)
  task.put(contender)
}

function* byAsked(task: Task, members: readonly number[]): Asking {
  const { candidates } = task.plan
  const contenders = members.map((row) => task.contender(row, candidates))
  yield* scoreByAsked(task, contenders, candidates)
  contenders.forEach((contender) => task.put(contender))
}

function* untilRuledOut(task: Task, row: number): Asking {
  const { plan, collection } = task
  let most = FIRST_LOOK * plan.k
  const contender = task.contender(row, most)
  for (;;) {
    if (plan.rescore === 'kept') scoreByKept(task, contender)
    else yield* scoreByAsked(task, [contender], most)
    if (contender.ranking.settled || most >= collection.size) break
    most *= FIRST_LOOK
    contender.ranking.extend(task.shortlist(row, most))
  }
  task.put(contender)
}

/** Yields the ids whose vectors it needs, and takes the vectors. */
type Asking = Generator<Uint32Array<ArrayBuffer>, void, Source>

/** A query on its way to its results. */
interface Contender {
  readonly row: number
  readonly ranking: Ranking
}

/** Scores what a ranking wants, until it wants no more. */
function scoreByKept({ collection, exact, queries }: Task, { row, ranking }: Contender): void {
  for (let ids = ranking.wanted(); ids.length > 0; ids = ranking.wanted()) {
    ranking.take(ids, scoreKept(collection, exact, queries, row, ids))
  }
}

/** The same for several rankings of `most` rows each, whose vectors are asked for at once. */
function* scoreByAsked(task: Task, contenders: readonly Contender[], most: number): Asking {
  const { collection, exact, queries } = task
  for (;;) {
    const wanted = contenders.map(({ ranking }) => ranking.wanted())
    if (wanted.every(({ length }) => length === 0)) return
    const all = Uint32Array.from(new Set(wanted.flatMap((ids) => [...ids]))).sort()
    const rows = yield all
    const places = new Map(Array.from(all, (id, place) => [id, place]))
    contenders.forEach(({ row, ranking }, i) => {
      const chosen = Uint32Array.from(wanted[i]!, (id) => places.get(id)!)
      ranking.take(wanted[i]!, scoreAsked(collection, exact(), queries, row, rows, chosen))
    })
    // While vectors were waited for, rows may have come, gone and moved: those that are there now count.
    if (task.renew()) {
      for (const { row, ranking } of contenders) {
        ranking.forget((id) => collection.ids.find(id) < 0)
        ranking.extend(task.shortlist(row, most))
      }
    }
  }
}

/**
 * One call of search. Its masks hold for one version of the collection, which changes only while vectors are waited
 * for.
 */
class Task {
  readonly result: SearchResult
  private masks: Masks
  private version: number

  constructor(
    readonly collection: Collection,
    /** the codec of vectors as they are; makes room for good, so that no frame may be open at the first call */
    readonly exact: () => LoadedCodec,
    readonly queries: Source,
    readonly plan: SearchPlan
  ) {
    this.result = emptyResult(queries.shape[0]!, plan.k)
    this.masks = this.freshMasks()
    this.version = collection.version
  }

  shortlist(row: number, most: number): Shortlist {
    return shortlistOf(this.collection, this.queries, row, this.plan, this.masks, most)
  }

  contender(row: number, most: number): Contender {
    // Asking takes a while each time, so that more is asked for at a time the longer it goes on.
    const ranking = new Ranking(this.shortlist(row, most), this.plan.k, this.plan.rescore === 'asked')
    return { row, ranking }
  }

  put({ row, ranking }: Contender): void {
    putFound(this.result, row, ranking.result(), ranking.rescored)
  }

  /** Makes masks anew where the collection has changed; false where it has not. */
  renew(): boolean {
    if (this.version === this.collection.version) return false
    this.version = this.collection.version
    this.masks = this.freshMasks()
    return true
  }

  private freshMasks(): Masks {
    return new Masks(this.collection.ids, this.plan.filter, this.collection.lists.blocks)
  }
}
