/**
 * QR of row-major f64 matrices by panels of columns: H_1 ... H_k = I - V T V^T (R. Schreiber and C. Van Loan, A
 * storage-efficient WY representation for products of Householder transformations, SIAM J. Sci. Stat. Comput. 10,
 * 1989), so that what is right of a panel changes by products.
 */
import { multiplyF64, multiplyWork } from './multiply'
import { factorPanelF64 } from './reflectors'
import { Vec } from './vector'

/** Columns of a panel. */
const PANEL: i32 = 32
/** Columns that a block of reflectors is applied to at once. */
const STRIP: i32 = 512
/** Rows or columns of a matrix that are turned at once, by lines of the cache. */
const TURN: i32 = 8

class Blocks {
  @inline static square(work: usize): usize {
    return work + multiplyWork(STRIP, 3)
  }

  /**
   * panel: f64[k][ld] = the transpose of a: f64[rows][lda], zeros behind the rows; of what is on and above the diagonal
   * where `unit`: 0 and 1.
   */
  @inline static take(panel: usize, ld: i32, a: usize, lda: i32, rows: i32, k: i32, unit: i32): void {
    const stride = (<usize>ld) << 3
    for (let i0 = 0; i0 < ld; i0 += TURN) {
      const last = min(i0 + TURN, ld)
      for (let j = 0; j < k; j++) {
        let to = panel + <usize>j * stride + ((<usize>i0) << 3)
        for (let i = i0; i < last; i++) {
          const masked = i >= rows || (unit != 0 && i <= j)
          store<f64>(to, masked ? (unit != 0 && i == j ? 1 : 0) : load<f64>(a + ((<usize>(i * lda + j)) << 3)))
          to += 8
        }
      }
    }
  }

  /** The reflectors back to their place below the diagonal of a: f64[rows][lda]. */
  @inline static give(a: usize, lda: i32, panel: usize, ld: i32, rows: i32, k: i32): void {
    const stride = (<usize>ld) << 3
    for (let i = 1; i < rows; i++) {
      let from = panel + ((<usize>i) << 3)
      let to = a + ((<usize>(i * lda)) << 3)
      const end = to + ((<usize>min(i, k)) << 3)
      do {
        store<f64>(to, load<f64>(from))
        to += 8
        from += stride
      } while (to < end)
    }
  }

  /**
   * T: f64[k][k] of the panel's reflectors, upper triangular, at square(work): column by column, T_j = -tau_j T (V^T
   * v_j).
   */
  @inline static factorT(panel: usize, ld: i32, k: i32, tau: usize, work: usize): void {
    const t = Blocks.square(work)
    const dots = t + ((<usize>(PANEL * PANEL)) << 3)
    const stride = (<usize>k) << 3
    memory.fill(t, 0, <usize>k * stride)
    memory.fill(dots, 0, <usize>k * stride)
    multiplyF64(dots, k, panel, ld, 0, panel, ld, 1, k, k, ld, 1, work)
    for (let j = 0; j < k; j++) {
      const own = load<f64>(tau + ((<usize>j) << 3))
      const column = t + ((<usize>j) << 3)
      for (let i = 0; i < j; i++) {
        const from = (<usize>i) << 3
        // The dots are symmetric: their column j is row j.
        const sum = Vec.dot(t + <usize>i * stride + from, dots + <usize>j * stride + from, j - i)
        store<f64>(column + <usize>i * stride, -own * sum)
      }
      store<f64>(column + <usize>j * stride, own)
    }
  }

