/** Orders, triangles and bases around the iteration: columns are f64, `ld` apart. */
import { Vec } from './vector'

/** The greatest entry being about 1: below this, squares would leave the normal numbers, and entries count as 0. */
const NEGLIGIBLE: f64 = 1e-145

/**
 * order: i32[n], the indices of keys: f64[n] in descending order, equal ones in their own. spare: i32[n] scratch.
 * Merges runs from the bottom up.
 */
export function sortDescending(order: usize, keys: usize, n: i32, spare: usize): void {
  for (let i = 0; i < n; i++) store<i32>(order + ((<usize>i) << 2), i)
  let from = order
  let to = spare
  for (let width = 1; width < n; width <<= 1) {
    for (let start = 0; start < n; start += width << 1) {
      let i = start
      let j = min(start + width, n)
      const middle = j
      const end = min(start + (width << 1), n)
      let out = to + ((<usize>start) << 2)
      while (i < middle || j < end) {
        const a = i < middle ? load<i32>(from + ((<usize>i) << 2)) : 0
        const b = j < end ? load<i32>(from + ((<usize>j) << 2)) : 0
        const left =
          j == end || (i < middle && load<f64>(keys + ((<usize>a) << 3)) >= load<f64>(keys + ((<usize>b) << 3)))
        store<i32>(out, left ? a : b)
        out += 4
        if (left) i++
        else j++
      }
    }
    const other = from
    from = to
    to = other
  }
  if (from != order) memory.copy(order, from, (<usize>n) << 2)
}

/** norms: f64[m], the greatest |x| of each row of n columns of length ld. */
export function rowMaxima(norms: usize, a: usize, ld: i32, m: i32, n: i32): void {
  memory.fill(norms, 0, (<usize>m) << 3)
  const end = norms + ((<usize>m) << 3)
  for (let j = 0; j < n; j++) {
    let p = a + ((<usize>j * ld) << 3)
    let q = norms
    while (q + 16 <= end) {
      v128.store(q, f64x2.pmax(v128.load(q), f64x2.abs(v128.load(p))))
      p += 16
      q += 16
    }
    if (q < end) store<f64>(q, max(load<f64>(q), abs(load<f64>(p))))
  }
}

/** Each of n columns x, ld apart: x[i] = x[order[i]], i < m. spare: f64[m] scratch. */
export function gatherRows(x: usize, ld: i32, m: i32, n: i32, order: usize, spare: usize): void {
  const bytes = (<usize>m) << 3
  for (let j = 0; j < n; j++) {
    const column = x + ((<usize>j * ld) << 3)
    let from = order
    let to = spare
    const end = spare + bytes
    while (to < end) {
      store<f64>(to, load<f64>(column + ((<usize>load<i32>(from)) << 3)))
      from += 4
      to += 8
    }
    memory.copy(column, spare, bytes)
  }
}

/** The inverse of gatherRows: x[order[i]] = x[i]. */
export function scatterRows(x: usize, ld: i32, m: i32, n: i32, order: usize, spare: usize): void {
  const bytes = (<usize>m) << 3
  for (let j = 0; j < n; j++) {
    const column = x + ((<usize>j * ld) << 3)
    let at = order
    let from = column
    const end = column + bytes
    while (from < end) {
      store<f64>(spare + ((<usize>load<i32>(at)) << 3), load<f64>(from))
      at += 4
      from += 8
    }
    memory.copy(column, spare, bytes)
  }
}

/**
 * x: n columns of length ld from R, the upper triangle of a (leading dimension lda): x[:, j] = R[j, :], without its
 * negligible entries. Eight columns of R at a time, so that whole cache lines are written.
 */
export function lowerFactor(x: usize, ld: i32, a: usize, lda: i32, n: i32): void {
  const stride = (<usize>ld) << 3
  const across = (<usize>lda) << 3
  memory.fill(x, 0, stride * n)
  for (let j = 0; j < n; j += 8) {
    const end = min(j + 8, n)
    let row = a + <usize>j * across
    let line = x + ((<usize>j) << 3)
    for (let i = 0; i < end; i++) {
      let from = row
      let to = line
      let c = j
      while (c < end) {
        const entry = load<f64>(from)
        if (c >= i && abs(entry) >= NEGLIGIBLE) store<f64>(to, entry)
        from += across
        to += 8
        c++
      }
      row += 8
      line += stride
    }
  }
}

/** Zeros in place of the negligible entries of x: f64[n]. */
export function dropNegligible(x: usize, n: usize): void {
  const least = f64x2.splat(NEGLIGIBLE)
  const end = x + (n << 3)
  while (x + 16 <= end) {
    const value = v128.load(x)
    v128.store(x, v128.and(value, f64x2.ge(f64x2.abs(value), least)))
    x += 16
  }
  if (x < end && abs(load<f64>(x)) < NEGLIGIBLE) store<f64>(x, 0)
}

