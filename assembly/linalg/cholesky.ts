/**
 * Cholesky factors of symmetric row-major f64 matrices, in place, of the lower triangle alone. Blocks of columns are
 * factored in packed panels (tiles.ts). The same panels are both operands of what they take off the rest.
 */
import { packAlongF64 } from './pack'
import { multiplyPanelsF64 } from './product'
import { Tiles } from './tiles'

/** Columns that are factored at once. */
const BLOCK: i32 = 64
/** With pivots the columns of a block wait for each other: fewer at once. */
const PIVOTED_BLOCK: i32 = 32
/** Rows of the rest whose panels stay in the first-level cache. */
const ROWS: i32 = 32

class Panels {
  @inline static at(panels: usize, row: i32, k: i32): usize {
    return panels + ((<usize>((row >> 2) * k)) << 5)
  }

  /** The first k columns of panels of `width`, on and below the diagonal, to a: f64[rows][ld]. */
  @inline static unpack(a: usize, ld: i32, panels: usize, rows: i32, width: i32, k: i32): void {
    let r = 0
    do {
      let from = Panels.at(panels, r, width) + ((<usize>(r & 3)) << 3)
      let to = a + ((<usize>r * ld) << 3)
      const end = to + ((<usize>min(k, r + 1)) << 3)
      do {
        store<f64>(to, load<f64>(from))
        to += 8
        from += 32
      } while (to < end)
    } while (++r < rows)
  }

  /** The lower triangle of a: f64[n][ld] -= P P^T, of panels of n rows and k columns. */
  @inline static takeOff(a: usize, ld: i32, panels: usize, n: i32, k: i32, edge: usize): void {
    for (let i = 0; i < n; i += ROWS) {
      const rows = min(ROWS, n - i)
      multiplyPanelsF64(a + ((<usize>i * ld) << 3), ld, Panels.at(panels, i, k), panels, rows, i + rows, k, 0, edge)
    }
  }

  /**
   * The factor of the f64[4][4] at t, entry (r, c) at t[c][r], of which `count` are there. Returns the first column
   * whose pivot is not above 0, or 4.
   */
  @inline static factorTile(t: usize, count: i32): i32 {
    for (let c = 0; c < count; c++) {
      const column = t + ((<usize>c) << 5)
      const pivot = load<f64>(column + ((<usize>c) << 3))
      if (!(pivot > 0)) return c
      const root = sqrt(pivot)
      for (let r = c; r < 4; r++) {
        const at = column + ((<usize>r) << 3)
        store<f64>(at, load<f64>(at) / root)
      }
      for (let j = c + 1; j < count; j++) {
        const other = t + ((<usize>j) << 5)
        const factor = load<f64>(column + ((<usize>j) << 3))
        for (let r = j; r < 4; r++) {
          const at = (<usize>r) << 3
          store<f64>(other + at, load<f64>(other + at) - factor * load<f64>(column + at))
        }
      }
    }
    return 4
  }

  /** Factors k columns of packed panels of `rows` rows: the first whose pivot is not above 0, or k. */
  @inline static factor(panels: usize, rows: i32, k: i32): i32 {
    for (let j = 0; j < k; j += 4) {
      const t = Panels.at(panels, j, k)
      const diagonal = t + ((<usize>j) << 5)
      Tiles.reduce(t, t, j)
      const count = min(4, k - j)
      const done = Panels.factorTile(diagonal, count)
      if (done < count) return j + done
      for (let r = j + 4; r < rows; r += 4) {
        const x = Panels.at(panels, r, k)
        Tiles.reduce(x, t, j)
        Tiles.solve(x + ((<usize>j) << 5), diagonal)
      }
    }
    return k
  }
}

/** Bytes of `work` for a matrix of n columns. */
export function choleskyWork(n: i32): usize {
  return ((<usize>(BLOCK * ((n + 3) & ~3))) << 3) + 128
}

/**
 * The lower triangle of a: f64[n][ld] becomes L with A = L L^T, the upper one is scratch. work: choleskyWork(n) bytes.
 * Returns n, or the first index whose pivot is not above 0.
 */
export function choleskyF64(a: usize, ld: i32, n: i32, work: usize): i32 {
  const panels = work + 128
  for (let j = 0; j < n; j += BLOCK) {
    const k = min(BLOCK, n - j)
    const rows = n - j
    const corner = a + ((<usize>j * ld + j) << 3)
    packAlongF64(panels, corner, rows, 4, k, ld)
    const done = Panels.factor(panels, rows, k)
    if (done < k) return j + done
    Panels.unpack(corner, ld, panels, rows, k, k)
    if (rows > k) {
      const rest = corner + ((<usize>k * ld + k) << 3)
      Panels.takeOff(rest, ld, Panels.at(panels, k, k), rows - k, k, work)
    }
  }
  return n
}

