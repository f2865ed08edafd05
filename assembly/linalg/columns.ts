/** Row-major matrices in passes over their rows: what is found of their columns, and done to them. */
import { Lanes, ABS_MASK, INFINITY_BITS } from '../common/lanes'
import { Vec } from './vector'

/** What the exponents say where there is none: some element is not finite, or all are 0. */
const NOT_FINITE: i32 = 9999
const ALL_ZERO: i32 = -9999

/** The power of two that brings the greatest |x| of x: f32[n] into [.5, 1): its exponent; 9999 where one is not finite, -9999 where all are 0. */
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

class Power {
  @inline static scale<T>(x: usize, n: i32, a: T, b: T): void {
    const end = x + <usize>n * sizeof<T>()
    const va = v128.splat<T>(a)
    const vb = v128.splat<T>(b)
    while (x + 16 <= end) {
      v128.store(x, v128.mul<T>(v128.mul<T>(v128.load(x), va), vb))
      x += 16
    }
    while (x < end) {
      store<T>(x, <T>(load<T>(x) * a * b))
      x += sizeof<T>()
    }
  }
}

/** x: f32[n] *= 2^exponent, |exponent| < 250, in two steps since one factor may not be representable. */
export function scaleF32(x: usize, n: i32, exponent: i32): void {
  const half = exponent >> 1
  Power.scale<f32>(x, n, reinterpret<f32>((half + 127) << 23), reinterpret<f32>((exponent - half + 127) << 23))
}

/** x: f64[n] *= 2^exponent, |exponent| < 2000. */
export function scaleF64(x: usize, n: i32, exponent: i32): void {
  const half = exponent >> 1
  const a = reinterpret<f64>((<i64>(half + 1023)) << 52)
  const b = reinterpret<f64>((<i64>(exponent - half + 1023)) << 52)
  Power.scale<f64>(x, n, a, b)
}

/** sum x^2 of x: f32[n], in f64: two f64x2 accumulators over pairs of pairs, added, lane 0 + lane 1, the last n mod 4. */
export function squaresF32(x: usize, n: i32): f64 {
  const end = x + ((<usize>n) << 2)
  let a = f64x2.splat(0)
  let b = a
  while (x + 16 <= end) {
    const v = v128.load(x)
    const p = f64x2.promote_low_f32x4(v)
    const q = Lanes.promoteHigh(v)
    a = f64x2.add(a, f64x2.mul(p, p))
    b = f64x2.add(b, f64x2.mul(q, q))
    x += 16
  }
  let sum = Lanes.sumF64(f64x2.add(a, b))
  while (x < end) {
    sum += <f64>load<f32>(x) * <f64>load<f32>(x)
    x += 4
  }
  return sum
}

/** sum x^2 of x: f64[n]. */
export function squaresF64(x: usize, n: i32): f64 {
  return Vec.dot(x, x, n)
}

class Tops {
  /** tops: f64[columns], the entry of greatest magnitude so far in each column of x: T[rows][columns], the first of equals. */
  @inline static update<T>(tops: usize, x: usize, rows: i32, columns: i32): void {
    while (rows > 0) {
      let top = tops
      const end = x + <usize>columns * sizeof<T>()
      while (x < end) {
        const value = <f64>load<T>(x)
        if (abs(value) > abs(load<f64>(top))) store<f64>(top, value)
        x += sizeof<T>()
        top += 8
      }
      rows--
    }
  }

  /** x: T[rows][columns], each column times its factor of f64[columns]. */
  @inline static scale<T>(x: usize, rows: i32, columns: i32, factors: usize): void {
    while (rows > 0) {
      let factor = factors
      const end = x + <usize>columns * sizeof<T>()
      while (x < end) {
        store<T>(x, <T>(<f64>load<T>(x) * load<f64>(factor)))
        x += sizeof<T>()
        factor += 8
      }
      rows--
    }
  }
}

/** tops: f64[columns], widened to the entry of greatest magnitude, the first of equals, of each column of x: f32[rows][columns] after what it holds. */
export function topColumnsF32(tops: usize, x: usize, rows: i32, columns: i32): void {
  Tops.update<f32>(tops, x, rows, columns)
}

export function topColumnsF64(tops: usize, x: usize, rows: i32, columns: i32): void {
  Tops.update<f64>(tops, x, rows, columns)
}

/** x: f32[rows][columns], each column times its own of factors: f64[columns], rounded once. */
export function scaleColumnsF32(x: usize, rows: i32, columns: i32, factors: usize): void {
  Tops.scale<f32>(x, rows, columns, factors)
}

export function scaleColumnsF64(x: usize, rows: i32, columns: i32, factors: usize): void {
  Tops.scale<f64>(x, rows, columns, factors)
}
