/** Rows x: f64[rows][n] on their way to sums. Squares: as dots (vector.ts). */
import { Vec } from './vector'

/** sums: f64[n] += the rows in order, each times its weight where weights: f64[rows] is not 0. */
export function sumRowsF64(sums: usize, x: usize, rows: i32, n: i32, weights: usize): void {
  const stride = (<usize>n) << 3
  let factor = 1.0
  while (rows > 0) {
    if (weights) {
      factor = load<f64>(weights)
      weights += 8
    }
    Vec.axpy(sums, x, n, factor)
    x += stride
    rows--
  }
}

/** Takes shift: f64[n] off each row. */
export function shiftRowsF64(x: usize, rows: i32, n: i32, shift: usize): void {
  const stride = (<usize>n) << 3
  while (rows > 0) {
    Vec.axpy(x, shift, n, -1)
    x += stride
    rows--
  }
}

/** Each row times its own of factors: f64[rows]. */
export function scaleRowsF64(x: usize, rows: i32, n: i32, factors: usize): void {
  const stride = (<usize>n) << 3
  while (rows > 0) {
    Vec.scale(x, n, load<f64>(factors))
    x += stride
    factors += 8
    rows--
  }
}
