/**
 * The k-th smallest magnitude, exactly: |x| ordered as its f32 pattern. A bracket from a sample usually leaves a few
 * per cent to look at. The radix passes settle what is left, whatever the data, in linear time.
 */
import { ABS_MASK, INFINITY_BITS, Lanes } from '../common/lanes'

/** Digits of the 31-bit pattern, from the top: 11, 11 and 9 bits. */
const DIGIT_BITS: i32 = 11
const BINS: usize = 1 << DIGIT_BITS
const FIRST_SHIFT: i32 = 20
const SECOND_SHIFT: i32 = 9

class Radix {
  @inline static width(shift: i32): i32 {
    return shift ? DIGIT_BITS : SECOND_SHIFT
  }
}

/**
 * Adds to histogram: u32[2048] the next digit of those |x| of src: f32[n] whose bits above it are `prefix`.
 * shift 20 is the first digit (prefix 0), 9 the second, 0 the last. Returns 1 when a value of src is not finite.
 */
export function magnitudeHistogram(histogram: usize, src: usize, n: i32, shift: i32, prefix: i32): i32 {
  const end = src + ((<usize>n) << 2)
  const width = Radix.width(shift)
  const above = shift + width
  const mask = (1 << width) - 1
  let top: i32 = 0
  while (src < end) {
    const a = load<i32>(src) & ABS_MASK
    top = max(top, a)
    if (a >>> above == prefix) {
      const bin = histogram + ((<usize>((a >>> shift) & mask)) << 2)
      store<u32>(bin, load<u32>(bin) + 1)
    }
    src += 4
  }
  return top >= INFINITY_BITS ? 1 : 0
}

/**
 * The pattern of the k-th smallest (from 0) of src: f32[n] by magnitude;
 * counts: i32[2] receives { how many are smaller, how many equal it }. histogram: u32[2048] is scratch.
 */
export function selectMagnitude(counts: usize, src: usize, n: i32, k: i32, histogram: usize): i32 {
  let prefix = 0
  let under = 0
  let shift = FIRST_SHIFT
  while (true) {
    memory.fill(histogram, 0, BINS << 2)
    magnitudeHistogram(histogram, src, n, shift, prefix)
    let bin = 0
    let count: i32
    while (true) {
      count = load<i32>(histogram + ((<usize>bin) << 2))
      if (under + count > k) break
      under += count
      bin++
    }
    prefix = (prefix << Radix.width(shift)) | bin
    if (shift == 0) {
      store<i32>(counts, under)
      store<i32>(counts, count, 4)
      break
    }
    shift = shift == FIRST_SHIFT ? SECOND_SHIFT : 0
  }
  return prefix
}

/**
 * Copies to out the patterns |x| of src: f32[n] with low <= |x| <= high, and counts. counts: i32[3] receives { how many
 * are below low, how many lie within, 1 when a value is not finite }. After `room` entries no more are written (but
 * those of the same sixteen are): the caller sees a count above it and takes another way.
 */
export function bracketMagnitudes(out: usize, counts: usize, src: usize, n: i32, low: i32, high: i32, room: i32): void {
  const end = src + ((<usize>n) << 2)
  const mask = i32x4.splat(ABS_MASK)
  const vl = i32x4.splat(low)
  const vh = i32x4.splat(high)
  const limit = out + ((<usize>room) << 2)
  let under = i32x4.splat(0)
  let top = i32x4.splat(0)
  let below = 0
  let within = 0
  while (src + 64 <= end) {
    const a = v128.and(v128.load(src), mask)
    const b = v128.and(v128.load(src, 16), mask)
    const c = v128.and(v128.load(src, 32), mask)
    const d = v128.and(v128.load(src, 48), mask)
    const la = i32x4.lt_s(a, vl)
    const lb = i32x4.lt_s(b, vl)
    const lc = i32x4.lt_s(c, vl)
    const ld = i32x4.lt_s(d, vl)
    under = i32x4.sub(under, i32x4.add(i32x4.add(la, lb), i32x4.add(lc, ld)))
    top = i32x4.max_s(top, i32x4.max_s(i32x4.max_s(a, b), i32x4.max_s(c, d)))
    let hits = i8x16.bitmask(
      Lanes.narrowMasks(
        v128.andnot(i32x4.le_s(a, vh), la),
        v128.andnot(i32x4.le_s(b, vh), lb),
        v128.andnot(i32x4.le_s(c, vh), lc),
        v128.andnot(i32x4.le_s(d, vh), ld)
      )
    )
    within += popcnt(hits)
    if (out < limit) {
      while (hits) {
        store<i32>(out, load<i32>(src + ((<usize>ctz(hits)) << 2)) & ABS_MASK)
        out += 4
        hits &= hits - 1
      }
    }
    src += 64
  }
  let worst = Lanes.maxSigned(top)
  while (src < end) {
    const a = load<i32>(src) & ABS_MASK
    worst = max(worst, a)
    if (a < low) below++
    else if (a <= high) {
      within++
      if (out < limit) {
        store<i32>(out, a)
        out += 4
      }
    }
    src += 4
  }
  store<i32>(counts, below + Lanes.sumI32(under))
  store<i32>(counts, within, 4)
  store<i32>(counts, worst >= INFINITY_BITS ? 1 : 0, 8)
}