  /** c: f64[rows][ldc], n columns, becomes (I - V T V^T) c, or (I - V T^T V^T) c where `turned`. */
  @inline static apply(
    c: usize,
    ldc: i32,
    n: i32,
    panel: usize,
    ld: i32,
    rows: i32,
    k: i32,
    turned: i32,
    work: usize
  ): void {
    const t = Blocks.square(work)
    const dots = t + ((<usize>(2 * PANEL * PANEL)) << 3)
    const factors = dots + ((<usize>(PANEL * STRIP)) << 3)
    for (let j = 0; j < n; j += STRIP) {
      const width = min(STRIP, n - j)
      const at = c + ((<usize>j) << 3)
      const bytes = (<usize>(k * width)) << 3
      memory.fill(dots, 0, bytes)
      memory.fill(factors, 0, bytes)
      multiplyF64(dots, width, panel, ld, 0, at, ldc, 0, k, width, rows, 1, work)
      multiplyF64(factors, width, t, k, turned, dots, width, 0, k, width, k, 1, work)
      multiplyF64(at, ldc, panel, ld, 1, factors, width, 0, rows, width, k, 0, work)
    }
  }
}

/** Bytes of `work` for matrices of m rows. */
export function qrWork(m: i32): usize {
  return multiplyWork(STRIP, 3) + ((<usize>(PANEL * (2 * PANEL + 2 * STRIP + 1 + ((m + 3) & ~3)))) << 3)
}

/**
 * Factors the first k columns of a: f64[m][ld], k <= m: R goes to the upper triangle, the reflectors below the diagonal
 * (their first 1 left out). The columns from k to n - 1 become Q^T times themselves. tau: f64[k]; work: qrWork(m)
 * bytes.
 */
export function factorQrF64(a: usize, ld: i32, m: i32, n: i32, k: i32, tau: usize, work: usize): void {
  const w = Blocks.square(work) + ((<usize>(2 * PANEL * (PANEL + STRIP))) << 3)
  const panel = w + ((<usize>PANEL) << 3)
  for (let j = 0; j < k; j += PANEL) {
    const width = min(PANEL, k - j)
    const rows = m - j
    const ldp = (rows + 3) & ~3
    const corner = a + ((<usize>(j * ld + j)) << 3)
    const own = tau + ((<usize>j) << 3)
    Blocks.take(panel, ldp, corner, ld, rows, width, 0)
    factorPanelF64(panel, ldp, rows, width, corner, ld, own, w)
    Blocks.give(corner, ld, panel, ldp, rows, width)
    if (j + width < n) {
      Blocks.factorT(panel, ldp, width, own, work)
      Blocks.apply(corner + ((<usize>width) << 3), ld, n - j - width, panel, ldp, rows, width, 1, work)
    }
  }
}

/** The first k columns of Q in the place of the k reflectors that factorQrF64 left in a: f64[m][ld]; R is lost. */
export function formQF64(a: usize, ld: i32, m: i32, k: i32, tau: usize, work: usize): void {
  const panel = Blocks.square(work) + ((<usize>(PANEL * (2 * PANEL + 2 * STRIP + 1))) << 3)
  for (let j = ((k - 1) / PANEL) * PANEL; j >= 0; j -= PANEL) {
    const width = min(PANEL, k - j)
    const rows = m - j
    const ldp = (rows + 3) & ~3
    const corner = a + ((<usize>(j * ld + j)) << 3)
    Blocks.take(panel, ldp, corner, ld, rows, width, 1)
    Blocks.factorT(panel, ldp, width, tau + ((<usize>j) << 3), work)
    for (let i = 0; i < m; i++) {
      const row = a + ((<usize>(i * ld + j)) << 3)
      memory.fill(row, 0, (<usize>width) << 3)
      if (i >= j && i < j + width) store<f64>(row + ((<usize>(i - j)) << 3), 1)
    }
    Blocks.apply(corner, ld, k - j, panel, ldp, rows, width, 0, work)
  }
}

/** Columns of a: f64[m][ld] times signs: f64[k], 1 or -1; no zero becomes negative. */
export function signColumns(a: usize, ld: i32, m: i32, k: i32, signs: usize): void {
  const end = signs + ((<usize>k) << 3)
  while (m > 0) {
    let x = a
    let sign = signs
    while (sign < end) {
      store<f64>(x, load<f64>(x) * load<f64>(sign) + 0)
      x += 8
      sign += 8
    }
    a += (<usize>ld) << 3
    m--
  }
}
