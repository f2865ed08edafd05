/**
 * What a scan by tables asks of a query: the sixteen products of every nibble of a row's codes. They are u8 with one
 * step for all. Fine tables have 4096 steps, in two digits of six bits: tables of the high digits, then, `below` bytes
 * on, of the low ones. below = 0: 256 steps, one digit. A table's least value is taken off it and summed into the base.
 * Scalars and their sums are f64, products f32.
 */
import { ROUND_MAGIC, ROUND_MAGIC_BITS } from '../../common/lanes'

/** Below this range a query counts as zero: 255 by it is not finite in f32. */
const LEAST_RANGE: f32 = 1e-35

/** The greatest entry of a table, and of a fine one. */
const MOST: f32 = 255
const MOST_FINE: f32 = 4095

class Entries {
  @inline static most(below: usize): f32 {
    return below ? MOST_FINE : MOST
  }

  /** Sixteen values >= 0 to whole numbers, half to even, at most 255 or 4095. */
  @inline static store(to: usize, a: v128, b: v128, c: v128, d: v128, below: usize): void {
    const magic = f32x4.splat(ROUND_MAGIC)
    const bits = i32x4.splat(ROUND_MAGIC_BITS)
    const ab = i16x8.narrow_i32x4_s(i32x4.sub(f32x4.add(a, magic), bits), i32x4.sub(f32x4.add(b, magic), bits))
    const cd = i16x8.narrow_i32x4_s(i32x4.sub(f32x4.add(c, magic), bits), i32x4.sub(f32x4.add(d, magic), bits))
    if (below) {
      const digit = i16x8.splat(63)
      v128.store(to, i8x16.narrow_i16x8_u(i16x8.shr_s(ab, 6), i16x8.shr_s(cd, 6)))
      v128.store(to + below, i8x16.narrow_i16x8_u(v128.and(ab, digit), v128.and(cd, digit)))
    } else v128.store(to, i8x16.narrow_i16x8_u(ab, cd))
  }

  /** q: f32[4] of four coordinates of one bit */
  @inline static oneBit(to: usize, q: usize, inverse: v128, first: v128, last: v128, below: usize): void {
    const x = f32x4.mul(v128.load(q), inverse)
    const zero = f32x4.mul(x, first)
    const one = f32x4.mul(x, last)
    const least = f32x4.pmin(zero, one)
    // What a coordinate adds where its bit is 0, and where it is 1.
    const z = f32x4.sub(zero, least)
    const o = f32x4.sub(one, least)
    const low = f32x4.add(v128.shuffle<u32>(z, o, 0, 4, 0, 4), v128.shuffle<u32>(z, o, 1, 1, 5, 5))
    const a = f32x4.add(v128.shuffle<u32>(z, z, 2, 2, 2, 2), v128.shuffle<u32>(z, z, 3, 3, 3, 3))
    const b = f32x4.add(v128.shuffle<u32>(o, o, 2, 2, 2, 2), v128.shuffle<u32>(z, z, 3, 3, 3, 3))
    const c = f32x4.add(v128.shuffle<u32>(z, z, 2, 2, 2, 2), v128.shuffle<u32>(o, o, 3, 3, 3, 3))
    const d = f32x4.add(v128.shuffle<u32>(o, o, 2, 2, 2, 2), v128.shuffle<u32>(o, o, 3, 3, 3, 3))
    Entries.store(to, f32x4.add(low, a), f32x4.add(low, b), f32x4.add(low, c), f32x4.add(low, d), below)
  }

  /** One coordinate's products less the least of them. */
  @inline static products(x: v128, levels: v128, least: v128, most: v128): v128 {
    return f32x4.sub(f32x4.mul(x, levels), f32x4.pmin(f32x4.mul(x, least), f32x4.mul(x, most)))
  }

