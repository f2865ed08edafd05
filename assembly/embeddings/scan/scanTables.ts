/**
 * Scans by tables of sixteen bytes, a row of a block in each lane. Codes are u8[columns][32]; tables are u8[2
 * columns][16], of the low and the high nibble of each column. Four entries are combined in bytes, by a tree of
 * rounding averages (D. Blalock and J. Guttag, Multiplying matrices without multiplying, 2021). Where they sum to at
 * most 255 they are added exactly. The next sum is in u16, which holds 257 of the greatest ones, then in i32. Masks are
 * arguments: the compiler folds a constant into each of its uses, which costs 9 to 26%.
 */
class Four {
  /** The average of two bytes, rounded up, or their sum. */
  @inline static join(exact: bool, a: v128, b: v128): v128 {
    return exact ? i8x16.add(a, b) : i8x16.avgr_u(a, b)
  }

  @inline static low(table: v128, codes: v128, mask: v128): v128 {
    return i8x16.swizzle(table, v128.and(codes, mask))
  }

  /** Two columns of sixteen rows. */
  @inline static columns(exact: bool, p: usize, t: usize, mask: v128): v128 {
    let codes = v128.load(p)
    const a = Four.join(exact, Four.low(v128.load(t), codes, mask), Four.high(v128.load(t, 16), codes, mask))
    codes = v128.load(p, 32)
    const b = Four.join(exact, Four.low(v128.load(t, 32), codes, mask), Four.high(v128.load(t, 48), codes, mask))
    return Four.join(exact, a, b)
  }

  @inline static high(table: v128, codes: v128, mask: v128): v128 {
    return i8x16.swizzle(table, v128.and(i16x8.shr_u(codes, 4), mask))
  }
}

class Sums {
  /** raw: i32[16] (+)= sums of u16: all = even + 256 odd, odd */
  @inline static flush(raw: usize, all: v128, odd: v128, first: bool): void {
    const even = i16x8.sub(all, i16x8.shl(odd, 8))
    const a = v128.shuffle<u16>(even, odd, 0, 8, 1, 9, 2, 10, 3, 11)
    const b = v128.shuffle<u16>(even, odd, 4, 12, 5, 13, 6, 14, 7, 15)
    Sums.put(raw, i32x4.extend_low_i16x8_u(a), first)
    Sums.put(raw + 16, i32x4.extend_high_i16x8_u(a), first)
    Sums.put(raw + 32, i32x4.extend_low_i16x8_u(b), first)
    Sums.put(raw + 48, i32x4.extend_high_i16x8_u(b), first)
  }

  @inline static put(raw: usize, x: v128, first: bool): void {
    v128.store(raw, first ? x : i32x4.add(v128.load(raw), x))
  }
}

/** Columns whose entries u16 can sum, two at a time: 256 groups of four. */
const COLUMNS: usize = 512

class Scan {
  @inline static columns(
    exact: bool,
    scores: usize,
    blocks: usize,
    stride: usize,
    count: i32,
    tables: usize,
    columns: i32,
    nibble: i32
  ): void {
    const mask = i8x16.splat(<i8>nibble)
    const bytes = (<usize>columns) << 5
    do {
      let p = blocks
      let t = tables
      const last = blocks + bytes
      do {
        let all0 = i16x8.splat(0)
        let odd0 = all0
        let all1 = all0
        let odd1 = all0
        const end = min<usize>(last, p + (COLUMNS << 5))
        do {
          const a = Four.columns(exact, p, t, mask)
          const b = Four.columns(exact, p + 16, t, mask)
          all0 = i16x8.add(all0, a)
          odd0 = i16x8.add(odd0, i16x8.shr_u(a, 8))
          all1 = i16x8.add(all1, b)
          odd1 = i16x8.add(odd1, i16x8.shr_u(b, 8))
          p += 64
          t += 64
        } while (p < end)
        if (end - blocks <= COLUMNS << 5) {
          Sums.flush(scores, all0, odd0, true)
          Sums.flush(scores + 64, all1, odd1, true)
        } else {
          Sums.flush(scores, all0, odd0, false)
          Sums.flush(scores + 64, all1, odd1, false)
        }
      } while (p < last)
      scores += 128
      blocks += stride
    } while (--count > 0)
  }
}

/**
 * raw: i32[count][32] of count blocks, `stride` apart; columns: even, > 0; nibble: 15; exact: whether entries are
 * added, not averaged.
 */
export function scanTables(
  raw: usize,
  blocks: usize,
  stride: usize,
  count: i32,
  tables: usize,
  columns: i32,
  exact: i32,
  nibble: i32
): void {
  if (exact) Scan.columns(true, raw, blocks, stride, count, tables, columns, nibble)
  else Scan.columns(false, raw, blocks, stride, count, tables, columns, nibble)
}

