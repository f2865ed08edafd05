/**
 * Codes of rotated rows, and the sums that a row's factors are made of.
 * Levels of 1 to 4 bits are told apart by thresholds in fixed point; 8 bits are a uniform grid.
 * Sums are in f32: sixteen products in pairs, four lanes, (0 + 2) + (1 + 3).
 */
import { PLANES } from '../constants'
import { ROUND_MAGIC, ROUND_MAGIC_BITS } from '../../common/lanes'

class Calibration {
  /** Four levels times 1 / factor, less shift, where there is a calibration. */
  @inline static undo(y: v128, factors: usize, shifts: usize, calibrated: bool): v128 {
    if (!calibrated) return y
    return f32x4.sub(f32x4.mul(y, v128.load(factors)), v128.load(shifts))
  }
}

/** Bytes of two vectors in turn, and pairs of bytes: so the four bytes of levels come together. */
class Bytes {
  @inline static first(a: v128, b: v128): v128 {
    return v128.shuffle<i8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
  }

  @inline static last(a: v128, b: v128): v128 {
    return v128.shuffle<i8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
  }

  @inline static firstPairs(a: v128, b: v128): v128 {
    return v128.shuffle<i16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
  }

  @inline static lastPairs(a: v128, b: v128): v128 {
    return v128.shuffle<i16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
  }
}