  /** q: f32[2] of two coordinates of two bits */
  @inline static twoBits(
    to: usize,
    q: usize,
    inverse: v128,
    levels: v128,
    least: v128,
    most: v128,
    below: usize
  ): void {
    const low = Entries.products(f32x4.mul(v128.load32_splat(q), inverse), levels, least, most)
    const high = Entries.products(f32x4.mul(v128.load32_splat(q, 4), inverse), levels, least, most)
    Entries.store(
      to,
      f32x4.add(low, v128.shuffle<u32>(high, high, 0, 0, 0, 0)),
      f32x4.add(low, v128.shuffle<u32>(high, high, 1, 1, 1, 1)),
      f32x4.add(low, v128.shuffle<u32>(high, high, 2, 2, 2, 2)),
      f32x4.add(low, v128.shuffle<u32>(high, high, 3, 3, 3, 3)),
      below
    )
  }
}

/** The tables of q, up to `end`: products in steps of an entry, 1 / inverse. least and most: the ends of the levels. */
class Fill {
  @inline static oneBit(tables: usize, p: usize, end: usize, levels: usize, inverse: v128, below: usize): void {
    const zero = v128.load32_splat(levels)
    const one = v128.load32_splat(levels, 4)
    do {
      Entries.oneBit(tables, p, inverse, zero, one, below)
      tables += 16
      p += 16
    } while (p < end)
  }

  @inline static twoBits(
    tables: usize,
    p: usize,
    end: usize,
    levels: usize,
    inverse: v128,
    least: v128,
    most: v128,
    below: usize
  ): void {
    const four = v128.load(levels)
    do {
      Entries.twoBits(tables, p, inverse, four, least, most, below)
      tables += 16
      p += 8
    } while (p < end)
  }

  @inline static threeBits(
    tables: usize,
    p: usize,
    end: usize,
    levels: usize,
    inverse: v128,
    least: v128,
    most: v128,
    below: usize
  ): void {
    const low = v128.load(levels)
    const high = v128.load(levels, 16)
    const none = f32x4.splat(0)
    let i: usize = 0
    do {
      const x = f32x4.mul(v128.load32_splat(p + (((i & 1) << 4) | ((i & 6) << 1))), inverse)
      Entries.store(
        tables,
        Entries.products(x, low, least, most),
        Entries.products(x, high, least, most),
        none,
        none,
        below
      )
      tables += 16
      i++
      if (i == 8) {
        i = 0
        p += 32
      }
    } while (p < end)
  }

  @inline static fourBits(
    tables: usize,
    p: usize,
    end: usize,
    levels: usize,
    inverse: v128,
    least: v128,
    most: v128,
    below: usize
  ): void {
    const l0 = v128.load(levels)
    const l1 = v128.load(levels, 16)
    const l2 = v128.load(levels, 32)
    const l3 = v128.load(levels, 48)
    do {
      const x = f32x4.mul(v128.load32_splat(p), inverse)
      const low = f32x4.pmin(f32x4.mul(x, least), f32x4.mul(x, most))
      Entries.store(
        tables,
        f32x4.sub(f32x4.mul(x, l0), low),
        f32x4.sub(f32x4.mul(x, l1), low),
        f32x4.sub(f32x4.mul(x, l2), low),
        f32x4.sub(f32x4.mul(x, l3), low),
        below
      )
      tables += 16
      p += 4
    } while (p < end)
  }
}

/**
 * tables: u8[nibbles][16]; result: f64[2], the step of an entry and the sum of the least products; levels: f32[2^bits].
 * q: f32[n], zeros behind its coordinates so that n is a multiple of 16 for one bit, 8 for two and three, 4 for four.
 * A nibble is four, two or one coordinates, from its low bits up. Three bits take one for each coordinate, in the order
 * 0, 4, 1, 5, 2, 6, 3, 7 of every eight, as scanThreeBits does.
 */
