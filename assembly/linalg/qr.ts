/**
 * Householder QR (G. H. Golub and C. F. Van Loan, Matrix Computations, algorithm 5.4.1), one pass over the columns for each reflector: it
 * subtracts the one before and takes the dots with the next, which needs nothing but the pivot column brought up to date first.
 * Columns are padded with zeros to a multiple of 4 rows.
 */
import { Lanes } from '../common/lanes'
import { Vec } from './vector'

/** The greatest entry being about 1: below this, squares would leave the normal numbers, and entries count as 0. */
export const NEGLIGIBLE: f64 = 1e-145
/** Below this share of the norm a column was last measured at, the downdated norm is measured again (LAPACK dlaqp2.f: sqrt(eps)). */
const TRUSTED: f64 = 1.5e-8

class Pass {
  /** a -= f u, b -= g u; dots: f64[2] { a . v, b . v }, over `bytes` bytes */
  @inline static two(dots: usize, a: usize, b: usize, u: usize, v: usize, f: f64, g: f64, bytes: usize): void {
    const vf = f64x2.splat(f)
    const vg = f64x2.splat(g)
    const end = a + bytes
    let s0 = f64x2.splat(0)
    let s1 = s0
    let s2 = s0
    let s3 = s0
    do {
      const x = v128.load(u)
      const y = v128.load(v)
      const a0 = f64x2.sub(v128.load(a), f64x2.mul(vf, x))
      const b0 = f64x2.sub(v128.load(b), f64x2.mul(vg, x))
      v128.store(a, a0)
      v128.store(b, b0)
      s0 = f64x2.add(s0, f64x2.mul(a0, y))
      s1 = f64x2.add(s1, f64x2.mul(b0, y))
      const z = v128.load(u, 16)
      const w = v128.load(v, 16)
      const a1 = f64x2.sub(v128.load(a, 16), f64x2.mul(vf, z))
      const b1 = f64x2.sub(v128.load(b, 16), f64x2.mul(vg, z))
      v128.store(a, a1, 16)
      v128.store(b, b1, 16)
      s2 = f64x2.add(s2, f64x2.mul(a1, w))
      s3 = f64x2.add(s3, f64x2.mul(b1, w))
      a += 32
      b += 32
      u += 32
      v += 32
    } while (a < end)
    store<f64>(dots, Lanes.sumF64(f64x2.add(s0, s2)))
    store<f64>(dots, Lanes.sumF64(f64x2.add(s1, s3)), 8)
  }

  /** a -= f u; returns a . v */
  @inline static one(a: usize, u: usize, v: usize, f: f64, bytes: usize): f64 {
    const vf = f64x2.splat(f)
    const end = a + bytes
    let s0 = f64x2.splat(0)
    let s1 = s0
    do {
      const a0 = f64x2.sub(v128.load(a), f64x2.mul(vf, v128.load(u)))
      const a1 = f64x2.sub(v128.load(a, 16), f64x2.mul(vf, v128.load(u, 16)))
      v128.store(a, a0)
      v128.store(a, a1, 16)
      s0 = f64x2.add(s0, f64x2.mul(a0, v128.load(v)))
      s1 = f64x2.add(s1, f64x2.mul(a1, v128.load(v, 16)))
      a += 32
      u += 32
      v += 32
    } while (a < end)
    return Lanes.sumF64(f64x2.add(s0, s1))
  }

