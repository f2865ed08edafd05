import type { Pointer } from '../core/memory.js'
import type { Kernels } from './decompositionEngine.js'

/** Columns of length `ld` at `a`, whose rows are rows of a matrix. */
interface Columns {
  readonly a: Pointer
  readonly ld: number
}

/** Householder reflectors of `rows` rows, one below each of the first n diagonal elements of `v`, and their factors. */
interface Reflectors {
  readonly v: Pointer
  readonly ldv: number
  readonly rows: number
  readonly n: number
  readonly tau: Pointer
}

interface PivotedQr extends Columns {
  /** rows, and columns that are factored */
  readonly m: number
  readonly n: number
  /** columns that are reflected, those that are factored among them */
  readonly width: number
  readonly tau: Pointer
  /** u32[n], written: the column that each place has */
  readonly order: Pointer
  /** scratch of a number a column, twice, and of vectors */
  readonly norms: Pointer
  readonly dots: Pointer
  readonly work: Pointer
}

/** Factors columns by Householder reflectors, the longest of what is left first. */
export function factorPivotedQr(kernels: Kernels, qr: PivotedQr): void {
  const { a, ld, m, n, width, tau, order, norms, dots, work } = qr
  kernels.factorPivotedQrF64(a, ld, m, n, width, tau, order, norms, dots, work)
}

interface AppliedQ extends Reflectors {
  /** `count` columns, `ldw` apart, that are reflected in place */
  readonly w: Pointer
  readonly ldw: number
  readonly count: number
  /** the columns are those of the identity */
  readonly identity?: boolean
  readonly work: Pointer
}

/** w = Q w for the product Q of reflectors. */
export function applyQ(kernels: Kernels, applied: AppliedQ): void {
  const { w, ldw, count, v, ldv, rows, n, tau, identity, work } = applied
  kernels.applyQ(w, ldw, count, v, ldv, rows, n, tau, identity ? 1 : 0, work)
}

interface Tridiagonal extends Columns {
  readonly rows: number
  readonly n: number
  /** the reflectors, and their factors */
  readonly reflectors: Pointer
  readonly tau: Pointer
  /** f64[n] diagonal, f64[n] beside it */
  readonly d: Pointer
  readonly e: Pointer
  readonly work: Pointer
}

/** A symmetric matrix to tridiagonal form. */
export function tridiagonalise(kernels: Kernels, matrix: Tridiagonal): void {
  const { a, ld, rows, n, reflectors, tau, d, e, work } = matrix
  kernels.tridiagonalise(a, ld, rows, n, reflectors, tau, d, e, work)
}

interface Sweeps {
  /** columns that are rotated, and the rotations' product */
  readonly x: Pointer
  readonly v: Pointer
  readonly ld: number
  readonly n: number
  readonly tolerance: number
  /** f64[1], written: the greatest cosine that was left */
  readonly worst: Pointer
  readonly norms: Pointer
  readonly gram: Pointer
  readonly gathered: Pointer
  readonly marks: Pointer
  readonly work: Pointer
}

/** Jacobi's sweeps over pairs that a Gram matrix says are not orthogonal; returns how many. */
export function screenedSweeps(kernels: Kernels, sweeps: Sweeps): number {
  const { x, v, worst, ld, n, tolerance, norms, gram, gathered, marks, work } = sweeps
  return kernels.screenedSweeps(x, v, worst, ld, n, tolerance, norms, gram, gathered, marks, work)
}

interface RowsTimesPanels {
  /** f32[rows][ldc], added to */
  readonly c: Pointer
  readonly ldc: number
  /** f32[rows][lda] */
  readonly a: Pointer
  readonly lda: number
  readonly panels: Pointer
  readonly rows: number
  readonly columns: number
  readonly k: number
  readonly edge: Pointer
}

/** c += a b for rows a and a packed matrix b of `columns` columns. */
export function multiplyRows(kernels: Kernels, product: RowsTimesPanels): void {
  const { c, ldc, a, lda, panels, rows, columns, k, edge } = product
  kernels.multiplyRowsF32(c, ldc, a, lda, panels, rows, columns, k, edge)
}

/** Triangular systems: what `solveTriangleInPlace` (triangular.ts) says of them, with scratch. */
interface TriangleSolve {
  readonly b: Pointer
  readonly ldb: number
  readonly p: number
  readonly t: Pointer
  readonly ldt: number
  readonly n: number
  readonly upper?: boolean
  readonly transpose?: boolean
  readonly unitDiagonal?: boolean
  readonly right?: boolean
  readonly work: Pointer
}

/** Solves triangular systems in the place of b. */
export function solveTriangle(kernels: Kernels, systems: TriangleSolve): void {
  const { b, ldb, p, t, ldt, n, upper, transpose, unitDiagonal, right, work } = systems
  const flags = [upper, transpose, unitDiagonal, right].map((flag) => (flag ? 1 : 0)) as [
    number,
    number,
    number,
    number
  ]
  kernels.solveTriangleF64(b, ldb, p, t, ldt, n, ...flags, work)
}
