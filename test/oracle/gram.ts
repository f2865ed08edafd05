/**
 * Second moments of a table in the order that docs/numerics.md says, in plain loops: equal to the library's bit for bit. X is row-major, of f64 or what f64
 * holds.
 */
type Table = ArrayLike<number>

const BLOCK = 1024
const STRETCH = 256

export interface MomentsOracle {
  count: number
  mean: number[]
  /** (dim, dim), both halves */
  scatter: number[][]
}

/** Rows [first, end) of the table, a block or a part of one. */
function leaf(x: Table, dim: number, first: number, end: number, center: boolean): MomentsOracle {
  const count = end - first
  const rows = Array.from({ length: count }, (_, r) => Array.from({ length: dim }, (_, j) => x[(first + r) * dim + j]))
  const average = (j: number): number => {
    let sum = 0
    for (const row of rows) sum += row[j]
    return sum / count
  }
  const mean = Array.from({ length: dim }, (_, j) => average(j))
  if (center) {
    for (const row of rows) for (let j = 0; j < dim; j++) row[j] -= mean[j]
    for (let j = 0; j < dim; j++) mean[j] += average(j)
  }
  const scatter = mean.map((_, i) =>
    mean.map((_, j) => {
      let total = 0
      for (let r = 0; r < count; r += STRETCH) {
        let sum = 0
        for (const row of rows.slice(r, r + STRETCH)) sum += row[i] * row[j]
        total += sum
      }
      return total
    })
  )
  return { count, mean, scatter }
}

function merge(a: MomentsOracle, b: MomentsOracle, center: boolean): MomentsOracle {
  const count = a.count + b.count
  const share = b.count / count
  const d = b.mean.map((x, j) => x - a.mean[j])
  return {
    count,
    mean: a.mean.map((x, j) => x + share * d[j]),
    scatter: a.scatter.map((row, i) =>
      row.map((x, j) => {
        const sum = x + b.scatter[i][j]
        // The lower half decides: the factor is that of the greater index.
        return center ? sum + a.count * share * d[Math.max(i, j)] * d[Math.min(i, j)] : sum
      })
    )
  }
}

/** Rows of the table, the first of which is row `first` of the whole table: greatest complete nodes of the tree, merged in order. */
export function momentsOracle(x: Table, dim: number, center: boolean, first = 0): MomentsOracle {
  const end = first + x.length / dim
  const node = (from: number, to: number): MomentsOracle => {
    if (to - from <= BLOCK) return leaf(x, dim, from - first, to - first, center)
    const middle = (from + to) / 2
    return merge(node(from, middle), node(middle, to), center)
  }
  let whole: MomentsOracle | undefined
  for (let from = first; from < end;) {
    let to = Math.min(end, from + BLOCK - (from % BLOCK))
    if (to - from === BLOCK) {
      for (let size = 2 * BLOCK; from % size === 0 && from + size <= end; size *= 2) to = from + size
    }
    const next = node(from, to)
    whole = whole ? merge(whole, next, center) : next
    from = to
  }
  return whole!
}
