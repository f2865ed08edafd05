/** Householder QR with column pivoting (G. H. Golub and C. F. Van Loan, Matrix Computations, algorithm 5.4.1). */
import { NEGLIGIBLE } from './jacobi'
import { Vec } from './vector'

/** Below this share of the norm a column was last measured at, the downdated norm is measured again (LAPACK dlaqp2.f: sqrt(eps)). */
const TRUSTED: f64 = 1.5e-8

/**
 * a: f64[n] columns of length m (ld apart, m >= n): on return R in its upper triangle and the reflectors v (v_k = 1 left out) below.
 * A column whose rest is negligible is left as it is. tau: f64[n]; order: i32[n], A[:, order[j]] = (Q R)[:, j]; norms: f64[2 n] scratch.
 */
export function pivotedQr(a: usize, ld: i32, m: i32, n: i32, tau: usize, order: usize, norms: usize): void {
  const stride = (<usize>ld) << 3
  const measured = norms + ((<usize>n) << 3)
  for (let j = 0; j < n; j++) {
    const column = a + <usize>j * stride
    const square = Vec.dot(column, column, m)
    store<i32>(order + ((<usize>j) << 2), j)
    store<f64>(norms + ((<usize>j) << 3), square)
    store<f64>(measured + ((<usize>j) << 3), square)
  }
  for (let k = 0; k < n; k++) {
    let best = k
    for (let j = k + 1; j < n; j++) {
      if (load<f64>(norms + ((<usize>j) << 3)) > load<f64>(norms + ((<usize>best) << 3))) best = j
    }
    if (best != k) {
      Vec.swap(a + <usize>k * stride, a + <usize>best * stride, m)
      const from = order + ((<usize>best) << 2)
      const kept = load<i32>(from)
      store<i32>(from, load<i32>(order + ((<usize>k) << 2)))
      store<i32>(order + ((<usize>k) << 2), kept)
      store<f64>(norms + ((<usize>best) << 3), load<f64>(norms + ((<usize>k) << 3)))
      store<f64>(measured + ((<usize>best) << 3), load<f64>(measured + ((<usize>k) << 3)))
    }
    const v = a + <usize>k * stride + ((<usize>k) << 3)
    const length = m - k
    const first = load<f64>(v)
    const norm = sqrt(Vec.dot(v, v, length))
    if (norm < NEGLIGIBLE) {
      store<f64>(tau + ((<usize>k) << 3), 0)
      continue
    }
    const beta = first >= 0 ? -norm : norm
    const t = (beta - first) / beta
    store<f64>(tau + ((<usize>k) << 3), t)
    Vec.scale(v + 8, length - 1, 1.0 / (first - beta))
    store<f64>(v, 1)
    for (let j = k + 1; j < n; j++) {
      const column = a + <usize>j * stride + ((<usize>k) << 3)
      Vec.axpy(column, v, length, -t * Vec.dot(v, column, length))
      const r = load<f64>(column)
      const at = norms + ((<usize>j) << 3)
      let square = load<f64>(at) - r * r
      if (square <= TRUSTED * load<f64>(measured + ((<usize>j) << 3))) {
        square = Vec.dot(column + 8, column + 8, length - 1)
        store<f64>(measured + ((<usize>j) << 3), square)
      }
      store<f64>(at, square)
    }
    store<f64>(v, beta)
  }
}

/** w: f64 columns of length m (ld apart), `count` of them, replaced by Q w, Q in a and tau as pivotedQr left them. */
export function applyQ(w: usize, count: i32, a: usize, ld: i32, m: i32, n: i32, tau: usize): void {
  const stride = (<usize>ld) << 3
  for (let k = n - 1; k >= 0; k--) {
    const t = load<f64>(tau + ((<usize>k) << 3))
    if (t == 0) continue
    const v = a + <usize>k * stride + ((<usize>k) << 3)
    const length = m - k
    const diagonal = load<f64>(v)
    store<f64>(v, 1)
    for (let j = 0; j < count; j++) {
      const column = w + <usize>j * stride + ((<usize>k) << 3)
      Vec.axpy(column, v, length, -t * Vec.dot(v, column, length))
    }
    store<f64>(v, diagonal)
  }
}
