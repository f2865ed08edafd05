import { Lanes } from '../common/lanes'
import { Vec } from './vector'

/**
 * Adds to sums: f64[3] { sum (a - b)^2, sum a^2 } and widens its third, max |a - b|, over a, b: f32[n], in f64.
 * Order: two f64x2 accumulators over pairs of pairs, their sum's two lanes, then the last n mod 4.
 */
export function differences(sums: usize, a: usize, b: usize, n: i32): void {
  const end = a + ((<usize>n) << 2)
  let e0 = f64x2.splat(0)
  let e1 = e0
  let s0 = e0
  let s1 = e0
  let top = e0
  while (a + 16 <= end) {
    const x = v128.load(a)
    const y = v128.load(b)
    const x0 = f64x2.promote_low_f32x4(x)
    const x1 = Lanes.promoteHigh(x)
    const d0 = f64x2.sub(x0, f64x2.promote_low_f32x4(y))
    const d1 = f64x2.sub(x1, Lanes.promoteHigh(y))
    e0 = f64x2.add(e0, f64x2.mul(d0, d0))
    e1 = f64x2.add(e1, f64x2.mul(d1, d1))
    s0 = f64x2.add(s0, f64x2.mul(x0, x0))
    s1 = f64x2.add(s1, f64x2.mul(x1, x1))
    top = f64x2.pmax(top, f64x2.pmax(f64x2.abs(d0), f64x2.abs(d1)))
    a += 16
    b += 16
  }
  let error = Lanes.sumF64(f64x2.add(e0, e1))
  let signal = Lanes.sumF64(f64x2.add(s0, s1))
  let worst = max(f64x2.extract_lane(top, 0), f64x2.extract_lane(top, 1))
  while (a < end) {
    const x = <f64>load<f32>(a)
    const d = x - <f64>load<f32>(b)
    error += d * d
    signal += x * x
    worst = max(worst, abs(d))
    a += 4
    b += 4
  }
  store<f64>(sums, load<f64>(sums) + error)
  store<f64>(sums, load<f64>(sums, 8) + signal, 8)
  store<f64>(sums, max(load<f64>(sums, 16), worst), 16)
}

/** The same over a, b: f64[n], with one f64x2 accumulator of each kind, its two lanes, then the last element. */
export function differencesF64(sums: usize, a: usize, b: usize, n: i32): void {
  const end = a + ((<usize>n) << 3)
  let e = f64x2.splat(0)
  let s = e
  let top = e
  while (a + 16 <= end) {
    const x = v128.load(a)
    const d = f64x2.sub(x, v128.load(b))
    e = f64x2.add(e, f64x2.mul(d, d))
    s = f64x2.add(s, f64x2.mul(x, x))
    top = f64x2.pmax(top, f64x2.abs(d))
    a += 16
    b += 16
  }
  let error = Lanes.sumF64(e)
  let signal = Lanes.sumF64(s)
  let worst = max(f64x2.extract_lane(top, 0), f64x2.extract_lane(top, 1))
  if (a < end) {
    const x = load<f64>(a)
    const d = x - load<f64>(b)
    error += d * d
    signal += x * x
    worst = max(worst, abs(d))
  }
  store<f64>(sums, load<f64>(sums) + error)
  store<f64>(sums, load<f64>(sums, 8) + signal, 8)
  store<f64>(sums, max(load<f64>(sums, 16), worst), 16)
}

/**
 * Adds to sums: f64[2] { |a - u v^T|_F^2, |a|_F^2 } of rows of a: f64[rows][n] (destroyed), u: f64[rows][rank], vt:
 * f64[rank][n].
 */
export function residualSquares(sums: usize, a: usize, u: usize, vt: usize, rows: i32, n: i32, rank: i32): void {
  const bytes = (<usize>n) << 3
  let error = load<f64>(sums)
  let signal = load<f64>(sums, 8)
  while (rows > 0) {
    signal += Vec.dot(a, a, n)
    let row = vt
    let k = rank
    while (k > 0) {
      Vec.axpy(a, row, n, -load<f64>(u))
      u += 8
      row += bytes
      k--
    }
    error += Vec.dot(a, a, n)
    a += bytes
    rows--
  }
  store<f64>(sums, error)
  store<f64>(sums, signal, 8)
}
