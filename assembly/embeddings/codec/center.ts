/**
 * Rows less a centroid, and what is known of a residual. Sums are in f64: two f64x2 over pairs of pairs, added, lane 0
 * + lane 1, the last n mod 4.
 */
import { Lanes } from '../../common/lanes'

/** sum x y of x, y: f32[n]. */
export function productF32(x: usize, y: usize, n: i32): f64 {
  const end = x + ((<usize>n) << 2)
  let a = f64x2.splat(0)
  let b = a
  while (x + 16 <= end) {
    const u = v128.load(x)
    const v = v128.load(y)
    a = f64x2.add(a, f64x2.mul(f64x2.promote_low_f32x4(u), f64x2.promote_low_f32x4(v)))
    b = f64x2.add(b, f64x2.mul(Lanes.promoteHigh(u), Lanes.promoteHigh(v)))
    x += 16
    y += 16
  }
  let sum = Lanes.sumF64(f64x2.add(a, b))
  while (x < end) {
    sum += <f64>load<f32>(x) * <f64>load<f32>(y)
    x += 4
    y += 4
  }
  return sum
}

/** sum x of x: f32[n]. */
export function sumF32(x: usize, n: i32): f64 {
  const end = x + ((<usize>n) << 2)
  let a = f64x2.splat(0)
  let b = a
  while (x + 16 <= end) {
    const v = v128.load(x)
    a = f64x2.add(a, f64x2.promote_low_f32x4(v))
    b = f64x2.add(b, Lanes.promoteHigh(v))
    x += 16
  }
  let sum = Lanes.sumF64(f64x2.add(a, b))
  while (x < end) {
    sum += <f64>load<f32>(x)
    x += 4
  }
  return sum
}

/** sum |x| of x: f32[n], in order. */
export function magnitudesF32(x: usize, n: i32): f64 {
  const end = x + ((<usize>n) << 2)
  let sum: f64 = 0
  while (x < end) {
    sum += <f64>abs(load<f32>(x))
    x += 4
  }
  return sum
}

/** mean: f32[n] of rows: f32[count][n], summed in order. sums: f64[n]. count > 0. */
export function meanRowsF32(mean: usize, rows: usize, count: i32, n: i32, sums: usize): void {
  memory.fill(sums, 0, (<usize>n) << 3)
  const end = sums + ((<usize>n) << 3)
  const divisor = <f64>count
  while (count > 0) {
    let s = sums
    do {
      store<f64>(s, load<f64>(s) + <f64>load<f32>(rows))
      s += 8
      rows += 4
    } while (s < end)
    count--
  }
  do {
    store<f32>(mean, <f32>(load<f64>(sums) / divisor))
    mean += 4
    sums += 8
  } while (sums < end)
}

/** low, high: f32[n], the ends of each column of rows: f32[count][n]. count > 0. */
export function endsRowsF32(low: usize, high: usize, rows: usize, count: i32, n: i32): void {
  const bytes = (<usize>n) << 2
  memory.copy(low, rows, bytes)
  memory.copy(high, rows, bytes)
  while (count > 0) {
    let at: usize = 0
    do {
      const x = load<f32>(rows + at)
      store<f32>(low + at, min(load<f32>(low + at), x))
      store<f32>(high + at, max(load<f32>(high + at), x))
      at += 4
    } while (at < bytes)
    rows += bytes
    count--
  }
}

/** to: f32[count][n] = rows + factor shift; to may be rows. shift: f32[n], factor: 1 or -1. */
export function shiftRowsF32(to: usize, rows: usize, shift: usize, count: i32, n: i32, factor: f32): void {
  const f = f32x4.splat(factor)
  while (count > 0) {
    let s = shift
    const end = shift + ((<usize>n) << 2)
    while (s + 16 <= end) {
      v128.store(to, f32x4.add(v128.load(rows), f32x4.mul(v128.load(s), f)))
      to += 16
      rows += 16
      s += 16
    }
    while (s < end) {
      store<f32>(to, load<f32>(rows) + load<f32>(s) * factor)
      to += 4
      rows += 4
      s += 4
    }
    count--
  }
}

/** to: f32[n] = x y; to may be either. */
export function timesF32(to: usize, x: usize, y: usize, n: i32): void {
  const end = x + ((<usize>n) << 2)
  while (x < end) {
    store<f32>(to, load<f32>(x) * load<f32>(y))
    to += 4
    x += 4
    y += 4
  }
}
