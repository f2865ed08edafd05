/**
 * A symmetric matrix to tridiagonal form by Householder reflections (G. H. Golub and C. F. Van Loan, Matrix
 * Computations, algorithm 8.3.1). Each reflector takes one pass over the columns: it subtracts the rank-2 update of the
 * one before and multiplies by the next. Both halves are kept.
 */
import { Lanes } from '../common/lanes'
import { Vec } from './vector'

class Update {
  /** a -= f v + g w; returns a . y. Over `bytes` bytes, a multiple of 16. */
  @inline static one(a: usize, v: usize, w: usize, y: usize, f: f64, g: f64, bytes: usize): f64 {
    const vf = f64x2.splat(f)
    const vg = f64x2.splat(g)
    const end = a + bytes
    let sum = f64x2.splat(0)
    do {
      const x = f64x2.sub(f64x2.sub(v128.load(a), f64x2.mul(vf, v128.load(v))), f64x2.mul(vg, v128.load(w)))
      v128.store(a, x)
      sum = f64x2.add(sum, f64x2.mul(x, v128.load(y)))
      a += 16
      v += 16
      w += 16
      y += 16
    } while (a < end)
    return Lanes.sumF64(sum)
  }

  /** The same of two columns; dots: f64[2]. */
  @inline static two(
    dots: usize,
    a: usize,
    b: usize,
    v: usize,
    w: usize,
    y: usize,
    f0: f64,
    g0: f64,
    f1: f64,
    g1: f64,
    bytes: usize
  ): void {
    const vf0 = f64x2.splat(f0)
    const vg0 = f64x2.splat(g0)
    const vf1 = f64x2.splat(f1)
    const vg1 = f64x2.splat(g1)
    const end = a + bytes
    let s0 = f64x2.splat(0)
    let s1 = s0
    do {
      const p = v128.load(v)
      const q = v128.load(w)
      const r = v128.load(y)
      const x0 = f64x2.sub(f64x2.sub(v128.load(a), f64x2.mul(vf0, p)), f64x2.mul(vg0, q))
      const x1 = f64x2.sub(f64x2.sub(v128.load(b), f64x2.mul(vf1, p)), f64x2.mul(vg1, q))
      v128.store(a, x0)
      v128.store(b, x1)
      s0 = f64x2.add(s0, f64x2.mul(x0, r))
      s1 = f64x2.add(s1, f64x2.mul(x1, r))
      a += 16
      b += 16
      v += 16
      w += 16
      y += 16
    } while (a < end)
    store<f64>(dots, Lanes.sumF64(s0))
    store<f64>(dots, Lanes.sumF64(s1), 8)
  }
}

class Step {
  /**
   * y: a column from its entry `here` on, becomes the reflector that leaves one entry of it, which goes to `beside`.
   * Returns its factor. Whole vectors of y begin at `start`; the last column has nothing to reflect.
   */
  @inline static reflector(y: usize, beside: usize, start: usize, here: usize, bytes: usize, last: bool): f64 {
    const first = load<f64>(y + here)
    const norm = sqrt(Vec.dot(y + start, y + start, <i32>((bytes - start) >> 3)))
    if (last || norm == 0) {
      store<f64>(beside, last ? first : 0)
      memory.fill(y + here, 0, bytes - here)
      return 0
    }
    const beta = first >= 0 ? -norm : norm
    Vec.scale(y + here, <i32>((bytes - here) >> 3), 1.0 / (first - beta))
    store<f64>(beside, beta)
    return (beta - first) / beta
  }

  /**
   * x = A y for columns [first, n), each of which loses the update by u and w on the way. Bytes before `start` are left
   * out.
   */
  @inline static products(
    x: usize,
    a: usize,
    stride: usize,
    u: usize,
    w: usize,
    y: usize,
    first: i32,
    n: i32,
    bytes: usize,
    start: usize
  ): void {
    let j = first
    while (j + 1 < n) {
      const p = (<usize>j) << 3
      const b = a + <usize>j * stride
      Update.two(
        x + p,
        b,
        b + stride,
        u + start,
        w + start,
        y + start,
        load<f64>(w + p),
        load<f64>(u + p),
        load<f64>(w + p, 8),
        load<f64>(u + p, 8),
        bytes - start
      )
      j += 2
    }
    if (j < n) {
      const p = (<usize>j) << 3
      const b = a + <usize>j * stride
      const sum = Update.one(b, u + start, w + start, y + start, load<f64>(w + p), load<f64>(u + p), bytes - start)
      store<f64>(x + p, sum)
    }
  }
}

/**
 * a: f64[n] columns of `rows` rows (ld apart, a multiple of 4, zeros beyond n), symmetric, destroyed: A = Q T Q^T. T:
 * diagonal d: f64[n], beside it e: f64[n] (e[n - 1] = 0). Q written out, of reflectors in v: f64[n] columns, ld apart,
 * and tau: f64[n], as applyQ takes them. Column k + 1 is for step k; column 0 is the first unit vector. Scratch:
 * vectors: f64[4][rows].
 */
export function tridiagonalise(
  a: usize,
  ld: i32,
  rows: i32,
  n: i32,
  v: usize,
  tau: usize,
  d: usize,
  e: usize,
  vectors: usize
): void {
  const stride = (<usize>ld) << 3
  const bytes = (<usize>rows) << 3
  memory.fill(vectors, 0, bytes << 2)
  memory.fill(v, 0, bytes)
  store<f64>(v, 1)
  store<f64>(tau, 0)
  let u = vectors
  let w = u + bytes
  let y = w + bytes
  let x = y + bytes
  for (let k = 0; k < n; k++) {
    const at = (<usize>k) << 3
    const c = a + <usize>k * stride
    // Whole vectors from here on hold row k.
    const from = (<usize>(k & ~3)) << 3
    Update.one(c + from, u + from, w + from, u + from, load<f64>(w + at), load<f64>(u + at), bytes - from)
    store<f64>(d + at, load<f64>(c + at))
    store<f64>(e + at, 0)
    const r = k + 1
    if (r == n) break
    const here = (<usize>r) << 3
    memory.fill(y, 0, here)
    memory.copy(y + here, c + here, bytes - here)
    const start = (<usize>(r & ~3)) << 3
    memory.fill(x, 0, start)
    const t = Step.reflector(y, e + at, start, here, bytes, r == n - 1)
    store<f64>(y + here, 1)
    store<f64>(tau + here, t)
    memory.copy(v + <usize>r * stride, y, bytes)
    Step.products(x, a + start, stride, u, w, y, r, n, bytes, start)
    // Rows of the block before r take no part.
    memory.fill(x + start, 0, here - start)
    memory.fill(x + ((<usize>n) << 3), 0, bytes - ((<usize>n) << 3))
    const length = <i32>((bytes - start) >> 3)
    Vec.scale(x + start, length, t)
    Vec.axpy(x + start, y + start, length, -0.5 * t * Vec.dot(x + start, y + start, length))
    let spare = u
    u = y
    y = spare
    spare = w
    w = x
    x = spare
  }
}
