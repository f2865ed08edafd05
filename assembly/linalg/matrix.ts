/** Column-major f64 matrices with a leading dimension `ld` in elements, and powers of two of whole arrays. */
import { ALL_ZERO, NOT_FINITE } from './constants'
import { Lanes, ABS_MASK, INFINITY_BITS } from '../common/lanes'

/** Rows that are placed at once: a cache line of each column. */
const ROWS: i32 = 8

/** dst: columns of length ld; rows [first, first + rows) of them from src: f64[rows][columns]. */
export function placeRows(dst: usize, ld: i32, first: i32, src: usize, rows: i32, columns: i32): void {
  const stride = (<usize>ld) << 3
  const length = (<usize>columns) << 3
  for (let r = 0; r < rows; r += ROWS) {
    const bytes = (<usize>min(ROWS, rows - r)) << 3
    let column = dst + ((<usize>(first + r)) << 3)
    let from = src + <usize>r * length
    const end = from + length
    while (from < end) {
      let p = column
      let q = from
      const last = p + bytes
      do {
        store<f64>(p, load<f64>(q))
        p += 8
        q += length
      } while (p < last)
      column += stride
      from += 8
    }
  }
}

/** The inverse of placeRows: dst: f64[rows][columns]. */
export function takeRows(dst: usize, src: usize, ld: i32, first: i32, rows: i32, columns: i32): void {
  const stride = (<usize>ld) << 3
  const length = (<usize>columns) << 3
  for (let r = 0; r < rows; r += ROWS) {
    const bytes = (<usize>min(ROWS, rows - r)) << 3
    let column = src + ((<usize>(first + r)) << 3)
    let to = dst + <usize>r * length
    const end = to + length
    while (to < end) {
      let p = column
      let q = to
      const last = p + bytes
      do {
        store<f64>(q, load<f64>(p))
        p += 8
        q += length
      } while (p < last)
      column += stride
      to += 8
    }
  }
}

/** What the exponents say where there is none: some element is not finite, or all are 0. */

/**
 * The power of two that brings the greatest |x| of x: f32[n] into [.5, 1): its exponent; 9999 where one is not finite,
 * -9999 where all are 0.
 */
export function exponentF32(x: usize, n: i32): i32 {
  const end = x + ((<usize>n) << 2)
  const mask = i32x4.splat(ABS_MASK)
  let a = i32x4.splat(0)
  let b = a
  while (x + 32 <= end) {
    a = i32x4.max_s(a, v128.and(mask, v128.load(x)))
    b = i32x4.max_s(b, v128.and(mask, v128.load(x, 16)))
    x += 32
  }
  let top = Lanes.maxSigned(i32x4.max_s(a, b))
  while (x < end) {
    top = max(top, load<i32>(x) & ABS_MASK)
    x += 4
  }
  if (top >= INFINITY_BITS) return NOT_FINITE
  if (top == 0) return ALL_ZERO
  const exponent = top >> 23
  // A subnormal's exponent is that of its highest bit.
  return exponent > 0 ? exponent - 126 : -117 - <i32>clz(top)
}

/** The same of x: f64[n]. */
export function exponentF64(x: usize, n: i32): i32 {
  const end = x + ((<usize>n) << 3)
  const mask = i64x2.splat(0x7fffffffffffffff)
  let a = i64x2.splat(0)
  let b = a
  while (x + 32 <= end) {
    const p = v128.and(mask, v128.load(x))
    const q = v128.and(mask, v128.load(x, 16))
    a = v128.bitselect(p, a, i64x2.gt_s(p, a))
    b = v128.bitselect(q, b, i64x2.gt_s(q, b))
    x += 32
  }
  a = v128.bitselect(b, a, i64x2.gt_s(b, a))
  let top = max(i64x2.extract_lane(a, 0), i64x2.extract_lane(a, 1))
  while (x < end) {
    top = max(top, load<i64>(x) & 0x7fffffffffffffff)
    x += 8
  }
  if (top >= 0x7ff0000000000000) return NOT_FINITE
  if (top == 0) return ALL_ZERO
  const exponent = <i32>(top >> 52)
  return exponent > 0 ? exponent - 1022 : -1010 - <i32>clz(top)
}

/** exponentF64, or 0 where all are 0. */
export function unitExponent(x: usize, n: i32): i32 {
  const exponent = exponentF64(x, n)
  return exponent == ALL_ZERO ? 0 : exponent
}

/** x: f32[n] *= 2^exponent, |exponent| < 250, in two steps since one factor may not be representable. */
export function scaleF32(x: usize, n: i32, exponent: i32): void {
  const half = exponent >> 1
  const a = reinterpret<f32>((half + 127) << 23)
  const b = reinterpret<f32>((exponent - half + 127) << 23)
  const va = f32x4.splat(a)
  const vb = f32x4.splat(b)
  const end = x + ((<usize>n) << 2)
  while (x + 16 <= end) {
    v128.store(x, f32x4.mul(f32x4.mul(v128.load(x), va), vb))
    x += 16
  }
  while (x < end) {
    store<f32>(x, load<f32>(x) * a * b)
    x += 4
  }
}

/** x: f64[n] *= 2^exponent, |exponent| < 2000. */
export function scaleByPower(x: usize, n: i32, exponent: i32): void {
  const half = exponent >> 1
  const a = reinterpret<f64>((<i64>(half + 1023)) << 52)
  const b = reinterpret<f64>((<i64>(exponent - half + 1023)) << 52)
  const va = f64x2.splat(a)
  const vb = f64x2.splat(b)
  const end = x + ((<usize>n) << 3)
  while (x + 16 <= end) {
    v128.store(x, f64x2.mul(f64x2.mul(v128.load(x), va), vb))
    x += 16
  }
  if (x < end) store<f64>(x, load<f64>(x) * a * b)
}
