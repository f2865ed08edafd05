/**
 * f64 columns of any length. Dots: four f64x2 accumulators, (0 + 1) + (2 + 3), its two lanes, then the rest in order.
 */
import { Lanes } from '../common/lanes'

export class Vec {
  @inline static dot(p: usize, q: usize, n: i32): f64 {
    const end = p + ((<usize>n) << 3)
    let a = f64x2.splat(0)
    let b = a
    let c = a
    let d = a
    while (p + 64 <= end) {
      a = f64x2.add(a, f64x2.mul(v128.load(p), v128.load(q)))
      b = f64x2.add(b, f64x2.mul(v128.load(p, 16), v128.load(q, 16)))
      c = f64x2.add(c, f64x2.mul(v128.load(p, 32), v128.load(q, 32)))
      d = f64x2.add(d, f64x2.mul(v128.load(p, 48), v128.load(q, 48)))
      p += 64
      q += 64
    }
    let sum = Lanes.sumF64(f64x2.add(f64x2.add(a, b), f64x2.add(c, d)))
    while (p < end) {
      sum += load<f64>(p) * load<f64>(q)
      p += 8
      q += 8
    }
    return sum
  }

  /** y += a x */
  @inline static axpy(y: usize, x: usize, n: i32, a: f64): void {
    const end = y + ((<usize>n) << 3)
    const va = f64x2.splat(a)
    while (y + 32 <= end) {
      v128.store(y, f64x2.add(v128.load(y), f64x2.mul(va, v128.load(x))))
      v128.store(y, f64x2.add(v128.load(y, 16), f64x2.mul(va, v128.load(x, 16))), 16)
      y += 32
      x += 32
    }
    while (y < end) {
      store<f64>(y, load<f64>(y) + a * load<f64>(x))
      y += 8
      x += 8
    }
  }

  @inline static scale(x: usize, n: i32, a: f64): void {
    const end = x + ((<usize>n) << 3)
    const va = f64x2.splat(a)
    while (x + 16 <= end) {
      v128.store(x, f64x2.mul(v128.load(x), va))
      x += 16
    }
    if (x < end) store<f64>(x, load<f64>(x) * a)
  }

  @inline static swap(p: usize, q: usize, n: i32): void {
    const end = p + ((<usize>n) << 3)
    while (p + 16 <= end) {
      const x = v128.load(p)
      v128.store(p, v128.load(q))
      v128.store(q, x)
      p += 16
      q += 16
    }
    if (p < end) {
      const x = load<f64>(p)
      store<f64>(p, load<f64>(q))
      store<f64>(q, x)
    }
  }
}
