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
export const SMALL: f64 = 1.1830521861667747e-271
export const UP: f64 = 4.149515568880993e180
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
