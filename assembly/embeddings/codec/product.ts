/**
 * Product quantisation: tables of a query, and rows from codes. Centroids are as packCentresF32 leaves them
 * (kmeans.ts).
 */

/**
 * table: f32[ceil(k / 4)][4] of a query's part q: f32[d] and centroids: their inner products, or (`squares`) minus
 * their squared distances. Sums run along d in order; of inner products, that with the centroids' common point comes
 * last.
 */
export function productTableF32(
  table: usize,
  q: usize,
  d: i32,
  panels: usize,
  shift: usize,
  k: i32,
  squares: i32
): void {
  const length = (<usize>d) << 2
  const end = panels + ((length * ((<usize>k + 3) >> 2)) << 2)
  const last = q + length
  if (squares) {
    do {
      let sum = f32x4.splat(0)
      let x = q
      let s = shift
      do {
        const apart = f32x4.sub(f32x4.splat(load<f32>(x) - load<f32>(s)), v128.load(panels))
        sum = f32x4.sub(sum, f32x4.mul(apart, apart))
        panels += 16
        s += 4
        x += 4
      } while (x < last)
      v128.store(table, sum)
      table += 16
    } while (panels < end)
    return
  }
  let common: f32 = 0
  let x = q
  do {
    common += load<f32>(x) * load<f32>(shift)
    shift += 4
    x += 4
  } while (x < last)
  const base = f32x4.splat(common)
  do {
    let sum = f32x4.splat(0)
    x = q
    do {
      sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(x), v128.load(panels)))
      panels += 16
      x += 4
    } while (x < last)
    v128.store(table, f32x4.add(sum, base))
    table += 16
  } while (panels < end)
}

/**
 * rows: f32[count][ld], d numbers of each: centroids: f32[..][d] by numbers, added to what is there where `add`.
 * Numbers are bits `shift` on, as `mask` leaves them, of bytes that stand `step` apart.
 */
export function lookUpRowsF32(
  rows: usize,
  ld: i32,
  numbers: usize,
  step: i32,
  count: i32,
  d: i32,
  centroids: usize,
  shift: i32,
  mask: i32,
  add: i32
): void {
  const length = (<usize>d) << 2
  const stride = (<usize>ld) << 2
  do {
    let from = centroids + <usize>(((<i32>load<u8>(numbers)) >> shift) & mask) * length
    let to = rows
    const end = to + length
    if (add) {
      do {
        store<f32>(to, load<f32>(to) + load<f32>(from))
        to += 4
        from += 4
      } while (to < end)
    } else {
      do {
        store<f32>(to, load<f32>(from))
        to += 4
        from += 4
      } while (to < end)
    }
    rows += stride
    numbers += step
  } while (--count > 0)
}

/** pairs: f32[n][2] of firsts and seconds: f32[n], or of 0 and seconds where firsts is 0, or of firsts and 0 */
export function pairF32(pairs: usize, firsts: usize, seconds: usize, n: i32): void {
  for (let i: usize = 0; i < (<usize>n) << 2; i += 4) {
    store<f32>(pairs + 2 * i, firsts ? load<f32>(firsts + i) : 0)
    store<f32>(pairs + 2 * i, seconds ? load<f32>(seconds + i) : 0, 4)
  }
}

/** squares: f32[count] of the lengths of rows: f32[count][d], summed in f64 in order */
export function rowSquaresF32(squares: usize, rows: usize, count: i32, d: i32): void {
  while (count > 0) {
    const end = rows + ((<usize>d) << 2)
    let sum: f64 = 0
    do {
      const x = <f64>load<f32>(rows)
      sum += x * x
      rows += 4
    } while (rows < end)
    store<f32>(squares, <f32>sum)
    squares += 4
    count--
  }
}
