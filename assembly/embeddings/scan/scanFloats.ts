/**
 * Products of f32 and f16 rows with a query, four rows a pass. Lanes j of every eight coordinates are summed in order.
 * Then come 0 + 4, 1 + 5, 2 + 6 and 3 + 7, then (0 + 2) + (1 + 3).
 */
class Rows {
  /** The sums of four vectors' lanes. */
  @inline static reduce(a: v128, b: v128, c: v128, d: v128): v128 {
    const ab = f32x4.add(v128.shuffle<u32>(a, b, 0, 4, 1, 5), v128.shuffle<u32>(a, b, 2, 6, 3, 7))
    const cd = f32x4.add(v128.shuffle<u32>(c, d, 0, 4, 1, 5), v128.shuffle<u32>(c, d, 2, 6, 3, 7))
    return f32x4.add(v128.shuffle<u32>(ab, cd, 0, 1, 4, 5), v128.shuffle<u32>(ab, cd, 2, 3, 6, 7))
  }

  @inline static add(squared: bool, sum: v128, x: v128, q: v128): v128 {
    if (!squared) return f32x4.add(sum, f32x4.mul(x, q))
    const difference = f32x4.sub(x, q)
    return f32x4.sub(sum, f32x4.mul(difference, difference))
  }

  @inline static full(squared: bool, sums: usize, rows: usize, q: usize, step: usize): void {
    let a0 = f32x4.splat(0)
    let a1 = a0
    let b0 = a0
    let b1 = a0
    let c0 = a0
    let c1 = a0
    let d0 = a0
    let d1 = a0
    const end = rows + step
    let second = end
    let third = second + step
    let fourth = third + step
    do {
      let x = v128.load(q)
      a0 = Rows.add(squared, a0, v128.load(rows), x)
      b0 = Rows.add(squared, b0, v128.load(second), x)
      c0 = Rows.add(squared, c0, v128.load(third), x)
      d0 = Rows.add(squared, d0, v128.load(fourth), x)
      x = v128.load(q, 16)
      a1 = Rows.add(squared, a1, v128.load(rows, 16), x)
      b1 = Rows.add(squared, b1, v128.load(second, 16), x)
      c1 = Rows.add(squared, c1, v128.load(third, 16), x)
      d1 = Rows.add(squared, d1, v128.load(fourth, 16), x)
      rows += 32
      second += 32
      third += 32
      fourth += 32
      q += 32
    } while (rows < end)
    v128.store(sums, Rows.reduce(f32x4.add(a0, a1), f32x4.add(b0, b1), f32x4.add(c0, c1), f32x4.add(d0, d1)))
  }

  /**
   * The upper halves of eight f16's f32, but for the exponents' bias, which a power of two makes up for; subnormals
   * included. The lower halves are their last three bits, shifted up.
   */
  @inline static upper(bits: v128, keep: v128): v128 {
    return v128.and(i16x8.shr_s(bits, 3), keep)
  }

  @inline static low(bits: v128, upper: v128, unbias: v128): v128 {
    return f32x4.mul(v128.shuffle<u16>(i16x8.shl(bits, 13), upper, 0, 8, 1, 9, 2, 10, 3, 11), unbias)
  }

  @inline static high(bits: v128, upper: v128, unbias: v128): v128 {
    return f32x4.mul(v128.shuffle<u16>(i16x8.shl(bits, 13), upper, 4, 12, 5, 13, 6, 14, 7, 15), unbias)
  }

  @inline static half(squared: bool, sums: usize, rows: usize, q: usize, step: usize, keep: v128, unbias: v128): void {
    let a0 = f32x4.splat(0)
    let a1 = a0
    let b0 = a0
    let b1 = a0
    let c0 = a0
    let c1 = a0
    let d0 = a0
    let d1 = a0
    const end = rows + step
    let second = end
    let third = second + step
    let fourth = third + step
    do {
      const x = v128.load(q)
      const y = v128.load(q, 16)
      let h = v128.load(rows)
      let u = Rows.upper(h, keep)
      a0 = Rows.add(squared, a0, Rows.low(h, u, unbias), x)
      a1 = Rows.add(squared, a1, Rows.high(h, u, unbias), y)
      h = v128.load(second)
      u = Rows.upper(h, keep)
      b0 = Rows.add(squared, b0, Rows.low(h, u, unbias), x)
      b1 = Rows.add(squared, b1, Rows.high(h, u, unbias), y)
      h = v128.load(third)
      u = Rows.upper(h, keep)
      c0 = Rows.add(squared, c0, Rows.low(h, u, unbias), x)
      c1 = Rows.add(squared, c1, Rows.high(h, u, unbias), y)
      h = v128.load(fourth)
      u = Rows.upper(h, keep)
      d0 = Rows.add(squared, d0, Rows.low(h, u, unbias), x)
      d1 = Rows.add(squared, d1, Rows.high(h, u, unbias), y)
      rows += 16
      second += 16
      third += 16
      fourth += 16
      q += 32
    } while (rows < end)
    v128.store(sums, Rows.reduce(f32x4.add(a0, a1), f32x4.add(b0, b1), f32x4.add(c0, c1), f32x4.add(d0, d1)))
  }
}

/**
 * sums: f32[count][32] of blocks of f32 rows, `step` bytes each, a multiple of 32, zeros behind their numbers; blocks
 * are `stride` apart. squared: minus the squared distance instead of the product. query: f32[step / 4].
 */
export function scanFloats(
  sums: usize,
  blocks: usize,
  stride: usize,
  count: i32,
  query: usize,
  step: usize,
  squared: i32
): void {
  const after = stride - (step << 5)
  do {
    let groups = 8
    if (squared) {
      do {
        Rows.full(true, sums, blocks, query, step)
        sums += 16
        blocks += step << 2
      } while (--groups > 0)
    } else {
      do {
        Rows.full(false, sums, blocks, query, step)
        sums += 16
        blocks += step << 2
      } while (--groups > 0)
    }
    blocks += after
  } while (--count > 0)
}

/**
 * The same of f16 rows that are finite, `step` bytes each, a multiple of 16; query: f32[step / 2]. keep: 0x8fff,
 * exponent: 239 << 23.
 */
export function scanHalves(
  sums: usize,
  blocks: usize,
  stride: usize,
  count: i32,
  query: usize,
  step: usize,
  squared: i32,
  keep: i32,
  exponent: i32
): void {
  const after = stride - (step << 5)
  const mask = i16x8.splat(<i16>keep)
  const unbias = i32x4.splat(exponent)
  do {
    let groups = 8
    if (squared) {
      do {
        Rows.half(true, sums, blocks, query, step, mask, unbias)
        sums += 16
        blocks += step << 2
      } while (--groups > 0)
    } else {
      do {
        Rows.half(false, sums, blocks, query, step, mask, unbias)
        sums += 16
        blocks += step << 2
      } while (--groups > 0)
    }
    blocks += after
  } while (--count > 0)
}
