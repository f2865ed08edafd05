/**
 * Products of row-major matrices in linear memory, by packed blocks that stay in the caches. Column-major ones are the
 * same, transposed and swapped.
 */
import { DEPTH } from './constants'
import { packAcrossF32, packAcrossF64, packAlongF32, packAlongF64 } from './pack'
import { multiplyPanelsF32, multiplyPanelsF64 } from './product'

/** Rows of a that are packed at once, for the second-level cache. */
const ROWS: i32 = 128

class Blocks {
  @inline static panels<T>(to: usize, from: usize, count: i32, width: i32, k: i32, ld: i32, along: i32): void {
    if (sizeof<T>() == 4) {
      if (along) packAlongF32(to, from, count, width, k, ld)
      else packAcrossF32(to, from, count, width, k, ld)
    } else {
      if (along) packAlongF64(to, from, count, width, k, ld)
      else packAcrossF64(to, from, count, width, k, ld)
    }
  }

  /** Bytes that a matrix is further on DEPTH steps along k. */
  @inline static stride<T>(ld: i32, along: i32): usize {
    return (along ? sizeof<T>() : <usize>ld * sizeof<T>()) * DEPTH
  }

  @inline static packed<T>(
    c: usize,
    ldc: i32,
    a: usize,
    lda: i32,
    across: i32,
    b: usize,
    m: i32,
    n: i32,
    k: i32,
    plus: i32,
    work: usize
  ): void {
    const panels = work + 128
    const width = <i32>(32 / sizeof<T>())
    const stepA = Blocks.stride<T>(lda, 1 - across)
    const stepB = <usize>((n + width - 1) & -width) * sizeof<T>() * DEPTH
    const down = (across ? sizeof<T>() : <usize>lda * sizeof<T>()) * ROWS
    while (m > 0) {
      const rows = min(ROWS, m)
      let from = a
      let to = b
      let left = k
      let how = plus
      while (left > 0) {
        const depth = min(DEPTH, left)
        Blocks.panels<T>(panels, from, rows, 4, depth, lda, 1 - across)
        if (sizeof<T>() == 4) multiplyPanelsF32(c, ldc, panels, to, rows, n, depth, how, work)
        else multiplyPanelsF64(c, ldc, panels, to, rows, n, depth, how, work)
        how = min(how, 1)
        from += stepA
        to += stepB
        left -= DEPTH
      }
      c += <usize>ldc * (ROWS * sizeof<T>())
      a += down
      m -= ROWS
    }
  }

  @inline static whole<T>(
    c: usize,
    ldc: i32,
    a: usize,
    lda: i32,
    across: i32,
    b: usize,
    ldb: i32,
    along: i32,
    m: i32,
    n: i32,
    k: i32,
    plus: i32,
    work: usize
  ): void {
    const panels = work + multiplyWork(0, alignof<T>())
    const stepA = Blocks.stride<T>(lda, 1 - across)
    const stepB = Blocks.stride<T>(ldb, along)
    while (k > 0) {
      const depth = min(DEPTH, k)
      Blocks.panels<T>(panels, b, n, <i32>(32 / sizeof<T>()), depth, ldb, along)
      if (sizeof<T>() == 4) multiplyPackedF32(c, ldc, a, lda, across, panels, m, n, depth, plus, work)
      else multiplyPackedF64(c, ldc, a, lda, across, panels, m, n, depth, plus, work)
      plus = min(plus, 1)
      a += stepA
      b += stepB
      k -= DEPTH
    }
  }
}

/** Bytes of `work` for n columns of elements of 2^shift bytes; both kinds of panels and the edge's tile. */
export function multiplyWork(n: i32, shift: i32): usize {
  return ((<usize>(DEPTH * (((n + 7) & ~7) + ROWS))) << shift) + 128
}

/**
 * c: f32[m][ldc] += op(a) b where `plus` is 1, -= where 0, = where 2 (k > 0). op(a): (m, k) is a: f32[m][lda], or the
 * transpose of f32[k][lda] where `across`; b: (k, n) in panels, blocks of f32[ceil(n / 8)][256][8] along k, the last as
 * deep as is left. work: multiplyWork(0, 2) bytes.
 */
export function multiplyPackedF32(
  c: usize,
  ldc: i32,
  a: usize,
  lda: i32,
  across: i32,
  b: usize,
  m: i32,
  n: i32,
  k: i32,
  plus: i32,
  work: usize
): void {
  Blocks.packed<f32>(c, ldc, a, lda, across, b, m, n, k, plus, work)
}

/** The same of f64, panels of b: f64[ceil(n / 4)][256][4]; work: multiplyWork(0, 3) bytes. */
export function multiplyPackedF64(
  c: usize,
  ldc: i32,
  a: usize,
  lda: i32,
  across: i32,
  b: usize,
  m: i32,
  n: i32,
  k: i32,
  plus: i32,
  work: usize
): void {
  Blocks.packed<f64>(c, ldc, a, lda, across, b, m, n, k, plus, work)
}

/**
 * As multiplyPackedF32, with op(b): (k, n), which is b: f32[k][ldb], or the transpose of f32[n][ldb] where `along`.
 * work: multiplyWork(n, 2) bytes.
 */
export function multiplyF32(
  c: usize,
  ldc: i32,
  a: usize,
  lda: i32,
  across: i32,
  b: usize,
  ldb: i32,
  along: i32,
  m: i32,
  n: i32,
  k: i32,
  plus: i32,
  work: usize
): void {
  Blocks.whole<f32>(c, ldc, a, lda, across, b, ldb, along, m, n, k, plus, work)
}

/** The same of f64; work: multiplyWork(n, 3) bytes. */
export function multiplyF64(
  c: usize,
  ldc: i32,
  a: usize,
  lda: i32,
  across: i32,
  b: usize,
  ldb: i32,
  along: i32,
  m: i32,
  n: i32,
  k: i32,
  plus: i32,
  work: usize
): void {
  Blocks.whole<f64>(c, ldc, a, lda, across, b, ldb, along, m, n, k, plus, work)
}