  /** Of four columns c, ld apart: c -= f u, f: f64[4], then f = tau (c . v). */
  @inline static four(c: usize, stride: usize, u: usize, v: usize, f: usize, tau: f64, bytes: usize): void {
    const f0 = v128.load64_splat(f)
    const f1 = v128.load64_splat(f, 8)
    const f2 = v128.load64_splat(f, 16)
    const f3 = v128.load64_splat(f, 24)
    let p = c
    let q = p + stride
    let r = q + stride
    let s = r + stride
    const end = p + bytes
    let s0 = f64x2.splat(0)
    let s1 = s0
    let s2 = s0
    let s3 = s0
    do {
      const x = v128.load(u)
      const y = v128.load(v)
      const c0 = f64x2.sub(v128.load(p), f64x2.mul(f0, x))
      const c1 = f64x2.sub(v128.load(q), f64x2.mul(f1, x))
      const c2 = f64x2.sub(v128.load(r), f64x2.mul(f2, x))
      const c3 = f64x2.sub(v128.load(s), f64x2.mul(f3, x))
      v128.store(p, c0)
      v128.store(q, c1)
      v128.store(r, c2)
      v128.store(s, c3)
      s0 = f64x2.add(s0, f64x2.mul(c0, y))
      s1 = f64x2.add(s1, f64x2.mul(c1, y))
      s2 = f64x2.add(s2, f64x2.mul(c2, y))
      s3 = f64x2.add(s3, f64x2.mul(c3, y))
      u += 16
      v += 16
      p += 16
      q += 16
      r += 16
      s += 16
    } while (p < end)
    store<f64>(f, tau * Lanes.sumF64(s0))
    store<f64>(f, tau * Lanes.sumF64(s1), 8)
    store<f64>(f, tau * Lanes.sumF64(s2), 16)
    store<f64>(f, tau * Lanes.sumF64(s3), 24)
  }
}

class Pivot {
  /** Brings the column of the greatest norm to place k, and what belongs to it. */
  @inline static choose(
    a: usize,
    stride: usize,
    rows: i32,
    k: i32,
    n: i32,
    order: usize,
    norms: usize,
    w: usize
  ): void {
    const from = norms + ((<usize>k) << 3)
    const measured = (<usize>n) << 3
    let best = from
    let top = load<f64>(best)
    let at = from
    const end = norms + measured
    while (at < end) {
      const norm = load<f64>(at)
      if (norm > top) {
        top = norm
        best = at
      }
      at += 8
    }
    if (best == from) return
    const j = <i32>((best - norms) >> 3)
    Vec.swap(a + <usize>k * stride, a + <usize>j * stride, rows)
    store<f64>(best, load<f64>(from))
    store<f64>(best + measured, load<f64>(from + measured))
    const kept = load<i32>(order + ((<usize>j) << 2))
    store<i32>(order + ((<usize>j) << 2), load<i32>(order + ((<usize>k) << 2)))
    store<i32>(order + ((<usize>k) << 2), kept)
    Vec.swap(w + ((<usize>k) << 3), w + ((<usize>j) << 3), 1)
  }

  /** The norms of the columns after k without what reflector k, v, leaves in row k. */
  @inline static downdate(
    a: usize,
    stride: usize,
    rows: i32,
    k: i32,
    n: i32,
    v: usize,
    t: f64,
    norms: usize,
    w: usize
  ): void {
    const measured = norms + ((<usize>n) << 3)
    for (let j = k + 1; j < n; j++) {
      const at = (<usize>j) << 3
      const column = a + <usize>j * stride
      const f = t * load<f64>(w + at)
      const r = load<f64>(column + ((<usize>k) << 3)) - f * load<f64>(v + ((<usize>k) << 3))
      let square = load<f64>(norms + at) - r * r
      if (square <= TRUSTED * load<f64>(measured + at)) {
        square = 0
        for (let i = k + 1; i < rows; i++) {
          const x = load<f64>(column + ((<usize>i) << 3)) - f * load<f64>(v + ((<usize>i) << 3))
          square += x * x
        }
        store<f64>(measured + at, square)
      }
      store<f64>(norms + at, square)
    }
  }
}

/**
 * a: f64[n] columns of `rows` rows (ld apart; rows >= n): on return R in its upper triangle and the reflectors v (v_k = 1 left out) below.
 * A column whose rest is negligible gets none (tau 0). tau: f64[n]. Where `pivot`: order: i32[n], A[:, order[j]] = (Q R)[:, j], norms: f64[2 n].
 * Scratch: w: f64[n + 2], vectors: f64[2][rows].
 */
