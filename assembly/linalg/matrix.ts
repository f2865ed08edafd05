/** Column-major f64 matrices with a leading dimension `ld` in elements. */

/** Rows that are placed at once: a cache line of each column. */
const ROWS: i32 = 8

/** dst: columns of length ld; rows [first, first + rows) of them from src: f64[rows][columns]. */
export function placeRows(dst: usize, ld: i32, first: i32, src: usize, rows: i32, columns: i32): void {
  const stride = (<usize>ld) << 3
  const length = (<usize>columns) << 3
  for (let r = 0; r < rows; r += ROWS) {
    const bytes = (<usize>min(ROWS, rows - r)) << 3
    let column = dst + ((<usize>(first + r)) << 3)
    let from = src + <usize>r * length
    const end = from + length
    while (from < end) {
      let p = column
      let q = from
      const last = p + bytes
      do {
        store<f64>(p, load<f64>(q))
        p += 8
        q += length
      } while (p < last)
      column += stride
      from += 8
    }
  }
}

/** The inverse of placeRows: dst: f64[rows][columns]. */
export function takeRows(dst: usize, src: usize, ld: i32, first: i32, rows: i32, columns: i32): void {
  const stride = (<usize>ld) << 3
  const length = (<usize>columns) << 3
  for (let r = 0; r < rows; r += ROWS) {
    const bytes = (<usize>min(ROWS, rows - r)) << 3
    let column = src + ((<usize>(first + r)) << 3)
    let to = dst + <usize>r * length
    const end = to + length
    while (to < end) {
      let p = column
      let q = to
      const last = p + bytes
      do {
        store<f64>(q, load<f64>(p))
        p += 8
        q += length
      } while (p < last)
      column += stride
      to += 8
    }
  }
}

/** The power of two that brings the greatest |x| of x: f64[n] into [.5, 1): its exponent, 0 where all are 0, 9999 where one is not finite. */
export function unitExponent(x: usize, n: usize): i32 {
  const end = x + (n << 3)
  let top: i64 = 0
  while (x < end) {
    top = max(top, load<i64>(x) & 0x7fffffffffffffff)
    x += 8
  }
  if (top >= 0x7ff0000000000000) return 9999
  if (top == 0) return 0
  const exponent = <i32>(top >> 52)
  // A subnormal's exponent is that of its highest bit.
  return exponent > 0 ? exponent - 1022 : -1010 - <i32>clz(top)
}

/** x: f64[n] *= 2^exponent, in two steps since one factor may not be representable. */
export function scaleByPower(x: usize, n: usize, exponent: i32): void {
  const half = exponent >> 1
  const a = reinterpret<f64>((<i64>(half + 1023)) << 52)
  const b = reinterpret<f64>((<i64>(exponent - half + 1023)) << 52)
  const va = f64x2.splat(a)
  const vb = f64x2.splat(b)
  const end = x + (n << 3)
  while (x + 16 <= end) {
    v128.store(x, f64x2.mul(f64x2.mul(v128.load(x), va), vb))
    x += 16
  }
  if (x < end) store<f64>(x, load<f64>(x) * a * b)
}
