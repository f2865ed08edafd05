/** Plain twins of factorisations and solvers, row-major, in f64 with sums in order. */
type Matrix = ArrayLike<number>

/** (m, k) times (k, n). */
export function productOracle(a: Matrix, b: Matrix, m: number, n: number, k: number): Float64Array<ArrayBuffer> {
  const out = new Float64Array(m * n)
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0
      for (let r = 0; r < k; r++) sum += a[i * k + r]! * b[r * n + j]!
      out[i * n + j] = sum
    }
  }
  return out
}

export function transposeOracle(a: Matrix, m: number, n: number): Float64Array<ArrayBuffer> {
  const out = new Float64Array(m * n)
  for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) out[j * m + i] = a[i * n + j]!
  return out
}

/** The 1-norm, NaN where an entry is. */
export function norm1Oracle(a: Matrix, m: number, n: number): number {
  let greatest = 0
  for (let j = 0; j < n; j++) {
    let total = 0
    for (let i = 0; i < m; i++) total += Math.abs(a[i * n + j]!)
    if (!(total <= greatest)) greatest = total
  }
  return greatest
}

/** |expected - actual|_1 / (|expected|_1 size ulp); 0 where both are equal. */
export function differenceRatio(
  expected: Matrix,
  actual: Matrix,
  m: number,
  n: number,
  size: number,
  ulp: number = 2 ** -52
): number {
  const difference = Float64Array.from({ length: m * n }, (_, i) => expected[i]! - actual[i]!)
  const error = norm1Oracle(difference, m, n)
  return error === 0 ? 0 : error / norm1Oracle(expected, m, n) / (Math.max(1, size) * ulp)
}

/** Cholesky and Banachiewicz, row by row; undefined where a pivot is not above 0. */
export function choleskyOracle(a: Matrix, n: number): Float64Array<ArrayBuffer> | undefined {
  const l = new Float64Array(n * n)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j]!
      for (let r = 0; r < j; r++) sum -= l[i * n + r]! * l[j * n + r]!
      if (i === j && !(sum > 0)) return undefined
      l[i * n + j] = i === j ? Math.sqrt(sum) : sum / l[j * n + j]!
    }
  }
  return l
}

/** Elimination with the greatest of the diagonal first, the first of equals, until that is at most `tolerance`. */
export function pivotedCholeskyOracle(
  matrix: Matrix,
  n: number,
  tolerance: number
): { l: Float64Array<ArrayBuffer>; pivots: number[]; rank: number } {
  const rest = Float64Array.from(matrix)
  const pivots = Array.from({ length: n }, (_, i) => i)
  const columns: Float64Array[] = []
  const left = new Set(pivots)
  const taken: number[] = []
  while (left.size > 0) {
    let best = -1
    // The order of candidates is that of exchanges, which decides between equals.
    for (const i of pivots.slice(taken.length)) if (best < 0 || rest[i * n + i]! > rest[best * n + best]!) best = i
    const pivot = rest[best * n + best]!
    if (!(pivot > tolerance)) break
    const column = Float64Array.from({ length: n }, (_, i) =>
      left.has(i) ? rest[i * n + best]! / Math.sqrt(pivot) : 0
    )
    const at = pivots.indexOf(best)
    pivots[at] = pivots[taken.length]!
    pivots[taken.length] = best
    taken.push(best)
    left.delete(best)
    columns.push(column)
    for (const i of left) for (const j of left) rest[i * n + j]! -= column[i]! * column[j]!
  }
  const rank = columns.length
  const l = new Float64Array(n * rank)
  pivots.forEach((row, i) => columns.forEach((column, r) => (l[i * rank + r] = i < r ? 0 : column[row]!)))
  return { l, pivots, rank }
}

/** op(T) of which one triangle counts, as a whole matrix. */
export function triangleOracle(
  t: Matrix,
  n: number,
  upper: boolean,
  transpose: boolean,
  unit: boolean
): Float64Array<ArrayBuffer> {
  const out = new Float64Array(n * n)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const value = i === j && unit ? 1 : (upper ? j >= i : j <= i) ? t[i * n + j]! : 0
      out[transpose ? j * n + i : i * n + j] = value
    }
  }
  return out
}

/** Gram and Schmidt, twice (L. Giraud et al., 2005), for matrices of full column rank: the diagonal of r is positive. */
export function qrOracle(
  a: Matrix,
  m: number,
  n: number
): { q: Float64Array<ArrayBuffer>; r: Float64Array<ArrayBuffer> } {
  const q = Float64Array.from(a)
  const r = new Float64Array(n * n)
  for (let j = 0; j < n; j++) {
    for (let pass = 0; pass < 2; pass++) {
      for (let k = 0; k < j; k++) {
        let dot = 0
        for (let i = 0; i < m; i++) dot += q[i * n + k]! * q[i * n + j]!
        r[k * n + j]! += dot
        for (let i = 0; i < m; i++) q[i * n + j]! -= dot * q[i * n + k]!
      }
    }
    let square = 0
    for (let i = 0; i < m; i++) square += q[i * n + j]! ** 2
    const norm = Math.sqrt(square)
    r[j * n + j] = norm
    for (let i = 0; i < m; i++) q[i * n + j]! /= norm
  }
  return { q, r }
}
