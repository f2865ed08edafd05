/**
 * Scores of rows of bytes by tables of 256 numbers, one for each byte of a row. Two loads a byte bound the scan, so
 * that lanes gain nothing. Four sums keep it from waiting for additions. A group of tables that fits the first-level
 * cache meets many rows before the next one.
 */

/** Tables of a group: 32 KB. */
const GROUP: usize = 32
/** The same, of pairs. */
const PAIRS: usize = 16
/** Blocks that a group meets. */
const TILE: i32 = 32

class Lookup {
  /** the entry of table i for the byte at p + i */
  @inline static entry(tables: usize, p: usize, i: usize): f32 {
    return load<f32>(tables + (i << 10) + ((<usize>load<u8>(p + i)) << 2))
  }

  /** scores: f32[32 count] of `bytes` bytes of each row, `step` apart; added to what is there unless `fresh`. */
  @inline static group(
    scores: usize,
    tables: usize,
    blocks: usize,
    stride: usize,
    step: usize,
    bytes: usize,
    count: i32,
    fresh: bool
  ): void {
    const whole = bytes & ~3
    const rest = bytes & 3
    do {
      let row = blocks
      const end = scores + 128
      do {
        let s0: f32 = 0
        let s1: f32 = 0
        let s2: f32 = 0
        let s3: f32 = 0
        let t = tables
        let p = row
        const last = p + whole
        while (p < last) {
          s0 += Lookup.entry(t, p, 0)
          s1 += Lookup.entry(t, p, 1)
          s2 += Lookup.entry(t, p, 2)
          s3 += Lookup.entry(t, p, 3)
          t += 4096
          p += 4
        }
        if (rest) {
          s0 += Lookup.entry(t, p, 0)
          if (rest > 1) s1 += Lookup.entry(t, p, 1)
          if (rest > 2) s2 += Lookup.entry(t, p, 2)
        }
        const sum = s0 + s1 + (s2 + s3)
        store<f32>(scores, fresh ? sum : load<f32>(scores) + sum)
        row += step
        scores += 4
      } while (scores < end)
      blocks += stride
    } while (--count > 0)
  }
}

/**
 * scores: f32[32 count] of blocks, `stride` bytes apart, of 32 rows of `bytes` bytes; tables: f32[bytes][256]. A row's
 * sum is that of groups of 32 bytes in order, each (s0 + s1) + (s2 + s3). s_i runs over the group's bytes i, i + 4, …
 * in order.
 */
export function scanLookup(scores: usize, blocks: usize, stride: usize, count: i32, tables: usize, bytes: i32): void {
  const step = <usize>bytes
  do {
    const height = min(count, TILE)
    let from: usize = 0
    do {
      const width = min(GROUP, step - from)
      Lookup.group(scores, tables + (from << 10), blocks + from, stride, step, width, height, from == 0)
      from += GROUP
    } while (from < step)
    scores += (<usize>height) << 7
    blocks += stride * height
    count -= TILE
  } while (count > 0)
}

/** The same of pairs of numbers. */
class Pairs {
  @inline static entry(sum: v128, tables: usize, p: usize, i: usize): v128 {
    return f32x4.add(sum, v128.load64_zero(tables + (i << 11) + ((<usize>load<u8>(p + i)) << 3)))
  }

  /** sums: f32[32 count][2] */
  @inline static group(
    sums: usize,
    tables: usize,
    blocks: usize,
    stride: usize,
    step: usize,
    bytes: usize,
    count: i32,
    fresh: bool
  ): void {
    const whole = bytes & ~3
    const rest = bytes & 3
    do {
      let row = blocks
      const end = sums + 256
      do {
        let s0 = f32x4.splat(0)
        let s1 = s0
        let s2 = s0
        let s3 = s0
        let t = tables
        let p = row
        const last = p + whole
        while (p < last) {
          s0 = Pairs.entry(s0, t, p, 0)
          s1 = Pairs.entry(s1, t, p, 1)
          s2 = Pairs.entry(s2, t, p, 2)
          s3 = Pairs.entry(s3, t, p, 3)
          t += 8192
          p += 4
        }
        if (rest) {
          s0 = Pairs.entry(s0, t, p, 0)
          if (rest > 1) s1 = Pairs.entry(s1, t, p, 1)
          if (rest > 2) s2 = Pairs.entry(s2, t, p, 2)
        }
        const sum = f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3))
        v128.store64_lane(sums, fresh ? sum : f32x4.add(v128.load64_zero(sums), sum), 0)
        row += step
        sums += 8
      } while (sums < end)
      blocks += stride
    } while (--count > 0)
  }
}

/**
 * As scanLookup, of tables: f32[bytes][256][2]: scores are the first of a row's two sums over the root of the second, 0
 * where that is not above 0. sums: f32[1024][2], scratch.
 */
export function scanLookupUnit(
  scores: usize,
  blocks: usize,
  stride: usize,
  count: i32,
  tables: usize,
  bytes: i32,
  sums: usize
): void {
  const step = <usize>bytes
  do {
    const height = min(count, TILE)
    let from: usize = 0
    do {
      const width = min(PAIRS, step - from)
      Pairs.group(sums, tables + (from << 11), blocks + from, stride, step, width, height, from == 0)
      from += PAIRS
    } while (from < step)
    const end = scores + ((<usize>height) << 7)
    let p = sums
    do {
      const a = v128.load(p)
      const b = v128.load(p, 16)
      const squares = v128.shuffle<f32>(a, b, 1, 3, 5, 7)
      const quotients = f32x4.div(v128.shuffle<f32>(a, b, 0, 2, 4, 6), f32x4.sqrt(squares))
      v128.store(scores, v128.and(quotients, f32x4.gt(squares, f32x4.splat(0))))
      p += 32
      scores += 16
    } while (scores < end)
    blocks += stride * height
    count -= TILE
  } while (count > 0)
}
