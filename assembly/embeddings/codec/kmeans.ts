/**
 * The nearest of many centroids, by the greatest x.c - |c|^2 / 2, and means of what is nearest to each. One kernel
 * serves rows of all widths: eight rows, transposed, stay in the first-level cache while four centroids at a time
 * stream past them. Rows and centroids are taken off a common point first: data far from the origin loses no digits.
 */
import { MEDIAN } from '../constants'
import { packAlongF32 } from '../../linalg/pack'

const ROWS: i32 = 8

class Nearest {
  @inline static add(c: v128, a: v128, b: v128): v128 {
    return f32x4.add(c, f32x4.mul(a, b))
  }

  /** work: f32[d][8] of rows: f32[height][ld], less shift: f32[d] */
  @inline static pack(work: usize, rows: usize, height: i32, ld: i32, d: i32, shift: usize): void {
    packAlongF32(work, rows, height, ROWS, d, ld)
    const end = work + ((<usize>d) << 5)
    do {
      const s = v128.load32_splat(shift)
      v128.store(work, f32x4.sub(v128.load(work), s))
      v128.store(work, f32x4.sub(v128.load(work, 16), s), 16)
      shift += 4
      work += 32
    } while (work < end)
  }

  /**
   * Which of a panel's four centroids has the product `best` with one packed row. Sums run as in the search, to the
   * bit.
   */
  @inline static lane(x: usize, panel: usize, d: i32, sum: v128, best: f32): i32 {
    const end = panel + ((<usize>d) << 4)
    do {
      sum = Nearest.add(sum, v128.load32_splat(x), v128.load(panel))
      x += 32
      panel += 16
    } while (panel < end)
    const mask = i32x4.bitmask(f32x4.eq(sum, f32x4.splat(best)))
    return mask ? ctz(mask) : 0
  }

  /**
   * found: f32[8] of the best products of packed rows, then u32[8] of the panels that have them, the lowest of equals.
   */
  @inline static search(found: usize, work: usize, panels: usize, last: usize, halves: usize, length: usize): void {
    let best0 = f32x4.splat(<f32>-Infinity)
    let best1 = best0
    let at0 = i32x4.splat(0)
    let at1 = at0
    let p = panels
    let h = halves
    let number = 0
    do {
      let c00 = v128.load32_splat(h)
      let c01 = c00
      let c10 = v128.load32_splat(h, 4)
      let c11 = c10
      let c20 = v128.load32_splat(h, 8)
      let c21 = c20
      let c30 = v128.load32_splat(h, 12)
      let c31 = c30
      let x = work
      const end = p + length
      do {
        const x0 = v128.load(x)
        const x1 = v128.load(x, 16)
        let a = v128.load32_splat(p)
        c00 = Nearest.add(c00, a, x0)
        c01 = Nearest.add(c01, a, x1)
        a = v128.load32_splat(p, 4)
        c10 = Nearest.add(c10, a, x0)
        c11 = Nearest.add(c11, a, x1)
        a = v128.load32_splat(p, 8)
        c20 = Nearest.add(c20, a, x0)
        c21 = Nearest.add(c21, a, x1)
        a = v128.load32_splat(p, 12)
        c30 = Nearest.add(c30, a, x0)
        c31 = Nearest.add(c31, a, x1)
        x += 32
        p += 16
      } while (p < end)
      // Only the panel is kept: which of its four it is, is found out once for each row.
      const id = i32x4.splat(number)
      c00 = f32x4.pmax(f32x4.pmax(c00, c10), f32x4.pmax(c20, c30))
      at0 = v128.bitselect(id, at0, f32x4.gt(c00, best0))
      best0 = f32x4.pmax(best0, c00)
      c01 = f32x4.pmax(f32x4.pmax(c01, c11), f32x4.pmax(c21, c31))
      at1 = v128.bitselect(id, at1, f32x4.gt(c01, best1))
      best1 = f32x4.pmax(best1, c01)
      h += 16
      number++
    } while (p < last)
    v128.store(found, best0)
    v128.store(found, best1, 16)
    v128.store(found, at0, 32)
    v128.store(found, at1, 48)
  }

  /** Writes a number; returns whether it is other than before. */
  @inline static store(to: usize, number: i32, wide: i32): i32 {
    const before = wide ? <i32>load<u16>(to) : <i32>load<u8>(to)
    if (wide) store<u16>(to, number)
    else store<u8>(to, number)
    return i32(before != number)
  }
}

/**
 * Packs centroids: f32[k][d]. shift: f32[d], a point in their middle; panels: f32[ceil(k / 4)][d][4], what they are
 * beside it; halves: f32[ceil(k / 4)][4], minus half the squares of that, summed in f64 in order, -Infinity beyond the
 * last. Each coordinate of the point is the median, the lower of two, of up to 31 centroids that are spread evenly. A
 * few that are far out do not move it. some: f32[31], scratch.
 */
