/**
 * Products of packed panels, added to a matrix in place. The sum of a block runs along k in order, one accumulator for
 * each element; blocks are added one after the other. Sixteen registers hold eight sums and their factors. Two rows by
 * two panels of b take 2 splats and 4 loads for 8 products, measured 2 to 10% above four rows by one panel, by the
 * engine. Where one panel is left it is four rows by that. Panels hold zeros beyond the matrix (pack.ts), and what a
 * tile has beyond it goes to `edge`.
 */
class Tile {
  @inline static add<T>(c: v128, a: v128, b: v128): v128 {
    return v128.add<T>(c, v128.mul<T>(a, b))
  }

  /** 32 bytes of c, or of zeros where `keep` is none, plus sign times two sums */
  @inline static addTo<T>(c: usize, keep: v128, sign: v128, low: v128, high: v128): void {
    v128.store(c, v128.add<T>(v128.and(v128.load(c), keep), v128.mul<T>(sign, low)))
    v128.store(c, v128.add<T>(v128.and(v128.load(c, 16), keep), v128.mul<T>(sign, high)), 16)
  }

  /** rows of `bytes` to other rows */
  @inline static copy(to: usize, stepTo: usize, from: usize, stepFrom: usize, rows: i32, bytes: usize): void {
    do {
      memory.copy(to, from, bytes)
      to += stepTo
      from += stepFrom
    } while (--rows > 0)
  }

  /**
   * Two rows of a panel of a by two panels of b, `next` bytes apart; c: 2 rows of 64 bytes. The branch between two
   * steps also keeps the compiler from mixing these, which takes more registers than there are.
   */
  @inline static wide<T>(
    c: usize,
    stride: usize,
    a: usize,
    b: usize,
    next: usize,
    length: usize,
    keep: v128,
    sign: v128
  ): void {
    let c00 = v128.splat<T>(<T>0)
    let c01 = c00
    let c02 = c00
    let c03 = c00
    let c10 = c00
    let c11 = c00
    let c12 = c00
    let c13 = c00
    const last = a + length
    const last1 = last - 4 * sizeof<T>()
    do {
      let b0 = v128.load(b)
      let b1 = v128.load(b, 16)
      let b2 = v128.load(b + next)
      let b3 = v128.load(b + next, 16)
      let x = v128.load_splat<T>(a)
      c00 = Tile.add<T>(c00, x, b0)
      c01 = Tile.add<T>(c01, x, b1)
      c02 = Tile.add<T>(c02, x, b2)
      c03 = Tile.add<T>(c03, x, b3)
      x = v128.load_splat<T>(a, sizeof<T>())
      c10 = Tile.add<T>(c10, x, b0)
      c11 = Tile.add<T>(c11, x, b1)
      c12 = Tile.add<T>(c12, x, b2)
      c13 = Tile.add<T>(c13, x, b3)
      if (a == last1) break
      b0 = v128.load(b, 32)
      b1 = v128.load(b, 48)
      b2 = v128.load(b + next, 32)
      b3 = v128.load(b + next, 48)
      x = v128.load_splat<T>(a, 4 * sizeof<T>())
      c00 = Tile.add<T>(c00, x, b0)
      c01 = Tile.add<T>(c01, x, b1)
      c02 = Tile.add<T>(c02, x, b2)
      c03 = Tile.add<T>(c03, x, b3)
      x = v128.load_splat<T>(a, 5 * sizeof<T>())
      c10 = Tile.add<T>(c10, x, b0)
      c11 = Tile.add<T>(c11, x, b1)
      c12 = Tile.add<T>(c12, x, b2)
      c13 = Tile.add<T>(c13, x, b3)
      b += 64
      a += 8 * sizeof<T>()
    } while (a < last)
    Tile.addTo<T>(c, keep, sign, c00, c01)
    Tile.addTo<T>(c + 32, keep, sign, c02, c03)
    c += stride
    Tile.addTo<T>(c, keep, sign, c10, c11)
    Tile.addTo<T>(c + 32, keep, sign, c12, c13)
  }

