/**
 * Second moments of rows, X^T X: one packed copy of the rows, panels of four columns, is both operands of the product.
 * Panels are those of pack.ts: f64[ceil(columns / 4)][rows][4], zeros beyond the columns.
 */
import { DEPTH } from './constants'
import { Lanes } from '../common/lanes'
import { packAlongF64 } from './pack'
import { multiplyPanelsF64 } from './product'

/** Panels of four columns from src: f32[rows][columns], as f64. */
export function packRowsF32(dst: usize, src: usize, columns: i32, rows: i32): void {
  const stride = (<usize>columns) << 2
  while (columns > 0) {
    let from = src
    let left = rows
    if (columns >= 4) {
      do {
        const x = v128.load(from)
        v128.store(dst, f64x2.promote_low_f32x4(x))
        v128.store(dst, Lanes.promoteHigh(x), 16)
        dst += 32
        from += stride
      } while (--left > 0)
    } else {
      do {
        let c = 0
        do {
          store<f64>(dst + ((<usize>c) << 3), c < columns ? <f64>load<f32>(from + ((<usize>c) << 2)) : 0)
        } while (++c < 4)
        dst += 32
        from += stride
      } while (--left > 0)
    }
    src += 16
    columns -= 4
  }
}

/** Adds to sums: f64[4 panels] the sums over the rows of each column, in order. */
export function sumPanels(sums: usize, panels: usize, columns: i32, rows: i32): void {
  while (columns > 0) {
    let a = v128.load(sums)
    let b = v128.load(sums, 16)
    const end = panels + ((<usize>rows) << 5)
    do {
      a = f64x2.add(a, v128.load(panels))
      b = f64x2.add(b, v128.load(panels, 16))
      panels += 32
    } while (panels < end)
    v128.store(sums, a)
    v128.store(sums, b, 16)
    sums += 32
    columns -= 4
  }
}

/** Takes shift: f64[4 panels] from every row. */
export function shiftPanels(panels: usize, shift: usize, columns: i32, rows: i32): void {
  while (columns > 0) {
    const a = v128.load(shift)
    const b = v128.load(shift, 16)
    const end = panels + ((<usize>rows) << 5)
    do {
      v128.store(panels, f64x2.sub(v128.load(panels), a))
      v128.store(panels, f64x2.sub(v128.load(panels, 16), b), 16)
      panels += 32
    } while (panels < end)
    shift += 32
    columns -= 4
  }
}

/**
 * c: f64[count][ld] += rows [first, first + count) of X^T X, first a multiple of 4. Each row has its columns up to the
 * diagonal, and up to three beyond. edge: f64[4][4] scratch. rows > 0.
 */
export function gramPanels(c: usize, ld: i32, panels: usize, first: i32, count: i32, rows: i32, edge: usize): void {
  const bytes = (<usize>rows) << 3
  let own = panels + bytes * first
  if (first > 0) multiplyPanelsF64(c, ld, own, panels, count, first, rows, 1, edge)
  c += (<usize>first) << 3
  const step = (((<usize>ld) << 2) + 4) << 3
  while (count > 0) {
    multiplyPanelsF64(c, ld, own, own, count, min(count, 4), rows, 1, edge)
    own += bytes << 2
    c += step
    count -= 4
  }
}

/** Rows [first, first + count) of a lower triangle, c: f64[count][ld], one after the other, each up to its diagonal. */
export function packLower(c: usize, ld: i32, first: i32, count: i32): void {
  let to = c
  let from = c
  do {
    const bytes = (<usize>++first) << 3
    memory.copy(to, from, bytes)
    to += bytes
    from += (<usize>ld) << 3
  } while (--count > 0)
}

/** The greatest |x| of x: f32[n], as its pattern; that of infinity and beyond, where one is not finite. */
export function greatestBitsF32(x: usize, n: i32): i32 {
  const end = x + ((<usize>n) << 2)
  const mask = i32x4.splat(0x7fffffff)
  let most = i32x4.splat(0)
  while (x + 16 <= end) {
    most = i32x4.max_s(most, v128.and(v128.load(x), mask))
    x += 16
  }
  let top = max(
    max(i32x4.extract_lane(most, 0), i32x4.extract_lane(most, 1)),
    max(i32x4.extract_lane(most, 2), i32x4.extract_lane(most, 3))
  )
  while (x < end) {
    top = max(top, load<i32>(x) & 0x7fffffff)
    x += 4
  }
  return top
}

/** Rows of the Gram matrix that are made at once. */
const STRIP: i32 = 32

/**
 * g: f64[n][ldg], of which the lower half, in strips of 32 rows, holds the dots of n columns x of `rows` rows, ld
 * apart. work: gramWork(n) bytes.
 */
export function gramF64(g: usize, ldg: i32, x: usize, ld: i32, rows: i32, n: i32, work: usize): void {
  const panels = work + 128
  memory.fill(g, 0, (<usize>n * ldg) << 3)
  for (let r = 0; r < rows; r += DEPTH) {
    const depth = min(DEPTH, rows - r)
    packAlongF64(panels, x + ((<usize>r) << 3), n, 4, depth, ld)
    for (let i = 0; i < n; i += STRIP) {
      gramPanels(g + ((<usize>i * ldg) << 3), ldg, panels, i, min(STRIP, n - i), depth, work)
    }
  }
}

/** Bytes of scratch for gramF64. */
export function gramWork(n: i32): usize {
  return 128 + ((<usize>(DEPTH * ((n + 3) & ~3))) << 3)
}

/** Both halves of g: f64[n][ld] from its lower one. */
export function mirrorF64(g: usize, ld: i32, n: i32): void {
  const stride = (<usize>ld) << 3
  for (let i = 0; i < n; i++) {
    let p = g + <usize>i * stride
    let q = g + ((<usize>i) << 3)
    const end = p + ((<usize>i) << 3)
    while (p < end) {
      store<f64>(q, load<f64>(p))
      p += 8
      q += stride
    }
  }
}
