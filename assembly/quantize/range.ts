/**
 * Ranges by integer compares on f32 patterns. Over patterns, max_s from +0 is the greatest value (0 where all are
 * negative), and max_u from -0 the least. A greater unsigned pattern with the sign bit is a more negative value. Inf
 * and NaN of either sign are the greatest patterns of all, so the check for them costs nothing.
 */
import { INFINITY_BITS, Lanes, NEGATIVE_ZERO_BITS } from '../common/lanes'

const NEGATIVE_INFINITY_BITS: u32 = 0xff800000

class Range {
  @inline static isFinite(high: i32, low: i32): bool {
    return high < INFINITY_BITS && <u32>low < NEGATIVE_INFINITY_BITS
  }

  /** Widens the pair at (high, low) by n floats at p; returns 1 when one of them is not finite. */
  @inline static widen(high: usize, low: usize, p: usize, n: usize): i32 {
    const end = p + (n << 2)
    let h = load<i32>(high)
    let l = load<i32>(low)
    if (n >= 4) {
      let h0 = i32x4.splat(h)
      let l0 = i32x4.splat(l)
      let h1 = h0
      let l1 = l0
      const last = end - 32
      if (n >= 8) {
        do {
          const a = v128.load(p)
          const b = v128.load(p, 16)
          h0 = i32x4.max_s(h0, a)
          l0 = i32x4.max_u(l0, a)
          h1 = i32x4.max_s(h1, b)
          l1 = i32x4.max_u(l1, b)
          p += 32
        } while (p <= last)
      }
      // Maxima do not mind seeing an element twice: the ragged end is read again from its own last vectors.
      const a = v128.load(end - 16)
      if (p + 16 < end) {
        const b = v128.load(p)
        h1 = i32x4.max_s(h1, b)
        l1 = i32x4.max_u(l1, b)
      }
      h = Lanes.maxSigned(i32x4.max_s(i32x4.max_s(h0, a), h1))
      l = Lanes.maxUnsigned(i32x4.max_u(i32x4.max_u(l0, a), l1))
    } else {
      while (p < end) {
        const x = load<i32>(p)
        h = max(h, x)
        l = max(<u32>l, <u32>x)
        p += 4
      }
    }
    store<i32>(high, h)
    store<i32>(low, l)
    return Range.isFinite(h, l) ? 0 : 1
  }
}

/** high, low: i32[sets], set to the empty range. */
export function rangeClear(high: usize, low: usize, sets: i32): void {
  memory.fill(high, 0, (<usize>sets) << 2)
  const end = low + ((<usize>sets) << 2)
  while (low < end) {
    store<i32>(low, NEGATIVE_ZERO_BITS)
    low += 4
  }
}

/**
 * high, low: patterns (i32[sets]) widened by src: f32[rows][length], each row cut into runs of `group` (the last may be
 * short), one set a run; after `cycle` rows the sets begin again. Returns how many runs held a value that is not
 * finite.
 */
export function rangeRows(high: usize, low: usize, src: usize, rows: i32, length: i32, group: i32, cycle: i32): i32 {
  const sets = high
  const gap = low - high
  let bad = 0
  let left = cycle
  while (rows > 0) {
    let n = length
    do {
      const take = min(group, n)
      bad += Range.widen(high, high + gap, src, take)
      high += 4
      src += (<usize>take) << 2
      n -= take
    } while (n > 0)
    if (--left == 0) {
      left = cycle
      high = sets
    }
    rows--
  }
  return bad
}

/**
 * high, low: patterns (i32[width]) widened by src: f32[rows][width], one set a column. Returns 1 where a value is not
 * finite.
 */
export function rangeColumns(high: usize, low: usize, src: usize, rows: i32, width: i32): i32 {
  const bytes = (<usize>width) << 2
  while (rows > 0) {
    let c: usize = 0
    while (c + 16 <= bytes) {
      const a = v128.load(src + c)
      v128.store(high + c, i32x4.max_s(v128.load(high + c), a))
      v128.store(low + c, i32x4.max_u(v128.load(low + c), a))
      c += 16
    }
    while (c < bytes) {
      const x = load<i32>(src + c)
      store<i32>(high + c, max(load<i32>(high + c), x))
      store<u32>(low + c, max(load<u32>(low + c), <u32>x))
      c += 4
    }
    src += bytes
    rows--
  }
  let c: usize = 0
  while (c < bytes) {
    if (!Range.isFinite(load<i32>(high + c), load<i32>(low + c))) return 1
    c += 4
  }
  return 0
}
