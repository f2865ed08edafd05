/**
 * Products of codes of 5 to 8 bits with a query in whole numbers. Two codes are one i16 t = low + 256 high, low without
 * a sign: dot(t & 255, a - b) + dot(t, b) = low a + 256 high b. The lower code meets a weight a of 16 bits, and the
 * upper one 256 b, b of 8 bits.
 */
class Pairs {
  @inline static add(sum: v128, codes: v128, low: v128, both: v128, mask: v128): v128 {
    return i32x4.add(i32x4.add(sum, i32x4.dot_i16x8_s(v128.and(codes, mask), low)), i32x4.dot_i16x8_s(codes, both))
  }

  @inline static reduce(a: v128, b: v128, c: v128, d: v128): v128 {
    const ab = f32x4.add(v128.shuffle<u32>(a, b, 0, 4, 1, 5), v128.shuffle<u32>(a, b, 2, 6, 3, 7))
    const cd = f32x4.add(v128.shuffle<u32>(c, d, 0, 4, 1, 5), v128.shuffle<u32>(c, d, 2, 6, 3, 7))
    return f32x4.add(v128.shuffle<u32>(ab, cd, 0, 1, 4, 5), v128.shuffle<u32>(ab, cd, 2, 3, 6, 7))
  }

  /**
   * Four rows of `step` bytes; sums over 1024 codes fit i32, whatever the codes: 64 * 2 * 32639 * (255 + 128) < 2^31.
   */
  @inline static four(sums: usize, rows: usize, query: usize, step: usize, mask: v128): void {
    let f0 = f32x4.splat(0)
    let f1 = f0
    let f2 = f0
    let f3 = f0
    const last = rows + step
    let second = last
    let third = second + step
    let fourth = third + step
    do {
      let a = i32x4.splat(0)
      let b = a
      let c = a
      let d = a
      const end = min<usize>(last, rows + 1024)
      do {
        const low = v128.load(query)
        const both = v128.load(query, 16)
        a = Pairs.add(a, v128.load(rows), low, both, mask)
        b = Pairs.add(b, v128.load(second), low, both, mask)
        c = Pairs.add(c, v128.load(third), low, both, mask)
        d = Pairs.add(d, v128.load(fourth), low, both, mask)
        rows += 16
        second += 16
        third += 16
        fourth += 16
        query += 32
      } while (rows < end)
      f0 = f32x4.add(f0, f32x4.convert_i32x4_s(a))
      f1 = f32x4.add(f1, f32x4.convert_i32x4_s(b))
      f2 = f32x4.add(f2, f32x4.convert_i32x4_s(c))
      f3 = f32x4.add(f3, f32x4.convert_i32x4_s(d))
    } while (rows < last)
    v128.store(sums, Pairs.reduce(f0, f1, f2, f3))
  }

  /** Planes of 4, 2 and 1 bits to bytes: of every 32 codes the even ones, then the odd ones. */
  @inline static unpack(to: usize, row: usize, steps: usize, bits: i32, nibble: v128): void {
    let two = row + (steps << 4)
    let one = bits & 2 ? two + (steps << 3) : two
    const alternate = i16x8.splat(0x00ff)
    const pair = i8x16.splat(3)
    const even = i32x4.splat(0x40100401)
    const odd = i32x4.splat(<i32>0x80200802)
    const weight = i8x16.splat(<i8>(bits & 2 ? 64 : 16))
    const end = two
    do {
      const codes = v128.load(row)
      let a = v128.and(codes, nibble)
      let b = v128.and(i16x8.shr_u(codes, 4), nibble)
      if (bits & 2) {
        const twice = v128.load64_zero(two)
        const spread = v128.shuffle<u8>(twice, twice, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7)
        const both = v128.bitselect(spread, i16x8.shr_u(spread, 4), alternate)
        a = v128.or(a, i16x8.shl(v128.and(both, pair), 4))
        b = v128.or(b, i16x8.shl(v128.and(i16x8.shr_u(both, 2), pair), 4))
        two += 8
      }
      if (bits & 1) {
        const single = v128.load32_zero(one)
        const spread = v128.shuffle<u8>(single, single, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3)
        a = v128.or(a, v128.and(i8x16.eq(v128.and(spread, even), even), weight))
        b = v128.or(b, v128.and(i8x16.eq(v128.and(spread, odd), odd), weight))
        one += 4
      }
      v128.store(to, a)
      v128.store(to, b, 16)
      to += 32
      row += 16
    } while (row < end)
  }
}

