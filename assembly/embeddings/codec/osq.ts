/**
 * Optimised scalar quantisation, as Lucene does it (B. Trent, T. Veasey, 2024): codes k = rint((x - a) / (b - a) (2^B -
 * 1)) on an interval [a, b] of the vector's own. The interval minimises (1 - l) <x, e>^2 / |x|^2 + l |e|^2, e what
 * codes miss, l = .1. Each round solves least squares over a and b for the codes of the round before. At the end the
 * numbers that codes stand for are fitted to the codes once more. Sums are f64: two f64x2 over pairs of pairs, added,
 * lane 0 + lane 1, the last n mod 4.
 */
import { Lanes, ROUND_MAGIC } from '../../common/lanes'
import { squaresF32 } from '../../linalg/columns'
import { productF32, sumF32 } from './center'
import { LEAST_NORM } from './int8'
import { Planes } from './planes'

const ROUNDS: i32 = 5
const ISOTROPIC: f64 = 0.1
/** Residuals of fewer squares are zero: the steps of others have an inverse in f32. */
const LEAST_SQUARES: f64 = 1e-50
/** Changes of the ends below this, in units of the root mean square, end the rounds. */
const LEAST_CHANGE: f64 = 1e-8

/** Bytes of scratch for rows of n. */
export function osqWork(n: i32): i32 {
  return ((n + 15) & ~15) + 128
}

class Interval {
  @inline static code(x: v128, low: v128, inverse: v128, most: v128): v128 {
    const magic = f32x4.splat(ROUND_MAGIC)
    const t = f32x4.mul(f32x4.sub(x, low), inverse)
    return f32x4.sub(f32x4.add(f32x4.pmax(f32x4.pmin(t, most), f32x4.splat(0)), magic), magic)
  }

  @inline static codeOf(x: f32, low: f32, inverse: f32, most: f32): f32 {
    return nearest(max(min((x - low) * inverse, most), 0))
  }
}

/** sums: f64[3], sum k, sum k^2, sum x k of the codes of x: f32[n] on [a, a + step most]. */
function sumCodes(sums: usize, x: usize, n: i32, a: f64, step: f64, most: f32): void {
  const stop = x + ((<usize>n) << 2)
  const low = <f32>a
  const inverse = <f32>(1 / step)
  const vl = f32x4.splat(low)
  const vi = f32x4.splat(inverse)
  const vm = f32x4.splat(most)
  let k0 = f64x2.splat(0)
  let k1 = k0
  let q0 = k0
  let q1 = k0
  let p0 = k0
  let p1 = k0
  while (x + 16 <= stop) {
    const v = v128.load(x)
    const k = Interval.code(v, vl, vi, vm)
    const a0 = f64x2.promote_low_f32x4(k)
    const a1 = Lanes.promoteHigh(k)
    k0 = f64x2.add(k0, a0)
    k1 = f64x2.add(k1, a1)
    q0 = f64x2.add(q0, f64x2.mul(a0, a0))
    q1 = f64x2.add(q1, f64x2.mul(a1, a1))
    p0 = f64x2.add(p0, f64x2.mul(f64x2.promote_low_f32x4(v), a0))
    p1 = f64x2.add(p1, f64x2.mul(Lanes.promoteHigh(v), a1))
    x += 16
  }
  let sum = Lanes.sumF64(f64x2.add(k0, k1))
  let squares = Lanes.sumF64(f64x2.add(q0, q1))
  let product = Lanes.sumF64(f64x2.add(p0, p1))
  while (x < stop) {
    const v = load<f32>(x)
    const k = <f64>Interval.codeOf(v, low, inverse, most)
    sum += k
    squares += k * k
    product += <f64>v * k
    x += 4
  }
  store<f64>(sums, sum)
  store<f64>(sums, squares, 8)
  store<f64>(sums, product, 16)
}

/** codes: u8[n] on the same interval. */
function writeCodes(codes: usize, x: usize, n: i32, a: f64, step: f64, most: f32): void {
  const stop = x + ((<usize>n) << 2)
  const low = <f32>a
  const inverse = <f32>(1 / step)
  const vl = f32x4.splat(low)
  const vi = f32x4.splat(inverse)
  const vm = f32x4.splat(most)
  while (x + 16 <= stop) {
    const k = i32x4.trunc_sat_f32x4_s(Interval.code(v128.load(x), vl, vi, vm))
    const words = i16x8.narrow_i32x4_s(k, k)
    store<i32>(codes, i32x4.extract_lane(i8x16.narrow_i16x8_u(words, words), 0))
    codes += 4
    x += 16
  }
  while (x < stop) {
    store<u8>(codes, <u8>(<i32>Interval.codeOf(load<f32>(x), low, inverse, most)))
    codes++
    x += 4
  }
}

