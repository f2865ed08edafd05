import type { Codec } from '../codec/codec.js'
import { every, spread, type Board } from './board.js'
import { encodeAll } from './encodeAll.js'
import { defaultQueries } from './evaluate.js'
import { sampleRows } from './heldOut.js'
import { shareInterval, type Interval } from './interval.js'
import type { Metric } from '../codec/quantizer.js'
import { exactNeighbours, searchOthers } from './neighbours.js'
import { meanShare, sharesFound } from './recall.js'
import { gathered, rowsAt, type Table } from './table.js'
import type { Index } from '../search/indexInterface.js'
import { createIndex } from '../search/createIndex.js'
import type { OriginalsFormat } from '../search/loaded.js'

/** What is the same for all codecs that are tried. */
export interface TrialOptions {
  readonly metric: Metric
  readonly k: number
  readonly seed: number
  /** ascending */
  readonly oversampling: readonly number[]
  readonly confidence: number
  /** how many are held out */
  readonly queries: number
  /** what candidates are rescored by; default float32 */
  readonly originals?: OriginalsFormat | undefined
}

/** A codec's recall at one oversampling. */
export interface Trial {
  readonly oversampling: number
  readonly recall: number
  readonly interval: Interval
  /** of these the recall is the mean */
  readonly queries: number
  /** rows that were searched */
  readonly searched: number
}

/** Numbers of rows that are searched while much is tried. */
const NUMBERS = 2 ** 24
/** Queries that a codec meets first. */
const FEW = 128
/** What a codec that falls short of these is not likely to reach with more queries. */
const SURE = 0.9995

/** A table with some rows held out as queries, on which codecs are tried. */
export class Trials {
  /** what codecs are fitted on and searched among: all rows but the queries, or a sample of them */
  readonly base: Table
  /** whether base is a sample */
  readonly partial: boolean
  private readonly asked: Uint32Array
  private readonly many: Board
  private readonly few: Board
  private whole?: Board

  constructor(
    private readonly table: Table,
    private readonly options: TrialOptions
  ) {
    const [count, dimensions] = table.shape as [number, number]
    const { seed, queries, metric, k } = options
    const sample = sampleRows(count, Math.max(4 * queries, Math.floor(NUMBERS / dimensions)), seed, 3)
    const drawn = new Uint8Array(sample.length)
    for (const place of sampleRows(sample.length, queries, seed, 4)) drawn[place] = 1
    this.asked = sample.filter((_, place) => drawn[place])
    const rest = sample.filter((_, place) => !drawn[place])
    this.base = gathered(table, rest)
    this.partial = sample.length < count
    const vectors = gathered(table, this.asked)
    this.many = { rows: this.base, queries: vectors, truth: exactNeighbours(this.base, vectors, { metric, k }) }
    this.few = spread(this.many, FEW)
  }

  /** how many queries are held out */
  get held(): number {
    return this.asked.length
  }

  /** The recall of a codec: by few queries where these show that it is hopeless, else by all that are held out. */
  of(codec: Codec, hopeless: (trials: readonly Trial[]) => boolean): Trial[] {
    const index = this.indexOf(codec, this.base)
    const shares = this.search(index, this.few)
    if (this.few === this.many || hopeless(this.judged(shares, this.few, SURE))) return this.judged(shares, this.few)
    return this.judged(this.search(index, this.many), this.many)
  }

  /** Its recall by few queries, with an interval that it is in for sure. */
  ofFew(codec: Codec): Trial[] {
    return this.judged(this.search(this.indexOf(codec, this.base), this.few), this.few, SURE)
  }

  /**
   * The recall among all rows of the table; each query is left out of what is searched for it. It takes as many queries
   * as a few seconds allow.
   */
  ofWhole(codec: Codec): Trial[] {
    const board = (this.whole ??= this.wholeBoard())
    return this.judged(this.search(this.indexOf(codec, board.rows), board), board)
  }

  private wholeBoard(): Board {
    const { table, options, asked } = this
    const [count, dimensions] = table.shape as [number, number]
    const own = every(asked, Math.min(asked.length, defaultQueries(count, dimensions)))
    const queries = gathered(table, own)
    return {
      rows: table,
      queries,
      own,
      truth: exactNeighbours(table, queries, { metric: options.metric, k: options.k, own })
    }
  }

  /** Rows as codes, with originals where these are less than the vectors. */
  private indexOf(codec: Codec, rows: Table): Index {
    const { originals = 'float32' } = this.options
    if (originals === 'float32') return encodeAll(codec, rows).index
    const index = createIndex(codec, { originals })
    index.add(rowsAt(rows, 0, rows.shape[0]!))
    return index
  }

  /** Of each query its share, for each oversampling. */
  private search(index: Index, { rows, queries, truth, own }: Board): Float64Array[] {
    const { k, oversampling } = this.options
    const others = rows.shape[0]! - (own ? 1 : 0)
    const width = Math.min(others, Math.ceil(k * oversampling.at(-1)!))
    // Rescored by the vectors themselves, every true neighbour among the candidates comes out on top.
    const { ids } = searchOthers(index, queries, width, own, { rescore: false })
    return oversampling.map((times) => {
      if (times === 1 || !index.originals) return sharesFound(truth, ids, width, Math.ceil(k * times))
      const { width: most } = truth
      const rescored = searchOthers(index, queries, most, own, { oversampling: times })
      return sharesFound(truth, rescored.ids, most, most)
    })
  }

  private judged(shares: readonly Float64Array[], board: Board, confidence = this.options.confidence): Trial[] {
    const population = board.own ? this.table.shape[0]! : Infinity
    return this.options.oversampling.map((oversampling, i) => ({
      oversampling,
      recall: meanShare(shares[i]!),
      interval: shareInterval(shares[i]!, population, confidence),
      queries: shares[i]!.length,
      searched: board.rows.shape[0]!
    }))
  }
}

/** Of what every other codec is held against. */
export function exactTrial(oversampling: number, { held, base }: Trials): Trial {
  return { oversampling, recall: 1, interval: [1, 1], queries: held, searched: base.shape[0]! }
}