class Pivoted {
  @inline static swap(p: usize, q: usize): void {
    const x = load<f64>(p)
    store<f64>(p, load<f64>(q))
    store<f64>(q, x)
  }

  /**
   * Rows and columns j < p of the symmetric matrix whose lower triangle a: f64[n][ld] holds, and of the factor in its
   * first `done` columns.
   */
  @inline static exchange(a: usize, ld: i32, n: i32, j: i32, p: i32, done: i32): void {
    const stride = (<usize>ld) << 3
    const rowJ = a + <usize>j * stride
    const rowP = a + <usize>p * stride
    for (let c = 0; c < done; c++) Pivoted.swap(rowJ + ((<usize>c) << 3), rowP + ((<usize>c) << 3))
    Pivoted.swap(rowJ + ((<usize>j) << 3), rowP + ((<usize>p) << 3))
    let column = rowJ + stride + ((<usize>j) << 3)
    for (let i = j + 1; i < p; i++) {
      Pivoted.swap(column, rowP + ((<usize>i) << 3))
      column += stride
    }
    column += stride
    const across = (<usize>(p - j)) << 3
    for (let i = p + 1; i < n; i++) {
      Pivoted.swap(column, column + across)
      column += stride
    }
  }

  /** The first k columns of rows j and p of packed panels of `width` columns. */
  @inline static exchangePacked(panels: usize, width: i32, j: i32, p: i32, k: i32): void {
    let x = Panels.at(panels, j, width) + ((<usize>(j & 3)) << 3)
    let y = Panels.at(panels, p, width) + ((<usize>(p & 3)) << 3)
    const end = x + ((<usize>k) << 5)
    while (x < end) {
      Pivoted.swap(x, y)
      x += 32
      y += 32
    }
  }

  /** Zeros in the panels' columns from k on. */
  @inline static clear(panels: usize, width: i32, rows: i32, k: i32): void {
    const bytes = (<usize>(width - k)) << 5
    for (let r = 0; r < rows; r += 4) memory.fill(Panels.at(panels, r, width) + ((<usize>k) << 5), 0, bytes)
  }

  /**
   * Column k of the panels below row `first`, from a's column there: (column - P row^T) / pivot. row is the first k
   * columns of row `first`. Its squares are taken off rest: f64[rows].
   */
  @inline static column(
    panels: usize,
    width: i32,
    rows: i32,
    first: i32,
    k: i32,
    column: usize,
    stride: usize,
    pivot: f64,
    rest: usize
  ): void {
    const row = Panels.at(panels, first, width) + ((<usize>(first & 3)) << 3)
    const end = row + ((<usize>k) << 5)
    let r = first + 1
    for (; r < rows && (r & 3) != 0; r++) {
      let x = Panels.at(panels, r, width) + ((<usize>(r & 3)) << 3)
      let q = row
      let sum = 0.0
      while (q < end) {
        sum += load<f64>(q) * load<f64>(x)
        q += 32
        x += 32
      }
      const entry = (load<f64>(column + <usize>r * stride) - sum) / pivot
      store<f64>(x, entry)
      const at = rest + ((<usize>r) << 3)
      store<f64>(at, load<f64>(at) - entry * entry)
    }
    const divisor = f64x2.splat(pivot)
    for (; r < rows; r += 4) {
      let x = Panels.at(panels, r, width)
      let q = row
      let s0 = f64x2.splat(0)
      let s1 = s0
      while (q < end) {
        const factor = v128.load64_splat(q)
        s0 = f64x2.add(s0, f64x2.mul(factor, v128.load(x)))
        s1 = f64x2.add(s1, f64x2.mul(factor, v128.load(x, 16)))
        q += 32
        x += 32
      }
      let from = column + <usize>r * stride
      for (let i = 0; i < 4; i++) {
        store<f64>(x + ((<usize>i) << 3), r + i < rows ? load<f64>(from) : 0)
        from += stride
      }
      s0 = f64x2.div(f64x2.sub(v128.load(x), s0), divisor)
      s1 = f64x2.div(f64x2.sub(v128.load(x, 16), s1), divisor)
      v128.store(x, s0)
      v128.store(x, s1, 16)
      const at = rest + ((<usize>r) << 3)
      v128.store(at, f64x2.sub(v128.load(at), f64x2.mul(s0, s0)))
      v128.store(at, f64x2.sub(v128.load(at, 16), f64x2.mul(s1, s1)), 16)
    }
  }
}

