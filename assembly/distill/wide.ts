import { Exp } from '../common/exp'
import { Lanes } from '../common/lanes'

/**
 * Exponentials of a row in f64. Sums: two f64x2 accumulators, the first and the second pair of each four elements;
 * added, lane 0 + lane 1, then the last n mod 4 in order.
 */
export class Wide {
  /** dst: f64[n] = exp((src - top) * rate) of src: f32[n], where they are kept; returns the sum. */
  @inline static exp(dst: usize, src: usize, n: i32, top: f64, rate: f64, keep: i32): f64 {
    const vt = f64x2.splat(top)
    const vr = f64x2.splat(rate)
    const end = src + ((<usize>n) << 2)
    let even = f64x2.splat(0)
    let odd = even
    while (src + 16 <= end) {
      const x = v128.load(src)
      const a = Exp.f64(f64x2.mul(f64x2.sub(f64x2.promote_low_f32x4(x), vt), vr))
      const b = Exp.f64(f64x2.mul(f64x2.sub(Lanes.promoteHigh(x), vt), vr))
      if (keep) {
        v128.store(dst, a)
        v128.store(dst, b, 16)
        dst += 32
      }
      even = f64x2.add(even, a)
      odd = f64x2.add(odd, b)
      src += 16
    }
    let sum = Lanes.sumF64(f64x2.add(even, odd))
    while (src < end) {
      const y = f64x2.extract_lane(Exp.f64(f64x2.splat((<f64>load<f32>(src) - top) * rate)), 0)
      if (keep) {
        store<f64>(dst, y)
        dst += 8
      }
      sum += y
      src += 4
    }
    return sum
  }

  /**
   * dst: f64[n] = src: f64[n] squared `times` times over; returns the sum. exp(x) is exp(x / 2) squared, at a fraction
   * of the cost.
   */
  @inline static square(dst: usize, src: usize, n: i32, times: i32): f64 {
    const end = src + ((<usize>n) << 3)
    let even = f64x2.splat(0)
    let odd = even
    while (src + 32 <= end) {
      let a = v128.load(src)
      let b = v128.load(src, 16)
      let left = times
      do {
        a = f64x2.mul(a, a)
        b = f64x2.mul(b, b)
      } while (--left > 0)
      v128.store(dst, a)
      v128.store(dst, b, 16)
      even = f64x2.add(even, a)
      odd = f64x2.add(odd, b)
      dst += 32
      src += 32
    }
    let sum = Lanes.sumF64(f64x2.add(even, odd))
    while (src < end) {
      let y = load<f64>(src)
      let left = times
      do {
        y *= y
      } while (--left > 0)
      store<f64>(dst, y)
      sum += y
      dst += 8
      src += 8
    }
    return sum
  }
}
