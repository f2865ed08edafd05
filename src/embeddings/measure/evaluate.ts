/**
 * The room of measures: what a codec loses, and which to take.
 *
 * Read this file with recall, interval, neighbours and distortion. Then choose, with goal (what is asked), candidates
 * and trials (the recall of each). contest says who is still in, board what was tried, choice the result. Then plot.
 * It stands on the public index and codec: what it measures is what is searched. May import all other rooms.
 */
import { rangeError, typeError } from '../../core/errors.js'
import { checkInteger, checkNumber, checkOptions, show } from '../../core/check.js'
import { checkWatch, StepCounter, type WatchOptions } from '../../core/progress.js'
import type { Codec } from '../codec/codec.js'
import { vectorsOf, type VectorsLike } from '../vectors/vectors.js'
import { distortion, scoreBias, type ScoreBias } from './distortion.js'
import { batchesOf, encodeAll } from './encodeAll.js'
import { sampleRows } from './heldOut.js'
import { shareInterval, type Interval } from './interval.js'
import { exactNeighbours, searchOthers, shardsOf } from './neighbours.js'
import { meanShare, sharesFound } from './recall.js'
import { checkFinite, gathered, type Table } from './table.js'

/** An aborted call throws the signal's reason. The call does not wait, so that only onProgress can abort it. */
export interface EvaluateOptions extends WatchOptions {
  /**
   * vectors to search for, or how many of the rows themselves, each searched for among the others. Default: at most 500
   * rows, fewer where the table is small or very large
   */
  queries?: VectorsLike | number
  /** neighbours of each query; default 10 */
  k?: number
  /** candidates for each neighbour, which are then rescored by the vectors as they are; default 3 */
  oversampling?: number
  /** of the intervals; default .95 */
  confidence?: number
  /** which rows are drawn; default 0 */
  seed?: number
}

export interface Evaluation {
  /** share of the k nearest that the codes alone find: the mean over the queries */
  recall: number
  recallInterval: Interval
  /** the same after the best `oversampling` k are rescored */
  rescored: number
  rescoredInterval: Interval
  k: number
  oversampling: number
  confidence: number
  /** how many there were */
  queries: number
  /** of these, how many whose k-th neighbour is exactly as near as the next one */
  tied: number
  /** how many vectors there were */
  rows: number
  /**
   * mean squared difference of a number and what its code decodes to; of vectors of unit length where the metric is the
   * cosine
   */
  mse: number
  /** the squares of all differences over the squares of all numbers */
  relativeMse: number
  /** how far scores of codes are from exact ones, over pairs of queries and rows at random */
  bias: ScoreBias
  bytesPerVector: number
  /** of what was fitted: centroids, code books, calibration */
  tableBytes: number
  /** rows times bytesPerVector, and the tables */
  totalBytes: number
  /** float32's bytes over totalBytes */
  ratio: number
  /** measured here and now, on one thread */
  encodePerSecond: number
  /** of searches through all codes for the candidates, without rescoring: measured here and now, on one thread */
  queriesPerSecond: number
}

/** Queries that are drawn by default. */
const QUERIES = 500
/** At least so many, however large the table is. */
const LEAST_QUERIES = 50
/** Multiplications of exact searches that many queries may cost: a few seconds. */
const PRODUCTS = 4e10
const OPTIONS = ['queries', 'k', 'oversampling', 'confidence', 'seed', 'signal', 'onProgress']
/** Beside shards and batches: the search, distortion, bias. */
const STEPS = 3

/**
 * Measures what a codec loses on vectors (n, d): recall with its interval, distortion, bias of scores, bytes, speed.
 *
 * Recall is the share of the k nearest rows by float32 that the codes find. Rows are compared by number: of equally
 * near rows the first count. Without `queries`, rows are drawn, and each is searched for among all others.
 * `recallInterval` is then about the mean over all n rows, each searched for among the n - 1 others. With `queries`, it
 * is the mean over all that might be asked in their stead. The codec is taken as it is. One that was fitted on few
 * rows, such as ten for each centroid, knows them better than later rows; only queries from elsewhere show that.
 *
 * Method: intervals of E. B. Wilson for clusters of hits (src/embeddings/interval.ts). The speeds vary from run to run,
 * all else is the same everywhere.
 *
 * @throws TypeError, RangeError for vectors of another dimension, or not finite, or fewer than two where queries are
 * drawn
 */