/**
 * The same with complete pivoting (N. J. Higham, Accuracy and Stability of Numerical Algorithms, 10.3; LAPACK
 * dpstrf.f). Each step takes the greatest of what is left of the diagonal, the first of equals. It ends when that is at
 * most `tolerance`, or `most` columns are done. On return the first `rank` columns of a's lower triangle hold L with
 * A[order, order] = L L^T. Where the tolerance has ended it, the others hold what is left. order: i32[n]; rest: f64[n
 * rounded up to fours], what is left of the diagonal, in its turned order, 0 for what was taken. work: choleskyWork(n)
 * bytes. Returns the rank.
 */
export function pivotedCholeskyF64(
  a: usize,
  ld: i32,
  n: i32,
  order: usize,
  rest: usize,
  tolerance: f64,
  most: i32,
  work: usize
): i32 {
  const panels = work + 128
  const stride = (<usize>ld) << 3
  for (let i = 0; i < ((n + 3) & ~3); i++) {
    const there = i < n
    store<f64>(rest + ((<usize>i) << 3), there ? load<f64>(a + <usize>i * stride + ((<usize>i) << 3)) : 0)
    if (there) store<i32>(order + ((<usize>i) << 2), i)
  }
  most = min(most, n)
  let rank = 0
  while (rank < most) {
    const first = rank
    const width = min(PIVOTED_BLOCK, most - first)
    const corner = a + <usize>first * stride + ((<usize>first) << 3)
    const left = rest + ((<usize>first) << 3)
    let k = 0
    while (k < width) {
      const j = first + k
      let best = j
      let top = load<f64>(rest + ((<usize>j) << 3))
      for (let i = j + 1; i < n; i++) {
        const value = load<f64>(rest + ((<usize>i) << 3))
        if (value > top) {
          top = value
          best = i
        }
      }
      if (!(top > tolerance)) break
      if (best != j) {
        Pivoted.exchange(a, ld, n, j, best, first)
        Pivoted.exchangePacked(panels, width, k, best - first, k)
        store<f64>(rest + ((<usize>best) << 3), load<f64>(rest + ((<usize>j) << 3)))
        const from = order + ((<usize>best) << 2)
        const to = order + ((<usize>j) << 2)
        const kept = load<i32>(from)
        store<i32>(from, load<i32>(to))
        store<i32>(to, kept)
      }
      const pivot = sqrt(top)
      store<f64>(rest + ((<usize>j) << 3), 0)
      store<f64>(Panels.at(panels, k, width) + ((<usize>(4 * k + (k & 3))) << 3), pivot)
      Pivoted.column(panels, width, n - first, k, k, corner + ((<usize>k) << 3), stride, pivot, left)
      k++
    }
    // Panels begin at rows that are multiples of four: columns of the factor that the product also reaches are written
    // after it.
    const reached = k & ~3
    if (k < width) Pivoted.clear(panels, width, n - first, k)
    if (k < width || rank + k < most) {
      const rest = corner + ((<usize>(reached * ld + reached)) << 3)
      Panels.takeOff(rest, ld, Panels.at(panels, reached, width), n - first - reached, width, work)
    }
    if (k > 0) Panels.unpack(corner, ld, panels, n - first, width, k)
    rank += k
    if (k < width) break
  }
  return rank
}

/** Zeros above the diagonal of a: f64[n][ld]. */
export function clearUpper(a: usize, ld: i32, n: i32): void {
  for (let i = 0; i < n; i++) memory.fill(a + ((<usize>(i * ld + i + 1)) << 3), 0, (<usize>(n - 1 - i)) << 3)
}

/**
 * Whether an entry of a: f64[n][ld] and its mirror image differ by more than `most`; by blocks, so that both stay in
 * the cache.
 */
export function isAsymmetric(a: usize, ld: i32, n: i32, most: f64): i32 {
  const stride = (<usize>ld) << 3
  for (let i0 = 0; i0 < n; i0 += ROWS) {
    for (let j0 = 0; j0 <= i0; j0 += ROWS) {
      for (let i = i0; i < min(i0 + ROWS, n); i++) {
        for (let j = j0; j < min(j0 + ROWS, i); j++) {
          const entry = load<f64>(a + <usize>i * stride + ((<usize>j) << 3))
          if (abs(entry - load<f64>(a + <usize>j * stride + ((<usize>i) << 3))) > most) return 1
        }
      }
    }
  }
  return 0
}
