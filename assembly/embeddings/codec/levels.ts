/**
 * Codes of rotated rows, and the sums that a row's factors are made of: levels of a quantiser of 1 to 4 bits, told apart by thresholds in fixed point, or
 * a uniform grid of 8 bits. Sums are in f32: sixteen products in pairs, four lanes, (0 + 2) + (1 + 3).
 */
import { PLANES } from '../constants'
import { ROUND_MAGIC, ROUND_MAGIC_BITS } from '../../common/lanes'

/** <t, y>, <R c, y> and <R c, t> of the row that is worked on. */
class Sums {
  @inline static add(v: v128): f32 {
    return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 2) + (f32x4.extract_lane(v, 1) + f32x4.extract_lane(v, 3))
  }

  @inline static store(to: usize, w: v128, b: v128, c: v128): void {
    store<f32>(to, Sums.add(w))
    store<f32>(to, Sums.add(b), 4)
    store<f32>(to, Sums.add(c), 8)
  }
}

class Codes {
  /** Eight floats times `unit`, in i16, rounded half to even, at most 32767. */
  @inline static fixed(a: v128, b: v128, unit: v128, magic: v128, bits: v128): v128 {
    return i16x8.narrow_i32x4_s(
      i32x4.sub(f32x4.add(f32x4.mul(a, unit), magic), bits),
      i32x4.sub(f32x4.add(f32x4.mul(b, unit), magic), bits)
    )
  }

  /** Sixteen codes, one a byte, to the plane of so many bits. */
  @inline static pack(to: usize, codes: v128, bits: i32): void {
    if (bits == 1) {
      store<u16>(to, <u16>i8x16.bitmask(i8x16.shl(codes, 7)))
      return
    }
    // Even codes and odd ones, side by side, in the low byte of each i16.
    const pairs = v128.and(v128.or(codes, i16x8.shr_u(codes, bits == 4 ? 4 : 6)), i16x8.splat(bits == 4 ? 0xff : 0x0f))
    if (bits == 4) {
      v128.store64_lane(to, i8x16.narrow_i16x8_u(pairs, pairs), 0)
      return
    }
    const fours = v128.and(v128.or(pairs, i32x4.shr_u(pairs, 12)), i32x4.splat(0xff))
    const words = i16x8.narrow_i32x4_s(fours, fours)
    v128.store32_lane(to, i8x16.narrow_i16x8_u(words, words), 0)
  }
}

/**
 * codes of t: f32[n], n a multiple of 16, of 1 to 4 bits: a plane of 4, 2 or 1 bits to `low`, the highest of 3 bits to `high`; z is what
 * is classified, times `unit`: t, or what calibration makes of it.
 */
