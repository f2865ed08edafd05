/**
 * One-sided Jacobi (M. R. Hestenes, 1958) with de Rijk's pivoting on the lower triangular factor of a pivoted QR, where it
 * converges in few sweeps (Z. Drmac and K. Veselic, SIAM J. Matrix Anal. Appl. 29, 2008). Rotations in Rutishauser's form.
 */
import { Lanes } from '../common/lanes'
import { Vec } from './vector'

/** LAPACK dgesvj.f: 30 sweeps. */
const MOST_SWEEPS: i32 = 30
/** The greatest entry being about 1: below this, squares would leave the normal numbers, and entries count as 0. */
export const NEGLIGIBLE: f64 = 1e-145

class Rotate {
  /** x' = x - s (y + t x), y' = y + s (x - t y), over n (a multiple of 4) elements. */
  @inline static pair(p: usize, q: usize, n: i32, s: f64, t: f64): void {
    const vs = f64x2.splat(s)
    const vt = f64x2.splat(t)
    const end = p + ((<usize>n) << 3)
    do {
      const x = v128.load(p)
      const y = v128.load(q)
      const z = v128.load(p, 16)
      const w = v128.load(q, 16)
      v128.store(p, f64x2.sub(x, f64x2.mul(vs, f64x2.add(y, f64x2.mul(vt, x)))))
      v128.store(q, f64x2.add(y, f64x2.mul(vs, f64x2.sub(x, f64x2.mul(vt, y)))))
      v128.store(p, f64x2.sub(z, f64x2.mul(vs, f64x2.add(w, f64x2.mul(vt, z)))), 16)
      v128.store(q, f64x2.add(w, f64x2.mul(vs, f64x2.sub(z, f64x2.mul(vt, w)))), 16)
      p += 32
      q += 32
    } while (p < end)
  }

  /** The same, and the dot of the new p with r in the same pass: the next pair's, which saves a read of p. */
  @inline static pairDot(p: usize, q: usize, r: usize, n: i32, s: f64, t: f64): f64 {
    const vs = f64x2.splat(s)
    const vt = f64x2.splat(t)
    const end = p + ((<usize>n) << 3)
    let a = f64x2.splat(0)
    let b = a
    do {
      const x = v128.load(p)
      const y = v128.load(q)
      const z = v128.load(p, 16)
      const w = v128.load(q, 16)
      const nx = f64x2.sub(x, f64x2.mul(vs, f64x2.add(y, f64x2.mul(vt, x))))
      const nz = f64x2.sub(z, f64x2.mul(vs, f64x2.add(w, f64x2.mul(vt, z))))
      v128.store(p, nx)
      v128.store(q, f64x2.add(y, f64x2.mul(vs, f64x2.sub(x, f64x2.mul(vt, y)))))
      v128.store(p, nz, 16)
      v128.store(q, f64x2.add(w, f64x2.mul(vs, f64x2.sub(z, f64x2.mul(vt, w)))), 16)
      a = f64x2.add(a, f64x2.mul(nx, v128.load(r)))
      b = f64x2.add(b, f64x2.mul(nz, v128.load(r, 16)))
      p += 32
      q += 32
      r += 32
    } while (p < end)
    return Lanes.sumF64(f64x2.add(a, b))
  }
}

/** x: n columns of length ld from R: a's upper triangle (leading dimension lda): x[:, j] = R[j, :], without its negligible entries. x is zero before. */
export function lowerFactor(x: usize, ld: i32, a: usize, lda: i32, n: i32): void {
  for (let i = 0; i < n; i++) {
    for (let j = i; j < n; j++) {
      const entry = load<f64>(a + ((<usize>j * lda + i) << 3))
      if (abs(entry) >= NEGLIGIBLE) store<f64>(x + ((<usize>i * ld + j) << 3), entry)
    }
  }
}

/**
 * Rotates the n columns of x (length ld, a multiple of 4, zero padded) until all are orthogonal, and those of v with them.
 * A pair is rotated while |x_p . x_q| > tolerance |x_p| |x_q|. norms: f64[n] scratch.
 * Returns the number of sweeps, the last without a rotation; more than MOST_SWEEPS where it has not converged.
 */
export function jacobiSweeps(x: usize, v: usize, ld: i32, n: i32, tolerance: f64, norms: usize): i32 {
  const stride = (<usize>ld) << 3
  let sweep = 0
  while (sweep < MOST_SWEEPS) {
    sweep++
    for (let j = 0; j < n; j++) {
      const column = x + <usize>j * stride
      store<f64>(norms + ((<usize>j) << 3), Vec.dot(column, column, ld))
    }
    let rotations = 0
    for (let p = 0; p < n - 1; p++) {
      let best = p
      for (let k = p + 1; k < n; k++) {
        if (load<f64>(norms + ((<usize>k) << 3)) > load<f64>(norms + ((<usize>best) << 3))) best = k
      }
      const xp = x + <usize>p * stride
      const vp = v + <usize>p * stride
      if (best != p) {
        Vec.swap(xp, x + <usize>best * stride, ld)
        Vec.swap(vp, v + <usize>best * stride, ld)
        Vec.swap(norms + ((<usize>p) << 3), norms + ((<usize>best) << 3), 1)
      }
      let app = load<f64>(norms + ((<usize>p) << 3))
      let xq = xp + stride
      let vq = vp + stride
      let apq = Vec.dot(xp, xq, ld)
      for (let q = p + 1; q < n; q++) {
        const at = norms + ((<usize>q) << 3)
        const aqq = load<f64>(at)
        const next = xq + stride
        const last = q == n - 1
        if (abs(apq) > tolerance * (sqrt(max(0.0, app)) * sqrt(max(0.0, aqq)))) {
          rotations++
          const z = (aqq - app) / (2.0 * apq)
          const tangent = (z >= 0 ? 1.0 : -1.0) / (abs(z) + sqrt(1.0 + z * z))
          const c = 1.0 / sqrt(1.0 + tangent * tangent)
          const s = c * tangent
          const t = s / (1.0 + c)
          app -= tangent * apq
          store<f64>(at, aqq + tangent * apq)
          Rotate.pair(vp, vq, ld, s, t)
          if (last) Rotate.pair(xp, xq, ld, s, t)
          else apq = Rotate.pairDot(xp, xq, next, ld, s, t)
        } else if (!last) apq = Vec.dot(xp, next, ld)
        xq = next
        vq += stride
      }
      store<f64>(norms + ((<usize>p) << 3), app)
    }
    if (rotations == 0) return sweep
  }
  return MOST_SWEEPS + 1
}

