import { Log } from './log'

const LOG10_E: f64 = 0.4342944819032518

/** The host's own square root need not be the rounded one by its standard; this one is. */
export function sqrtF64(x: f64): f64 {
  return sqrt(x)
}

/** Base 10 logarithm of a positive normal f64. */
export function log10F64(x: f64): f64 {
  return Log.f64(x) * LOG10_E
}