export function buildScalarTables(
  tables: usize,
  result: usize,
  q: usize,
  levels: usize,
  n: i32,
  bits: i32,
  below: usize
): void {
  const end = q + ((<usize>n) << 2)
  let first = load<f32>(levels)
  let last = first
  let p = levels
  const endLevels = levels + ((<usize>4) << bits)
  do {
    const level = load<f32>(p)
    first = min(first, level)
    last = max(last, level)
    p += 4
  } while (p < endLevels)
  const least = f32x4.splat(first)
  const most = f32x4.splat(last)

  let sum0 = f64x2.splat(0)
  let sum1 = sum0
  let top = f32x4.splat(0)
  p = q
  do {
    const x = v128.load(p)
    const a = f32x4.mul(x, least)
    const b = f32x4.mul(x, most)
    const low = f32x4.pmin(a, b)
    sum0 = f64x2.add(sum0, f64x2.promote_low_f32x4(low))
    sum1 = f64x2.add(sum1, f64x2.promote_low_f32x4(v128.shuffle<u32>(low, low, 2, 3, 2, 3)))
    let range = f32x4.sub(f32x4.pmax(a, b), low)
    if (bits <= 2) range = f32x4.add(range, v128.shuffle<u32>(range, range, 1, 0, 3, 2))
    if (bits == 1) range = f32x4.add(range, v128.shuffle<u32>(range, range, 2, 3, 0, 1))
    top = f32x4.pmax(top, range)
    p += 16
  } while (p < end)
  top = f32x4.pmax(top, v128.shuffle<u32>(top, top, 2, 3, 0, 1))
  top = f32x4.pmax(top, v128.shuffle<u32>(top, top, 1, 0, 3, 2))
  const range = f32x4.extract_lane(top, 0)
  const some = range > LEAST_RANGE
  sum0 = f64x2.add(sum0, sum1)
  store<f64>(result, some ? <f64>range / <f64>Entries.most(below) : 0)
  store<f64>(result, f64x2.extract_lane(sum0, 0) + f64x2.extract_lane(sum0, 1), 8)
  const inverse = f32x4.splat(some ? Entries.most(below) / range : 0)

  if (bits == 1) Fill.oneBit(tables, q, end, levels, inverse, below)
  else if (bits == 2) Fill.twoBits(tables, q, end, levels, inverse, least, most, below)
  else if (bits == 3) Fill.threeBits(tables, q, end, levels, inverse, least, most, below)
  else Fill.fourBits(tables, q, end, levels, inverse, least, most, below)
}

/** tables: u8[count][16] and result as above, of values: f32[count][16]; count > 0. */
export function buildSubspaceTables(tables: usize, result: usize, values: usize, count: i32, below: usize): void {
  const end = values + ((<usize>count) << 6)
  let range: f32 = 0
  let base: f64 = 0
  let p = values
  do {
    range = max(range, Subspace.most(p) - Subspace.least(p))
    base += <f64>Subspace.least(p)
    p += 64
  } while (p < end)
  const some = range > LEAST_RANGE
  store<f64>(result, some ? <f64>range / <f64>Entries.most(below) : 0)
  store<f64>(result, base, 8)
  const inverse = f32x4.splat(some ? Entries.most(below) / range : 0)
  p = values
  do {
    const least = f32x4.splat(Subspace.least(p))
    Entries.store(
      tables,
      f32x4.mul(f32x4.sub(v128.load(p), least), inverse),
      f32x4.mul(f32x4.sub(v128.load(p, 16), least), inverse),
      f32x4.mul(f32x4.sub(v128.load(p, 32), least), inverse),
      f32x4.mul(f32x4.sub(v128.load(p, 48), least), inverse),
      below
    )
    tables += 16
    p += 64
  } while (p < end)
}

class Subspace {
  @inline static least(p: usize): f32 {
    let v = f32x4.pmin(f32x4.pmin(v128.load(p), v128.load(p, 16)), f32x4.pmin(v128.load(p, 32), v128.load(p, 48)))
    v = f32x4.pmin(v, v128.shuffle<u32>(v, v, 2, 3, 0, 1))
    v = f32x4.pmin(v, v128.shuffle<u32>(v, v, 1, 0, 3, 2))
    return f32x4.extract_lane(v, 0)
  }

  @inline static most(p: usize): f32 {
    let v = f32x4.pmax(f32x4.pmax(v128.load(p), v128.load(p, 16)), f32x4.pmax(v128.load(p, 32), v128.load(p, 48)))
    v = f32x4.pmax(v, v128.shuffle<u32>(v, v, 2, 3, 0, 1))
    v = f32x4.pmax(v, v128.shuffle<u32>(v, v, 1, 0, 3, 2))
    return f32x4.extract_lane(v, 0)
  }
}

/** to: u8[padded], the first `bytes` of from, then zeros */
export function copyPadded(to: usize, from: usize, bytes: usize, padded: usize): void {
  memory.copy(to, from, bytes)
  memory.fill(to + bytes, 0, padded - bytes)
}