/** sigma: f64[n], descending, the norms of x's columns; order: i32[n], which column each came from, ties by index. */
export function orderBySize(sigma: usize, order: usize, x: usize, ld: i32, n: i32): void {
  for (let j = 0; j < n; j++) {
    const column = x + ((<usize>j * ld) << 3)
    let size = sqrt(Vec.dot(column, column, ld))
    if (size < NEGLIGIBLE) size = 0
    let k = j
    while (k > 0 && load<f64>(sigma + ((<usize>(k - 1)) << 3)) < size) {
      store<f64>(sigma + ((<usize>k) << 3), load<f64>(sigma + ((<usize>(k - 1)) << 3)))
      store<i32>(order + ((<usize>k) << 2), load<i32>(order + ((<usize>(k - 1)) << 2)))
      k--
    }
    store<f64>(sigma + ((<usize>k) << 3), size)
    store<i32>(order + ((<usize>k) << 2), j)
  }
}

/** dst: columns of length ldTo, its column j the column order[j] of src (length n used), each divided by its sigma where `normalise`. */
export function takeColumns(
  dst: usize,
  ldTo: i32,
  src: usize,
  ld: i32,
  n: i32,
  order: usize,
  sigma: usize,
  normalise: i32
): void {
  for (let j = 0; j < n; j++) {
    const from = src + ((<usize>load<i32>(order + ((<usize>j) << 2)) * ld) << 3)
    const to = dst + ((<usize>j * ldTo) << 3)
    const size = load<f64>(sigma + ((<usize>j) << 3))
    memory.copy(to, from, (<usize>n) << 3)
    if (normalise && size > 0) Vec.scale(to, n, 1.0 / size)
  }
}

/**
 * Makes the columns of x from `rank` to n - 1 (length n, ld apart) an orthonormal basis of what the first `rank` leave over:
 * each time the unit vector that is farthest from the columns so far, orthogonalised twice. room: f64[n] scratch.
 */
export function completeBasis(x: usize, ld: i32, n: i32, rank: i32, room: usize): void {
  const stride = (<usize>ld) << 3
  for (let i = 0; i < n; i++) {
    let square = 0.0
    for (let j = 0; j < rank; j++) {
      const entry = load<f64>(x + <usize>j * stride + ((<usize>i) << 3))
      square += entry * entry
    }
    store<f64>(room + ((<usize>i) << 3), 1.0 - square)
  }
  for (let k = rank; k < n; k++) {
    let best = 0
    for (let i = 1; i < n; i++) {
      if (load<f64>(room + ((<usize>i) << 3)) > load<f64>(room + ((<usize>best) << 3))) best = i
    }
    const column = x + <usize>k * stride
    memory.fill(column, 0, (<usize>n) << 3)
    store<f64>(column + ((<usize>best) << 3), 1)
    for (let pass = 0; pass < 2; pass++) {
      for (let j = 0; j < k; j++) {
        const other = x + <usize>j * stride
        Vec.axpy(column, other, n, -Vec.dot(other, column, n))
      }
    }
    Vec.scale(column, n, 1.0 / sqrt(Vec.dot(column, column, n)))
    for (let i = 0; i < n; i++) {
      const entry = load<f64>(column + ((<usize>i) << 3))
      const at = room + ((<usize>i) << 3)
      store<f64>(at, load<f64>(at) - entry * entry)
    }
  }
}

/** Rows of x permuted: dst[order[i]] = src[i] in each of n columns of length n. */
export function permuteRows(dst: usize, src: usize, ld: i32, n: i32, order: usize): void {
  for (let j = 0; j < n; j++) {
    const at = (<usize>j * ld) << 3
    for (let i = 0; i < n; i++) {
      const to = <usize>load<i32>(order + ((<usize>i) << 2))
      store<f64>(dst + at + (to << 3), load<f64>(src + at + ((<usize>i) << 3)))
    }
  }
}

/** Flips column j of both where u's entry of greatest magnitude (the first of equals) is negative. */
export function fixSigns(u: usize, ldu: i32, m: i32, v: usize, ldv: i32, n: i32, columns: i32): void {
  for (let j = 0; j < columns; j++) {
    const cu = u + ((<usize>j * ldu) << 3)
    let top = 0.0
    for (let i = 0; i < m; i++) {
      const x = load<f64>(cu + ((<usize>i) << 3))
      if (abs(x) > abs(top)) top = x
    }
    if (top < 0) {
      Vec.scale(cu, m, -1)
      Vec.scale(v + ((<usize>j * ldv) << 3), n, -1)
    }
  }
}
