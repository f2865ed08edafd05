/**
 * Solutions of triangular systems in place, row-major f64. Blocks take off what is solved by products. The block on the
 * diagonal is solved four systems at a time in packed panels (tiles.ts). Only the triangle is read.
 */
import { multiplyF64, multiplyWork } from './multiply'
import { Tiles } from './tiles'
import { Vec } from './vector'

/** Unknowns that are solved between two products. */
const BLOCK: i32 = 64
/** Fewer systems than a panel holds are solved one by one. */
const PANEL: i32 = 4

class Triangle {
  /**
   * d: f64[all / 4][all][4], all = k rounded up to fours, of t, whose entry (r, c) is r * down + c * across bytes on;
   * where `unit`, and beyond t, the diagonal is 1.
   */
  @inline static pack(d: usize, t: usize, k: i32, down: usize, across: usize, unit: i32): void {
    const all = (k + 3) & ~3
    for (let r = 0; r < all; r++) {
      let to = d + ((<usize>((r >> 2) * all)) << 5) + ((<usize>(r & 3)) << 3)
      let from = t + <usize>r * down
      for (let c = 0; c < all; c++) {
        const own = c == r && (unit != 0 || r >= k)
        store<f64>(to, own ? 1 : c > r || r >= k ? 0 : load<f64>(from))
        to += 32
        from += across
      }
    }
  }

  /**
   * x: f64[k][4] from `count` systems `apart` bytes from each other, whose unknowns are `step` bytes apart; zeros for
   * those that are not there.
   */
  @inline static take(x: usize, b: usize, k: i32, count: i32, step: usize, apart: usize): void {
    const end = x + ((<usize>k) << 5)
    do {
      let from = b
      for (let i = 0; i < PANEL; i++) {
        store<f64>(x + ((<usize>i) << 3), i < count ? load<f64>(from) : 0)
        from += apart
      }
      x += 32
      b += step
    } while (x < end)
  }

  /** The inverse of take. */
  @inline static give(b: usize, x: usize, k: i32, count: i32, step: usize, apart: usize): void {
    const end = x + ((<usize>k) << 5)
    do {
      let to = b
      for (let i = 0; i < count; i++) {
        store<f64>(to, load<f64>(x + ((<usize>i) << 3)))
        to += apart
      }
      x += 32
      b += step
    } while (x < end)
  }

  /**
   * x: f64[n], one system; t's rows are read as they stand: dots where they are those of op(t), else each unknown is
   * taken off the others.
   */
  @inline static one(x: usize, t: usize, ldt: i32, n: i32, transpose: i32, forward: i32, unit: i32): void {
    const stride = (<usize>ldt) << 3
    for (let s = 0; s < n; s++) {
      const i = forward ? s : n - 1 - s
      const row = t + <usize>i * stride
      const at = x + ((<usize>i) << 3)
      const diagonal = unit ? 1.0 : load<f64>(row + ((<usize>i) << 3))
      // What is solved stands before i going forward, behind it going backward; what is not, on the other side.
      const before = (forward != 0) != (transpose != 0)
      const start: usize = before ? 0 : (<usize>(i + 1)) << 3
      const length = before ? i : n - 1 - i
      if (transpose) {
        const value = load<f64>(at) / diagonal
        store<f64>(at, value)
        Vec.axpy(x + start, row + start, length, -value)
      } else store<f64>(at, (load<f64>(at) - Vec.dot(row + start, x + start, length)) / diagonal)
    }
  }
}

/** Bytes of `work` for n unknowns and p systems. */
export function triangularWork(n: i32, p: i32): usize {
  return multiplyWork(max(p, BLOCK), 3) + ((<usize>(BLOCK * (BLOCK + PANEL))) << 3) + ((<usize>n) << 3)
}

/**
 * op(T) X = B for X in the place of b: f64[n][ldb], p systems in its columns. Where `right`, X op(T) = B for b:
 * f64[p][ldb], systems in its rows. op(T) is t: f64[n][ldt], of which the lower triangle, or the `upper`, is read, or
 * its transpose; `unit`: the diagonal is 1 and not read. work: triangularWork(n, p) bytes.
 */
export function solveTriangleF64(
  b: usize,
  ldb: i32,
  p: i32,
  t: usize,
  ldt: i32,
  n: i32,
  upper: i32,
  transpose: i32,
  unit: i32,
  right: i32,
  work: usize
): void {
  // From the right it is the transpose's systems that are solved, in rows of b.
  const flip = (transpose != 0) != (right != 0)
  const forward = (upper != 0) == flip
  const elements = (<usize>ldb) << 3
  const step: usize = right ? 8 : elements
  const apart: usize = right ? elements : 8
  const d = work + multiplyWork(max(p, BLOCK), 3)
  const x = d + ((<usize>(BLOCK * BLOCK)) << 3)
  if (p < PANEL) {
    const vector = x + ((<usize>(BLOCK * PANEL)) << 3)
    for (let j = 0; j < p; j++) {
      const system = b + <usize>j * apart
      for (let i = 0; i < n; i++) store<f64>(vector + ((<usize>i) << 3), load<f64>(system + <usize>i * step))
      Triangle.one(vector, t, ldt, n, flip ? 1 : 0, forward ? 1 : 0, unit)
      for (let i = 0; i < n; i++) store<f64>(system + <usize>i * step, load<f64>(vector + ((<usize>i) << 3)))
    }
    return
  }
  const row = (<usize>ldt) << 3
  const down: usize = flip ? 8 : row
  const across: usize = flip ? row : 8
  for (let done = 0; done < n; done += BLOCK) {
    const k = min(BLOCK, n - done)
    const all = (k + 3) & ~3
    const i = forward ? done : n - done - k
    const solved = forward ? 0 : n - done
    const block = t + <usize>i * down + <usize>solved * across
    const to = b + <usize>i * step
    const from = b + <usize>solved * step
    if (done > 0) {
      if (right) multiplyF64(to, ldb, from, ldb, 0, block, ldt, flip ? 0 : 1, p, k, done, 0, work)
      else multiplyF64(to, ldb, block, ldt, flip ? 1 : 0, from, ldb, 0, k, p, done, 0, work)
    }
    // Backward is forward from the last to the first: strides turn around.
    const last = <usize>(i + k - 1)
    if (forward) Triangle.pack(d, t + <usize>i * down + <usize>i * across, k, down, across, unit)
    else Triangle.pack(d, t + last * down + last * across, k, 0 - down, 0 - across, unit)
    const start = forward ? to : b + last * step
    const along = forward ? step : 0 - step
    for (let j = 0; j < p; j += PANEL) {
      const count = min(PANEL, p - j)
      const system = start + <usize>j * apart
      Triangle.take(x, system, k, count, along, apart)
      let r = 0
      for (; r < k; r += 4) {
        const rows = d + ((<usize>((r >> 2) * all)) << 5)
        Tiles.reduce(x, rows, r)
        Tiles.solve(x + ((<usize>r) << 5), rows + ((<usize>r) << 5))
      }
      Triangle.give(system, x, k, count, along, apart)
    }
  }
}
