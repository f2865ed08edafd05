/**
 * Rows of logits. Sums of exponentials: four f32 lanes over blocks of 256 elements, each block's lanes added in f64 as
 * (0 + 1) + (2 + 3), blocks in order.
 */
import { Exp } from '../common/exp'

const BLOCK: i32 = 256

export const ROW_OK: i32 = 0
export const ROW_EMPTY: i32 = 1
export const ROW_BAD: i32 = 2

export class Row {
  /** The greatest of n logits; status at `state`: a row wholly -Infinity is empty, NaN or +Infinity is bad. */
  @inline static max(p: usize, n: i32, state: usize): f32 {
    const end = p + ((<usize>n) << 2)
    let top = f32x4.splat(-Infinity)
    let odd = f32x4.splat(0)
    while (p + 16 <= end) {
      const x = v128.load(p)
      top = f32x4.pmax(top, x)
      // x - x is 0 for finite x and NaN otherwise; -Infinity is let off by the compare below.
      odd = v128.or(odd, v128.not(f32x4.lt(x, f32x4.splat(Infinity))))
      p += 16
    }
    let best = max(
      max(f32x4.extract_lane(top, 0), f32x4.extract_lane(top, 1)),
      max(f32x4.extract_lane(top, 2), f32x4.extract_lane(top, 3))
    )
    let bad: bool = v128.any_true(odd)
    while (p < end) {
      const x = load<f32>(p)
      if (!(x < <f32>Infinity)) bad = true
      else if (x > best) best = x
      p += 4
    }
    store<i32>(state, bad ? ROW_BAD : best == <f32>-Infinity ? ROW_EMPTY : ROW_OK)
    return best
  }

  /** 1 / temperature as a normal f32: a rate of 0 or Infinity would make NaN of a masked or the greatest class. */
  @inline static rate(temperature: f64): f32 {
    return max(<f32>1.1754944e-38, min(f32.MAX_VALUE, <f32>(1.0 / temperature)))
  }

  /** dst: f32[n] = exp((src - top) * rate); returns the sum. */
  @inline static exp(dst: usize, src: usize, n: i32, top: f32, rate: f32): f64 {
    const vt = f32x4.splat(top)
    const vr = f32x4.splat(rate)
    let sum: f64 = 0
    let left = n
    while (left >= 4) {
      const block = min(left, BLOCK) & ~3
      const stop = src + ((<usize>block) << 2)
      let acc = f32x4.splat(0)
      do {
        const y = Exp.f32(f32x4.mul(f32x4.sub(v128.load(src), vt), vr))
        v128.store(dst, y)
        acc = f32x4.add(acc, y)
        dst += 16
        src += 16
      } while (src < stop)
      sum +=
        <f64>f32x4.extract_lane(acc, 0) +
        <f64>f32x4.extract_lane(acc, 1) +
        (<f64>f32x4.extract_lane(acc, 2) + <f64>f32x4.extract_lane(acc, 3))
      left -= block
    }
    while (left > 0) {
      const y = f32x4.extract_lane(Exp.f32(f32x4.splat((load<f32>(src) - top) * rate)), 0)
      store<f32>(dst, y)
      sum += <f64>y
      dst += 4
      src += 4
      left--
    }
    return sum
  }
}

/**
 * dst: f32[rows][n] = softmax(src / temperature). Returns -1, or the first row that is empty or bad; its status is at
 * state: i32.
 */
export function softmaxF32(dst: usize, state: usize, src: usize, rows: i32, n: i32, temperature: f64): i32 {
  const rate = Row.rate(temperature)
  const bytes = (<usize>n) << 2
  let row = 0
  while (row < rows) {
    const top = Row.max(src, n, state)
    if (load<i32>(state) != ROW_OK) return row
    const inverse = <f32>(1.0 / Row.exp(dst, src, n, top, rate))
    const vi = f32x4.splat(inverse)
    let o: usize = 0
    while (o + 16 <= bytes) {
      v128.store(dst + o, f32x4.mul(v128.load(dst + o), vi))
      o += 16
    }
    while (o < bytes) {
      store<f32>(dst + o, load<f32>(dst + o) * inverse)
      o += 4
    }
    dst += bytes
    src += bytes
    row++
  }
  return -1
}