/** <t, y>, <R c, y> and <R c, t> of the row that is worked on. */
class Sums {
  @inline static add(v: v128): f32 {
    return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 2) + (f32x4.extract_lane(v, 1) + f32x4.extract_lane(v, 3))
  }

  @inline static products(a0: v128, a1: v128, a2: v128, a3: v128, b0: v128, b1: v128, b2: v128, b3: v128): v128 {
    return f32x4.add(f32x4.add(f32x4.mul(a0, b0), f32x4.mul(a1, b1)), f32x4.add(f32x4.mul(a2, b2), f32x4.mul(a3, b3)))
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

  /** One more where magnitudes exceed a threshold, which one bit does not have. */
  @inline static above1(n: v128, a: v128, t0: v128, bits: i32): v128 {
    return bits > 1 ? i16x8.sub(n, i16x8.gt_s(a, t0)) : n
  }

  /** One more for each of two thresholds, from three bits on. */
  @inline static above2(n: v128, a: v128, t0: v128, t1: v128, bits: i32): v128 {
    return bits > 2 ? i16x8.sub(n, i16x8.add(i16x8.gt_s(a, t0), i16x8.gt_s(a, t1))) : n
  }

  /** The same of four thresholds of four bits. */
  @inline static above4(n: v128, a: v128, t0: v128, t1: v128, t2: v128, t3: v128, bits: i32): v128 {
    if (bits < 4) return n
    const low = i16x8.add(i16x8.gt_s(a, t0), i16x8.gt_s(a, t1))
    return i16x8.sub(n, i16x8.add(low, i16x8.add(i16x8.gt_s(a, t2), i16x8.gt_s(a, t3))))
  }

  /** Ranks of magnitudes as codes: those of negative numbers count down. */
  @inline static mirror(n: v128, x: v128, all: v128): v128 {
    return v128.xor(n, v128.and(i16x8.shr_s(x, 15), all))
  }

  /** Sixteen codes, one a byte, to their plane, or (three bits) to both. */
  @inline static store(low: usize, high: usize, codes: v128, bits: i32): void {
    if (bits == 3) {
      Codes.pack(low, v128.and(codes, i8x16.splat(3)), 2)
      Codes.pack(high, i8x16.shr_u(codes, 2), 1)
    } else Codes.pack(low, codes, bits)
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
 * codes of t: f32[n], n a multiple of 16, of 1 to 4 bits: a plane of 4, 2 or 1 bits to `low`, the highest of 3 to
 * `high`. z times `unit` is classified: t itself, or what calibration makes of it.
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
    const count: i32 = <i32>(1 << bits)
    const half = i16x8.splat(<i16>(count >> 1))
    const all = i16x8.splat(<i16>(count - 1))
    const p0 = v128.load(tables + PLANES)
    const p1 = v128.load(tables + PLANES, 16)
    const p2 = v128.load(tables + PLANES, 32)
    const p3 = v128.load(tables + PLANES, 48)
    let w = f32x4.splat(0)
    let b = w
    let c = w
    do {
      const x = Codes.fixed(v128.load(z), v128.load(z, 16), scale, magic, magicBits)
      const y = Codes.fixed(v128.load(z, 32), v128.load(z, 48), scale, magic, magicBits)
      const ax = i16x8.abs(x)
      const ay = i16x8.abs(y)
      let nx = Codes.above2(Codes.above1(half, ax, t0, bits), ax, t1, t2, bits)
      let ny = Codes.above2(Codes.above1(half, ay, t0, bits), ay, t1, t2, bits)
      nx = Codes.above4(nx, ax, t3, t4, t5, t6, bits)
      ny = Codes.above4(ny, ay, t3, t4, t5, t6, bits)
      const codes = i8x16.narrow_i16x8_u(Codes.mirror(nx, x, all), Codes.mirror(ny, y, all))
      Codes.store(low, high, codes, bits)
      low += bits == 3 ? 4 : <usize>(2 * bits)
      high += 2
      const b0 = i8x16.swizzle(p0, codes)
      const b1 = i8x16.swizzle(p1, codes)
      const b2 = i8x16.swizzle(p2, codes)
      const b3 = i8x16.swizzle(p3, codes)
      const l0 = Bytes.first(b0, b1)
      const l1 = Bytes.last(b0, b1)
      const h0 = Bytes.first(b2, b3)
      const h1 = Bytes.last(b2, b3)
      const y0 = Calibration.undo(Bytes.firstPairs(l0, h0), factors, shifts, calibrated)
      const y1 = Calibration.undo(Bytes.lastPairs(l0, h0), factors + 16, shifts + 16, calibrated)
      const y2 = Calibration.undo(Bytes.firstPairs(l1, h1), factors + 32, shifts + 32, calibrated)
      const y3 = Calibration.undo(Bytes.lastPairs(l1, h1), factors + 48, shifts + 48, calibrated)
      const v0 = v128.load(t)
      const v1 = v128.load(t, 16)
      const v2 = v128.load(t, 32)
      const v3 = v128.load(t, 48)
      const c0 = v128.load(centroid)
      const c1 = v128.load(centroid, 16)
      const c2 = v128.load(centroid, 32)
      const c3 = v128.load(centroid, 48)
      w = f32x4.add(w, Sums.products(y0, y1, y2, y3, v0, v1, v2, v3))
      b = f32x4.add(b, Sums.products(y0, y1, y2, y3, c0, c1, c2, c3))
      c = f32x4.add(c, Sums.products(v0, v1, v2, v3, c0, c1, c2, c3))
      t += 64
      z += 64
      centroid += 64
      factors += 64
      shifts += 64
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
    c = f32x4.add(c, Sums.products(v0, v1, v2, v3, c0, c1, c2, c3))
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

  @inline static level(k: v128, half: v128, wide: v128, factors: usize, shifts: usize, calibrated: bool): v128 {
    return Calibration.undo(f32x4.mul(f32x4.add(f32x4.convert_i32x4_s(k), half), wide), factors, shifts, calibrated)
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
      const y0 = Grid.level(k0, half, wide, factors, shifts, calibrated)
      const y1 = Grid.level(k1, half, wide, factors + 16, shifts + 16, calibrated)
      const y2 = Grid.level(k2, half, wide, factors + 32, shifts + 32, calibrated)
      const y3 = Grid.level(k3, half, wide, factors + 48, shifts + 48, calibrated)
      const v0 = v128.load(t)
      const v1 = v128.load(t, 16)
      const v2 = v128.load(t, 32)
      const v3 = v128.load(t, 48)
      const c0 = v128.load(centroid)
      const c1 = v128.load(centroid, 16)
      const c2 = v128.load(centroid, 32)
      const c3 = v128.load(centroid, 48)
      w = f32x4.add(w, Sums.products(y0, y1, y2, y3, v0, v1, v2, v3))
      b = f32x4.add(b, Sums.products(y0, y1, y2, y3, c0, c1, c2, c3))
      c = f32x4.add(c, Sums.products(v0, v1, v2, v3, c0, c1, c2, c3))
      low += 16
      t += 64
      z += 64
      centroid += 64
      factors += 64
      shifts += 64
    } while (t < end)
    Sums.store(sums, w, b, c)
  }
}
