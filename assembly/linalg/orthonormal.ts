/**
 * Orthonormal columns by Cholesky's factor of their products, repeated on what is left of dependence. Method: Y.
 * Yamamoto, Y. Nakatsukasa, Y. Yanagisawa and T. Fukaya, ETNA 44, 2015; T. Fukaya et al., SIAM J. Sci. Comput. 42,
 * 2020.
 */
import { Vec } from './vector'

/**
 * What is left of a column of length 1 beside those before it counts as at least this much. The column grows by 2^20 at
 * most and is clean the next time.
 */
const LEAST: f64 = 1.0 / 1099511627776.0

/** max |c - I| of c: f64[n][n], below the diagonal and on it; Infinity where it is not finite. */
export function identityDefect(c: usize, n: i32): f64 {
  let worst = 0.0
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const defect = abs(load<f64>(c + ((<usize>i * n + j) << 3)) - (i == j ? 1.0 : 0.0))
      if (!(defect <= worst)) worst = defect
    }
  }
  return worst == worst ? worst : Infinity
}

/**
 * t: f64[n][n], upper triangular, so that the columns of Y t are orthonormal where c: f64[n][n] (destroyed) is Y'Y;
 * each column only loses what it shares with those before it. flags: i32[n], 1 where a column is to be replaced: it is
 * 0, or what is left of it is less than `least` of its square; its own part of t is that of the identity.
 */
export function orthonormaliser(t: usize, c: usize, n: i32, least: f64, flags: usize, norms: usize): void {
  const stride = (<usize>n) << 3
  for (let i = 0; i < n; i++) {
    const square = load<f64>(c + <usize>i * (stride + 8))
    store<f64>(norms + ((<usize>i) << 3), square > 0 ? 1.0 / sqrt(square) : 0)
    store<i32>(flags + ((<usize>i) << 2), square > 0 ? 0 : 1)
  }
  // The upper triangle of c, with columns of length 1, becomes R row by row.
  for (let i = 0; i < n; i++) {
    const row = c + <usize>i * stride
    const a = load<f64>(norms + ((<usize>i) << 3))
    for (let j = i; j < n; j++) {
      const at = row + ((<usize>j) << 3)
      store<f64>(at, load<f64>(c + ((<usize>j * n + i) << 3)) * a * load<f64>(norms + ((<usize>j) << 3)))
    }
  }
  for (let k = 0; k < n; k++) {
    const row = c + <usize>k * stride
    const diagonal = row + ((<usize>k) << 3)
    const pivot = load<f64>(diagonal)
    if (load<i32>(flags + ((<usize>k) << 2)) || pivot < least) {
      store<i32>(flags + ((<usize>k) << 2), 1)
      memory.fill(row, 0, stride)
      store<f64>(diagonal, 1)
      // A column that is replaced takes nothing from those before it either.
      for (let i = 0; i < k; i++) store<f64>(c + ((<usize>i * n + k) << 3), 0)
      continue
    }
    const root = sqrt(max(pivot, LEAST))
    Vec.scale(diagonal, n - k, 1.0 / root)
    store<f64>(diagonal, root)
    for (let i = k + 1; i < n; i++) {
      const factor = load<f64>(row + ((<usize>i) << 3))
      const at = (<usize>i) << 3
      Vec.axpy(c + <usize>i * stride + at, row + at, n - i, -factor)
    }
  }
  // t = R^-1, from its last row up.
  for (let i = n - 1; i >= 0; i--) {
    const row = t + <usize>i * stride
    const from = c + <usize>i * stride
    memory.fill(row, 0, stride)
    store<f64>(row + ((<usize>i) << 3), 1)
    for (let j = i + 1; j < n; j++) {
      const at = (<usize>j) << 3
      Vec.axpy(row + at, t + <usize>j * stride + at, n - j, -load<f64>(from + at))
    }
    Vec.scale(row + ((<usize>i) << 3), n - i, 1.0 / load<f64>(from + ((<usize>i) << 3)))
  }
  for (let i = 0; i < n; i++) {
    const a = load<f64>(norms + ((<usize>i) << 3))
    if (a > 0) Vec.scale(t + <usize>i * (stride + 8), n - i, a)
  }
}
