/** Bytes a coordinate: on a scale of the row's own, or on a range of the coordinate's. */
import { ABS_MASK, Lanes, ROUND_MAGIC, ROUND_MAGIC_BITS } from '../../common/lanes'
import { squaresF32 } from '../../linalg/columns'
import { productF32 } from './center'

/** Residuals below it are zero: their scale would have no inverse. */
export const LEAST_NORM: f64 = 1e-36

class Symmetric {
  /** The greatest magnitude of x: f32[n]. */
  @inline static greatest(x: usize, n: i32): f32 {
    const end = x + ((<usize>n) << 2)
    let top = i32x4.splat(0)
    while (x + 16 <= end) {
      top = i32x4.max_s(top, v128.and(v128.load(x), i32x4.splat(ABS_MASK)))
      x += 16
    }
    let most = Lanes.maxSigned(top)
    while (x < end) {
      most = max(most, load<i32>(x) & ABS_MASK)
      x += 4
    }
    return reinterpret<f32>(most)
  }

  /** codes: i8[n] = rint(x inverse), and sum x code in f64. */
  @inline static row(codes: usize, x: usize, n: i32, inverse: f32): f64 {
    const end = x + ((<usize>n) << 2)
    const v = f32x4.splat(inverse)
    const magic = f32x4.splat(ROUND_MAGIC)
    let a = f64x2.splat(0)
    let b = a
    while (x + 16 <= end) {
      const u = v128.load(x)
      const t = f32x4.add(f32x4.mul(u, v), magic)
      const k = i32x4.sub(t, i32x4.splat(ROUND_MAGIC_BITS))
      const words = i16x8.narrow_i32x4_s(k, k)
      store<i32>(codes, i32x4.extract_lane(i8x16.narrow_i16x8_s(words, words), 0))
      const w = f32x4.sub(t, magic)
      a = f64x2.add(a, f64x2.mul(f64x2.promote_low_f32x4(u), f64x2.promote_low_f32x4(w)))
      b = f64x2.add(b, f64x2.mul(Lanes.promoteHigh(u), Lanes.promoteHigh(w)))
      codes += 4
      x += 16
    }
    let sum = Lanes.sumF64(f64x2.add(a, b))
    while (x < end) {
      const u = load<f32>(x)
      const w = nearest(u * inverse)
      store<i8>(codes, <i8>(<i32>w))
      sum += <f64>u * <f64>w
      codes++
      x += 4
    }
    return sum
  }
}

/**
 * codes: i8[n] of residuals z: f32[count][n], rint(127 z / max |z|), then the scale |z|^2 / <z, code> and the bias
 * <centroid, z>; l2: twice the scale, -|z|^2.
 */
export function encodeSymmetric(
  codes: usize,
  z: usize,
  centroid: usize,
  count: i32,
  n: i32,
  stride: i32,
  l2: i32
): void {
  while (count > 0) {
    const top = <f64>Symmetric.greatest(z, n)
    const inverse: f32 = top > LEAST_NORM ? <f32>(127 / top) : 0
    const product = Symmetric.row(codes, z, n, inverse)
    const squares = squaresF32(z, n)
    const scale = product > 0 ? squares / product : 0
    store<f32>(codes + n, <f32>(l2 ? 2 * scale : scale))
    store<f32>(codes + n, <f32>(l2 ? 0 - squares : productF32(centroid, z, n)), 4)
    codes += stride
    z += (<usize>n) << 2
    count--
  }
}

/** Beyond any code, and far from where whole numbers end. */
const FAR: f32 = 1048576

class Affine {
  /** mode 0: nearest, 1: floor, 2: what is left of 128 less, cut off. As i32 about -128 .. 127, not yet clipped. */
  @inline static lanes(x: v128, start: v128, step: v128, mode: i32): v128 {
    let t = f32x4.div(f32x4.sub(x, start), step)
    t = f32x4.pmax(f32x4.pmin(t, f32x4.splat(FAR)), f32x4.splat(-FAR))
    if (mode == 2) return i32x4.trunc_sat_f32x4_s(f32x4.sub(t, f32x4.splat(128)))
    t = mode == 0 ? f32x4.nearest(t) : f32x4.floor(t)
    return i32x4.sub(i32x4.trunc_sat_f32x4_s(t), i32x4.splat(128))
  }

