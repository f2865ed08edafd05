/** Row-major matrices in passes over their rows: what is found of their columns, and done to them. */
import { Lanes } from '../common/lanes'
import { Vec } from './vector'

/**
 * sum x^2 of x: f32[n], in f64: two f64x2 accumulators over pairs of pairs, added, lane 0 + lane 1, the last n mod 4.
 */
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
  /**
   * tops: f64[columns], the entry of greatest magnitude so far in each column of x: T[rows][columns], the first of
   * equals.
   */
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

/**
 * tops: f64[columns], widened to the entry of greatest magnitude, the first of equals, of each column of x:
 * f32[rows][columns] after what it holds.
 */
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