class Three {
  /** Sixteen rows of eight codes: planes of two bits (columns 32 bytes apart) and one bit. */
  @inline static rows(
    exact: bool,
    p: usize,
    h: usize,
    t: usize,
    nibble: v128,
    third: v128,
    index: v128,
    second: bool
  ): v128 {
    const left = v128.load(p)
    const right = v128.load(p, 32)
    const high = v128.load(h)
    let pairs: v128
    let bits: v128
    // Codes k and k + 4 side by side, as their high bits are in a byte of theirs.
    if (second) {
      pairs = v128.bitselect(i16x8.shr_u(left, 4), right, nibble)
      bits = high
    } else {
      pairs = v128.bitselect(left, i16x8.shl(right, 4), nibble)
      bits = i16x8.shl(high, 2)
    }
    const a = v128.bitselect(bits, pairs, third)
    const b = v128.bitselect(second ? i16x8.shr_u(high, 1) : i16x8.shl(high, 1), i16x8.shr_u(pairs, 2), third)
    const x = Four.join(exact, Four.low(v128.load(t), a, index), Four.high(v128.load(t, 16), a, index))
    const y = Four.join(exact, Four.low(v128.load(t, 32), b, index), Four.high(v128.load(t, 48), b, index))
    return Four.join(exact, x, y)
  }
}

/** Groups of eight codes whose entries u16 can sum. */
const GROUPS: i32 = 128

class ThreeBits {
  @inline static blocks(
    exact: bool,
    raw: usize,
    blocks: usize,
    stride: usize,
    count: i32,
    tables: usize,
    groups: i32,
    nibble: i32,
    third: i32,
    index: i32
  ): void {
    const m = i8x16.splat(<i8>nibble)
    const n = i8x16.splat(<i8>third)
    const o = i8x16.splat(<i8>index)
    do {
      let p = blocks
      let h = blocks + ((<usize>groups) << 6)
      let t = tables
      let left = groups
      do {
        let all0 = i16x8.splat(0)
        let odd0 = all0
        let all1 = all0
        let odd1 = all0
        let some = min(left, GROUPS)
        const first = left == groups
        left -= some
        do {
          const a = Three.rows(exact, p, h, t, m, n, o, false)
          const b = Three.rows(exact, p + 16, h + 16, t, m, n, o, false)
          const c = Three.rows(exact, p, h, t + 64, m, n, o, true)
          const d = Three.rows(exact, p + 16, h + 16, t + 64, m, n, o, true)
          all0 = i16x8.add(all0, i16x8.add(a, c))
          odd0 = i16x8.add(odd0, i16x8.add(i16x8.shr_u(a, 8), i16x8.shr_u(c, 8)))
          all1 = i16x8.add(all1, i16x8.add(b, d))
          odd1 = i16x8.add(odd1, i16x8.add(i16x8.shr_u(b, 8), i16x8.shr_u(d, 8)))
          p += 64
          h += 32
          t += 128
        } while (--some > 0)
        Sums.flush(raw, all0, odd0, first)
        Sums.flush(raw + 64, all1, odd1, first)
      } while (left > 0)
      raw += 128
      blocks += stride
    } while (--count > 0)
  }
}

/**
 * The same of codes of three bits: columns of two bits, 2 groups of them, then of one bit; tables: u8[8 groups][16] in
 * the order of buildScalarTables. exact: as above. groups > 0; nibble: 15, third: 0x44, index: 7.
 */
export function scanThreeBits(
  raw: usize,
  blocks: usize,
  stride: usize,
  count: i32,
  tables: usize,
  groups: i32,
  exact: i32,
  nibble: i32,
  third: i32,
  index: i32
): void {
  if (exact) ThreeBits.blocks(true, raw, blocks, stride, count, tables, groups, nibble, third, index)
  else ThreeBits.blocks(false, raw, blocks, stride, count, tables, groups, nibble, third, index)
}

/**
 * sums: f32[n] = (64 high + low) factor + offset, of whole numbers high and low: i32[n]; sums may be either; n: a
 * multiple of 4
 */
export function joinDigits(sums: usize, high: usize, low: usize, n: i32, factor: f32, offset: f32): void {
  const f = f32x4.splat(factor)
  const o = f32x4.splat(offset)
  const end = sums + ((<usize>n) << 2)
  do {
    const whole = i32x4.add(i32x4.shl(v128.load(high), 6), v128.load(low))
    v128.store(sums, f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(whole), f), o))
    sums += 16
    high += 16
    low += 16
  } while (sums < end)
}