export function householderQr(
  a: usize,
  ld: i32,
  rows: i32,
  n: i32,
  tau: usize,
  order: usize,
  norms: usize,
  w: usize,
  vectors: usize,
  pivot: i32
): void {
  const stride = (<usize>ld) << 3
  const bytes = (<usize>rows) << 3
  memory.fill(vectors, 0, bytes << 1)
  memory.fill(w, 0, (<usize>n) << 3)
  if (pivot) {
    for (let j = 0; j < n; j++) {
      const column = a + <usize>j * stride
      const square = Vec.dot(column, column, rows)
      store<i32>(order + ((<usize>j) << 2), j)
      store<f64>(norms + ((<usize>j) << 3), square)
      store<f64>(norms + ((<usize>(n + j)) << 3), square)
    }
  }
  let u = vectors
  let v = vectors + bytes
  let before = 0.0
  for (let k = 0; k < n; k++) {
    if (pivot) Pivot.choose(a, stride, rows, k, n, order, norms, w)
    const c = a + <usize>k * stride
    const at = (<usize>k) << 3
    // Whole vectors from here on hold all rows that the reflector before has reached.
    const start = (<usize>(max(k - 1, 0) & ~3)) << 3
    Vec.axpy(c + start, u + start, <i32>((bytes - start) >> 3), -before * load<f64>(w + at))
    memory.copy(v + start, c + start, bytes - start)
    memory.fill(v + start, 0, at - start)
    const first = load<f64>(c + at)
    const norm = sqrt(Vec.dot(v + start, v + start, <i32>((bytes - start) >> 3)))
    let t = 0.0
    let beta = first
    if (norm < NEGLIGIBLE) memory.fill(v + at, 0, bytes - at)
    else {
      beta = first >= 0 ? -norm : norm
      t = (beta - first) / beta
      Vec.scale(v + at, rows - k, 1.0 / (first - beta))
    }
    store<f64>(v + at, 1)
    store<f64>(tau + at, t)
    let j = k + 1
    while (j + 1 < n) {
      const p = a + <usize>j * stride + start
      const dots = w + ((<usize>j) << 3)
      const f = before * load<f64>(dots)
      Pass.two(dots, p, p + stride, u + start, v + start, f, before * load<f64>(dots, 8), bytes - start)
      j += 2
    }
    if (j < n) {
      const dot = w + ((<usize>j) << 3)
      store<f64>(
        dot,
        Pass.one(a + <usize>j * stride + start, u + start, v + start, before * load<f64>(dot), bytes - start)
      )
    }
    if (pivot) Pivot.downdate(a, stride, rows, k, n, v, t, norms, w)
    memory.copy(c + at + 8, v + at + 8, bytes - at - 8)
    store<f64>(c + at, beta)
    before = t
    const spare = u
    u = v
    v = spare
  }
}

/** Writes out the heads of the reflectors of householderQr, which R has left by then: 1 on the diagonal, zeros for two blocks above it. */
export function unitReflectors(a: usize, ld: i32, n: i32): void {
  for (let k = 0; k < n; k++) {
    const column = a + ((<usize>k * ld) << 3)
    const start = max(k - 1, 0) & ~3
    memory.fill(column + ((<usize>start) << 3), 0, (<usize>(k - start)) << 3)
    store<f64>(column + ((<usize>k) << 3), 1)
  }
}

/**
 * w = Q w: `count` (a multiple of 4) columns of `rows` rows, ldw apart; Q of n reflectors v: f64[n] columns, ld apart, with heads (unitReflectors), and
 * tau: f64[n]. `identity` says that w is the identity, whose column j the reflectors after j leave alone. factors: f64[4] scratch.
 */
export function applyQ(
  w: usize,
  ldw: i32,
  count: i32,
  v: usize,
  ld: i32,
  rows: i32,
  n: i32,
  tau: usize,
  identity: i32,
  factors: usize
): void {
  const stride = (<usize>ld) << 3
  const bytes = (<usize>rows) << 3
  const apart = (<usize>ldw) << 3
  for (let j = 0; j < count; j += 4) {
    memory.fill(factors, 0, 32)
    let k = identity ? min(n - 1, j + 3) : n - 1
    let u = v + <usize>k * stride
    while (k >= 0) {
      const column = v + <usize>k * stride
      const start = (<usize>(k & ~3)) << 3
      Pass.four(w + start, apart, u + start, column + start, factors, load<f64>(tau + ((<usize>k) << 3)), bytes - start)
      u = column
      k--
    }
    let c: usize = 0
    do {
      Vec.axpy(w + c * apart, u, rows, -load<f64>(factors + (c << 3)))
    } while (++c < 4)
    w += apart << 2
  }
}
