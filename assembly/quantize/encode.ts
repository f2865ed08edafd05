/**
 * code = clamp(rint(x / scale) + zero, low, high), half to even, with x / scale as x * (1 / scale) in f32. Every format
 * goes through one path. The code less `low` is an unsigned byte, saturated by the narrowing and a min; `low` is added
 * back modulo 256.
 */
import { ROUND_MAGIC, ROUND_MAGIC_BITS } from '../common/lanes'

/** Beyond any code, and well inside the range that ROUND_MAGIC rounds exactly. */
const FAR: f32 = 512

export class Encode {
  /** x / scale. `clamped` bounds what a caller's own scales let through (Inf included). */
  @inline static steps(x: v128, inverse: v128, clamped: i32): v128 {
    let t = f32x4.mul(x, inverse)
    if (clamped) t = f32x4.pmax(f32x4.pmin(t, f32x4.splat(FAR)), f32x4.splat(-FAR))
    return t
  }

  @inline static stepsScalar(x: f32, inverse: f32, clamped: i32): f32 {
    const t = x * inverse
    return clamped ? max(min(t, FAR), -FAR) : t
  }

  /** rint(x / scale) + zero - low, as i32; `bias` is ROUND_MAGIC_BITS - (zero - low). */
  @inline static lane(x: v128, inverse: v128, bias: v128, clamped: i32): v128 {
    return i32x4.sub(f32x4.add(Encode.steps(x, inverse, clamped), f32x4.splat(ROUND_MAGIC)), bias)
  }

  @inline static narrow(a: v128, b: v128, c: v128, d: v128, cap: v128, low: v128): v128 {
    const bytes = i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d))
    return i8x16.add(i8x16.min_u(bytes, cap), low)
  }

  @inline static scalar(x: f32, inverse: f32, offset: i32, cap: i32, low: i32, clamped: i32): u8 {
    const q = <i32>nearest(Encode.stepsScalar(x, inverse, clamped)) + offset
    return <u8>(max(0, min(cap, q)) + low)
  }

  @inline static sixteen(codes: usize, p: usize, inverse: v128, bias: v128, cap: v128, low: v128, clamped: i32): void {
    const a = Encode.lane(v128.load(p), inverse, bias, clamped)
    const b = Encode.lane(v128.load(p, 16), inverse, bias, clamped)
    const c = Encode.lane(v128.load(p, 32), inverse, bias, clamped)
    const d = Encode.lane(v128.load(p, 48), inverse, bias, clamped)
    v128.store(codes, Encode.narrow(a, b, c, d, cap, low))
  }

  @inline static run(codes: usize, p: usize, n: i32, scale: f32, offset: i32, cap: i32, low: i32, clamped: i32): void {
    const inverse = <f32>1.0 / scale
    const end = p + ((<usize>n) << 2)
    if (n >= 16) {
      const vi = f32x4.splat(inverse)
      const vb = i32x4.splat(ROUND_MAGIC_BITS - offset)
      const vc = i8x16.splat(<i8>cap)
      const vl = i8x16.splat(<i8>low)
      const last = end - 64
      do {
        Encode.sixteen(codes, p, vi, vb, vc, vl, clamped)
        codes += 16
        p += 64
      } while (p <= last)
      // The ragged end once more from its own last sixteen: the same codes are written again.
      if (p < end) Encode.sixteen(codes - ((p - last) >> 2), last, vi, vb, vc, vl, clamped)
    } else {
      while (p < end) {
        store<u8>(codes, Encode.scalar(load<f32>(p), inverse, offset, cap, low, clamped))
        codes++
        p += 4
      }
    }
  }

  @inline static rows(
    codes: usize,
    src: usize,
    rows: i32,
    length: i32,
    group: i32,
    cycle: i32,
    scales: usize,
    zeros: usize,
    low: i32,
    high: i32,
    clamped: i32
  ): void {
    const sets = scales
    const gap = zeros - scales
    const cap = high - low
    let left = cycle
    while (rows > 0) {
      let n = length
      do {
        const take = min(group, n)
        Encode.run(codes, src, take, load<f32>(scales), load<i32>(scales + gap) - low, cap, low, clamped)
        scales += 4
        codes += take
        src += (<usize>take) << 2
        n -= take
      } while (n > 0)
      if (--left == 0) {
        left = cycle
        scales = sets
      }
      rows--
    }
  }

  @inline static columns(
    codes: usize,
    src: usize,
    rows: i32,
    width: i32,
    inverses: usize,
    zeros: usize,
    low: i32,
    high: i32,
    clamped: i32
  ): void {
    const cap = high - low
    const vc = i8x16.splat(<i8>cap)
    const vl = i8x16.splat(<i8>low)
    const magic = i32x4.splat(ROUND_MAGIC_BITS + low)
    while (rows > 0) {
      let c = 0
      while (c + 16 <= width) {
        const at = (<usize>c) << 2
        const p = src + at
        const i = inverses + at
        const z = zeros + at
        const a = Encode.lane(v128.load(p), v128.load(i), i32x4.sub(magic, v128.load(z)), clamped)
        const b = Encode.lane(v128.load(p, 16), v128.load(i, 16), i32x4.sub(magic, v128.load(z, 16)), clamped)
        const d = Encode.lane(v128.load(p, 32), v128.load(i, 32), i32x4.sub(magic, v128.load(z, 32)), clamped)
        const e = Encode.lane(v128.load(p, 48), v128.load(i, 48), i32x4.sub(magic, v128.load(z, 48)), clamped)
        v128.store(codes + c, Encode.narrow(a, b, d, e, vc, vl))
        c += 16
      }
      while (c < width) {
        const at = (<usize>c) << 2
        const offset = load<i32>(zeros + at) - low
        store<u8>(codes + c, Encode.scalar(load<f32>(src + at), load<f32>(inverses + at), offset, cap, low, clamped))
        c++
      }
      codes += width
      src += (<usize>width) << 2
      rows--
    }
  }
}

/**
 * codes: u8[rows][length] of src: f32[rows][length], runs of `group` a row as in rangeRows; scales: f32[sets], zeros:
 * i32[sets]. clamped: the scales are the caller's, so x / scale may be anything but NaN.
 */
export function encodeRows(
  codes: usize,
  src: usize,
  rows: i32,
  length: i32,
  group: i32,
  cycle: i32,
  scales: usize,
  zeros: usize,
  low: i32,
  high: i32,
  clamped: i32
): void {
  if (clamped) Encode.rows(codes, src, rows, length, group, cycle, scales, zeros, low, high, 1)
  else Encode.rows(codes, src, rows, length, group, cycle, scales, zeros, low, high, 0)
}

/** codes: u8[rows][width] of src: f32[rows][width]; inverses: f32[width] (1 / scale), zeros: i32[width]. */
export function encodeColumns(
  codes: usize,
  src: usize,
  rows: i32,
  width: i32,
  inverses: usize,
  zeros: usize,
  low: i32,
  high: i32,
  clamped: i32
): void {
  if (clamped) Encode.columns(codes, src, rows, width, inverses, zeros, low, high, 1)
  else Encode.columns(codes, src, rows, width, inverses, zeros, low, high, 0)
}