/** ends: f32[2], the least and the greatest of x: f32[n]. */
function endsOf(ends: usize, x: usize, n: i32): void {
  const stop = x + ((<usize>n) << 2)
  let low = load<f32>(x)
  let high = low
  let vl = f32x4.splat(low)
  let vh = vl
  while (x + 16 <= stop) {
    const v = v128.load(x)
    vl = f32x4.pmin(vl, v)
    vh = f32x4.pmax(vh, v)
    x += 16
  }
  while (x < stop) {
    low = min(low, load<f32>(x))
    high = max(high, load<f32>(x))
    x += 4
  }
  low = min(
    low,
    min(
      min(f32x4.extract_lane(vl, 0), f32x4.extract_lane(vl, 1)),
      min(f32x4.extract_lane(vl, 2), f32x4.extract_lane(vl, 3))
    )
  )
  high = max(
    high,
    max(
      max(f32x4.extract_lane(vh, 0), f32x4.extract_lane(vh, 1)),
      max(f32x4.extract_lane(vh, 2), f32x4.extract_lane(vh, 3))
    )
  )
  store<f32>(ends, low)
  store<f32>(ends, high, 4)
}

class Fit {
  /** The loss of codes whose sums are at `sums`, on a and step. */
  @inline static loss(sums: usize, n: f64, total: f64, squares: f64, a: f64, step: f64): f64 {
    const k = load<f64>(sums)
    const along = a * total + step * load<f64>(sums, 16)
    const length = n * a * a + 2 * a * step * k + step * step * load<f64>(sums, 8)
    const error = squares - along
    return ((1 - ISOTROPIC) * error * error) / squares + ISOTROPIC * (squares - 2 * along + length)
  }

  /** The end and the step of least loss for codes as they stand go behind their sums; false where there are none. */
  @inline static ends(sums: usize, n: f64, total: f64, weight: f64, most: f64): bool {
    const k = load<f64>(sums) / most
    const kk = load<f64>(sums, 8) / (most * most)
    const xs = load<f64>(sums, 16) / most
    const dax = total - xs
    const m0 = weight * dax * dax + ISOTROPIC * (n - 2 * k + kk)
    const m1 = weight * dax * xs + ISOTROPIC * (k - kk)
    const m2 = weight * xs * xs + ISOTROPIC * kk
    const determinant = m0 * m2 - m1 * m1
    if (!(determinant > 0)) return false
    const a = (m2 * dax - m1 * xs) / determinant
    const b = (m0 * xs - m1 * dax) / determinant
    store<f64>(sums, a, 24)
    store<f64>(sums, (b - a) / most, 32)
    return true
  }
}

/**
 * interval: f64[4], a and the step that x is rounded on and those that its codes stand for, for x: f32[n] of squares >
 * 0; spread: the half width to begin with, in standard deviations. work: f64[9].
 */
