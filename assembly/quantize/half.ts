/**
 * To float16 and bfloat16, half to even. Finite values saturate at the format's greatest (65504, 0x7f7f). Encoders
 * return 1 when a value was not finite. Decoders are in common/half.ts.
 */
import { ABS_MASK, INFINITY_BITS, Lanes } from '../common/lanes'

const F16_MAX: i32 = 0x7bff
const BF16_MAX: i32 = 0x7f7f
/** 2^-14, the least normal float16. */
const F16_NORMAL_BITS: i32 = 0x38800000
/** .5: adding it to a float below 2^-14 leaves the float16 subnormal, rounded half to even, in the low bits. */
const F16_SUBNORMAL_MAGIC: i32 = 0x3f000000
/** Rebias from 127 to 15. */
const F16_REBIAS: i32 = 112 << 23

class Half {
  @inline static toF16(x: v128): v128 {
    const a = v128.and(x, i32x4.splat(ABS_MASK))
    const odd = v128.and(i32x4.shr_u(a, 13), i32x4.splat(1))
    const normal = i32x4.shr_u(i32x4.add(i32x4.add(a, i32x4.splat(0xfff - F16_REBIAS)), odd), 13)
    const magic = i32x4.splat(F16_SUBNORMAL_MAGIC)
    const subnormal = i32x4.sub(f32x4.add(a, magic), magic)
    const bits = v128.bitselect(subnormal, normal, i32x4.lt_s(a, i32x4.splat(F16_NORMAL_BITS)))
    const sign = i32x4.shr_u(v128.and(x, i32x4.splat(0x80000000)), 16)
    return v128.or(i32x4.min_s(bits, i32x4.splat(F16_MAX)), sign)
  }

  @inline static toBF16(x: v128): v128 {
    const a = v128.and(x, i32x4.splat(ABS_MASK))
    const odd = v128.and(i32x4.shr_u(a, 16), i32x4.splat(1))
    const bits = i32x4.shr_u(i32x4.add(i32x4.add(a, i32x4.splat(0x7fff)), odd), 16)
    const sign = i32x4.shr_u(v128.and(x, i32x4.splat(0x80000000)), 16)
    return v128.or(i32x4.min_s(bits, i32x4.splat(BF16_MAX)), sign)
  }

  @inline static to(x: v128, brain: i32): v128 {
    return brain ? Half.toBF16(x) : Half.toF16(x)
  }

  @inline static encode(dst: usize, src: usize, n: i32, brain: i32): i32 {
    const end = src + ((<usize>n) << 2)
    const mask = i32x4.splat(ABS_MASK)
    let top = i32x4.splat(0)
    while (src + 32 <= end) {
      const a = v128.load(src)
      const b = v128.load(src, 16)
      top = i32x4.max_s(top, i32x4.max_s(v128.and(a, mask), v128.and(b, mask)))
      v128.store(dst, i16x8.narrow_i32x4_u(Half.to(a, brain), Half.to(b, brain)))
      dst += 16
      src += 32
    }
    while (src < end) {
      const a = v128.load32_zero(src)
      top = i32x4.max_s(top, v128.and(a, mask))
      store<u16>(dst, <u16>i32x4.extract_lane(Half.to(a, brain), 0))
      dst += 2
      src += 4
    }
    return Lanes.maxSigned(top) >= INFINITY_BITS ? 1 : 0
  }
}

/** dst: u16[n] of src: f32[n]; returns 1 when a value is not finite. */
export function encodeF16(dst: usize, src: usize, n: i32): i32 {
  return Half.encode(dst, src, n, 0)
}

export function encodeBF16(dst: usize, src: usize, n: i32): i32 {
  return Half.encode(dst, src, n, 1)
}
