import type { Pointer } from '../../core/memory.js'
import type { Floats } from '../matrix.js'
import type { FloatsOf, Tall } from './tall.js'

/** Works on a slab of rows, `ld` apart. */
export type OnSlab = (at: Pointer, ld: number, rows: number) => void

/**
 * Sums over slabs of rows, in f64: A'Y, from rows of A and the k columns of Y in the slab beside them.
 * Where a reading takes both, `add` comes before `addSquare`, which finds the rows of Y as `add` has left them.
 */
export interface Summer {
  clear(): void
  /** sum += a'y */
  readonly add: OnSlab
  /** square: f64[k][ld] += y'y, its lower half, of the rows that were added last */
  addSquare(square: Pointer, ld: number, rows: number): void
  take(): Tall
}

/** How slabs of rows are multiplied: in f32 tiles whose sums over rows go on in f64, or in f64 throughout. */
export interface Precision {
  readonly wide: boolean
  /** of products A x */
  readonly type: FloatsOf<Floats>
  /** Room for numbers of this type; allocations are those of the caller's frame here and below. */
  alloc(length: number): Pointer
  view(pointer: Pointer, length: number): Floats
  squares(at: Pointer, length: number): number
  /** at: times 2^exponent */
  scale(at: Pointer, length: number, exponent: number): void
  /** tops: f64[k], the entries of greatest magnitude so far of each column, from one more slab */
  tops(tops: Pointer, slab: Pointer, rows: number, k: number): void
  /** gram: f64[padded(n)][padded(n)] += A'A, its lower half */
  gram(gram: Pointer, n: number): OnSlab
  /** slab = A x */
  multiplier(x: Tall, slab: Pointer): OnSlab
  /** of rows of n columns beside `slab`, k columns */
  summer(n: number, k: number, slab: Pointer): Summer
}
