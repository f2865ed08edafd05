/** Rows of f32 on their way to codes: unit length, products with one row. */
class Sum {
  /** (lanes 0 + 2) + (lanes 1 + 3) */
  @inline static f32(v: v128): f32 {
    return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 2) + (f32x4.extract_lane(v, 1) + f32x4.extract_lane(v, 3))
  }
}

/** Sums of squares of f32 between these are right: none of what matters has vanished or is infinite. */
const LEAST: f32 = 1e-24
const MOST: f32 = 1e36

/** Two sums of every other vector, then the tail. */
function squares(x: usize, n: i32): f32 {
  const end = x + ((<usize>n) << 2)
  let a = f32x4.splat(0)
  let b = a
  while (x + 32 <= end) {
    const v = v128.load(x)
    const w = v128.load(x, 16)
    a = f32x4.add(a, f32x4.mul(v, v))
    b = f32x4.add(b, f32x4.mul(w, w))
    x += 32
  }
  let sum = Sum.f32(f32x4.add(a, b))
  while (x < end) {
    sum += load<f32>(x) * load<f32>(x)
    x += 4
  }
  return sum
}

function squaresWide(x: usize, n: i32): f64 {
  const end = x + ((<usize>n) << 2)
  let sum: f64 = 0
  while (x < end) {
    const v = <f64>load<f32>(x)
    sum += v * v
    x += 4
  }
  return sum
}

/**
 * x: f32[n][d], each row times 1 / its length; zeros stay. Returns the first row that is not finite, where it stops, or
 * -1.
 */
export function unitRows(x: usize, n: i32, d: i32): i32 {
  const row = (<usize>d) << 2
  let i = 0
  while (i < n) {
    const end = x + row
    const sum = squares(x, d)
    if (sum >= LEAST && sum <= MOST) {
      const factor: f32 = 1 / sqrt<f32>(sum)
      const v = f32x4.splat(factor)
      let y = x
      while (y + 32 <= end) {
        v128.store(y, f32x4.mul(v128.load(y), v))
        v128.store(y, f32x4.mul(v128.load(y, 16), v), 16)
        y += 32
      }
      while (y < end) {
        store<f32>(y, load<f32>(y) * factor)
        y += 4
      }
    } else {
      const wide = squaresWide(x, d)
      if (!(wide < Infinity)) return i
      const factor = wide > 0 ? 1 / sqrt(wide) : 0
      for (let y = x; y < end; y += 4) store<f32>(y, <f32>(<f64>load<f32>(y) * factor))
    }
    x = end
    i++
  }
  return -1
}

/** to: f32[n] = <x, row> for rows: f32[n][d], x: f32[d]. Every product is summed alike: lanes, then the tail. */
export function dotRows(to: usize, x: usize, rows: usize, n: i32, d: i32): void {
  const bytes = (<usize>d) << 2
  const whole = bytes & ~15
  const xEnd = x + whole
  while (n >= 4) {
    let p = x
    let r = rows
    let a = f32x4.splat(0)
    let b = a
    let c = a
    let e = a
    while (p < xEnd) {
      const v = v128.load(p)
      a = f32x4.add(a, f32x4.mul(v, v128.load(r)))
      b = f32x4.add(b, f32x4.mul(v, v128.load(r + bytes)))
      c = f32x4.add(c, f32x4.mul(v, v128.load(r + 2 * bytes)))
      e = f32x4.add(e, f32x4.mul(v, v128.load(r + 3 * bytes)))
      p += 16
      r += 16
    }
    store<f32>(to, Sum.f32(a) + tail(p, r, bytes - whole))
    store<f32>(to, Sum.f32(b) + tail(p, r + bytes, bytes - whole), 4)
    store<f32>(to, Sum.f32(c) + tail(p, r + 2 * bytes, bytes - whole), 8)
    store<f32>(to, Sum.f32(e) + tail(p, r + 3 * bytes, bytes - whole), 12)
    to += 16
    rows += 4 * bytes
    n -= 4
  }
  while (n > 0) {
    let p = x
    let r = rows
    let a = f32x4.splat(0)
    while (p < xEnd) {
      a = f32x4.add(a, f32x4.mul(v128.load(p), v128.load(r)))
      p += 16
      r += 16
    }
    store<f32>(to, Sum.f32(a) + tail(p, r, bytes - whole))
    to += 4
    rows += bytes
    n--
  }
}

function tail(x: usize, y: usize, bytes: usize): f32 {
  const end = x + bytes
  let sum: f32 = 0
  while (x < end) {
    sum += load<f32>(x) * load<f32>(y)
    x += 4
    y += 4
  }
  return sum
}

/** x: f32[n][d], less a row in each. */
export function subtractRow(x: usize, row: usize, n: i32, d: i32): void {
  const end = row + ((<usize>d) << 2)
  while (n > 0) {
    for (let r = row; r < end; r += 4) {
      store<f32>(x, load<f32>(x) - load<f32>(r))
      x += 4
    }
    n--
  }
}

/** to: f32[n] = -|x - row|^2 for rows: f32[n][d], x: f32[d]. */
export function distanceRows(to: usize, x: usize, rows: usize, n: i32, d: i32): void {
  const bytes = (<usize>d) << 2
  const end = x + bytes
  const xEnd = x + (bytes & ~15)
  while (n > 0) {
    let p = x
    let a = f32x4.splat(0)
    while (p < xEnd) {
      const v = f32x4.sub(v128.load(p), v128.load(rows))
      a = f32x4.add(a, f32x4.mul(v, v))
      p += 16
      rows += 16
    }
    let sum = Sum.f32(a)
    while (p < end) {
      const v = load<f32>(p) - load<f32>(rows)
      sum += v * v
      p += 4
      rows += 4
    }
    store<f32>(to, -sum)
    to += 4
    n--
  }
}