export function packCentroidsF32(
  panels: usize,
  halves: usize,
  shift: usize,
  centroids: usize,
  k: i32,
  d: i32,
  some: usize
): void {
  const stride = (<usize>d) << 2
  const few = min(k, MEDIAN)
  for (let j = 0; j < d; j++) {
    const at = (<usize>j) << 2
    for (let i = 0; i < few; i++) {
      const x = load<f32>(centroids + at + <usize>((i * k) / few) * stride)
      let to = some + ((<usize>i) << 2)
      while (to > some && load<f32>(to - 4) > x) {
        store<f32>(to, load<f32>(to - 4))
        to -= 4
      }
      store<f32>(to, x)
    }
    store<f32>(shift + at, load<f32>(some + ((<usize>((few - 1) >> 1)) << 2)))
  }
  packAlongF32(panels, centroids, k, 4, d, d)
  const whole = (k + 3) & ~3
  for (let i = 0; i < whole; i++) {
    let square: f64 = 0
    let p = panels + <usize>(i >> 2) * (stride << 2) + ((<usize>(i & 3)) << 2)
    let s = shift
    const last = shift + stride
    do {
      const x: f32 = i < k ? load<f32>(p) - load<f32>(s) : 0
      store<f32>(p, x)
      square += <f64>x * <f64>x
      p += 16
      s += 4
    } while (s < last)
    store<f32>(halves + ((<usize>i) << 2), i < k ? <f32>(-0.5 * square) : <f32>-Infinity)
  }
}

/**
 * numbers: u8 or (where `wide`) u16, `step` bytes apart, of the centroids that rows are nearest to, the lowest of
 * equals. rows: f32[count][ld], d of the ld numbers; centroids as packCentroidsF32 leaves them. Sums run along d in
 * order, from -|c|^2 / 2. Returns how many numbers are other than what stood there. work: f32[d + 2][8].
 */
export function nearestF32(
  numbers: usize,
  step: i32,
  wide: i32,
  rows: usize,
  count: i32,
  ld: i32,
  d: i32,
  panels: usize,
  halves: usize,
  shift: usize,
  k: i32,
  work: usize
): i32 {
  const length = (<usize>d) << 4
  const last = panels + length * ((k + 3) >> 2)
  const found = work + (length << 1)
  let changed = 0
  while (count > 0) {
    const height = min(count, ROWS)
    Nearest.pack(work, rows, height, ld, d, shift)
    Nearest.search(found, work, panels, last, halves, length)
    let r: usize = 0
    do {
      const panel = load<u32>(found + (r << 2), 32)
      const sum = v128.load(halves + ((<usize>panel) << 4))
      const best = load<f32>(found + (r << 2))
      const lane = Nearest.lane(work + (r << 2), panels + <usize>panel * length, d, sum, best)
      changed += Nearest.store(numbers, min(<i32>(panel << 2) + lane, k - 1), wide)
      numbers += step
    } while (++r < <usize>height)
    rows += (<usize>ld) << 5
    count -= ROWS
  }
  return changed
}

/** sums: f64[k][d], counts: i32[k] += rows: f32[count][ld] (d of the ld numbers) by numbers: u16[count], in order. */
export function sumByNumberF32(
  sums: usize,
  counts: usize,
  rows: usize,
  count: i32,
  ld: i32,
  d: i32,
  numbers: usize
): void {
  const stride = (<usize>ld) << 2
  const end = numbers + ((<usize>count) << 1)
  const whole = ((<usize>d) >> 2) << 4
  const length = (<usize>d) << 2
  while (numbers < end) {
    const number = <usize>load<u16>(numbers)
    const at = counts + (number << 2)
    store<i32>(at, load<i32>(at) + 1)
    let to = sums + number * (length << 1)
    let x = rows
    const pairs = rows + whole
    while (x < pairs) {
      v128.store(to, f64x2.add(v128.load(to), f64x2.promote_low_f32x4(v128.load64_zero(x))))
      v128.store(to, f64x2.add(v128.load(to, 16), f64x2.promote_low_f32x4(v128.load64_zero(x, 8))), 16)
      to += 32
      x += 16
    }
    const last = rows + length
    while (x < last) {
      store<f64>(to, load<f64>(to) + <f64>load<f32>(x))
      to += 8
      x += 4
    }
    rows += stride
    numbers += 2
  }
}

/** centroids: f32[k][d] = sums: f64[k][d] / counts: i32[k]; those that count nothing stay. */
export function meansByNumberF32(centroids: usize, sums: usize, counts: usize, k: i32, d: i32): void {
  for (let i = 0; i < k; i++) {
    const count = <f64>load<i32>(counts + ((<usize>i) << 2))
    const end = centroids + ((<usize>d) << 2)
    if (count > 0) {
      do {
        store<f32>(centroids, <f32>(load<f64>(sums) / count))
        centroids += 4
        sums += 8
      } while (centroids < end)
    } else {
      centroids = end
      sums += (<usize>d) << 3
    }
  }
}

/**
 * errors: f64[k] += the squared distance of each of rows: f32[count][ld] (d of the ld numbers) to its centroid, by
 * numbers: u16[count], in order.
 */
export function errorsByNumberF32(
  errors: usize,
  rows: usize,
  count: i32,
  ld: i32,
  d: i32,
  numbers: usize,
  centroids: usize
): void {
  const length = (<usize>d) << 2
  const end = numbers + ((<usize>count) << 1)
  while (numbers < end) {
    const number = <usize>load<u16>(numbers)
    let c = centroids + number * length
    let x = rows
    const last = x + length
    let sum: f64 = 0
    do {
      const apart = <f64>load<f32>(x) - <f64>load<f32>(c)
      sum += apart * apart
      x += 4
      c += 4
    } while (x < last)
    const at = errors + (number << 3)
    store<f64>(at, load<f64>(at) + sum)
    rows += (<usize>ld) << 2
    numbers += 2
  }
}
