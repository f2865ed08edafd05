/**
 * Products over one block of rows. What sums over rows is added to f64: 64 products in order in f32, one accumulator
 * for each element, then these sums one after the other. Panels are those of pack.ts; matrices that are added to are
 * padded to whole panels.
 */
import { DEPTH } from './constants'
import { Lanes } from '../common/lanes'

const STRIP: i32 = 16

/** Bytes of a panel whose products are summed in f32: 64 steps. */
const RUN: usize = 64 * 32

class Tile {
  @inline static add(c: v128, a: v128, b: v128): v128 {
    return f32x4.add(c, f32x4.mul(a, b))
  }

  /** c: f64[8] += (x, y) */
  @inline static widen(c: usize, x: v128, y: v128): void {
    v128.store(c, f64x2.add(v128.load(c), f64x2.promote_low_f32x4(x)))
    v128.store(c, f64x2.add(v128.load(c, 16), Lanes.promoteHigh(x)), 16)
    v128.store(c, f64x2.add(v128.load(c, 32), f64x2.promote_low_f32x4(y)), 32)
    v128.store(c, f64x2.add(v128.load(c, 48), Lanes.promoteHigh(y)), 48)
  }
}

/**
 * c: f64[rows][ld] += a' b of packed a: f32[rows / 8][k][8], b: f32[columns / 8][k][8]; where `triangle`, only panels
 * on and below the diagonal. rows and columns are rounded up to 8. k > 0.
 */
export function accumulatePanelsF32(
  c: usize,
  ld: i32,
  a: usize,
  b: usize,
  rows: i32,
  columns: i32,
  k: i32,
  triangle: i32
): void {
  const stride = (<usize>ld) << 3
  const length = (<usize>k) << 5
  for (let i = 0; i < rows; i += 8) {
    let q = b
    let to = c
    let left = triangle ? i + 8 : columns
    do {
      // Four columns of a at a time, all that sixteen registers hold.
      let at = to
      let half: usize = 0
      do {
        let p = a + half
        let r = q
        const end = r + length
        // Runs of so many products are all that f32 sums.
        do {
          const last = min(r + RUN, end)
          let c00 = f32x4.splat(0)
          let c01 = c00
          let c10 = c00
          let c11 = c00
          let c20 = c00
          let c21 = c00
          let c30 = c00
          let c31 = c00
          do {
            const b0 = v128.load(r)
            const b1 = v128.load(r, 16)
            let x = v128.load32_splat(p)
            c00 = Tile.add(c00, x, b0)
            c01 = Tile.add(c01, x, b1)
            x = v128.load32_splat(p, 4)
            c10 = Tile.add(c10, x, b0)
            c11 = Tile.add(c11, x, b1)
            x = v128.load32_splat(p, 8)
            c20 = Tile.add(c20, x, b0)
            c21 = Tile.add(c21, x, b1)
            x = v128.load32_splat(p, 12)
            c30 = Tile.add(c30, x, b0)
            c31 = Tile.add(c31, x, b1)
            p += 32
            r += 32
          } while (r < last)
          Tile.widen(at, c00, c01)
          Tile.widen(at + stride, c10, c11)
          Tile.widen(at + 2 * stride, c20, c21)
          Tile.widen(at + 3 * stride, c30, c31)
        } while (r < end)
        at += stride << 2
        half += 16
      } while (half < 32)
      q += length
      to += 64
      left -= 8
    } while (left > 0)
    a += length
    c += stride << 3
  }
}

/** Four rows of a as they are, times one packed panel. */
class FourRows {
  /** at: f32[4][8], `step` bytes apart, += a b over `depth` bytes of each row. */
  @inline static multiply(at: usize, step: usize, p: usize, strideA: usize, panel: usize, depth: usize): void {
    let c00 = f32x4.splat(0)
    let c01 = c00
    let c10 = c00
    let c11 = c00
    let c20 = c00
    let c21 = c00
    let c30 = c00
    let c31 = c00
    let p0 = p
    let p1 = p0 + strideA
    let p2 = p1 + strideA
    let p3 = p2 + strideA
    const last = p0 + depth
    let q = panel
    do {
      const b0 = v128.load(q)
      const b1 = v128.load(q, 16)
      let x = v128.load32_splat(p0)
      c00 = Tile.add(c00, x, b0)
      c01 = Tile.add(c01, x, b1)
      x = v128.load32_splat(p1)
      c10 = Tile.add(c10, x, b0)
      c11 = Tile.add(c11, x, b1)
      x = v128.load32_splat(p2)
      c20 = Tile.add(c20, x, b0)
      c21 = Tile.add(c21, x, b1)
      x = v128.load32_splat(p3)
      c30 = Tile.add(c30, x, b0)
      c31 = Tile.add(c31, x, b1)
      q += 32
      p0 += 4
      p1 += 4
      p2 += 4
      p3 += 4
    } while (p0 < last)
    FourRows.add(at, c00, c01)
    at += step
    FourRows.add(at, c10, c11)
    at += step
    FourRows.add(at, c20, c21)
    at += step
    FourRows.add(at, c30, c31)
  }

  @inline static add(at: usize, x: v128, y: v128): void {
    v128.store(at, f32x4.add(v128.load(at), x))
    v128.store(at, f32x4.add(v128.load(at, 16), y), 16)
  }

  /** Four rows of `bytes` bytes, each apart from the next by its own step. */
  @inline static copy(to: usize, step: usize, from: usize, stride: usize, bytes: usize): void {
    let r: usize = 0
    do memory.copy(to + r * step, from + r * stride, bytes)
    while (++r < 4)
  }
}

/**
 * c: f32[rows][ldc] += a b of a: f32[rows][lda] as it is and packed b: f32[columns / 8][k][8]; rows of a and c are read
 * and written up to the next multiple of 4; edge: f32[4][8] scratch.
 */
export function multiplyRowsF32(
  c: usize,
  ldc: i32,
  a: usize,
  lda: i32,
  b: usize,
  rows: i32,
  columns: i32,
  k: i32,
  edge: usize
): void {
  const strideA = (<usize>lda) << 2
  const strideC = (<usize>ldc) << 2
  for (let k0 = 0; k0 < k; k0 += DEPTH) {
    const depth = (<usize>min(DEPTH, k - k0)) << 2
    // Few rows at a time: many rows whose length is a multiple of a power of two would share a few lines of the cache.
    for (let i0 = 0; i0 < rows; i0 += STRIP) {
      const end = min(i0 + STRIP, rows)
      const strip = a + <usize>i0 * strideA + ((<usize>k0) << 2)
      let panel = b + ((<usize>k0) << 5)
      for (let j = 0; j < columns; j += 8) {
        const bytes = (<usize>min(8, columns - j)) << 2
        let p = strip
        let to = c + <usize>i0 * strideC + ((<usize>j) << 2)
        for (let i = i0; i < end; i += 4) {
          const whole = bytes == 32
          if (!whole) FourRows.copy(edge, 32, to, strideC, bytes)
          FourRows.multiply(whole ? to : edge, whole ? strideC : 32, p, strideA, panel, depth)
          if (!whole) FourRows.copy(to, strideC, edge, 32, bytes)
          p += strideA << 2
          to += strideC << 2
        }
        panel += (<usize>k) << 5
      }
    }
  }
}
