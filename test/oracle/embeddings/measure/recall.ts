/** Rows of one length, one after the other. */
export interface Flat {
  data: ArrayLike<number>
  dimensions: number
}

export type PlainMetric = 'cosine' | 'dot' | 'l2'

/** Higher is nearer, in f64. */
export function plainScore(metric: PlainMetric, q: ArrayLike<number>, x: ArrayLike<number>): number {
  let [dot, qq, xx, square] = [0, 0, 0, 0]
  for (let j = 0; j < q.length; j++) {
    dot += q[j]! * x[j]!
    qq += q[j]! * q[j]!
    xx += x[j]! * x[j]!
    square += (q[j]! - x[j]!) ** 2
  }
  if (metric === 'l2') return -square
  if (metric === 'dot') return dot
  return qq && xx ? dot / Math.sqrt(qq * xx) : 0
}

export const plainRow = ({ data, dimensions }: Flat, row: number): number[] =>
  Array.from({ length: dimensions }, (_, j) => data[row * dimensions + j]!)

/** Row numbers from the nearest, of equally near ones in their order; `own` is left out. */
export function plainNearest(metric: PlainMetric, rows: Flat, query: ArrayLike<number>, own = -1): number[] {
  const count = rows.data.length / rows.dimensions
  const scores = Array.from({ length: count }, (_, row) => plainScore(metric, query, plainRow(rows, row)))
  return Array.from(scores.keys())
    .filter((row) => row !== own)
    .sort((a, b) => scores[b]! - scores[a]! || a - b)
}

/** The share of the k nearest rows among the nearest `within` of decoded ones. */
export function plainRecall(
  metric: PlainMetric,
  rows: Flat,
  decoded: Flat,
  query: ArrayLike<number>,
  k: number,
  within: number,
  own = -1
): number {
  const truth = plainNearest(metric, rows, query, own).slice(0, k)
  const found = new Set(plainNearest(metric, decoded, query, own).slice(0, within))
  return truth.filter((row) => found.has(row)).length / truth.length
}
