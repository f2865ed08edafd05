/**
 * Natural logarithm of a positive normal f64, error below 1 ulp. Method and coefficients: fdlibm e_log.c (Sun
 * Microsystems, 1993). x = 2^k (1 + f) with 1 + f in [sqrt 1/2, sqrt 2); s = f / (2 + f); log(1 + f) = f - s (f -
 * R(s^2)) with R of degree 7.
 */
const LN2_HIGH: f64 = 6.9314718036912381649e-1
const LN2_LOW: f64 = 1.90821492927058770002e-10
const LG1: f64 = 6.66666666666673513e-1
const LG2: f64 = 3.999999999940941908e-1
const LG3: f64 = 2.857142874366239149e-1
const LG4: f64 = 2.222219843214978396e-1
const LG5: f64 = 1.818357216161805012e-1
const LG6: f64 = 1.531383769920937332e-1
const LG7: f64 = 1.479819860511658591e-1

/** The upper word of sqrt(1/2); adding its distance from 1 carries into the exponent exactly when 1 + f >= sqrt 2. */
const SQRT_HALF_HIGH: u32 = 0x3fe6a09e
const ONE_HIGH: u32 = 0x3ff00000

export class Log {
  static f64(x: f64): f64 {
    const bits = reinterpret<u64>(x)
    const high = <u32>(bits >> 32) + (ONE_HIGH - SQRT_HALF_HIGH)
    const k = <f64>(<i32>(high >> 20) - 1023)
    const mantissa = (high & 0xfffff) + SQRT_HALF_HIGH
    const f = reinterpret<f64>(((<u64>mantissa) << 32) | (bits & 0xffffffff)) - 1.0
    const s = f / (2.0 + f)
    const z = s * s
    const w = z * z
    const even = w * (LG2 + w * (LG4 + w * LG6))
    const odd = z * (LG1 + w * (LG3 + w * (LG5 + w * LG7)))
    const half = 0.5 * f * f
    return s * (half + even + odd) + k * LN2_LOW - half + f + k * LN2_HIGH
  }
}
