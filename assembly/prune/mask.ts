import { ABS_MASK, Lanes } from '../common/lanes'

class Mask {
  /** Bits 0-3 (or 4-7) of every lane's low byte as lanes of 0 / -1. */
  @inline static spread(byte: v128, weights: v128): v128 {
    return i32x4.eq(v128.and(byte, weights), weights)
  }
}

/**
 * values: f32[n] and bits: u8[ceil(n / 8)] (1 = kept) of src: f32[n]: removes |x| < threshold, and of those equal to it
 * the first `ties` in order. Returns how many ties are still to be removed.
 */
export function maskMagnitudes(values: usize, bits: usize, src: usize, n: i32, threshold: i32, ties: i32): i32 {
  const mask = i32x4.splat(ABS_MASK)
  const vt = i32x4.splat(threshold)
  const end = src + ((<usize>n) << 2)
  while (src + 64 <= end) {
    const a = v128.load(src)
    const b = v128.load(src, 16)
    const c = v128.load(src, 32)
    const d = v128.load(src, 48)
    const aa = v128.and(a, mask)
    const ab = v128.and(b, mask)
    const ac = v128.and(c, mask)
    const ad = v128.and(d, mask)
    let ka = i32x4.ge_s(aa, vt)
    let kb = i32x4.ge_s(ab, vt)
    let kc = i32x4.ge_s(ac, vt)
    let kd = i32x4.ge_s(ad, vt)
    let kept = i8x16.bitmask(Lanes.narrowMasks(ka, kb, kc, kd))
    if (ties > 0) {
      const equal = i8x16.bitmask(
        Lanes.narrowMasks(i32x4.eq(aa, vt), i32x4.eq(ab, vt), i32x4.eq(ac, vt), i32x4.eq(ad, vt))
      )
      if (equal) {
        let left = equal
        while (left && ties > 0) {
          kept &= ~(left & -left)
          left &= left - 1
          ties--
        }
        const vk = i32x4.splat(kept)
        ka = Mask.spread(vk, i32x4(0x0001, 0x0002, 0x0004, 0x0008))
        kb = Mask.spread(vk, i32x4(0x0010, 0x0020, 0x0040, 0x0080))
        kc = Mask.spread(vk, i32x4(0x0100, 0x0200, 0x0400, 0x0800))
        kd = Mask.spread(vk, i32x4(0x1000, 0x2000, 0x4000, 0x8000))
      }
    }
    v128.store(values, v128.and(a, ka))
    v128.store(values, v128.and(b, kb), 16)
    v128.store(values, v128.and(c, kc), 32)
    v128.store(values, v128.and(d, kd), 48)
    store<u16>(bits, <u16>kept)
    values += 64
    bits += 2
    src += 64
  }
  let byte: u32 = 0
  let bit: u32 = 0
  while (src < end) {
    const x = load<i32>(src)
    const a = x & ABS_MASK
    let keep = a >= threshold
    if (a == threshold && ties > 0) {
      ties--
      keep = false
    }
    store<i32>(values, keep ? x : 0)
    byte |= (<u32>(keep ? 1 : 0)) << bit
    values += 4
    src += 4
    if (++bit == 8 || src == end) {
      store<u8>(bits, <u8>byte)
      bits++
      byte = 0
      bit = 0
    }
  }
  return ties
}

/** values: f32[n] = src: f32[n] where bits: u8[ceil(n / 8)] is 1, else +0. */
export function applyBits(values: usize, src: usize, bits: usize, n: i32): void {
  const end = src + ((<usize>n) << 2)
  const low = i32x4(1, 2, 4, 8)
  const high = i32x4(16, 32, 64, 128)
  while (src + 32 <= end) {
    const byte = i32x4.splat(<i32>load<u8>(bits))
    v128.store(values, v128.and(v128.load(src), Mask.spread(byte, low)))
    v128.store(values, v128.and(v128.load(src, 16), Mask.spread(byte, high)), 16)
    values += 32
    bits++
    src += 32
  }
  let bit: u32 = 0
  while (src < end) {
    store<i32>(values, (load<u8>(bits) >> (<u8>bit)) & 1 ? load<i32>(src) : 0)
    values += 4
    src += 4
    bit++
  }
}

/** Number of ones in bits: u8[bytes]. */
export function countBits(bits: usize, bytes: i32): i32 {
  const end = bits + bytes
  let count = 0
  while (bits + 8 <= end) {
    count += <i32>popcnt(load<u64>(bits))
    bits += 8
  }
  while (bits < end) {
    count += popcnt(<u32>load<u8>(bits))
    bits++
  }
  return count
}
