/** 2^-126: below it 1 / scale would overflow. */
const LEAST_SCALE: f32 = reinterpret<f32>(0x00800000)

/** Below it no code, at most 255 steps from its zero point, can decode beyond f32. */
const SAFE_SCALE: f32 = reinterpret<f32>((127 + 119) << 23)

class Scale {
  /** The greatest scale not above `scale` whose farthest code, `steps` away, still decodes to a finite f32. */
  static finite(scale: f32, steps: f32): f32 {
    const most = min(scale, f32.MAX_VALUE / steps)
    return most * steps < <f32>Infinity ? most : reinterpret<f32>(reinterpret<i32>(most) - 1)
  }
}

/**
 * scales: f32[sets], zeros: i32[sets] from the ranges high, low: f32[sets][inner] (`inner` of them belong to one set).
 * symmetric: scale = absmax / Q, Q = (qmax - qmin) >> 1, zero point `middle`; else scale = (high - low) / (qmax - qmin)
 * in f64, zero point = qmin + rint(-low / scale). An empty range has scale 1. Near the end of f32 the scale is reduced
 * until every code decodes.
 */
export function scalesFromRange(
  scales: usize,
  zeros: usize,
  high: usize,
  low: usize,
  sets: i32,
  inner: i32,
  symmetric: i32,
  qmin: i32,
  qmax: i32,
  middle: i32
): void {
  const levels = <f64>(qmax - qmin)
  const half = <f32>((qmax - qmin) >> 1)
  while (sets > 0) {
    let hi: f32 = 0
    let lo: f32 = 0
    let i = inner
    do {
      hi = max(hi, load<f32>(high))
      lo = min(lo, load<f32>(low))
      high += 4
      low += 4
    } while (--i > 0)
    let scale: f32 = 1
    let zero = middle
    if (symmetric) {
      const absmax = max(-lo, hi)
      if (absmax > 0) scale = max(absmax / half, LEAST_SCALE)
    } else {
      if (hi > lo) scale = max(<f32>((<f64>hi - <f64>lo) / levels), LEAST_SCALE)
      zero = max(qmin, min(qmax, qmin + <i32>nearest<f64>(-(<f64>lo) / <f64>scale)))
    }
    if (scale > SAFE_SCALE) scale = Scale.finite(scale, symmetric ? half : <f32>max(zero - qmin, qmax - zero))
    store<f32>(scales, scale)
    store<i32>(zeros, zero)
    scales += 4
    zeros += 4
    sets--
  }
}

/**
 * Repeats each set `inner` times, one entry a column: scales to wide, zeros to wideZeros; `invert` stores 1 / scale.
 */
export function scalesWiden(
  wide: usize,
  wideZeros: usize,
  scales: usize,
  zeros: usize,
  sets: i32,
  inner: i32,
  invert: i32
): void {
  while (sets > 0) {
    const scale = load<f32>(scales)
    const value = invert ? <f32>1.0 / scale : scale
    let i = inner
    do {
      store<f32>(wide, value)
      store<i32>(wideZeros, load<i32>(zeros))
      wide += 4
      wideZeros += 4
    } while (--i > 0)
    scales += 4
    zeros += 4
    sets--
  }
}
