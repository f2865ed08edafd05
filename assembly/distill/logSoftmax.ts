import { Lanes } from '../common/lanes'
import { Log } from '../common/log'
import { ROW_OK, Row } from './softmax'
import { Wide } from './wide'

class Shifted {
  /** dst: f32[n] = (src - top) * rate - shift, rounded once. */
  @inline static store(dst: usize, src: usize, n: i32, top: f64, rate: f64, shift: f64): void {
    const vt = f64x2.splat(top)
    const vr = f64x2.splat(rate)
    const vs = f64x2.splat(shift)
    const end = src + ((<usize>n) << 2)
    while (src + 16 <= end) {
      const x = v128.load(src)
      const a = f64x2.sub(f64x2.mul(f64x2.sub(f64x2.promote_low_f32x4(x), vt), vr), vs)
      const b = f64x2.sub(f64x2.mul(f64x2.sub(Lanes.promoteHigh(x), vt), vr), vs)
      v128.store(dst, v128.shuffle<i32>(f32x4.demote_f64x2_zero(a), f32x4.demote_f64x2_zero(b), 0, 1, 4, 5))
      dst += 16
      src += 16
    }
    while (src < end) {
      store<f32>(dst, <f32>((<f64>load<f32>(src) - top) * rate - shift))
      dst += 4
      src += 4
    }
  }
}

/** dst: f32[rows][n] = log softmax(src / temperature), in f64 and rounded once; otherwise as softmaxF32. */
export function logSoftmaxF32(dst: usize, state: usize, src: usize, rows: i32, n: i32, temperature: f64): i32 {
  // Neither 0 nor Infinity, as in Row.rate.
  const rate = max(f64.MIN_NORMAL_VALUE, min(f64.MAX_VALUE, 1.0 / temperature))
  const bytes = (<usize>n) << 2
  let row = 0
  while (row < rows) {
    const top = <f64>Row.max(src, n, state)
    if (load<i32>(state) != ROW_OK) return row
    const shift = Log.f64(Wide.exp(0, src, n, top, rate, 0))
    Shifted.store(dst, src, n, top, rate, shift)
    dst += bytes
    src += bytes
    row++
  }
  return -1
}