  /** A panel of a by one of b; c: 4 rows of 32 bytes. */
  @inline static narrow<T>(c: usize, stride: usize, a: usize, b: usize, length: usize, keep: v128, sign: v128): void {
    let c00 = v128.splat<T>(<T>0)
    let c01 = c00
    let c10 = c00
    let c11 = c00
    let c20 = c00
    let c21 = c00
    let c30 = c00
    let c31 = c00
    const last = a + length
    do {
      const b0 = v128.load(b)
      const b1 = v128.load(b, 16)
      let x = v128.load_splat<T>(a)
      c00 = Tile.add<T>(c00, x, b0)
      c01 = Tile.add<T>(c01, x, b1)
      x = v128.load_splat<T>(a, sizeof<T>())
      c10 = Tile.add<T>(c10, x, b0)
      c11 = Tile.add<T>(c11, x, b1)
      x = v128.load_splat<T>(a, 2 * sizeof<T>())
      c20 = Tile.add<T>(c20, x, b0)
      c21 = Tile.add<T>(c21, x, b1)
      x = v128.load_splat<T>(a, 3 * sizeof<T>())
      c30 = Tile.add<T>(c30, x, b0)
      c31 = Tile.add<T>(c31, x, b1)
      b += 32
      a += 4 * sizeof<T>()
    } while (a < last)
    Tile.addTo<T>(c, keep, sign, c00, c01)
    c += stride
    Tile.addTo<T>(c, keep, sign, c10, c11)
    c += stride
    Tile.addTo<T>(c, keep, sign, c20, c21)
    c += stride
    Tile.addTo<T>(c, keep, sign, c30, c31)
  }

  /** All tiles; panels of a are `lengthA` bytes, those of b 32 k, of a row 32. */
  @inline static all<T>(
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
    const sign = v128.splat<T>(plus ? <T>1 : <T>-1)
    const keep = i32x4.splat(plus < 2 ? -1 : 0)
    const stride = <usize>ld * sizeof<T>()
    const lengthA = <usize>k * (4 * sizeof<T>())
    const lengthB = (<usize>k) << 5
    // Bytes of a row that are left.
    let left = <usize>columns * sizeof<T>()
    while (left > 32) {
      const width = min<usize>(left, 64)
      let to = c
      let p = a
      let down = rows
      while (down > 0) {
        // The upper two rows of a panel, then the lower ones.
        const height = min(down, 2)
        const whole = height == 2 && width == 64
        if (!whole) Tile.copy(edge, 64, to, stride, height, width)
        Tile.wide<T>(whole ? to : edge, whole ? stride : 64, p, b, lengthB, lengthA, keep, sign)
        if (!whole) Tile.copy(to, stride, edge, 64, height, width)
        to += stride << 1
        p += (rows - down) & 2 ? lengthA - 2 * sizeof<T>() : 2 * sizeof<T>()
        down -= 2
      }
      b += lengthB << 1
      c += 64
      left -= width
    }
    if (left == 0) return
    while (rows > 0) {
      const height = min(rows, 4)
      const whole = height == 4 && left == 32
      if (!whole) Tile.copy(edge, 32, c, stride, height, left)
      Tile.narrow<T>(whole ? c : edge, whole ? stride : 32, a, b, lengthA, keep, sign)
      if (!whole) Tile.copy(c, stride, edge, 32, height, left)
      c += stride << 2
      a += lengthA
      rows -= 4
    }
  }
}

/**
 * c: f32[rows][ld] += a b where `plus` is 1, -= where 0, = where 2, of packed a: f32[rows / 4][k][4], b: f32[columns /
 * 8][k][8]. k > 0. edge: 128 bytes of scratch.
 */
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
  Tile.all<f32>(c, ld, a, b, rows, columns, k, plus, edge)
}

/** The same of f64[rows / 4][k][4] and f64[columns / 4][k][4]. */
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
  Tile.all<f64>(c, ld, a, b, rows, columns, k, plus, edge)
}
