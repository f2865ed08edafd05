/**
 * Hamming distances, a row of a block in each lane. Eight columns pass carry-save adders, so that one popcount serves
 * them all (R. Harley's counter; W. Mula, N. Kurz and D. Lemire, Faster population counts using AVX2 instructions,
 * 2018).
 */
class Adder {
  @inline static carry(a: v128, b: v128, half: v128, c: v128): v128 {
    return v128.or(v128.and(a, b), v128.and(half, c))
  }
}

class Sixteen {
  /** i32[16] of u16 of even rows and of odd ones */
  @inline static store(to: usize, even: v128, odd: v128): void {
    const low = v128.shuffle<u16>(even, odd, 0, 8, 1, 9, 2, 10, 3, 11)
    const high = v128.shuffle<u16>(even, odd, 4, 12, 5, 13, 6, 14, 7, 15)
    v128.store(to, i32x4.extend_low_i16x8_u(low))
    v128.store(to, i32x4.extend_high_i16x8_u(low), 16)
    v128.store(to, i32x4.extend_low_i16x8_u(high), 32)
    v128.store(to, i32x4.extend_high_i16x8_u(high), 48)
  }

  /** Bits that differ in one byte of sixteen rows. */
  @inline static different(codes: usize, query: usize): v128 {
    return v128.xor(v128.load(codes), v128.load(query))
  }
}

/** Columns whose eights fit u8: 31 groups of eight. */
const COLUMNS: usize = 248

/**
 * distances: i32[count][32] of codes u8[columns][32] in blocks, `stride` apart; query: u8[columns][16], each column's
 * byte 16 times; columns > 0.
 */
export function scanSigns(
  distances: usize,
  blocks: usize,
  stride: usize,
  count: i32,
  query: usize,
  columns: i32,
  byte: i32
): void {
  const mask = i16x8.splat(<i16>byte)
  const bytes = (<usize>columns) << 5
  do {
    let part: usize = 0
    do {
      let p = blocks + part
      let q = query
      const last = p + bytes
      let even = i16x8.splat(0)
      let odd = even
      do {
        const end = min<usize>(last, p + (COLUMNS << 5))
        let ones = i8x16.splat(0)
        let twos = ones
        let fours = ones
        let eights = ones
        while (p + 256 <= end) {
          let a = Sixteen.different(p, q)
          let b = Sixteen.different(p + 32, q + 16)
          let half = v128.xor(ones, a)
          let two = Adder.carry(ones, a, half, b)
          ones = v128.xor(half, b)
          a = Sixteen.different(p + 64, q + 32)
          b = Sixteen.different(p + 96, q + 48)
          half = v128.xor(ones, a)
          let other = Adder.carry(ones, a, half, b)
          ones = v128.xor(half, b)
          half = v128.xor(twos, two)
          const four = Adder.carry(twos, two, half, other)
          twos = v128.xor(half, other)
          a = Sixteen.different(p + 128, q + 64)
          b = Sixteen.different(p + 160, q + 80)
          half = v128.xor(ones, a)
          two = Adder.carry(ones, a, half, b)
          ones = v128.xor(half, b)
          a = Sixteen.different(p + 192, q + 96)
          b = Sixteen.different(p + 224, q + 112)
          half = v128.xor(ones, a)
          other = Adder.carry(ones, a, half, b)
          ones = v128.xor(half, b)
          half = v128.xor(twos, two)
          const fourToo = Adder.carry(twos, two, half, other)
          twos = v128.xor(half, other)
          half = v128.xor(fours, four)
          eights = i8x16.add(eights, i8x16.popcnt(Adder.carry(fours, four, half, fourToo)))
          fours = v128.xor(half, fourToo)
          p += 256
          q += 128
        }
        // At most 8 (1 + 2 + 4) and seven columns of 8: a byte holds it.
        let rest = i8x16.popcnt(fours)
        rest = i8x16.add(i8x16.add(rest, rest), i8x16.popcnt(twos))
        rest = i8x16.add(i8x16.add(rest, rest), i8x16.popcnt(ones))
        while (p < end) {
          rest = i8x16.add(rest, i8x16.popcnt(Sixteen.different(p, q)))
          p += 32
          q += 16
        }
        even = i16x8.add(even, i16x8.add(i16x8.shl(v128.and(eights, mask), 3), v128.and(rest, mask)))
        odd = i16x8.add(odd, i16x8.add(i16x8.shl(i16x8.shr_u(eights, 8), 3), i16x8.shr_u(rest, 8)))
      } while (p < last)
      Sixteen.store(distances, even, odd)
      distances += 64
      part += 16
    } while (part < 32)
    blocks += stride
  } while (--count > 0)
}

/** to: u8[columns][16], each byte of from: u8[columns] 16 times; columns > 0 */
export function spreadBytes(to: usize, from: usize, columns: i32): void {
  const end = from + columns
  do {
    v128.store(to, v128.load8_splat(from))
    to += 16
    from++
  } while (from < end)
}
