type Matrix = ArrayLike<number>

/**
 * Singular values of a row-major (m, n) matrix, descending, min(m, n) of them, to about 1e-15 of the greatest: plain one-sided Jacobi on the columns of the taller of A and its
 * transpose (M. R. Hestenes, 1958), after scaling the greatest entry to 1.
 */
export function singularValuesOracle(a: Matrix, m: number, n: number): Float64Array {
  let top = 0
  for (let i = 0; i < m * n; i++) top = Math.max(top, Math.abs(a[i]))
  if (top === 0) return new Float64Array(Math.min(m, n))
  const [rows, count] = m >= n ? [m, n] : [n, m]
  const columns = Array.from({ length: count }, (_, j) =>
    Float64Array.from({ length: rows }, (_, i) => (m >= n ? a[i * n + j] : a[j * n + i]) / top)
  )
  const dot = (x: Float64Array, y: Float64Array): number => {
    let sum = 0
    for (let i = 0; i < x.length; i++) sum += x[i] * y[i]
    return sum
  }
  for (let sweep = 0, rotated = true; rotated; sweep++) {
    if (sweep === 60) throw new Error('the Jacobi iteration did not converge')
    rotated = false
    for (let p = 0; p < count; p++) {
      for (let q = p + 1; q < count; q++) {
        const [x, y] = [columns[p], columns[q]]
        const [xx, yy, xy] = [dot(x, x), dot(y, y), dot(x, y)]
        // Columns that are rounding beside the greatest entry stay as they are.
        if (Math.abs(xy) <= 1e-14 * Math.sqrt(xx * yy) || Math.min(xx, yy) < 1e-30) continue
        rotated = true
        const zeta = (yy - xx) / (2 * xy)
        const t = (zeta >= 0 ? 1 : -1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta))
        const c = 1 / Math.sqrt(1 + t * t)
        for (let i = 0; i < rows; i++) {
          const kept = x[i]
          x[i] = c * (kept - t * y[i])
          y[i] = c * (y[i] + t * kept)
        }
      }
    }
  }
  return Float64Array.from(columns, (x) => top * Math.sqrt(dot(x, x)))
    .sort()
    .reverse()
}

/** |columns' columns - I|, the greatest entry, of a row-major matrix. */
export function orthonormalDefect(x: Matrix, rows: number, columns: number): number {
  let worst = 0
  for (let p = 0; p < columns; p++) {
    for (let q = 0; q <= p; q++) {
      let sum = p === q ? -1 : 0
      for (let i = 0; i < rows; i++) sum += x[i * columns + p] * x[i * columns + q]
      // Written so that a NaN becomes the worst.
      if (!(Math.abs(sum) <= worst)) worst = Math.abs(sum)
    }
  }
  return worst
}

/** Lengths of the columns of A x - y diag(s), or of A'x - y diag(s) where `transposed`; a is (m, n). */
export function imageDistances(
  a: Matrix,
  m: number,
  n: number,
  x: Matrix,
  y: Matrix,
  s: Matrix,
  transposed: boolean
): Float64Array {
  const k = s.length
  const [rows, inner] = transposed ? [n, m] : [m, n]
  const sums = new Float64Array(k)
  for (let i = 0; i < rows; i++) {
    for (let c = 0; c < k; c++) {
      let value = -y[i * k + c] * s[c]
      for (let j = 0; j < inner; j++) value += (transposed ? a[j * n + i] : a[i * n + j]) * x[j * k + c]
      sums[c] += value * value
    }
  }
  return sums.map(Math.sqrt)
}

/** |A - u diag(s) v'| and |A|, Frobenius norms. */
export function truncationError(a: Matrix, m: number, n: number, u: Matrix, s: Matrix, v: Matrix): [number, number] {
  const k = s.length
  let [error, size] = [0, 0]
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let value = a[i * n + j]
      size += value * value
      for (let c = 0; c < k; c++) value -= u[i * k + c] * s[c] * v[j * k + c]
      error += value * value
    }
  }
  return [Math.sqrt(error), Math.sqrt(size)]
}
