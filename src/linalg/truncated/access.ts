import type { Passes } from './passes.js'
import type { Tall } from './tall.js'

/**
 * A matrix A (rows, columns) by its products. All of them are those of A 2^-exponent; the first one finds the exponent.
 */
export interface Access {
  readonly rows: number
  readonly columns: number
  readonly exponent: number
  /** sum of squares of A 2^-exponent, after the first product; undefined where nobody knows */
  readonly squares: number | undefined
  /** bytes of memory that products with k columns take */
  productBytes(k: number): number
  /** A x */
  times(x: Tall): Passes<Tall>
  /** A'y, in f64 */
  timesTransposed(y: Tall): Passes<Tall>
  /** Throws where products of others' making contradict each other: image = A x, z = A'y */
  checkAdjoint?(x: Tall, image: Tall, y: Tall, z: Tall): void
}
