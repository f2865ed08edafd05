/** Products of row-major matrices in linear memory, by packed blocks that stay in the caches. Column-major ones are the same, transposed and swapped. */
import { packAcrossF32, packAcrossF64, packAlongF32, packAlongF64 } from './pack'
import { multiplyPanelsF32, multiplyPanelsF64 } from './product'

/** A panel of b, this deep, fits the first-level cache beside one of a; sums run over so many products before they are added to c. */
const DEPTH: i32 = 256
/** Rows of a that are packed at once, for the second-level cache. */
const ROWS: i32 = 128

/** Bytes of `work` for n columns of elements of 2^shift bytes; both kinds of panels and the edge's tile. */
export function multiplyWork(n: i32, shift: i32): usize {
  return ((<usize>(DEPTH * (((n + 7) & ~7) + ROWS))) << shift) + 128
}

/**
 * c: f32[m][ldc] += op(a) op(b), or -= where `plus` is 0; op(a): (m, k) is a: f32[m][lda], or the transpose of f32[k][lda] where `across`;
 * op(b): (k, n) is b: f32[k][ldb], or the transpose of f32[n][ldb] where `along`. work: multiplyWork(n, 2) bytes.
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
  const edge = work
  const panelsA = work + 128
  const panelsB = panelsA + ((<usize>(DEPTH * ROWS)) << 2)
  for (let k0 = 0; k0 < k; k0 += DEPTH) {
    const depth = min(DEPTH, k - k0)
    if (along) packAlongF32(panelsB, b + ((<usize>k0) << 2), n, 8, depth, ldb)
    else packAcrossF32(panelsB, b + ((<usize>k0 * ldb) << 2), n, 8, depth, ldb)
    for (let i = 0; i < m; i += ROWS) {
      const rows = min(ROWS, m - i)
      if (across) packAcrossF32(panelsA, a + ((<usize>k0 * lda + i) << 2), rows, 4, depth, lda)
      else packAlongF32(panelsA, a + ((<usize>i * lda + k0) << 2), rows, 4, depth, lda)
      multiplyPanelsF32(c + ((<usize>i * ldc) << 2), ldc, panelsA, panelsB, rows, n, depth, plus, edge)
    }
  }
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
  const edge = work
  const panelsA = work + 128
  const panelsB = panelsA + ((<usize>(DEPTH * ROWS)) << 3)
  for (let k0 = 0; k0 < k; k0 += DEPTH) {
    const depth = min(DEPTH, k - k0)
    if (along) packAlongF64(panelsB, b + ((<usize>k0) << 3), n, 4, depth, ldb)
    else packAcrossF64(panelsB, b + ((<usize>k0 * ldb) << 3), n, 4, depth, ldb)
    for (let i = 0; i < m; i += ROWS) {
      const rows = min(ROWS, m - i)
      if (across) packAcrossF64(panelsA, a + ((<usize>k0 * lda + i) << 3), rows, 4, depth, lda)
      else packAlongF64(panelsA, a + ((<usize>i * lda + k0) << 3), rows, 4, depth, lda)
      multiplyPanelsF64(c + ((<usize>i * ldc) << 3), ldc, panelsA, panelsB, rows, n, depth, plus, edge)
    }
  }
}
