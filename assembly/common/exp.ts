/**
 * exp for arguments <= 0, which is all that a softmax asks for. exp(x) = 2^k exp(r), r = x - k ln 2 in [-ln 2 / 2, ln 2
 * / 2]. Arguments are bounded below where k is the exponent of zero: from there down, -Infinity included, the result is
 * +0, and it is never subnormal.
 */
import { ROUND_MAGIC } from './lanes'

const LOG2_E: f64 = 1.4426950408889634

/** -127 ln 2 */
const LEAST_F32: f32 = -88.02969
/**
 * ln 2 with 9 bits, so that k times it is exact, and the rest (W. J. Cody and W. Waite, Software Manual for the
 * Elementary Functions, 1980).
 */
const LN2_HIGH_F32: f32 = 0.693359375
const LN2_LOW_F32: f32 = -2.1219444e-4

/** -1023 ln 2 */
const LEAST_F64: f64 = -709.0895657128241
const LN2_F64: f64 = 0.6931471805599453
/** 1.5 * 2^52: the f64 twin of ROUND_MAGIC. */
const ROUND_MAGIC_F64: f64 = 6755399441055744

export class Exp {
  /** Relative error <= 1.3e-7. Degree 6, coefficients of S. L. Moshier's Cephes (expf.c). */
  @inline static f32(x: v128): v128 {
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
    return f32x4.mul(p, i32x4.add(i32x4.shl(t, 23), i32x4.splat(0x3f800000)))
  }

  /**
   * Relative error <= 2e-14 + 1.2e-16 |x|. Degree 9, coefficients by least squares on Chebyshev nodes
   * (test/vectors/make_exp.py); pairs of terms under Horner's rule in r^2.
   */
  @inline static f64(x: v128): v128 {
    x = f64x2.pmax(f64x2.splat(LEAST_F64), x)
    const magic = f64x2.splat(ROUND_MAGIC_F64)
    const t = f64x2.add(f64x2.mul(x, f64x2.splat(LOG2_E)), magic)
    const r = f64x2.sub(x, f64x2.mul(f64x2.sub(t, magic), f64x2.splat(LN2_F64)))
    const z = f64x2.mul(r, r)
    let p = f64x2.add(f64x2.mul(r, f64x2.splat(2.7529258953605366e-6)), f64x2.splat(2.4882130795708804e-5))
    p = f64x2.add(
      f64x2.mul(p, z),
      f64x2.add(f64x2.mul(r, f64x2.splat(1.984144662019073e-4)), f64x2.splat(1.3888807854893531e-3))
    )
    p = f64x2.add(
      f64x2.mul(p, z),
      f64x2.add(f64x2.mul(r, f64x2.splat(8.333333169625586e-3)), f64x2.splat(4.166666698781747e-2))
    )
    p = f64x2.add(
      f64x2.mul(p, z),
      f64x2.add(f64x2.mul(r, f64x2.splat(0.1666666666707962)), f64x2.splat(0.49999999999604))
    )
    p = f64x2.add(f64x2.mul(p, z), f64x2.add(r, f64x2.splat(1)))
    return f64x2.mul(p, i64x2.add(i64x2.shl(t, 52), i64x2.splat(0x3ff0000000000000)))
  }
}