export class Levels {
  @inline static encode(
    low: usize,
    high: usize,
    sums: usize,
    t: usize,
    z: usize,
    centroid: usize,
    factors: usize,
    shifts: usize,
    tables: usize,
    n: i32,
    unit: f32,
    bits: i32,
    calibrated: bool
  ): void {
    const end = t + ((<usize>n) << 2)
    const scale = f32x4.splat(unit)
    const magic = f32x4.splat(ROUND_MAGIC)
    const magicBits = i32x4.splat(ROUND_MAGIC_BITS)
    const t0 = v128.load16_splat(tables)
    const t1 = v128.load16_splat(tables, 2)
    const t2 = v128.load16_splat(tables, 4)
    const t3 = v128.load16_splat(tables, 6)
    const t4 = v128.load16_splat(tables, 8)
    const t5 = v128.load16_splat(tables, 10)
    const t6 = v128.load16_splat(tables, 12)
    const count: i32 = 1 << bits
    const middle = count / 2
    const half = i16x8.splat(<i16>middle)
    const all = i16x8.splat(<i16>(count - 1))
    const p0 = v128.load(tables + PLANES)
    const p1 = v128.load(tables + PLANES, 16)
    const p2 = v128.load(tables + PLANES, 32)
    const p3 = v128.load(tables + PLANES, 48)
    let w = f32x4.splat(0)
    let b = w
    let c = w
    do {
      let x = Codes.fixed(v128.load(z), v128.load(z, 16), scale, magic, magicBits)
      let y = Codes.fixed(v128.load(z, 32), v128.load(z, 48), scale, magic, magicBits)
      const ax = i16x8.abs(x)
      const ay = i16x8.abs(y)
      let nx = half
      let ny = half
      if (bits > 1) {
        nx = i16x8.sub(nx, i16x8.gt_s(ax, t0))
        ny = i16x8.sub(ny, i16x8.gt_s(ay, t0))
      }
      if (bits > 2) {
        nx = i16x8.sub(nx, i16x8.add(i16x8.gt_s(ax, t1), i16x8.gt_s(ax, t2)))
        ny = i16x8.sub(ny, i16x8.add(i16x8.gt_s(ay, t1), i16x8.gt_s(ay, t2)))
      }
      if (bits > 3) {
        nx = i16x8.sub(
          nx,
          i16x8.add(
            i16x8.add(i16x8.gt_s(ax, t3), i16x8.gt_s(ax, t4)),
            i16x8.add(i16x8.gt_s(ax, t5), i16x8.gt_s(ax, t6))
          )
        )
        ny = i16x8.sub(
          ny,
          i16x8.add(
            i16x8.add(i16x8.gt_s(ay, t3), i16x8.gt_s(ay, t4)),
            i16x8.add(i16x8.gt_s(ay, t5), i16x8.gt_s(ay, t6))
          )
        )
      }
      x = v128.xor(nx, v128.and(i16x8.shr_s(x, 15), all))
      y = v128.xor(ny, v128.and(i16x8.shr_s(y, 15), all))
      const codes = i8x16.narrow_i16x8_u(x, y)
      if (bits == 3) {
        Codes.pack(low, v128.and(codes, i8x16.splat(3)), 2)
        Codes.pack(high, i8x16.shr_u(codes, 2), 1)
        low += 4
        high += 2
      } else {
        Codes.pack(low, codes, bits)
        low += <usize>(2 * bits)
      }
      // The levels' bytes, put together.
      const b0 = i8x16.swizzle(p0, codes)
      const b1 = i8x16.swizzle(p1, codes)
      const b2 = i8x16.swizzle(p2, codes)
      const b3 = i8x16.swizzle(p3, codes)
      const l0 = v128.shuffle<i8>(b0, b1, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
      const l1 = v128.shuffle<i8>(b0, b1, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
      const h0 = v128.shuffle<i8>(b2, b3, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
      const h1 = v128.shuffle<i8>(b2, b3, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
      let y0 = v128.shuffle<i16>(l0, h0, 0, 8, 1, 9, 2, 10, 3, 11)
      let y1 = v128.shuffle<i16>(l0, h0, 4, 12, 5, 13, 6, 14, 7, 15)
      let y2 = v128.shuffle<i16>(l1, h1, 0, 8, 1, 9, 2, 10, 3, 11)
      let y3 = v128.shuffle<i16>(l1, h1, 4, 12, 5, 13, 6, 14, 7, 15)
      if (calibrated) {
        y0 = f32x4.sub(f32x4.mul(y0, v128.load(factors)), v128.load(shifts))
        y1 = f32x4.sub(f32x4.mul(y1, v128.load(factors, 16)), v128.load(shifts, 16))
        y2 = f32x4.sub(f32x4.mul(y2, v128.load(factors, 32)), v128.load(shifts, 32))
        y3 = f32x4.sub(f32x4.mul(y3, v128.load(factors, 48)), v128.load(shifts, 48))
        factors += 64
        shifts += 64
      }
      const v0 = v128.load(t)
      const v1 = v128.load(t, 16)
      const v2 = v128.load(t, 32)
      const v3 = v128.load(t, 48)
      const c0 = v128.load(centroid)
      const c1 = v128.load(centroid, 16)
      const c2 = v128.load(centroid, 32)
      const c3 = v128.load(centroid, 48)
      w = f32x4.add(
        w,
        f32x4.add(f32x4.add(f32x4.mul(y0, v0), f32x4.mul(y1, v1)), f32x4.add(f32x4.mul(y2, v2), f32x4.mul(y3, v3)))
      )
      b = f32x4.add(
        b,
        f32x4.add(f32x4.add(f32x4.mul(y0, c0), f32x4.mul(y1, c1)), f32x4.add(f32x4.mul(y2, c2), f32x4.mul(y3, c3)))
      )
      c = f32x4.add(
        c,
        f32x4.add(f32x4.add(f32x4.mul(v0, c0), f32x4.mul(v1, c1)), f32x4.add(f32x4.mul(v2, c2), f32x4.mul(v3, c3)))
      )
      t += 64
      z += 64
      centroid += 64
    } while (t < end)
    Sums.store(sums, w, b, c)
  }
}

export function encode1(low: usize, sums: usize, t: usize, centroid: usize, n: i32, level: f32): void {
  const end = t + ((<usize>n) << 2)
  const mask = i32x4.splat(0x80000000)
  let w = f32x4.splat(0)
  let b = w
  let c = w
  do {
    const v0 = v128.load(t)
    const v1 = v128.load(t, 16)
    const v2 = v128.load(t, 32)
    const v3 = v128.load(t, 48)
    const c0 = v128.load(centroid)
    const c1 = v128.load(centroid, 16)
    const c2 = v128.load(centroid, 32)
    const c3 = v128.load(centroid, 48)
    const signs = i32x4.bitmask(v0) | (i32x4.bitmask(v1) << 4) | (i32x4.bitmask(v2) << 8) | (i32x4.bitmask(v3) << 12)
    store<u16>(low, <u16>~signs)
    w = f32x4.add(w, f32x4.add(f32x4.add(f32x4.abs(v0), f32x4.abs(v1)), f32x4.add(f32x4.abs(v2), f32x4.abs(v3))))
    b = f32x4.add(
      b,
      f32x4.add(
        f32x4.add(v128.xor(c0, v128.and(v0, mask)), v128.xor(c1, v128.and(v1, mask))),
        f32x4.add(v128.xor(c2, v128.and(v2, mask)), v128.xor(c3, v128.and(v3, mask)))
      )
    )
    c = f32x4.add(
      c,
      f32x4.add(f32x4.add(f32x4.mul(v0, c0), f32x4.mul(v1, c1)), f32x4.add(f32x4.mul(v2, c2), f32x4.mul(v3, c3)))
    )
    low += 2
    t += 64
    centroid += 64
  } while (t < end)
  const l = f32x4.splat(level)
  Sums.store(sums, f32x4.mul(w, l), f32x4.mul(b, l), c)
}

/** A uniform grid of 256: codes are i8, levels (code + 1/2) step; z times `unit` is in steps. */
export class Grid {
  @inline static code(v: v128, unit: v128, half: v128, magic: v128, bits: v128, least: v128, most: v128): v128 {
    const x = i32x4.sub(f32x4.add(f32x4.sub(f32x4.mul(v, unit), half), magic), bits)
    return i32x4.max_s(i32x4.min_s(x, most), least)
  }

  @inline static encode(
    low: usize,
    sums: usize,
    t: usize,
    z: usize,
    centroid: usize,
    factors: usize,
    shifts: usize,
    n: i32,
    unit: f32,
    step: f32,
    calibrated: bool
  ): void {
    const end = t + ((<usize>n) << 2)
    const scale = f32x4.splat(unit)
    const half = f32x4.splat(0.5)
    const magic = f32x4.splat(ROUND_MAGIC)
    const magicBits = i32x4.splat(ROUND_MAGIC_BITS)
    const least = i32x4.splat(-128)
    const most = i32x4.splat(127)
    const wide = f32x4.splat(step)
    let w = f32x4.splat(0)
    let b = w
    let c = w
    do {
      const k0 = Grid.code(v128.load(z), scale, half, magic, magicBits, least, most)
      const k1 = Grid.code(v128.load(z, 16), scale, half, magic, magicBits, least, most)
      const k2 = Grid.code(v128.load(z, 32), scale, half, magic, magicBits, least, most)
      const k3 = Grid.code(v128.load(z, 48), scale, half, magic, magicBits, least, most)
      v128.store(low, i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(k0, k1), i16x8.narrow_i32x4_s(k2, k3)))
      let y0 = f32x4.mul(f32x4.add(f32x4.convert_i32x4_s(k0), half), wide)
      let y1 = f32x4.mul(f32x4.add(f32x4.convert_i32x4_s(k1), half), wide)
      let y2 = f32x4.mul(f32x4.add(f32x4.convert_i32x4_s(k2), half), wide)
      let y3 = f32x4.mul(f32x4.add(f32x4.convert_i32x4_s(k3), half), wide)
      if (calibrated) {
        y0 = f32x4.sub(f32x4.mul(y0, v128.load(factors)), v128.load(shifts))
        y1 = f32x4.sub(f32x4.mul(y1, v128.load(factors, 16)), v128.load(shifts, 16))
        y2 = f32x4.sub(f32x4.mul(y2, v128.load(factors, 32)), v128.load(shifts, 32))
        y3 = f32x4.sub(f32x4.mul(y3, v128.load(factors, 48)), v128.load(shifts, 48))
        factors += 64
        shifts += 64
      }
      const v0 = v128.load(t)
      const v1 = v128.load(t, 16)
      const v2 = v128.load(t, 32)
      const v3 = v128.load(t, 48)
      const c0 = v128.load(centroid)
      const c1 = v128.load(centroid, 16)
      const c2 = v128.load(centroid, 32)
      const c3 = v128.load(centroid, 48)
      w = f32x4.add(
        w,
        f32x4.add(f32x4.add(f32x4.mul(y0, v0), f32x4.mul(y1, v1)), f32x4.add(f32x4.mul(y2, v2), f32x4.mul(y3, v3)))
      )
      b = f32x4.add(
        b,
        f32x4.add(f32x4.add(f32x4.mul(y0, c0), f32x4.mul(y1, c1)), f32x4.add(f32x4.mul(y2, c2), f32x4.mul(y3, c3)))
      )
      c = f32x4.add(
        c,
        f32x4.add(f32x4.add(f32x4.mul(v0, c0), f32x4.mul(v1, c1)), f32x4.add(f32x4.mul(v2, c2), f32x4.mul(v3, c3)))
      )
      low += 16
      t += 64
      z += 64
      centroid += 64
    } while (t < end)
    Sums.store(sums, w, b, c)
  }
}