function fitInterval(interval: usize, x: usize, n: i32, squares: f64, most: f64, spread: f64, work: usize): void {
  const count = <f64>n
  const total = sumF32(x, n)
  const mean = total / count
  const deviation = sqrt<f64>(max(squares / count - mean * mean, 0))
  endsOf(work, x, n)
  let a = max(mean - spread * deviation, <f64>load<f32>(work))
  const b = min(mean + spread * deviation, <f64>load<f32>(work, 4))
  const scale = sqrt<f64>(squares / count)
  // All coordinates are one number: any interval that begins there.
  if (!(b - a > scale * 1e-7)) {
    store<f64>(interval, mean)
    store<f64>(interval, scale / most, 8)
    memory.copy(interval + 16, interval, 16)
    return
  }
  const weight = (1 - ISOTROPIC) / squares
  const limit = <f32>most
  let step = (b - a) / most
  // Sums of the codes at hand, and behind them those of the next.
  const next = work + 48
  sumCodes(work, x, n, a, step, limit)
  let loss = Fit.loss(work, count, total, squares, a, step)
  let round = 0
  do {
    if (!Fit.ends(work, count, total, weight, most)) break
    const nextA = load<f64>(work, 24)
    const nextStep = load<f64>(work, 32)
    if (!(nextStep > scale * 1e-7)) break
    const change = LEAST_CHANGE * scale
    if (abs(nextA - a) < change && abs(nextStep - step) * most < change) break
    sumCodes(next, x, n, nextA, nextStep, limit)
    const nextLoss = Fit.loss(next, count, total, squares, nextA, nextStep)
    if (nextLoss > loss) break
    a = nextA
    step = nextStep
    loss = nextLoss
    memory.copy(work, next, 24)
    round++
  } while (round < ROUNDS)
  store<f64>(interval, a)
  store<f64>(interval, step, 8)
  // What the codes stand for is fitted to them once more, without rounding anew.
  if (Fit.ends(work, count, total, weight, most)) {
    const lastA = load<f64>(work, 24)
    const lastStep = load<f64>(work, 32)
    if (Fit.loss(work, count, total, squares, lastA, lastStep) < loss) {
      a = lastA
      step = lastStep
    }
  }
  store<f64>(interval, a, 16)
  store<f64>(interval, step, 24)
}

/**
 * codes: rows of planes of residuals z: f32[count][n], then the step, the bias <centroid, z> and the lower end a; l2:
 * twice the step and the end, and -|z|^2. bytes: of a row's codes; spread: as fitInterval.
 */
export function encodeOsq(
  codes: usize,
  z: usize,
  centroid: usize,
  count: i32,
  n: i32,
  bits: i32,
  stride: i32,
  bytes: i32,
  l2: i32,
  spread: f64,
  scratch: usize
): void {
  const padded = (n + 15) & ~15
  const work = scratch + padded
  const interval = work + 80
  const most = <f64>((1 << bits) - 1)
  const factor: f64 = l2 ? 2 : 1
  memory.fill(scratch, 0, padded)
  while (count > 0) {
    const squares = squaresF32(z, n)
    const factors = codes + bytes
    if (squares > LEAST_SQUARES) {
      fitInterval(interval, z, n, squares, most, spread, work)
      const a = load<f64>(interval)
      const step = load<f64>(interval, 8)
      writeCodes(scratch, z, n, a, step, <f32>most)
      store<f32>(factors, <f32>(factor * load<f64>(interval, 24)))
      store<f32>(factors, <f32>(l2 ? 0 - squares : productF32(centroid, z, n)), 4)
      store<f32>(factors, <f32>(factor * load<f64>(interval, 16)), 8)
    } else {
      memory.fill(scratch, 0, n)
      memory.fill(factors, 0, 12)
    }
    Planes.pack(codes, scratch, n, bits)
    codes += stride
    z += (<usize>n) << 2
    count--
  }
}

/**
 * tables: u8[n / 4][16], for codes of one bit, of whole numbers rint(q / step) from -most to most, most = 15: a table's
 * least sum is taken off it. result: f64[2], the step and the sum of what was taken off. q: f32[n], n a multiple of 4.
 */
export function buildSignedTables(tables: usize, result: usize, q: usize, n: i32, most: i32): void {
  const stop = q + ((<usize>n) << 2)
  let top: f32 = 0
  let p = q
  do {
    top = max(top, abs(load<f32>(p)))
    p += 4
  } while (p < stop)
  const some = <f64>top > LEAST_NORM
  const inverse: f32 = some ? <f32>(<f64>most / <f64>top) : 0
  let least: i32 = 0
  do {
    const a = <i32>nearest(load<f32>(q) * inverse)
    const b = <i32>nearest(load<f32>(q, 4) * inverse)
    const c = <i32>nearest(load<f32>(q, 8) * inverse)
    const d = <i32>nearest(load<f32>(q, 12) * inverse)
    const low = min(a, 0) + min(b, 0) + min(c, 0) + min(d, 0)
    let entry = 0
    do {
      const sum = (entry & 1 ? a : 0) + (entry & 2 ? b : 0) + (entry & 4 ? c : 0) + (entry & 8 ? d : 0)
      store<u8>(tables + <usize>entry, <u8>(sum - low))
      entry++
    } while (entry < 16)
    least += low
    tables += 16
    q += 16
  } while (q < stop)
  const step = some ? <f64>top / <f64>most : 0
  store<f64>(result, step)
  store<f64>(result, step * <f64>least, 8)
}
