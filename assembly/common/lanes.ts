/** Horizontal steps over one vector. The order of every sum is written out: it is part of the results' bits. */
export class Lanes {
  @inline static maxSigned(v: v128): i32 {
    v = i32x4.max_s(v, v128.shuffle<i32>(v, v, 2, 3, 0, 1))
    v = i32x4.max_s(v, v128.shuffle<i32>(v, v, 1, 0, 3, 2))
    return i32x4.extract_lane(v, 0)
  }

  @inline static maxUnsigned(v: v128): i32 {
    v = i32x4.max_u(v, v128.shuffle<i32>(v, v, 2, 3, 0, 1))
    v = i32x4.max_u(v, v128.shuffle<i32>(v, v, 1, 0, 3, 2))
    return i32x4.extract_lane(v, 0)
  }

  @inline static sumI32(v: v128): i32 {
    v = i32x4.add(v, v128.shuffle<i32>(v, v, 2, 3, 0, 1))
    v = i32x4.add(v, v128.shuffle<i32>(v, v, 1, 0, 3, 2))
    return i32x4.extract_lane(v, 0)
  }

  /** lane 0 + lane 1 */
  @inline static sumF64(v: v128): f64 {
    return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1)
  }

  @inline static promoteHigh(v: v128): v128 {
    return f64x2.promote_low_f32x4(v128.shuffle<i32>(v, v, 2, 3, 0, 1))
  }

  /** Four vectors of 0 / -1 lanes to sixteen bytes of 0x00 / 0xff. */
  @inline static narrowMasks(a: v128, b: v128, c: v128, d: v128): v128 {
    return i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d))
  }
}

/** Bit patterns of f32. */
export const ABS_MASK: i32 = 0x7fffffff
export const INFINITY_BITS: i32 = 0x7f800000
export const NEGATIVE_ZERO_BITS: i32 = 0x80000000

/**
 * Adding 1.5 * 2^23 leaves a float's integer part, rounded half to even, in the low bits of its pattern. It is exact
 * for |x| < 2^22, and one instruction where nearest + trunc_sat take several.
 */
export const ROUND_MAGIC: f32 = 12582912.0
export const ROUND_MAGIC_BITS: i32 = 0x4b400000
