/**
 * RaBitQ: a residual's direction o by the vector y = +-(k + 1/2), k = min(floor(t |o|), 2^(B-1) - 1), of greatest
 * cosine with it. J. Gao and C. Long, RaBitQ, 2024 (one bit); J. Gao et al., Practical and Asymptotically Optimal
 * Quantization of High-Dimensional Vectors, 2024 (t by its breakpoints).
 *
 * S = <|o|, k + 1/2>, Q = |k + 1/2|^2; t is to make S^2 / Q greatest. Crossing a breakpoint t = m / |o_i| adds |o_i| to
 * S and 2 m = 2 t |o_i| to Q, as its square. So on (t0, t1] no S^2 / Q exceeds that of the ends S0, Q0 and S1,
 * Q0 + 2 t0 (S1 - S0). Intervals that cannot beat the best so far are left out, and the rest are halved. The few
 * breakpoints that are left are tried one after the other.
 */
import { ROUND_MAGIC, ROUND_MAGIC_BITS } from '../../common/lanes'
import { squaresF32 } from '../../linalg/columns'
import { productF32 } from './center'
import { LEAST_NORM } from './int8'
import { Planes } from './planes'

/** Breakpoints that are tried one by one. */
const FEW: i32 = 24
/** A breakpoint: t, |o_i|, m as f64. */
const POINT: usize = 24
/** One end of an interval: t, S, Q, sum k as f64. */
const END: usize = 32
/** Intervals on the stack: halving takes the place of one by two, and f32 has far fewer halves. */
const STACK: usize = 256
/** Bytes of the stack, of the points, and of two vectors behind them. */
const WORK: usize = 2 * STACK * END + <usize>FEW * POINT + 32
/** S differs from the sum that it stands for by rounding. */
const SLACK: f64 = 1 + 2e-7
/** Where all of o that is not 0 is on the last step. */
const INFINITE: f64 = 1e30

/** Bytes of scratch for rows of n. */
export function rabitqWork(n: i32): i32 {
  return 5 * ((n + 15) & ~15) + <i32>WORK
}

/**
 * Values of t that are tried where the best is not asked for. There are so many from `low` on, a step apart, in units
 * of the guess.
 */
const LADDER: i32 = 12
const LADDER_LOW: f64 = 0.85
const LADDER_STEP: f64 = 0.025

class Steps {
  /** (0 + 2) + (1 + 3) of the lanes of a + b. */
  @inline static total(a: v128, b: v128): f64 {
    const v = f32x4.add(a, b)
    return (
      <f64>f32x4.extract_lane(v, 0) +
      <f64>f32x4.extract_lane(v, 2) +
      (<f64>f32x4.extract_lane(v, 1) + <f64>f32x4.extract_lane(v, 3))
    )
  }

  /** k + ROUND_MAGIC, rounded half to even from half below. limit: the greatest k + 3/4. */
  @inline static raised(size: v128, t: v128, limit: v128): v128 {
    const x = f32x4.sub(f32x4.pmin(f32x4.mul(size, t), limit), f32x4.splat(0.5))
    return f32x4.add(x, f32x4.splat(ROUND_MAGIC))
  }

  /** k, or -1 - k where o is negative. */
  @inline static signed(o: usize, t: v128, limit: v128): v128 {
    const x = v128.load(o)
    const k = i32x4.sub(Steps.raised(f32x4.abs(x), t, limit), i32x4.splat(ROUND_MAGIC_BITS))
    return v128.xor(k, f32x4.lt(x, f32x4.splat(0)))
  }

  @inline static squared(end: usize): f64 {
    return (load<f64>(end, 8) * load<f64>(end, 8)) / load<f64>(end, 16)
  }
}

/**
 * end: f64[4] of t over o: f32[n], n a multiple of 8; half: <|o|, 1/2>, quarter: a quarter of the coordinates. Sums of
 * k are exact.
 */
function measure(end: usize, o: usize, n: i32, t: f64, limit: f32, half: f64, quarter: f64): void {
  const stop = o + ((<usize>n) << 2)
  const vt = f32x4.splat(<f32>t)
  const vl = f32x4.splat(limit)
  const magic = f32x4.splat(ROUND_MAGIC)
  const one = f32x4.splat(1)
  let s0 = f32x4.splat(0)
  let s1 = s0
  let q0 = s0
  let q1 = s0
  let k0 = s0
  let k1 = s0
  do {
    let x = f32x4.abs(v128.load(o))
    let k = f32x4.sub(Steps.raised(x, vt, vl), magic)
    s0 = f32x4.add(s0, f32x4.mul(x, k))
    q0 = f32x4.add(q0, f32x4.mul(k, f32x4.add(k, one)))
    k0 = f32x4.add(k0, k)
    x = f32x4.abs(v128.load(o, 16))
    k = f32x4.sub(Steps.raised(x, vt, vl), magic)
    s1 = f32x4.add(s1, f32x4.mul(x, k))
    q1 = f32x4.add(q1, f32x4.mul(k, f32x4.add(k, one)))
    k1 = f32x4.add(k1, k)
    o += 32
  } while (o < stop)
  store<f64>(end, t)
  store<f64>(end, half + Steps.total(s0, s1), 8)
  store<f64>(end, quarter + Steps.total(q0, q1), 16)
  store<f64>(end, Steps.total(k0, k1), 24)
}

