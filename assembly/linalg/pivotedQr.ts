import { Lanes } from '../common/lanes'
import { Reflector, SMALL, UP } from './reflectors'
import { Vec } from './vector'

/**
 * Below this share of the square it was last measured at, a downdated norm is measured again (LAPACK dlaqp2.f:
 * sqrt(eps)).
 */
const TRUSTED: f64 = 1.5e-8

/**
 * Norms of what is left of columns, squared, of entries times `unit`; what a column still waits for is u times a
 * factor.
 */
class Norms {
  /** of a - factor u, over its n rows */
  @inline static measure(a: usize, u: usize, n: i32, factor: f64, unit: f64): f64 {
    const f = f64x2.splat(factor)
    const scale = f64x2.splat(unit)
    const end = a + ((<usize>n) << 3)
    let sums = f64x2.splat(0)
    while (a + 16 <= end) {
      const x = f64x2.mul(f64x2.sub(v128.load(a), f64x2.mul(f, v128.load(u))), scale)
      sums = f64x2.add(sums, f64x2.mul(x, x))
      a += 16
      u += 16
    }
    let sum = Lanes.sumF64(sums)
    if (a < end) {
      const x = (load<f64>(a) - factor * load<f64>(u)) * unit
      sum += x * x
    }
    return sum
  }

  /** the first of the greatest from j on */
  @inline static greatest(norms: usize, j: i32, n: i32): i32 {
    let best = j
    let top = load<f64>(norms + ((<usize>j) << 3))
    for (let i = j + 1; i < n; i++) {
      const square = load<f64>(norms + ((<usize>i) << 3))
      if (square > top) {
        top = square
        best = i
      }
    }
    return best
  }

  /** of n columns from j on: all anew, of rows from k on */
  @inline static all(
    a: usize,
    stride: usize,
    rows: i32,
    k: i32,
    j: i32,
    n: i32,
    u: usize,
    tau: f64,
    w: usize,
    norms: usize,
    unit: f64
  ): void {
    const head = (<usize>k) << 3
    for (; j < n; j++) {
      const square = Norms.measure(
        a + <usize>j * stride + head,
        u + head,
        rows - k,
        tau * load<f64>(w + ((<usize>j) << 3)),
        unit
      )
      store<f64>(norms + ((<usize>j) << 3), square)
      store<f64>(norms + ((<usize>(n + j)) << 3), square)
    }
  }
}

/**
 * Householder QR with column pivoting (G. H. Golub and C. F. Van Loan, Matrix Computations, algorithm 5.4.1). It
 * factors the first n of `all` columns of a: f64[all][ld] (ld a multiple of 4, zeros behind the rows) in k = min(rows,
 * n) steps; the other columns become Q^T times themselves. On return R in the upper triangle, the reflectors below it
 * (their first 1 left out). The greatest column comes first, the first of equals. tau: f64[k]; order: i32[n], column j
 * of R is column order[j] of A; norms: f64[2 n], w: f64[all], vectors: f64[2][ld] scratch.
 */
export function factorPivotedQrF64(
  a: usize,
  ld: i32,
  rows: i32,
  n: i32,
  all: i32,
  tau: usize,
  order: usize,
  norms: usize,
  w: usize,
  vectors: usize
): void {
  const stride = (<usize>ld) << 3
  const k = min(rows, n)
  let u = vectors
  let v = vectors + stride
  memory.fill(vectors, 0, stride << 1)
  memory.fill(w, 0, (<usize>all) << 3)
  for (let j = 0; j < n; j++) store<i32>(order + ((<usize>j) << 2), j)
  let unit = 1.0
  let last = 0.0
  Norms.all(a, stride, rows, 0, 0, n, u, 0, w, norms, unit)
  for (let j = 0; j < k; j++) {
    let best = Norms.greatest(norms, j, n)
    if (unit == 1 && load<f64>(norms + ((<usize>best) << 3)) < SMALL) {
      // Squares are about to leave the normal numbers; entries are far from that.
      unit = UP
      Norms.all(a, stride, rows, j, j, n, u, last, w, norms, unit)
      best = Norms.greatest(norms, j, n)
    }
    if (best != j) {
      Vec.swap(a + <usize>j * stride, a + <usize>best * stride, rows)
      Vec.swap(w + ((<usize>j) << 3), w + ((<usize>best) << 3), 1)
      store<f64>(norms + ((<usize>best) << 3), load<f64>(norms + ((<usize>j) << 3)))
      store<f64>(norms + ((<usize>(n + best)) << 3), load<f64>(norms + ((<usize>(n + j)) << 3)))
      const from = order + ((<usize>best) << 2)
      const to = order + ((<usize>j) << 2)
      const kept = load<i32>(from)
      store<i32>(from, load<i32>(to))
      store<i32>(to, kept)
    }
    const column = a + <usize>j * stride
    const start = max(0, j - 1) & ~3
    const head = (<usize>start) << 3
    const at = (<usize>j) << 3
    Vec.axpy(column + head, u + head, ld - start, -last * load<f64>(w + at))
    memory.copy(v + at, column + at, stride - at)
    memory.fill(v + head, 0, at - head)
    const own = tau + at
    const beta = Reflector.build(v + at, rows - j, own)
    memory.copy(column + at, v + at, stride - at)
    store<f64>(column + at, beta)
    Reflector.pass(column + stride + head, stride, all - 1 - j, u + head, v + head, ld - start, last, w + at + 8)
    last = load<f64>(own)
    for (let i = j + 1; i < n; i++) {
      const place = (<usize>i) << 3
      const other = a + <usize>i * stride + at
      const factor = last * load<f64>(w + place)
      const r = (load<f64>(other) - factor) * unit
      let square = load<f64>(norms + place) - r * r
      if (square <= TRUSTED * load<f64>(norms + ((<usize>n) << 3) + place)) {
        square = Norms.measure(other + 8, v + at + 8, rows - 1 - j, factor, unit)
        store<f64>(norms + ((<usize>n) << 3) + place, square)
      }
      store<f64>(norms + place, square)
    }
    const spare = u
    u = v
    v = spare
  }
  const head = (<usize>(max(0, k - 1) & ~3)) << 3
  for (let j = k; j < all; j++) {
    Vec.axpy(
      a + <usize>j * stride + head,
      u + head,
      <i32>((stride - head) >> 3),
      -last * load<f64>(w + ((<usize>j) << 3))
    )
  }
}
