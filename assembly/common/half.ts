/**
 * From float16 and bfloat16. Infinities stay; every NaN becomes the canonical 0x7fc00000. Encoders are in
 * quantize/half.ts.
 */
import { ABS_MASK, INFINITY_BITS } from './lanes'

/** 2^112 undoes the rebias by a multiplication, which also normalises subnormals. */
const F16_UNBIAS: f32 = reinterpret<f32>((127 + 112) << 23)
const CANONICAL_NAN: i32 = 0x7fc00000

class Half {
  @inline static fromF16(h: v128): v128 {
    const a = v128.and(h, i32x4.splat(0x7fff))
    const finite = f32x4.mul(i32x4.shl(a, 13), f32x4.splat(F16_UNBIAS))
    const special = v128.bitselect(
      i32x4.splat(CANONICAL_NAN),
      i32x4.splat(INFINITY_BITS),
      i32x4.gt_s(a, i32x4.splat(0x7c00))
    )
    const bits = v128.bitselect(special, finite, i32x4.ge_s(a, i32x4.splat(0x7c00)))
    const sign = v128.andnot(i32x4.shl(v128.and(h, i32x4.splat(0x8000)), 16), i32x4.gt_s(a, i32x4.splat(0x7c00)))
    return v128.or(bits, sign)
  }

  @inline static fromBF16(h: v128): v128 {
    const bits = i32x4.shl(h, 16)
    const nan = i32x4.gt_s(v128.and(bits, i32x4.splat(ABS_MASK)), i32x4.splat(INFINITY_BITS))
    return v128.bitselect(i32x4.splat(CANONICAL_NAN), bits, nan)
  }

  @inline static from(h: v128, brain: i32): v128 {
    return brain ? Half.fromBF16(h) : Half.fromF16(h)
  }

  @inline static decode(dst: usize, src: usize, n: i32, brain: i32): void {
    const end = src + ((<usize>n) << 1)
    while (src + 16 <= end) {
      const v = v128.load(src)
      v128.store(dst, Half.from(i32x4.extend_low_i16x8_u(v), brain))
      v128.store(dst, Half.from(i32x4.extend_high_i16x8_u(v), brain), 16)
      dst += 32
      src += 16
    }
    while (src < end) {
      store<i32>(dst, i32x4.extract_lane(Half.from(i32x4.splat(<i32>load<u16>(src)), brain), 0))
      dst += 4
      src += 2
    }
  }
}

/** dst: f32[n] of src: u16[n] */
export function decodeF16(dst: usize, src: usize, n: i32): void {
  Half.decode(dst, src, n, 0)
}

export function decodeBF16(dst: usize, src: usize, n: i32): void {
  Half.decode(dst, src, n, 1)
}