/** The breakpoints in the interval at `ends` to points, by t; returns how many. */
function collect(points: usize, o: usize, n: i32, ends: usize, limit: f32): usize {
  const stop = o + ((<usize>n) << 2)
  const t0 = f32x4.splat(<f32>load<f64>(ends))
  const t1 = f32x4.splat(<f32>load<f64>(ends, END))
  const vl = f32x4.splat(limit)
  let last = points
  do {
    const x = f32x4.abs(v128.load(o))
    const a = i32x4.sub(Steps.raised(x, t0, vl), i32x4.splat(ROUND_MAGIC_BITS))
    const b = i32x4.sub(Steps.raised(x, t1, vl), i32x4.splat(ROUND_MAGIC_BITS))
    let lanes = i32x4.bitmask(i32x4.gt_s(b, a))
    if (lanes) {
      // The lanes' numbers go behind the points.
      const room = points + <usize>FEW * POINT
      v128.store(room, a)
      v128.store(room, b, 16)
      do {
        const lane = (<usize>ctz(lanes)) << 2
        const size = <f64>abs(load<f32>(o + lane))
        let m = load<i32>(room + lane)
        const most = load<i32>(room + lane, 16)
        do {
          m++
          const t = <f64>m / size
          let p = last
          while (p > points && load<f64>(p - POINT) > t) {
            memory.copy(p, p - POINT, POINT)
            p -= POINT
          }
          store<f64>(p, t)
          store<f64>(p, size, 8)
          store<f64>(p, <f64>m, 16)
          last += POINT
        } while (m < most)
        lanes &= lanes - 1
      } while (lanes)
    }
    o += 16
  } while (o < stop)
  return last
}

/** The greatest |x| of x: f32[n], n a multiple of 8. */
function greatest(x: usize, n: i32): f32 {
  const stop = x + ((<usize>n) << 2)
  let a = f32x4.splat(0)
  do {
    a = f32x4.pmax(a, f32x4.pmax(f32x4.abs(v128.load(x)), f32x4.abs(v128.load(x, 16))))
    x += 32
  } while (x < stop)
  return max(
    max(f32x4.extract_lane(a, 0), f32x4.extract_lane(a, 1)),
    max(f32x4.extract_lane(a, 2), f32x4.extract_lane(a, 3))
  )
}

/**
 * Where the line of t is cut first, in units of the guess: 0, 1/2, 3/4, 1, 5/4, 3/2, 2, all. Computed, since a module
 * has no data.
 */
function cutAt(cut: i32): f64 {
  if (cut == 0) return 0
  if (cut == 7) return INFINITE
  return cut == 6 ? 2 : 0.25 * <f64>(cut + 1)
}
const CUT_COUNT: i32 = 8

/**
 * The t of greatest S^2 / Q. ends: scratch of 2 STACK ends and FEW points with two vectors behind; guess: any t > 0.
 */
function bestStep(o: usize, n: i32, limit: f32, half: f64, quarter: f64, guess: f64, ends: usize): f64 {
  const points = ends + 2 * STACK * END
  let best: f64 = 0
  let chosen = guess
  let top = ends
  // An interval's upper end is the next one's lower end.
  let cut: i32 = 0
  do {
    const t = min(guess * cutAt(cut), INFINITE)
    const end = cut ? top + END : top
    measure(end, o, n, t, limit, half, quarter)
    const value = Steps.squared(end)
    // Of equal ones the longest steps, which a query's rounding weighs least on.
    if (value >= best) {
      best = value
      chosen = t
    }
    if (cut) {
      top += 2 * END
      memory.copy(top, end, END)
    }
    cut++
  } while (cut < CUT_COUNT)
  do {
    const low = top - 2 * END
    const high = top - END
    const s0 = load<f64>(low, 8)
    const s1 = load<f64>(high, 8)
    const t0 = load<f64>(low)
    const t1 = load<f64>(high)
    const left = load<f64>(high, 24) - load<f64>(low, 24)
    if (left <= 0 || s1 * s1 <= best * SLACK * (load<f64>(low, 16) + 2 * t0 * (s1 - s0))) {
      top = low
    } else if (left <= <f64>FEW) {
      let s = s0
      let q = load<f64>(low, 16)
      let p = points
      const last = collect(points, o, n, low, limit)
      while (p < last) {
        const t = load<f64>(p)
        s += load<f64>(p, 8)
        q += 2 * load<f64>(p, 16)
        p += POINT
        const next = p < last ? load<f64>(p) : t1
        if (next > t && s * s > best * q) {
          best = (s * s) / q
          chosen = 0.5 * (t + next)
        }
      }
      top = low
    } else {
      const t = <f64>(<f32>(t1 == INFINITE ? 2 * t0 : 0.5 * (t0 + t1)))
      if (t <= t0 || t >= t1) {
        top = low
      } else {
        memory.copy(top + END, high, END)
        measure(high, o, n, t, limit, half, quarter)
        memory.copy(top, high, END)
        const value = Steps.squared(high)
        if (value > best) {
          best = value
          chosen = t
        }
        top += 2 * END
      }
    }
  } while (top > ends)
  return chosen
}