/**
 * sums: f32[count][32] of blocks of rows, `step` bytes each: bits 8, 16 codes at a time, the lower ones of pairs moved
 * up by 128; bits 5 to 7: planes of 32 codes at a time. query: i16[step / 16][2][8]: a - b, b. scratch: 128 bytes for
 * every 32 codes. byte: 255, nibble: 15.
 */
export function scanBytes(
  sums: usize,
  blocks: usize,
  stride: usize,
  count: i32,
  query: usize,
  step: usize,
  bits: i32,
  byte: i32,
  nibble: i32,
  scratch: usize
): void {
  const mask = i16x8.splat(<i16>byte)
  const after = stride - (step << 5)
  if (bits == 8) {
    do {
      let groups = 8
      do {
        Pairs.four(sums, blocks, query, step, mask)
        sums += 16
        blocks += step << 2
      } while (--groups > 0)
      blocks += after
    } while (--count > 0)
  } else {
    const low = i8x16.splat(<i8>nibble)
    const steps = step / (bits << 2)
    const wide = steps << 5
    do {
      let groups = 8
      do {
        let to = scratch
        let rows = 4
        do {
          Pairs.unpack(to, blocks, steps, bits, low)
          to += wide
          blocks += step
        } while (--rows > 0)
        Pairs.four(sums, scratch, query, wide, mask)
        sums += 16
      } while (--groups > 0)
      blocks += after
    } while (--count > 0)
  }
}

/** The greatest weight: 127 * 256, so that the upper codes' weights fit eight bits. */
const TOP: f32 = 32512

/**
 * query: i16 as above; rest: f32[n], what rounding takes from q, or 0; result: f64[2], the step of a weight, and what
 * brings step times a sum of codes to the product with q. q: f32[n], zeros behind its coordinates, n a multiple of 16
 * (8 bits) or 32. order: coordinates in the order of lanes are those of every 32 the even ones, then the odd ones,
 * where bits < 8. What rounding takes from a weight counts with the codes' middle.
 */
export function buildByteQuery(query: usize, result: usize, rest: usize, q: usize, n: i32, bits: i32): void {
  const end = q + ((<usize>n) << 2)
  let top: f32 = 0
  let p = q
  do {
    top = max(top, abs(load<f32>(p)))
    p += 4
  } while (p < end)
  const some = top > <f32>1e-30
  const inverse: f32 = some ? TOP / top : 0
  const step: f64 = some ? <f64>top / <f64>TOP : 0
  // Codes of 8 bits have a sign and a middle near 0.
  const middle: f64 = bits == 8 ? 0 : <f64>((1 << bits) - 1) / 2
  let moved: i64 = 0
  let left: f64 = 0
  let i: i32 = 0
  do {
    let lane = 0
    do {
      // Lane j: code j of 16, or code 2 j or 2 j + 1 of 32.
      const at = bits == 8 ? i + lane : (i & ~31) + (lane << 1) + ((i & 16) >> 4)
      const after = bits == 8 ? at + 1 : at + 2
      const x = load<f32>(q + ((<usize>at) << 2))
      const y = load<f32>(q + ((<usize>after) << 2))
      const a = <i32>nearest(x * inverse)
      const b = <i32>nearest((y * inverse) / 256)
      store<i16>(query, <i16>(a - b))
      store<i16>(query, <i16>b, 16)
      query += 2
      moved += <i64>a
      const first = <f64>x - <f64>a * step
      const second = <f64>y - <f64>(b << 8) * step
      left += first + second
      if (rest) {
        store<f32>(rest + ((<usize>at) << 2), <f32>first)
        store<f32>(rest + ((<usize>after) << 2), <f32>second)
      }
      lane += 2
    } while (lane < 16)
    query += 16
    i += 16
  } while (i < n)
  store<f64>(result, step)
  store<f64>(result, bits == 8 ? -128 * <f64>moved * step : middle * left, 8)
}

/** sums: f32[n] += low factor + offset, low: f32[n]; n: a multiple of 4 */
export function addScaledF32(sums: usize, low: usize, n: i32, factor: f32, offset: f32): void {
  const f = f32x4.splat(factor)
  const o = f32x4.splat(offset)
  const end = sums + ((<usize>n) << 2)
  do {
    v128.store(sums, f32x4.add(v128.load(sums), f32x4.add(f32x4.mul(v128.load(low), f), o)))
    sums += 16
    low += 16
  } while (sums < end)
}
