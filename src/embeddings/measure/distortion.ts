import { sqrt } from '../../core/scalars.js'
import { elementAt, type Source } from '../../core/tensor.js'
import type { Codec } from '../codec/codec.js'
import { fitCodec } from '../codec/fit/fitCodec.js'
import { createIndex } from '../search/createIndex.js'
import { sampleRows } from './heldOut.js'
import { gathered, rowsAt, rowsWithin, type Table } from './table.js'

/** Rows whose scores are compared with exact ones, each with every query. */
const SCORED = 256
/** Rows that are decoded. */
const DECODED = 16384
/** Bytes of float32 rows that are decoded at once. */
const BATCH_BYTES = 1 << 24

/** How far scores of codes are from exact ones. */
export interface ScoreBias {
  /** mean difference */
  mean: number
  /** of the regression of scores on exact scores: 1 where large ones are neither shrunk nor stretched */
  slope: number
  /** standard deviation of what the regression leaves */
  deviation: number
}

const codesOf = (codes: Uint8Array, bytes: number, which: Uint32Array): { data: Uint8Array; shape: number[] } => {
  const data = new Uint8Array(which.length * bytes)
  which.forEach((row, i) => data.set(codes.subarray(row * bytes, (row + 1) * bytes), i * bytes))
  return { data, shape: [which.length, bytes] }
}

/** Differences of rows and what their codes decode to. */
export function distortion(
  codec: Codec,
  rows: Table,
  codes: Uint8Array,
  seed: number
): { mse: number; relativeMse: number } {
  const { dimensions, bytesPerVector, metric } = codec
  const which = sampleRows(rows.shape[0]!, DECODED, seed, 1)
  const batch = rowsWithin(BATCH_BYTES, dimensions)
  let [lost, all] = [0, 0]
  for (let first = 0; first < which.length; first += batch) {
    const part = which.subarray(first, first + batch)
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
export function scoreBias(
  codec: Codec,
  rows: Table,
  codes: Uint8Array,
  seed: number,
  { queries, own }: { queries: Table; own?: Uint32Array }
): ScoreBias {
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
function regression(x: Float64Array, y: Float64Array, counts: (at: number) => boolean): ScoreBias {
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