/** The best of a few t about the guess. */
function goodStep(o: usize, n: i32, limit: f32, half: f64, quarter: f64, guess: f64, end: usize): f64 {
  let best: f64 = 0
  let chosen = guess
  let t = guess * LADDER_LOW
  let i = 0
  do {
    measure(end, o, n, t, limit, half, quarter)
    const value = Steps.squared(end)
    if (value > best) {
      best = value
      chosen = t
    }
    t += guess * LADDER_STEP
    i++
  } while (i < LADDER)
  return chosen
}

/** codes: u8[n], and behind them, up to a multiple of 16, zeros. o is signed. */
function writeSteps(codes: usize, o: usize, n: i32, t: f64, limit: f32, middle: i32): void {
  const stop = codes + n
  const vt = f32x4.splat(<f32>t)
  const vl = f32x4.splat(limit)
  const vm = i8x16.splat(<i8>middle)
  let to = codes
  do {
    const low = i16x8.narrow_i32x4_s(Steps.signed(o, vt, vl), Steps.signed(o + 16, vt, vl))
    const high = i16x8.narrow_i32x4_s(Steps.signed(o + 32, vt, vl), Steps.signed(o + 48, vt, vl))
    v128.store(to, i8x16.add(i8x16.narrow_i16x8_s(low, high), vm))
    to += 16
    o += 64
  } while (to < stop)
  memory.fill(stop, 0, to - stop)
}

/**
 * codes: rows of planes of residuals z: f32[count][n], then the scale |z|^2 / <z, y> and the bias <centroid, z>; l2:
 * twice the scale and -|z|^2. third: |z| sqrt((Q / S^2 - 1) / (n - 1)), the standard deviation of the estimate for each
 * unit of the query's residual (l2: twice). bytes: of a row's codes. guess: t for a residual of unit length; exact: it
 * is only where the search begins.
 */
export function encodeRabitq(
  codes: usize,
  z: usize,
  centroid: usize,
  count: i32,
  n: i32,
  bits: i32,
  stride: i32,
  bytes: i32,
  l2: i32,
  third: i32,
  exact: i32,
  guess: f64,
  scratch: usize
): void {
  const padded = (n + 15) & ~15
  const o = scratch
  const steps = o + ((<usize>padded) << 2)
  const ends = steps + padded
  const most = (1 << (bits - 1)) - 1
  const limit = <f32>most + 0.75
  const quarter = 0.25 * <f64>n
  const size = (<usize>n) << 2
  memory.fill(o, 0, (<usize>padded) << 2)
  while (count > 0) {
    const squares = squaresF32(z, n)
    const length = sqrt<f64>(squares)
    const factors = codes + bytes
    if (length > LEAST_NORM) {
      const inverse = <f32>(1 / length)
      const vi = f32x4.splat(inverse)
      let at: usize = 0
      while (at + 16 <= size) {
        v128.store(o + at, f32x4.mul(v128.load(z + at), vi))
        at += 16
      }
      while (at < size) {
        store<f32>(o + at, load<f32>(z + at) * inverse)
        at += 4
      }
      const half = 0.5 * absolutes(o, padded)
      const least = max(guess, (<f64>most + 0.5) / <f64>greatest(o, padded))
      let t = least
      if (most)
        t = exact
          ? bestStep(o, padded, limit, half, quarter, least, ends)
          : goodStep(o, padded, limit, half, quarter, least, ends)
      measure(ends, o, padded, t, limit, half, quarter)
      writeSteps(steps, o, n, t, limit, most + 1)
      const s = load<f64>(ends, 8)
      const scale = length / s
      store<f32>(factors, <f32>(l2 ? 2 * scale : scale))
      store<f32>(factors, <f32>(l2 ? 0 - squares : productF32(centroid, z, n)), 4)
      if (third) {
        const spread = max(load<f64>(ends, 16) / (s * s) - 1, 0) / <f64>max(n - 1, 1)
        const error = length * sqrt<f64>(spread)
        store<f32>(factors, <f32>(l2 ? 2 * error : error), 8)
      }
    } else {
      memory.fill(steps, <u8>(most + 1), n)
      memory.fill(steps + n, 0, padded - n)
      memory.fill(factors, 0, third ? 12 : 8)
    }
    Planes.pack(codes, steps, n, bits)
    codes += stride
    z += size
    count--
  }
}

/** sum |x| of x: f32[n], n a multiple of 8. */
function absolutes(x: usize, n: i32): f64 {
  const stop = x + ((<usize>n) << 2)
  let a = f32x4.splat(0)
  let b = a
  do {
    a = f32x4.add(a, f32x4.abs(v128.load(x)))
    b = f32x4.add(b, f32x4.abs(v128.load(x, 16)))
    x += 32
  } while (x < stop)
  return Steps.total(a, b)
}
