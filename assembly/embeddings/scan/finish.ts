/**
 * From a scan's sums to scores: ((((step raw + base) scale + bias) + third multiplier) + constant) + term of the
 * centroid, in this order, in f32.
 */
class Finish {
  @inline static four(
    whole: bool,
    factors: i32,
    scores: usize,
    p: usize,
    offset: usize,
    step: v128,
    base: v128,
    multiplier: v128,
    constant: v128
  ): void {
    let x = v128.load(scores + offset)
    if (whole) x = f32x4.convert_i32x4_s(x)
    x = f32x4.add(f32x4.mul(x, step), base)
    if (factors >= 2) x = f32x4.add(f32x4.mul(x, v128.load(p + offset)), v128.load(p + offset, 128))
    if (factors == 3) x = f32x4.add(x, f32x4.mul(v128.load(p + offset, 256), multiplier))
    v128.store(scores + offset, f32x4.add(x, constant))
  }

  @inline static block(
    whole: bool,
    factors: i32,
    scores: usize,
    p: usize,
    step: v128,
    base: v128,
    multiplier: v128,
    constant: v128
  ): void {
    Finish.four(whole, factors, scores, p, 0, step, base, multiplier, constant)
    Finish.four(whole, factors, scores, p, 16, step, base, multiplier, constant)
    Finish.four(whole, factors, scores, p, 32, step, base, multiplier, constant)
    Finish.four(whole, factors, scores, p, 48, step, base, multiplier, constant)
    Finish.four(whole, factors, scores, p, 64, step, base, multiplier, constant)
    Finish.four(whole, factors, scores, p, 80, step, base, multiplier, constant)
    Finish.four(whole, factors, scores, p, 96, step, base, multiplier, constant)
    Finish.four(whole, factors, scores, p, 112, step, base, multiplier, constant)
  }

  @inline static blocks(
    whole: bool,
    factors: i32,
    scores: usize,
    p: usize,
    stride: usize,
    count: i32,
    step: v128,
    base: v128,
    multiplier: v128,
    constant: v128
  ): void {
    do {
      Finish.block(whole, factors, scores, p, step, base, multiplier, constant)
      scores += 128
      p += stride
    } while (--count > 0)
  }
}

/**
 * scores: f32[count][32], in place of raw sums, i32 where `whole`, else f32; p: the factors f32[factors][32] of the
 * first of blocks that are `stride` apart; factors: 0, 2, or 3 where the third takes part.
 */
export function finishScores(
  scores: usize,
  p: usize,
  stride: usize,
  count: i32,
  whole: i32,
  factors: i32,
  step: f32,
  base: f32,
  multiplier: f32,
  constant: f32
): void {
  const k = f32x4.splat(step)
  const b = f32x4.splat(base)
  const m = f32x4.splat(multiplier)
  const c = f32x4.splat(constant)
  if (whole) {
    if (factors == 0) Finish.blocks(true, 0, scores, p, stride, count, k, b, m, c)
    else if (factors == 2) Finish.blocks(true, 2, scores, p, stride, count, k, b, m, c)
    else Finish.blocks(true, 3, scores, p, stride, count, k, b, m, c)
  } else {
    if (factors == 0) Finish.blocks(false, 0, scores, p, stride, count, k, b, m, c)
    else if (factors == 2) Finish.blocks(false, 2, scores, p, stride, count, k, b, m, c)
    else Finish.blocks(false, 3, scores, p, stride, count, k, b, m, c)
  }
}

/**
 * scores: f32[count][32] += terms[centroid]; centroids: u8 or u16 (bytes: 1, 2), [32] in blocks that are `stride`
 * apart.
 */
export function addTerms(scores: usize, centroids: usize, stride: usize, count: i32, bytes: i32, terms: usize): void {
  do {
    let p = centroids
    const end = scores + 128
    do {
      let t: v128
      if (bytes == 1) {
        t = v128.load32_zero(terms + ((<usize>load<u8>(p)) << 2))
        t = v128.load_lane<u32>(terms + ((<usize>load<u8>(p, 1)) << 2), t, 1)
        t = v128.load_lane<u32>(terms + ((<usize>load<u8>(p, 2)) << 2), t, 2)
        t = v128.load_lane<u32>(terms + ((<usize>load<u8>(p, 3)) << 2), t, 3)
        p += 4
      } else {
        t = v128.load32_zero(terms + ((<usize>load<u16>(p)) << 2))
        t = v128.load_lane<u32>(terms + ((<usize>load<u16>(p, 2)) << 2), t, 1)
        t = v128.load_lane<u32>(terms + ((<usize>load<u16>(p, 4)) << 2), t, 2)
        t = v128.load_lane<u32>(terms + ((<usize>load<u16>(p, 6)) << 2), t, 3)
        p += 8
      }
      v128.store(scores, f32x4.add(v128.load(scores), t))
      scores += 16
    } while (scores < end)
    centroids += stride
  } while (--count > 0)
}
