/**
 * N:M structured sparsity: in each block of M the N of greatest magnitude stay. An element is beaten by every other
 * that is greater, or equal and later (so of equals the lowest index goes first). It stays while fewer than N beat it.
 */
import { ABS_MASK, INFINITY_BITS, Lanes } from '../common/lanes'

class Four {
  /** Transposes 4x4 lanes; an involution. */
  @inline static row(a: v128, b: v128, c: v128, d: v128, which: i32): v128 {
    const even = which < 2
    const t = even ? v128.shuffle<i32>(a, b, 0, 4, 1, 5) : v128.shuffle<i32>(a, b, 2, 6, 3, 7)
    const u = even ? v128.shuffle<i32>(c, d, 0, 4, 1, 5) : v128.shuffle<i32>(c, d, 2, 6, 3, 7)
    return which & 1 ? v128.shuffle<i32>(t, u, 2, 3, 6, 7) : v128.shuffle<i32>(t, u, 0, 1, 4, 5)
  }
}

/**
 * values: f32[n], kept: u8[n] (0xff / 0x00) of src: f32[n] in blocks of four; n is a multiple of 16.
 * Returns 1 when a value is not finite.
 */
function keepOfFour(values: usize, kept: usize, src: usize, n: i32, keep: i32): i32 {
  const end = src + ((<usize>n) << 2)
  const mask = i32x4.splat(ABS_MASK)
  const vn = i32x4.splat(-keep)
  let top = i32x4.splat(0)
  while (src < end) {
    const r0 = v128.load(src)
    const r1 = v128.load(src, 16)
    const r2 = v128.load(src, 32)
    const r3 = v128.load(src, 48)
    const m0 = v128.and(r0, mask)
    const m1 = v128.and(r1, mask)
    const m2 = v128.and(r2, mask)
    const m3 = v128.and(r3, mask)
    top = i32x4.max_s(top, i32x4.max_s(i32x4.max_s(m0, m1), i32x4.max_s(m2, m3)))
    const a = Four.row(m0, m1, m2, m3, 0)
    const b = Four.row(m0, m1, m2, m3, 1)
    const c = Four.row(m0, m1, m2, m3, 2)
    const d = Four.row(m0, m1, m2, m3, 3)
    const ab = i32x4.le_s(a, b)
    const ac = i32x4.le_s(a, c)
    const ad = i32x4.le_s(a, d)
    const bc = i32x4.le_s(b, c)
    const bd = i32x4.le_s(b, d)
    const cd = i32x4.le_s(c, d)
    // Each compare is -1 where the earlier is beaten; where it is not, the later is: -(1 + compare).
    const one = i32x4.splat(-1)
    const na = i32x4.add(i32x4.add(ab, ac), ad)
    const nb = i32x4.add(i32x4.add(i32x4.sub(one, ab), bc), bd)
    const nc = i32x4.add(i32x4.sub(one, ac), i32x4.add(i32x4.sub(one, bc), cd))
    const nd = i32x4.add(i32x4.sub(one, ad), i32x4.add(i32x4.sub(one, bd), i32x4.sub(one, cd)))
    const ka = i32x4.gt_s(na, vn)
    const kb = i32x4.gt_s(nb, vn)
    const kc = i32x4.gt_s(nc, vn)
    const kd = i32x4.gt_s(nd, vn)
    const k0 = Four.row(ka, kb, kc, kd, 0)
    const k1 = Four.row(ka, kb, kc, kd, 1)
    const k2 = Four.row(ka, kb, kc, kd, 2)
    const k3 = Four.row(ka, kb, kc, kd, 3)
    v128.store(values, v128.and(r0, k0))
    v128.store(values, v128.and(r1, k1), 16)
    v128.store(values, v128.and(r2, k2), 32)
    v128.store(values, v128.and(r3, k3), 48)
    v128.store(kept, Lanes.narrowMasks(k0, k1, k2, k3))
    values += 64
    kept += 16
    src += 64
  }
  return Lanes.maxSigned(top) >= INFINITY_BITS ? 1 : 0
}

/**
 * values: f32[rows][length], kept: u8[rows][length] (0xff / 0x00) of src: f32[rows][length]: in each row, blocks of
 * `block` (the last may be short) keep their `keep` greatest. Returns how many values are not finite, in no particular
 * unit.
 */
export function keepPattern(
  values: usize,
  kept: usize,
  src: usize,
  rows: i32,
  length: i32,
  keep: i32,
  block: i32
): i32 {
  let bad = 0
  if (block == 4 && (length & 3) == 0) {
    const whole = (rows * length) & ~15
    bad = keepOfFour(values, kept, src, whole, keep)
    length = rows * length - whole
    rows = length ? 1 : 0
    values += (<usize>whole) << 2
    kept += whole
    src += (<usize>whole) << 2
  }
  while (rows > 0) {
    let left = length
    while (left > 0) {
      const size = min(left, block)
      let i = 0
      while (i < size) {
        const x = load<i32>(src + ((<usize>i) << 2))
        const a = x & ABS_MASK
        if (a >= INFINITY_BITS) bad++
        let beaten = 0
        let j = 0
        while (j < size) {
          const o = load<i32>(src + ((<usize>j) << 2)) & ABS_MASK
          if (o > a || (o == a && j > i)) beaten++
          j++
        }
        const stays = beaten < keep
        store<i32>(values + ((<usize>i) << 2), stays ? x : 0)
        store<u8>(kept + i, stays ? 0xff : 0)
        i++
      }
      values += (<usize>size) << 2
      src += (<usize>size) << 2
      kept += size
      left -= size
    }
    rows--
  }
  return bad
}
