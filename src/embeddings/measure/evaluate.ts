import { rangeError, typeError } from '../../core/errors.js'
import { checkInteger, checkNumber, checkOptions, show } from '../../core/check.js'
import { sqrt } from '../../core/scalars.js'
import { elementAt, type Source } from '../../core/tensor.js'
import type { Codec } from '../codec/codec.js'
import { fitCodec } from '../codec/fit/fitCodec.js'
import { sampleRows } from './heldOut.js'
import { shareInterval } from './interval.js'
import {
  checkFinite,
  exactNeighbours,
  gathered,
  meanOf,
  rowsAt,
  searchOthers,
  sharesFound,
  tileOf,
  type Rows
} from './recall.js'
import type { Index } from '../search/indexInterface.js'
import { createIndex } from '../search/createIndex.js'
import { vectorsOf, type VectorsLike } from '../vectors/vectors.js'

export interface EvaluateOptions {
  /** vectors to search for, or how many of the rows themselves: of these each is left out of what is searched for it; default at most 500 rows, fewer where the table is small or very large */
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

/** An interval that holds the truth with the confidence that was asked for. */
export type Interval = [low: number, high: number]

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
  /** mean squared difference of a number and what its code decodes to; of vectors of unit length where the metric is the cosine */
  mse: number
  /** the squares of all differences over the squares of all numbers */
  relativeMse: number
  /** how far scores of codes are from exact ones, over pairs of queries and rows at random */
  bias: {
    /** mean difference */
    mean: number
    /** of the regression of scores on exact scores: 1 where large ones are neither shrunk nor stretched */
    slope: number
    /** standard deviation of what the regression leaves */
    deviation: number
  }
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
/** Rows whose scores are compared with exact ones, each with every query. */
const SCORED = 256
/** Rows that are decoded. */
const DECODED = 16384
/** Bytes of float32 rows that are encoded at once. */
const TILE = 1 << 24

const OPTIONS = ['queries', 'k', 'oversampling', 'confidence', 'seed']

/**
 * Measures what a codec loses on vectors (n, d): recall with its interval, distortion, bias of scores, bytes, speed.
 *
 * Recall is the share of the k rows that are nearest by float32 which the codes find, too, by row: of equally near rows the first count. Without
 * `queries`, rows are drawn, and each is searched for among all others; the truth that `recallInterval` is about is then the mean over all n rows,
 * each searched for among the n - 1 others. With `queries`, it is the mean over all that might be asked in their stead. The codec is
 * taken as it is: one that was fitted on few rows, such as a centroid for every ten, knows them better than what is added later, which only
 * queries from elsewhere show.
 *
 * Method: intervals of E. B. Wilson for clusters of hits (src/embeddings/interval.ts). The speeds vary from run to run, all else is the same everywhere.
 *
 * @throws TypeError, RangeError for vectors of another dimension, or not finite, or fewer than two where queries are drawn
 */
export function evaluate(codec: Codec, vectors: VectorsLike, options: EvaluateOptions = {}): Evaluation {
  checkOptions('evaluate', options, OPTIONS)
  const isCodec = typeof codec === 'object' && codec !== null && typeof codec.encode === 'function'
  if (!isCodec) throw typeError(`evaluate: "codec" expected what fitCodec or openCodec gives, got ${show(codec)}`)
  const k = checkInteger('evaluate', 'k', options.k ?? 10, 1, 65536)
  const oversampling = checkNumber('evaluate', 'oversampling', options.oversampling ?? 3, 1, 1000)
  const confidence = checkNumber('evaluate', 'confidence', options.confidence ?? 0.95, 0.5, 0.999999)
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
  const truth = exactNeighbours(rows, queries, metric, k, own)
  const { index, codes, seconds } = encoded(codec, rows)
  // Rescored by exact scores, every true neighbour among the candidates comes out on top.
  const width = Math.min(available, Math.ceil(k * oversampling))
  const started = performance.now()
  const found = searchOthers(index, queries, width, own)
  const searching = (performance.now() - started) / 1000
  const number = queries.shape[0]!
  const population = own ? count : Infinity
  const shares = [truth.width, width].map((within) => sharesFound(truth, found.ids, width, within))
  const [recall, rescored] = shares.map(meanOf) as [number, number]
  const intervals = shares.map((each) => shareInterval(each, population, confidence))
  const totalBytes = count * bytesPerVector + tableBytes
  return {
    recall,
    recallInterval: intervals[0]!,
    rescored,
    rescoredInterval: intervals[1]!,
    ...{ k, oversampling, confidence, queries: number, tied: truth.tied, rows: count },
    ...distortion(codec, rows, codes, seed),
    bias: scoreBias(codec, rows, codes, queries, seed, own),
    ...{ bytesPerVector, tableBytes, totalBytes, ratio: (4 * count * codec.dimensions) / totalBytes },
    encodePerSecond: count / seconds,
    queriesPerSecond: number / searching
  }
}

/** What is searched for, and which of the rows that is. */
function queriesOf(
  rows: Rows,
  asked: EvaluateOptions['queries'],
  dimensions: number,
  seed: number
): { queries: Rows; own?: Uint32Array } {
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

/** All rows as codes, in an index and as they are. */
export function encoded(codec: Codec, rows: Rows): { index: Index; codes: Uint8Array; seconds: number } {
  const [count, dimensions] = rows.shape as [number, number]
  const { bytesPerVector } = codec
  const index = createIndex(codec)
  const codes = new Uint8Array(count * bytesPerVector)
  const tile = tileOf(dimensions, TILE)
  let milliseconds = 0
  for (let first = 0; first < count; first += tile) {
    const size = Math.min(tile, count - first)
    const started = performance.now()
    const { data } = codec.encode(rowsAt(rows, first, size))
    milliseconds += performance.now() - started
    codes.set(data, first * bytesPerVector)
    index.addCodes({ data, shape: [size, bytesPerVector] })
  }
  // A clock that is too coarse to see it, as browsers have them, says 0.
  return { index, codes, seconds: Math.max(milliseconds, 1e-3) / 1000 }
}

const codesOf = (codes: Uint8Array, bytes: number, which: Uint32Array): { data: Uint8Array; shape: number[] } => {
  const data = new Uint8Array(which.length * bytes)
  which.forEach((row, i) => data.set(codes.subarray(row * bytes, (row + 1) * bytes), i * bytes))
  return { data, shape: [which.length, bytes] }
}

/** Differences of rows and what their codes decode to. */
function distortion(codec: Codec, rows: Rows, codes: Uint8Array, seed: number): { mse: number; relativeMse: number } {
  const { dimensions, bytesPerVector, metric } = codec
  const which = sampleRows(rows.shape[0]!, DECODED, seed, 1)
  const tile = tileOf(dimensions, TILE)
  let [lost, all] = [0, 0]
  for (let first = 0; first < which.length; first += tile) {
    const part = which.subarray(first, first + tile)
    const decoded = codec.decode(codesOf(codes, bytesPerVector, part)).data
    const originals = gathered(rows, part) as Source
    for (let i = 0; i < part.length; i++) {
      let squares = 0
      for (let j = 0; j < dimensions; j++) squares += elementAt(originals, i * dimensions + j) ** 2
      const length = metric === 'cosine' && squares > 0 ? sqrt(squares) : 1
      let difference = 0
      for (let j = 0; j < dimensions; j++) {
        const d = elementAt(originals, i * dimensions + j) / length - decoded[i * dimensions + j]!
        difference += d * d
      }
      lost += difference
      all += metric === 'cosine' ? (squares > 0 ? 1 : 0) : squares
    }
  }
  return { mse: lost / (which.length * dimensions), relativeMse: all > 0 ? lost / all : 0 }
}

/** Scores of codes against exact ones, of all queries and the same few rows. */
function scoreBias(
  codec: Codec,
  rows: Rows,
  codes: Uint8Array,
  queries: Rows,
  seed: number,
  own?: Uint32Array
): Evaluation['bias'] {
  const which = sampleRows(rows.shape[0]!, SCORED, seed, 2)
  const [coded, exact] = [
    createIndex(codec),
    createIndex(fitCodec(rowsAt(rows, 0, 1), { method: 'float32', metric: codec.metric }))
  ]
  coded.addCodes(codesOf(codes, codec.bytesPerVector, which))
  exact.add(rowsAt(gathered(rows, which), 0, which.length))
  const number = queries.shape[0]!
  // By row, since each orders them its own way.
  const [given, exactly] = [coded, exact].map((index) => {
    const { ids, scores } = index.search(rowsAt(queries, 0, number), { k: which.length })
    const byRow = new Float64Array(number * which.length)
    ids.data.forEach((id, at) => (byRow[at - (at % which.length) + id] = scores.data[at]!))
    return byRow
  }) as [Float64Array, Float64Array]
  const isPair = (at: number): boolean => own?.[Math.floor(at / which.length)] !== which[at % which.length]
  return regression(exactly, given, isPair)
}

/** Of y on x, over the places that count; two passes, in their order. */
function regression(x: Float64Array, y: Float64Array, counts: (at: number) => boolean): Evaluation['bias'] {
  let [pairs, sumX, sumY] = [0, 0, 0]
  for (let at = 0; at < x.length; at++) {
    if (!counts(at)) continue
    pairs++
    sumX += x[at]!
    sumY += y[at]!
  }
  if (pairs === 0) return { mean: 0, slope: 1, deviation: 0 }
  const [meanX, meanY] = [sumX / pairs, sumY / pairs]
  let [xx, xy, yy] = [0, 0, 0]
  for (let at = 0; at < x.length; at++) {
    if (!counts(at)) continue
    const [dx, dy] = [x[at]! - meanX, y[at]! - meanY]
    xx += dx * dx
    xy += dx * dy
    yy += dy * dy
  }
  const slope = xx > 0 ? xy / xx : 1
  const left = Math.max(0, yy - slope * xy) / pairs
  return { mean: meanY - meanX, slope, deviation: sqrt(left) }
}
