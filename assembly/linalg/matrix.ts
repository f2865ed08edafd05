/** Column-major f64 matrices with a leading dimension `ld` in elements. */

/** dst: columns of length ld; rows [first, first + rows) of them from src: f64[rows][columns]. */
export function placeRows(dst: usize, ld: i32, first: i32, src: usize, rows: i32, columns: i32): void {
  dst += (<usize>first) << 3
  const stride = (<usize>ld) << 3
  let r = 0
  while (r < rows) {
    let p = dst
    let c = 0
    while (c < columns) {
      store<f64>(p, load<f64>(src))
      p += stride
      src += 8
      c++
    }
    dst += 8
    r++
  }
}

/** The inverse of placeRows: dst: f64[rows][columns]. */
export function takeRows(dst: usize, src: usize, ld: i32, first: i32, rows: i32, columns: i32): void {
  src += (<usize>first) << 3
  const stride = (<usize>ld) << 3
  let r = 0
  while (r < rows) {
    let p = src
    let c = 0
    while (c < columns) {
      store<f64>(dst, load<f64>(p))
      p += stride
      dst += 8
      c++
    }
    src += 8
    r++
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
  const end = x + (n << 3)
  while (x < end) {
    store<f64>(x, load<f64>(x) * a * b)
    x += 8
  }
}
