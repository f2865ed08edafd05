type Matrix = ArrayLike<number>

/** The 1-norm: the greatest sum of magnitudes over a column of a row-major matrix. */
function norm1(a: Matrix, rows: number, columns: number): number {
  let greatest = 0
  for (let j = 0; j < columns; j++) {
    let total = 0
    for (let i = 0; i < rows; i++) total += Math.abs(a[i * columns + j])
    // Written so that a NaN becomes the norm instead of losing every comparison.
    if (!(total <= greatest)) greatest = total
  }
  return greatest
}

/**
 * ||A - U diag(s) V'||_1 / (||A||_1 max(m, n) ulp), the first ratio of LAPACK's tests of the SVD (TESTING/EIG/dbdt01.f).
 * As there, a zero A has the ratio 0 when the residual is 0 and 1 / ulp otherwise. U is (m, k), V is (n, k), row-major.
 */
export function residualRatio(
  a: Matrix,
  m: number,
  n: number,
  u: Matrix,
  s: Matrix,
  v: Matrix,
  ulp: number = 2 ** -52
): number {
  const k = s.length
  const residual = new Float64Array(m * n)
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let product = 0
      for (let r = 0; r < k; r++) product += u[i * k + r] * s[r] * v[j * k + r]
      residual[i * n + j] = a[i * n + j] - product
    }
  }
  const error = norm1(residual, m, n)
  const norm = norm1(a, m, n)
  if (error === 0) return 0
  if (norm === 0) return 1 / ulp
  return error / norm / (Math.max(m, n) * ulp)
}

/** ||I - U'U||_1 / (rows ulp), LAPACK's ratio for orthonormal columns (TESTING/EIG/dort01.f). U is row-major. */
export function orthogonalityRatio(
  columns: Float64Array | Float32Array,
  rows: number,
  cols: number,
  ulp: number = 2 ** -52
): number {
  const defect = new Float64Array(cols * cols)
  for (let i = 0; i < cols; i++) {
    for (let j = 0; j < cols; j++) {
      let dot = 0
      for (let r = 0; r < rows; r++) dot += columns[r * cols + i] * columns[r * cols + j]
      defect[i * cols + j] = (i === j ? 1 : 0) - dot
    }
  }
  const error = norm1(defect, cols, cols)
  return error === 0 ? 0 : error / (rows * ulp)
}

export function frobenius(x: Matrix): number {
  let total = 0
  for (let i = 0; i < x.length; i++) total += x[i] * x[i]
  return Math.sqrt(total)
}

export interface Comparison {
  meanSquaredError: number
  maxAbsoluteError: number
  relativeError: number
  snr: number
}

/** a is the reference. */
export function compareOracle(a: Matrix, b: Matrix): Comparison {
  if (a.length !== b.length) throw new RangeError('length')
  let signal = 0
  let noise = 0
  let maxAbsoluteError = 0
  for (let i = 0; i < a.length; i++) {
    const difference = a[i] - b[i]
    signal += a[i] * a[i]
    noise += difference * difference
    maxAbsoluteError = Math.max(maxAbsoluteError, Math.abs(difference))
  }
  const equal = noise === 0
  return {
    meanSquaredError: a.length === 0 ? 0 : noise / a.length,
    maxAbsoluteError,
    relativeError: equal ? 0 : Math.sqrt(noise) / Math.sqrt(signal),
    snr: equal ? Infinity : 10 * Math.log10(signal / noise)
  }
}

/**
 * Eigenvalues of a symmetric matrix, in descending order, by the cyclic Jacobi method (Golub and Van Loan, Matrix
 * Computations, 4th ed., 8.5.3-8.5.4).
 */
export function symmetricEigenvaluesOracle(gram: Float64Array, n: number): Float64Array {
  const a = gram.slice()
  const norm = frobenius(a)
  for (let sweep = 0; ; sweep++) {
    let off = 0
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) off = Math.max(off, Math.abs(a[p * n + q]))
    if (off <= 2 ** -60 * norm) break
    if (sweep === 60) throw new Error('the Jacobi iteration did not converge')
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        if (a[p * n + q] === 0) continue
        const tau = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q])
        const t = (tau >= 0 ? 1 : -1) / (Math.abs(tau) + Math.sqrt(1 + tau * tau))
        const c = 1 / Math.sqrt(1 + t * t)
        const s = t * c
        for (let k = 0; k < n; k++) {
          const akp = a[k * n + p]
          const akq = a[k * n + q]
          a[k * n + p] = c * akp - s * akq
          a[k * n + q] = s * akp + c * akq
        }
        for (let k = 0; k < n; k++) {
          const apk = a[p * n + k]
          const aqk = a[q * n + k]
          a[p * n + k] = c * apk - s * aqk
          a[q * n + k] = s * apk + c * aqk
        }
        // The rotation was chosen to annihilate this pair; what is left of it is rounding.
        a[p * n + q] = 0
        a[q * n + p] = 0
      }
    }
  }
  return Float64Array.from({ length: n }, (_, i) => a[i * n + i])
    .sort()
    .reverse()
}
