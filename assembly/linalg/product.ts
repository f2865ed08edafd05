/**
 * Products of packed panels, added to a matrix in place. The sum of a block runs along k in order, one accumulator for each element; blocks are
 * added one after the other. Registers: 4x8 f32 or 4x4 f64, all that sixteen hold. Panels hold zeros beyond the matrix (pack.ts), and what
 * a tile has beyond it goes to `edge`.
 */
class Tile {
  @inline static addF32(c: v128, a: v128, b: v128): v128 {
    return f32x4.add(c, f32x4.mul(a, b))
  }

  @inline static addF64(c: v128, a: v128, b: v128): v128 {
    return f64x2.add(c, f64x2.mul(a, b))
  }

  /** rows of `count` elements to other rows */
  @inline static copy<T>(to: usize, stepTo: usize, from: usize, stepFrom: usize, rows: i32, count: i32): void {
    do {
      memory.copy(to, from, <usize>count * sizeof<T>())
      to += stepTo
      from += stepFrom
    } while (--rows > 0)
  }
}

/** c: f32[rows][ld] += sign a b of packed a: f32[rows / 4][k][4], b: f32[columns / 8][k][8]; sign is 1 or -1; edge: f32[4][8] scratch. k > 0. */
export function multiplyPanelsF32(
  c: usize,
  ld: i32,
  a: usize,
  b: usize,
  rows: i32,
  columns: i32,
  k: i32,
  plus: i32,
  edge: usize
): void {
  const sign = f32x4.splat(plus ? 1 : -1)
  const stride = (<usize>ld) << 2
  const lengthA = (<usize>k) << 4
  const lengthB = (<usize>k) << 5
  let left = columns
  while (left > 0) {
    let to = c
    let p = a
    let down = rows
    while (down > 0) {
      let c00 = f32x4.splat(0)
      let c01 = c00
      let c10 = c00
      let c11 = c00
      let c20 = c00
      let c21 = c00
      let c30 = c00
      let c31 = c00
      let q = b
      const last = p + lengthA
      do {
        const b0 = v128.load(q)
        const b1 = v128.load(q, 16)
        let x = v128.load32_splat(p)
        c00 = Tile.addF32(c00, x, b0)
        c01 = Tile.addF32(c01, x, b1)
        x = v128.load32_splat(p, 4)
        c10 = Tile.addF32(c10, x, b0)
        c11 = Tile.addF32(c11, x, b1)
        x = v128.load32_splat(p, 8)
        c20 = Tile.addF32(c20, x, b0)
        c21 = Tile.addF32(c21, x, b1)
        x = v128.load32_splat(p, 12)
        c30 = Tile.addF32(c30, x, b0)
        c31 = Tile.addF32(c31, x, b1)
        q += 32
        p += 16
      } while (p < last)
      const whole = down >= 4 && left >= 8
      let at = whole ? to : edge
      const step: usize = whole ? stride : 32
      if (!whole) Tile.copy<f32>(edge, 32, to, stride, min(down, 4), min(left, 8))
      v128.store(at, f32x4.add(v128.load(at), f32x4.mul(sign, c00)))
      v128.store(at, f32x4.add(v128.load(at, 16), f32x4.mul(sign, c01)), 16)
      at += step
      v128.store(at, f32x4.add(v128.load(at), f32x4.mul(sign, c10)))
      v128.store(at, f32x4.add(v128.load(at, 16), f32x4.mul(sign, c11)), 16)
      at += step
      v128.store(at, f32x4.add(v128.load(at), f32x4.mul(sign, c20)))
      v128.store(at, f32x4.add(v128.load(at, 16), f32x4.mul(sign, c21)), 16)
      at += step
      v128.store(at, f32x4.add(v128.load(at), f32x4.mul(sign, c30)))
      v128.store(at, f32x4.add(v128.load(at, 16), f32x4.mul(sign, c31)), 16)
      if (!whole) Tile.copy<f32>(to, stride, edge, 32, min(down, 4), min(left, 8))
      to += stride << 2
      down -= 4
    }
    b += lengthB
    c += 32
    left -= 8
  }
}

/** c: f64[rows][ld] += sign a b of packed a: f64[rows / 4][k][4], b: f64[columns / 4][k][4]; sign is 1 or -1; edge: f64[4][4] scratch. k > 0. */
export function multiplyPanelsF64(
  c: usize,
  ld: i32,
  a: usize,
  b: usize,
  rows: i32,
  columns: i32,
  k: i32,
  plus: i32,
  edge: usize
): void {
  const sign = f64x2.splat(plus ? 1 : -1)
  const stride = (<usize>ld) << 3
  const lengthA = (<usize>k) << 5
  const lengthB = (<usize>k) << 5
  let left = columns
  while (left > 0) {
    let to = c
    let p = a
    let down = rows
    while (down > 0) {
      let c00 = f64x2.splat(0)
      let c01 = c00
      let c10 = c00
      let c11 = c00
      let c20 = c00
      let c21 = c00
      let c30 = c00
      let c31 = c00
      let q = b
      const last = p + lengthA
      do {
        const b0 = v128.load(q)
        const b1 = v128.load(q, 16)
        let x = v128.load64_splat(p)
        c00 = Tile.addF64(c00, x, b0)
        c01 = Tile.addF64(c01, x, b1)
        x = v128.load64_splat(p, 8)
        c10 = Tile.addF64(c10, x, b0)
        c11 = Tile.addF64(c11, x, b1)
        x = v128.load64_splat(p, 16)
        c20 = Tile.addF64(c20, x, b0)
        c21 = Tile.addF64(c21, x, b1)
        x = v128.load64_splat(p, 24)
        c30 = Tile.addF64(c30, x, b0)
        c31 = Tile.addF64(c31, x, b1)
        q += 32
        p += 32
      } while (p < last)
      const whole = down >= 4 && left >= 4
      let at = whole ? to : edge
      const step: usize = whole ? stride : 32
      if (!whole) Tile.copy<f64>(edge, 32, to, stride, min(down, 4), min(left, 4))
      v128.store(at, f64x2.add(v128.load(at), f64x2.mul(sign, c00)))
      v128.store(at, f64x2.add(v128.load(at, 16), f64x2.mul(sign, c01)), 16)
      at += step
      v128.store(at, f64x2.add(v128.load(at), f64x2.mul(sign, c10)))
      v128.store(at, f64x2.add(v128.load(at, 16), f64x2.mul(sign, c11)), 16)
      at += step
      v128.store(at, f64x2.add(v128.load(at), f64x2.mul(sign, c20)))
      v128.store(at, f64x2.add(v128.load(at, 16), f64x2.mul(sign, c21)), 16)
      at += step
      v128.store(at, f64x2.add(v128.load(at), f64x2.mul(sign, c30)))
      v128.store(at, f64x2.add(v128.load(at, 16), f64x2.mul(sign, c31)), 16)
      if (!whole) Tile.copy<f64>(to, stride, edge, 32, min(down, 4), min(left, 4))
      to += stride << 2
      down -= 4
    }
    b += lengthB
    c += 32
    left -= 4
  }
}
