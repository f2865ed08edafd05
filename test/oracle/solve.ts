type Matrix = ArrayLike<number>

/** The shape of two broadcast together as NumPy does, from the last dimension on; throws where they do not fit. */
export function broadcastOracle(a: readonly number[], b: readonly number[]): number[] {
  const length = Math.max(a.length, b.length)
  return Array.from({ length }, (_, i) => {
    const x = a[a.length - length + i] ?? 1
    const y = b[b.length - length + i] ?? 1
    if (x !== y && x !== 1 && y !== 1) throw new RangeError(`shapes ${a.join('x')} and ${b.join('x')}`)
    return x === 1 ? y : x
  })
}

/** Which matrix of an operand with these leading dimensions goes into matrix `index` of the result. */
function operandIndex(lead: readonly number[], result: readonly number[], index: number): number {
  let rest = index
  let stride = 1
  let at = 0
  for (let axis = result.length - 1, own = lead.length - 1; axis >= 0; axis--, own--) {
    const position = rest % result[axis]
    rest = Math.floor(rest / result[axis])
    if (own < 0) continue
    if (lead[own] !== 1) at += position * stride
    stride *= lead[own]
  }
  return at
}

export interface Product {
  data: Float64Array
  shape: number[]
  /** sums of |a| |b|: an f64 sum of k products in any order is off by at most about k 2^-53 of this */
  magnitude: Float64Array
}

/** a (..., m, k) times b (..., k, n), leading dimensions broadcast as numpy.matmul's; sums in f64, by index. */
export function matmulOracle(a: Matrix, aShape: readonly number[], b: Matrix, bShape: readonly number[]): Product {
  if (aShape.length < 2 || bShape.length < 2) throw new RangeError('fewer than two dimensions')
  const [m, k] = aShape.slice(-2)
  const [inner, n] = bShape.slice(-2)
  if (k !== inner) throw new RangeError(`inner dimensions ${k} and ${inner}`)
  const [aLead, bLead] = [aShape.slice(0, -2), bShape.slice(0, -2)]
  const lead = broadcastOracle(aLead, bLead)
  const count = lead.reduce((product, length) => product * length, 1)
  const data = new Float64Array(count * m * n)
  const magnitude = new Float64Array(count * m * n)
  for (let matrix = 0; matrix < count; matrix++) {
    const left = operandIndex(aLead, lead, matrix) * m * k
    const right = operandIndex(bLead, lead, matrix) * k * n
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        const at = (matrix * m + i) * n + j
        for (let t = 0; t < k; t++) {
          const term = a[left + i * k + t] * b[right + t * n + j]
          data[at] += term
          magnitude[at] += Math.abs(term)
        }
      }
    }
  }
  return { data, shape: [...lead, m, n], magnitude }
}

/**
 * a (m, k) times b (k, n) in the order of the library: along k by blocks of 256, each summed one product after the other, blocks added in order.
 * `narrow` rounds every product and sum to f32.
 */
export function blockedProductOracle(
  a: Matrix,
  b: Matrix,
  m: number,
  k: number,
  n: number,
  narrow: boolean
): Float64Array<ArrayBuffer> {
  const round = narrow ? Math.fround : (x: number) => x
  const data = new Float64Array(m * n)
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let total = 0
      for (let first = 0; first < k; first += 256) {
        let sum = 0
        for (let t = first; t < Math.min(k, first + 256); t++) sum = round(sum + round(a[i * k + t] * b[t * n + j]))
        total = round(total + sum)
      }
      data[i * n + j] = total
    }
  }
  return data
}

/**
 * ||A P - Q R||_1 / (||A||_1 max(m, n) ulp), LAPACK's ratio for a QR with exchanged columns (TESTING/LIN/dqpt01.f).
 * Q is (m, k), R is (k, n), row-major; `order`: column j of A P is column order[j] of A. 0 where both norms are 0.
 */
export function factorsRatio(
  a: Matrix,
  m: number,
  n: number,
  q: Matrix,
  r: Matrix,
  order?: ArrayLike<number>,
  ulp: number = 2 ** -52
): number {
  const k = m === 0 ? 0 : q.length / m
  let norm = 0
  let error = 0
  for (let j = 0; j < n; j++) {
    let size = 0
    let difference = 0
    for (let i = 0; i < m; i++) {
      const entry = a[i * n + (order ? order[j] : j)]
      let product = 0
      for (let t = 0; t < k; t++) product += q[i * k + t] * r[t * n + j]
      size += Math.abs(entry)
      difference += Math.abs(entry - product)
    }
    // Written so that a NaN becomes the norm instead of losing every comparison.
    if (!(size <= norm)) norm = size
    if (!(difference <= error)) error = difference
  }
  if (error === 0) return 0
  return norm === 0 ? 1 / ulp : error / norm / (Math.max(m, n) * ulp)
}

/** Whether all below the diagonal of a row-major matrix is exactly 0. */
export function isUpperTriangular(r: Matrix, rows: number, columns: number): boolean {
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < Math.min(i, columns); j++) if (r[i * columns + j] !== 0) return false
  return true
}
