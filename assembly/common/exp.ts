/**
 * exp for arguments <= 0, which is all that a softmax asks for. Below the least result kept, and at -Infinity, it is +0.
 * exp(x) = 2^k exp(r), r = x - k ln 2 in [-ln 2 / 2, ln 2 / 2], ln 2 in two parts (W. J. Cody and W. Waite,
 * Software Manual for the Elementary Functions, 1980).
 */
import { ROUND_MAGIC } from './lanes'

const LOG2_E: f64 = 1.4426950408889634

/** exp(-87.3) is about 1.2e-38, the least normal f32. */
const LEAST_F32: f32 = -87.33654
/** ln 2 with 9 bits, so that k times it is exact, and the rest. */
const LN2_HIGH_F32: f32 = 0.693359375
const LN2_LOW_F32: f32 = -2.1219444e-4

/** exp(-708) is about 3.3e-308: the result stays a normal f64. */
const LEAST_F64: f64 = -708
/** fdlibm e_exp.c: ln 2 with 32 bits, and the rest. */
const LN2_HIGH_F64: f64 = 6.9314718036912381649e-1
const LN2_LOW_F64: f64 = 1.90821492927058770002e-10
/** 1.5 * 2^52: the f64 twin of ROUND_MAGIC. */
const ROUND_MAGIC_F64: f64 = 6755399441055744

export class Exp {
  /** Relative error <= 1.3e-7. Degree 6, coefficients of S. L. Moshier's Cephes (expf.c). */
  @inline static f32(x: v128): v128 {
    const far = f32x4.lt(x, f32x4.splat(LEAST_F32))
    x = f32x4.pmax(f32x4.splat(LEAST_F32), x)
    const magic = f32x4.splat(ROUND_MAGIC)
    const t = f32x4.add(f32x4.mul(x, f32x4.splat(<f32>LOG2_E)), magic)
    const k = f32x4.sub(t, magic)
    let r = f32x4.sub(x, f32x4.mul(k, f32x4.splat(LN2_HIGH_F32)))
    r = f32x4.sub(r, f32x4.mul(k, f32x4.splat(LN2_LOW_F32)))
    let p = f32x4.splat(1.98756915e-4)
    p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.3981999507e-3))
    p = f32x4.add(f32x4.mul(p, r), f32x4.splat(8.3334519073e-3))
    p = f32x4.add(f32x4.mul(p, r), f32x4.splat(4.1665795894e-2))
    p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.6666665459e-1))
    p = f32x4.add(f32x4.mul(p, r), f32x4.splat(5.0000001201e-1))
    p = f32x4.add(f32x4.mul(p, f32x4.mul(r, r)), f32x4.add(r, f32x4.splat(1)))
    // The low bits of t hold k: shifted into the exponent they scale by 2^k.
    const y = f32x4.mul(p, i32x4.add(i32x4.shl(t, 23), i32x4.splat(0x3f800000)))
    return v128.andnot(y, far)
  }

  /** Relative error <= 4e-16. Taylor to degree 12: the first term left out is below 1.7e-16 at the ends. */
  @inline static f64(x: v128): v128 {
    const far = f64x2.lt(x, f64x2.splat(LEAST_F64))
    x = f64x2.pmax(f64x2.splat(LEAST_F64), x)
    const magic = f64x2.splat(ROUND_MAGIC_F64)
    const t = f64x2.add(f64x2.mul(x, f64x2.splat(LOG2_E)), magic)
    const k = f64x2.sub(t, magic)
    let r = f64x2.sub(x, f64x2.mul(k, f64x2.splat(LN2_HIGH_F64)))
    r = f64x2.sub(r, f64x2.mul(k, f64x2.splat(LN2_LOW_F64)))
    // Estrin's scheme over r^2, r^4, r^8: shorter chains than Horner's.
    const r2 = f64x2.mul(r, r)
    const r4 = f64x2.mul(r2, r2)
    const a = f64x2.add(f64x2.mul(r, f64x2.splat(1.0 / 6.0)), f64x2.splat(0.5))
    const b = f64x2.add(f64x2.mul(r, f64x2.splat(1.0 / 120.0)), f64x2.splat(1.0 / 24.0))
    const c = f64x2.add(f64x2.mul(r, f64x2.splat(1.0 / 5040.0)), f64x2.splat(1.0 / 720.0))
    const d = f64x2.add(f64x2.mul(r, f64x2.splat(1.0 / 362880.0)), f64x2.splat(1.0 / 40320.0))
    const e = f64x2.add(f64x2.mul(r, f64x2.splat(1.0 / 39916800.0)), f64x2.splat(1.0 / 3628800.0))
    const f = f64x2.splat(1.0 / 479001600.0)
    const ab = f64x2.add(f64x2.mul(b, r2), a)
    const cd = f64x2.add(f64x2.mul(d, r2), c)
    const ef = f64x2.add(f64x2.mul(f, r2), e)
    const tail = f64x2.add(f64x2.mul(f64x2.add(f64x2.mul(ef, r4), cd), r4), ab)
    const p = f64x2.add(f64x2.add(f64x2.mul(tail, r2), r), f64x2.splat(1))
    const y = f64x2.mul(p, i64x2.add(i64x2.shl(t, 52), i64x2.splat(0x3ff0000000000000)))
    return v128.andnot(y, far)
  }
}
