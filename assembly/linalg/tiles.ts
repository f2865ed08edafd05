/**
 * Steps of four on packed panels, f64[k][4]: four rows of a matrix, whose entries of one column stand together
 * (pack.ts). Sums run along k in order.
 */
export class Tiles {
  /**
   * x[k .. k + 3] -= (rows of x)(rows of t)^T over the first k columns: x, t: f64[..][4], entry (r, c) of the product
   * at x[k + c][r].
   */
  @inline static reduce(x: usize, t: usize, k: i32): void {
    const to = x + ((<usize>k) << 5)
    let c00 = f64x2.splat(0)
    let c01 = c00
    let c10 = c00
    let c11 = c00
    let c20 = c00
    let c21 = c00
    let c30 = c00
    let c31 = c00
    while (x < to) {
      const a0 = v128.load(x)
      const a1 = v128.load(x, 16)
      let b = v128.load64_splat(t)
      c00 = f64x2.add(c00, f64x2.mul(a0, b))
      c01 = f64x2.add(c01, f64x2.mul(a1, b))
      b = v128.load64_splat(t, 8)
      c10 = f64x2.add(c10, f64x2.mul(a0, b))
      c11 = f64x2.add(c11, f64x2.mul(a1, b))
      b = v128.load64_splat(t, 16)
      c20 = f64x2.add(c20, f64x2.mul(a0, b))
      c21 = f64x2.add(c21, f64x2.mul(a1, b))
      b = v128.load64_splat(t, 24)
      c30 = f64x2.add(c30, f64x2.mul(a0, b))
      c31 = f64x2.add(c31, f64x2.mul(a1, b))
      x += 32
      t += 32
    }
    v128.store(to, f64x2.sub(v128.load(to), c00))
    v128.store(to, f64x2.sub(v128.load(to, 16), c01), 16)
    v128.store(to, f64x2.sub(v128.load(to, 32), c10), 32)
    v128.store(to, f64x2.sub(v128.load(to, 48), c11), 48)
    v128.store(to, f64x2.sub(v128.load(to, 64), c20), 64)
    v128.store(to, f64x2.sub(v128.load(to, 80), c21), 80)
    v128.store(to, f64x2.sub(v128.load(to, 96), c30), 96)
    v128.store(to, f64x2.sub(v128.load(to, 112), c31), 112)
  }

  /** x: f64[4][4] = x L^-T of lower triangular L, its entry (r, c) at t[c][r]: the four columns one after the other. */
  @inline static solve(x: usize, t: usize): void {
    let d = v128.load64_splat(t)
    const x00 = f64x2.div(v128.load(x), d)
    const x01 = f64x2.div(v128.load(x, 16), d)
    v128.store(x, x00)
    v128.store(x, x01, 16)
    let l = v128.load64_splat(t, 8)
    d = v128.load64_splat(t, 40)
    const x10 = f64x2.div(f64x2.sub(v128.load(x, 32), f64x2.mul(x00, l)), d)
    const x11 = f64x2.div(f64x2.sub(v128.load(x, 48), f64x2.mul(x01, l)), d)
    v128.store(x, x10, 32)
    v128.store(x, x11, 48)
    l = v128.load64_splat(t, 16)
    let y0 = f64x2.sub(v128.load(x, 64), f64x2.mul(x00, l))
    let y1 = f64x2.sub(v128.load(x, 80), f64x2.mul(x01, l))
    l = v128.load64_splat(t, 48)
    d = v128.load64_splat(t, 80)
    const x20 = f64x2.div(f64x2.sub(y0, f64x2.mul(x10, l)), d)
    const x21 = f64x2.div(f64x2.sub(y1, f64x2.mul(x11, l)), d)
    v128.store(x, x20, 64)
    v128.store(x, x21, 80)
    l = v128.load64_splat(t, 24)
    y0 = f64x2.sub(v128.load(x, 96), f64x2.mul(x00, l))
    y1 = f64x2.sub(v128.load(x, 112), f64x2.mul(x01, l))
    l = v128.load64_splat(t, 56)
    y0 = f64x2.sub(y0, f64x2.mul(x10, l))
    y1 = f64x2.sub(y1, f64x2.mul(x11, l))
    l = v128.load64_splat(t, 88)
    d = v128.load64_splat(t, 120)
    v128.store(x, f64x2.div(f64x2.sub(y0, f64x2.mul(x20, l)), d), 96)
    v128.store(x, f64x2.div(f64x2.sub(y1, f64x2.mul(x21, l)), d), 112)
  }
}