/** The greatest ratio of diagonal entries of the n columns of l, ld apart; Infinity where one is 0. */
export function diagonalRatio(l: usize, ld: i32, n: i32): f64 {
  let least: f64 = Infinity
  let most = 0.0
  for (let j = 0; j < n; j++) {
    const entry = abs(load<f64>(l + ((<usize>j * ld + j) << 3)))
    least = min(least, entry)
    most = max(most, entry)
  }
  return most / least
}

/** sigma: f64[n], descending, the norms of x's columns; order: i32[n], which column each came from, ties by index. */
export function orderBySize(sigma: usize, order: usize, x: usize, ld: i32, n: i32): void {
  for (let j = 0; j < n; j++) {
    const column = x + ((<usize>j * ld) << 3)
    let size = sqrt(Vec.dot(column, column, ld))
    if (size < NEGLIGIBLE) size = 0
    let k = j
    while (k > 0 && load<f64>(sigma + ((<usize>(k - 1)) << 3)) < size) {
      store<f64>(sigma + ((<usize>k) << 3), load<f64>(sigma + ((<usize>(k - 1)) << 3)))
      store<i32>(order + ((<usize>k) << 2), load<i32>(order + ((<usize>(k - 1)) << 2)))
      k--
    }
    store<f64>(sigma + ((<usize>k) << 3), size)
    store<i32>(order + ((<usize>k) << 2), j)
  }
}

/**
 * dst: columns of length ldTo, its column j the column order[j] of src (length n used), each divided by its sigma where
 * `normalise`.
 */
export function takeColumns(
  dst: usize,
  ldTo: i32,
  src: usize,
  ld: i32,
  n: i32,
  order: usize,
  sigma: usize,
  normalise: i32
): void {
  for (let j = 0; j < n; j++) {
    const from = src + ((<usize>load<i32>(order + ((<usize>j) << 2)) * ld) << 3)
    const to = dst + ((<usize>j * ldTo) << 3)
    const size = load<f64>(sigma + ((<usize>j) << 3))
    memory.copy(to, from, (<usize>n) << 3)
    if (normalise && size > 0) Vec.scale(to, n, 1.0 / size)
  }
}

/**
 * Makes the columns of x from `rank` to n - 1 (length n, ld apart) an orthonormal basis of what the first `rank` leave
 * over. Each step takes the unit vector that is farthest from the columns so far, orthogonalised twice. room: f64[n]
 * scratch.
 */
export function completeBasis(x: usize, ld: i32, n: i32, rank: i32, room: usize): void {
  const stride = (<usize>ld) << 3
  for (let i = 0; i < n; i++) {
    let square = 0.0
    for (let j = 0; j < rank; j++) {
      const entry = load<f64>(x + <usize>j * stride + ((<usize>i) << 3))
      square += entry * entry
    }
    store<f64>(room + ((<usize>i) << 3), 1.0 - square)
  }
  for (let k = rank; k < n; k++) {
    let best = 0
    for (let i = 1; i < n; i++) {
      if (load<f64>(room + ((<usize>i) << 3)) > load<f64>(room + ((<usize>best) << 3))) best = i
    }
    const column = x + <usize>k * stride
    memory.fill(column, 0, (<usize>n) << 3)
    store<f64>(column + ((<usize>best) << 3), 1)
    for (let pass = 0; pass < 2; pass++) {
      for (let j = 0; j < k; j++) {
        const other = x + <usize>j * stride
        Vec.axpy(column, other, n, -Vec.dot(other, column, n))
      }
    }
    Vec.scale(column, n, 1.0 / sqrt(Vec.dot(column, column, n)))
    for (let i = 0; i < n; i++) {
      const entry = load<f64>(column + ((<usize>i) << 3))
      const at = room + ((<usize>i) << 3)
      store<f64>(at, load<f64>(at) - entry * entry)
    }
  }
}

/** Flips column j of both where u's entry of greatest magnitude (the first of equals) is negative. */
export function fixSigns(u: usize, ldu: i32, m: i32, v: usize, ldv: i32, n: i32, columns: i32): void {
  for (let j = 0; j < columns; j++) {
    const cu = u + ((<usize>j * ldu) << 3)
    let top = 0.0
    for (let i = 0; i < m; i++) {
      const x = load<f64>(cu + ((<usize>i) << 3))
      if (abs(x) > abs(top)) top = x
    }
    if (top < 0) {
      Vec.scale(cu, m, -1)
      Vec.scale(v + ((<usize>j * ldv) << 3), n, -1)
    }
  }
}

/** n columns of `rows` rows to length 1. */
export function normaliseColumns(x: usize, ld: i32, rows: i32, n: i32): void {
  for (let j = 0; j < n; j++) {
    const column = x + ((<usize>j * ld) << 3)
    Vec.scale(column, rows, 1.0 / sqrt(Vec.dot(column, column, rows)))
  }
}