export function evaluate(codec: Codec, vectors: VectorsLike, options: EvaluateOptions = {}): Evaluation {
  checkOptions('evaluate', options, OPTIONS)
  const isCodec = typeof codec === 'object' && codec !== null && typeof codec.encode === 'function'
  if (!isCodec) throw typeError(`evaluate: "codec" expected what fitCodec or openCodec gives, got ${show(codec)}`)
  const k = checkInteger('evaluate', 'k', options.k ?? 10, 1, 65536)
  const oversampling = checkNumber('evaluate', 'oversampling', options.oversampling ?? 3, 1, 1000)
  const confidence = checkNumber('evaluate', 'confidence', options.confidence ?? 0.95, 0.5, 0.999999)
  checkWatch('evaluate', options)
  const seed = checkInteger('evaluate', 'seed', options.seed ?? 0, 0, Number.MAX_SAFE_INTEGER)
  const rows = vectorsOf('evaluate', vectors, 'vectors', codec.dimensions)
  checkFinite(rows)
  const count = rows.shape[0]
  const { queries, own } = queriesOf(rows, options.queries, codec.dimensions, seed)
  const available = own ? count - 1 : count
  if (available < 1) {
    throw rangeError(
      `evaluate: "vectors" expected at least ${own ? 'two, so that one can be searched for among the others' : 'one'}, got ${count}`
    )
  }
  const { metric, bytesPerVector, tableBytes } = codec
  const steps = new StepCounter(shardsOf(rows) + batchesOf(rows) + STEPS, options)
  const step = (): void => steps.next()
  const truth = exactNeighbours(rows, queries, { metric, k, own, onShard: step })
  const { index, codes, seconds } = encodeAll(codec, rows, step)
  // Rescored by exact scores, every true neighbour among the candidates comes out on top.
  const width = Math.min(available, Math.ceil(k * oversampling))
  const started = performance.now()
  const found = searchOthers(index, queries, width, own)
  const searching = (performance.now() - started) / 1000
  step()
  const number = queries.shape[0]!
  const population = own ? count : Infinity
  const shares = [truth.width, width].map((within) => sharesFound(truth, found.ids, width, within))
  const [recall, rescored] = shares.map(meanShare) as [number, number]
  const intervals = shares.map((each) => shareInterval(each, population, confidence))
  const lost = distortion(codec, rows, codes, seed)
  step()
  const bias = scoreBias(codec, rows, codes, seed, { queries, ...(own ? { own } : {}) })
  step()
  const totalBytes = count * bytesPerVector + tableBytes
  return {
    recall,
    recallInterval: intervals[0]!,
    rescored,
    rescoredInterval: intervals[1]!,
    ...{ k, oversampling, confidence, queries: number, tied: truth.tied, rows: count },
    ...lost,
    bias,
    ...{ bytesPerVector, tableBytes, totalBytes, ratio: (4 * count * codec.dimensions) / totalBytes },
    encodePerSecond: count / seconds,
    queriesPerSecond: number / searching
  }
}

/** What is searched for, and which of the rows that is. */
function queriesOf(
  rows: Table,
  asked: EvaluateOptions['queries'],
  dimensions: number,
  seed: number
): { queries: Table; own?: Uint32Array } {
  const count = rows.shape[0]!
  if (asked !== undefined && typeof asked !== 'number') {
    const queries = vectorsOf('evaluate', asked, 'queries', dimensions)
    checkFinite(queries)
    if (queries.shape[0] === 0) throw rangeError('evaluate: "queries" expected at least one vector, got none')
    return { queries }
  }
  const number =
    asked === undefined ? defaultQueries(count, dimensions) : checkInteger('evaluate', 'queries', asked, 1, count)
  const own = sampleRows(count, number, seed)
  return { queries: gathered(rows, own), own }
}

/** At most half of the rows, fewer where searching costs much. */
export function defaultQueries(count: number, dimensions: number): number {
  const affordable = Math.max(LEAST_QUERIES, Math.floor(PRODUCTS / Math.max(1, count * dimensions)))
  return Math.max(1, Math.min(QUERIES, Math.ceil(count / 2), affordable))
}
