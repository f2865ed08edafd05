/**
 * Householder reflectors H = I - tau v v^T over f64 columns, v from its first row on, which is 1. A column is read once
 * a step: the same pass applies one reflector and takes the dots with the next.
 */
import { Lanes } from '../common/lanes'
import { Vec } from './vector'

/**
 * Below this sum of squares (2^-900) a column is scaled by 2^600 for its norm; the greatest entry of the matrix is
 * about 1.
 */
const SMALL: f64 = 1.1830521861667747e-271
const UP: f64 = 4.149515568880993e180
const DOWN: f64 = 2.409919865102884e-181

export class Reflector {
  /**
   * The reflector that takes c: f64[n] to (beta, 0, ...): c becomes v, tau is stored, beta returned. Where the rest is
   * zero H is the identity.
   */
  @inline static build(c: usize, n: i32, tau: usize): f64 {
    const rest = c + 8
    let x = load<f64>(c)
    let square = Vec.dot(rest, rest, n - 1)
    let down = 1.0
    if (x * x + square < SMALL) {
      Vec.scale(rest, n - 1, UP)
      square = Vec.dot(rest, rest, n - 1)
      x *= UP
      down = DOWN
    }
    store<f64>(c, 1)
    if (square == 0) {
      memory.fill(rest, 0, (<usize>(n - 1)) << 3)
      store<f64>(tau, 0)
      return x * down
    }
    const norm = sqrt(x * x + square)
    const beta = x >= 0 ? -norm : norm
    store<f64>(tau, (beta - x) / beta)
    Vec.scale(rest, n - 1, 1.0 / (x - beta))
    return beta * down
  }

  /**
   * a: f64[n], n a multiple of 4: a -= factor u, and its dot with v. Sums: two f64x2 accumulators over pairs of pairs,
   * added, lane 0 + lane 1.
   */
  @inline static step(a: usize, u: usize, v: usize, n: i32, factor: f64): f64 {
    const end = a + ((<usize>n) << 3)
    const f = f64x2.splat(factor)
    let s0 = f64x2.splat(0)
    let s1 = s0
    do {
      const a0 = f64x2.sub(v128.load(a), f64x2.mul(f, v128.load(u)))
      const a1 = f64x2.sub(v128.load(a, 16), f64x2.mul(f, v128.load(u, 16)))
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

  /** The same for two columns, a and b, which share the reads of u and v; their dots go to w: f64[2]. */
  @inline static steps(a: usize, b: usize, u: usize, v: usize, n: i32, factorA: f64, factorB: f64, w: usize): void {
    const end = a + ((<usize>n) << 3)
    const f = f64x2.splat(factorA)
    const g = f64x2.splat(factorB)
    let s0 = f64x2.splat(0)
    let s1 = s0
    let t0 = s0
    let t1 = s0
    do {
      const u0 = v128.load(u)
      const u1 = v128.load(u, 16)
      const v0 = v128.load(v)
      const v1 = v128.load(v, 16)
      const a0 = f64x2.sub(v128.load(a), f64x2.mul(f, u0))
      const b0 = f64x2.sub(v128.load(b), f64x2.mul(g, u0))
      const a1 = f64x2.sub(v128.load(a, 16), f64x2.mul(f, u1))
      const b1 = f64x2.sub(v128.load(b, 16), f64x2.mul(g, u1))
      v128.store(a, a0)
      v128.store(b, b0)
      v128.store(a, a1, 16)
      v128.store(b, b1, 16)
      s0 = f64x2.add(s0, f64x2.mul(a0, v0))
      t0 = f64x2.add(t0, f64x2.mul(b0, v0))
      s1 = f64x2.add(s1, f64x2.mul(a1, v1))
      t1 = f64x2.add(t1, f64x2.mul(b1, v1))
      a += 32
      b += 32
      u += 32
      v += 32
    } while (a < end)
    store<f64>(w, Lanes.sumF64(f64x2.add(s0, s1)))
    store<f64>(w, Lanes.sumF64(f64x2.add(t0, t1)), 8)
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

  /** All of `count` columns `stride` bytes apart: column j -= tau w[j] u, and w[j] its dot with v. */
  @inline static pass(a: usize, stride: usize, count: i32, u: usize, v: usize, n: i32, tau: f64, w: usize): void {
    while (count > 1) {
      Reflector.steps(a, a + stride, u, v, n, tau * load<f64>(w), tau * load<f64>(w, 8), w)
      a += stride << 1
      w += 16
      count -= 2
    }
    if (count > 0) store<f64>(w, Reflector.step(a, u, v, n, tau * load<f64>(w)))
  }
}

/**
 * Factors k columns of `rows` rows, panel: f64[k][ld] (ld a multiple of 4, zeros behind the rows). The reflectors take
 * their place, with zeros above them; R's upper triangle goes to r: f64[k][ldr]. tau: f64[k]; w: f64[k] scratch.
 */
export function factorPanelF64(
  panel: usize,
  ld: i32,
  rows: i32,
  k: i32,
  r: usize,
  ldr: i32,
  tau: usize,
  w: usize
): void {
  const stride = (<usize>ld) << 3
  memory.fill(w, 0, (<usize>k) << 3)
  let before = panel
  let last = 0.0
  for (let j = 0; j < k; j++) {
    const column = panel + <usize>j * stride
    // Vectors are zero above their first row: passes may begin where pairs of pairs do.
    const start = max(0, j - 1) & ~3
    const head = (<usize>start) << 3
    if (j > 0) Vec.axpy(column + head, before + head, ld - start, -last * load<f64>(w + ((<usize>j) << 3)))
    for (let i = 0; i < j; i++) {
      const at = column + ((<usize>i) << 3)
      store<f64>(r + ((<usize>(i * ldr + j)) << 3), load<f64>(at))
      store<f64>(at, 0)
    }
    const own = tau + ((<usize>j) << 3)
    store<f64>(r + ((<usize>(j * ldr + j)) << 3), Reflector.build(column + ((<usize>j) << 3), rows - j, own))
    const rest = w + ((<usize>(j + 1)) << 3)
    Reflector.pass(column + stride + head, stride, k - 1 - j, before + head, column + head, ld - start, last, rest)
    before = column
    last = load<f64>(own)
  }
}

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

/**
 * Writes out the heads of the reflectors of factorPivotedQrF64, which R has left by then: 1 on the diagonal, zeros for
 * two blocks above it.
 */
export function unitReflectors(a: usize, ld: i32, n: i32): void {
  for (let k = 0; k < n; k++) {
    const column = a + ((<usize>k * ld) << 3)
    const start = max(k - 1, 0) & ~3
    memory.fill(column + ((<usize>start) << 3), 0, (<usize>(k - start)) << 3)
    store<f64>(column + ((<usize>k) << 3), 1)
  }
}

/**
 * w = Q w: `count` (a multiple of 4) columns of `rows` rows, ldw apart; Q of n reflectors v: f64[n] columns, ld apart,
 * with heads (unitReflectors), and tau: f64[n]. `identity` says that w is the identity, whose column j the reflectors
 * after j leave alone. factors: f64[4] scratch.
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
      Reflector.four(
        w + start,
        apart,
        u + start,
        column + start,
        factors,
        load<f64>(tau + ((<usize>k) << 3)),
        bytes - start
      )
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
