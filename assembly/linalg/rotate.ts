/**
 * Rotations of pairs of columns in H. Rutishauser's form (Numer. Math. 9, 1966): x - s (y + t x), t = tan(angle / 2),
 * errs least.
 */
import { Lanes } from '../common/lanes'

export class Rotate {
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

  /** The tangent of the smaller angle that makes columns of squares app, aqq and dot apq orthogonal. */
  @inline static tangent(app: f64, aqq: f64, apq: f64): f64 {
    const z = (aqq - app) / (2.0 * apq)
    // Beyond, 1 + z^2 is z^2, which may overflow.
    return abs(z) > 1e9 ? 0.5 / z : (z >= 0 ? 1.0 : -1.0) / (abs(z) + sqrt(1.0 + z * z))
  }
}