  @inline static narrow(k: v128): i32 {
    const words = i16x8.narrow_i32x4_s(k, k)
    return i32x4.extract_lane(i8x16.narrow_i16x8_s(words, words), 0)
  }

  /** Bytes with a sign to those without, 128 more. */
  @inline static flip(codes: usize, n: i32): void {
    const end = codes + n
    while (codes + 16 <= end) {
      v128.store(codes, v128.xor(v128.load(codes), i8x16.splat(-128)))
      codes += 16
    }
    while (codes < end) {
      store<u8>(codes, load<u8>(codes) ^ 0x80)
      codes++
    }
  }

  @inline static row(codes: usize, x: usize, starts: usize, steps: usize, n: i32, mode: i32): void {
    const end = x + ((<usize>n) << 2)
    while (x + 16 <= end) {
      store<i32>(codes, Affine.narrow(Affine.lanes(v128.load(x), v128.load(starts), v128.load(steps), mode)))
      codes += 4
      x += 16
      starts += 16
      steps += 16
    }
    while (x < end) {
      const k = Affine.lanes(v128.load32_zero(x), v128.load32_splat(starts), v128.load32_splat(steps), mode)
      store<i8>(codes, <i8>Affine.narrow(k))
      codes++
      x += 4
      starts += 4
      steps += 4
    }
  }
}

/**
 * codes: i8[n] of rows: f32[count][n], on starts and steps: f32[n]; codes stand for offset + step code.
 * With l2 a row ends in two factors: 2, and |x - c|^2 - 2 <x - c, what its codes stand for - c>, c the centroid. Errors
 * at right angles to q - x then cost nothing. flip: codes are kept as bytes without a sign, 128 more.
 */
export function encodeAffine(
  codes: usize,
  rows: usize,
  starts: usize,
  steps: usize,
  offsets: usize,
  centroid: usize,
  count: i32,
  n: i32,
  stride: i32,
  mode: i32,
  l2: i32,
  flip: i32
): void {
  while (count > 0) {
    if (mode == 0) Affine.row(codes, rows, starts, steps, n, 0)
    else if (mode == 1) Affine.row(codes, rows, starts, steps, n, 1)
    else Affine.row(codes, rows, starts, steps, n, 2)
    if (l2) {
      let sum: f64 = 0
      let at: usize = 0
      const end = (<usize>n) << 2
      do {
        const c = <f64>load<f32>(centroid + at)
        const z = <f64>load<f32>(rows + at) - c
        const y = <f64>load<f32>(offsets + at) - c + <f64>load<f32>(steps + at) * <f64>load<i8>(codes + (at >> 2))
        sum += z * (z - 2 * y)
        at += 4
      } while (at < end)
      store<f32>(codes + n, 2)
      store<f32>(codes + n, <f32>sum, 4)
    }
    if (flip) Affine.flip(codes, n)
    codes += stride
    rows += (<usize>n) << 2
    count--
  }
}

/** rows: f32[count][n] = offset + step code; flip: 0, or 128 where codes are kept without a sign. */
export function decodeAffine(
  rows: usize,
  codes: usize,
  steps: usize,
  offsets: usize,
  count: i32,
  n: i32,
  stride: i32,
  flip: i32
): void {
  const end = (<usize>n) << 2
  while (count > 0) {
    let at: usize = 0
    do {
      store<f32>(
        rows + at,
        load<f32>(offsets + at) + load<f32>(steps + at) * <f32>(<i8>(load<u8>(codes + (at >> 2)) ^ (<u8>flip)))
      )
      at += 4
    } while (at < end)
    codes += stride
    rows += end
    count--
  }
}
