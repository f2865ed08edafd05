/**
 * One-sided Jacobi where the columns are nearly orthogonal: a product of packed panels finds the few pairs that are
 * not, and only these are rotated. Beyond the first sweeps almost all the work of a cyclic sweep is dots that change
 * nothing.
 */
import { MOST_SWEEPS } from './constants'
import { gramF64 } from './gram'
import { multiplyF64 } from './multiply'
import { Rotate } from './rotate'
import { Vec } from './vector'

/** A norm that rotations have brought down to less of itself (squared) is measured again. */
const TRUSTED: f64 = 1e-6

/**
 * Rotates column q with each column before `last` that is not orthogonal to it. row: f64[n], its dots with them, has to
 * say so, and a fresh dot to agree. Pairs of two stale columns are left to the later one. Marks what it rotates in
 * `changed`; worst: f64[2] { of pairs left as they are, of those rotated }. Returns the rotations.
 */
function rotateRow(
  x: usize,
  v: usize,
  ld: i32,
  row: usize,
  q: i32,
  last: i32,
  stale: usize,
  changed: usize,
  norms: usize,
  squares: usize,
  tolerance: f64,
  worst: usize
): i32 {
  const stride = (<usize>ld) << 3
  const size = load<f64>(norms + ((<usize>q) << 3))
  const square = squares + ((<usize>q) << 3)
  const xq = x + <usize>q * stride
  let kept = load<f64>(worst)
  let rotations = 0
  for (let p = 0; p < last; p++) {
    const at = (<usize>p) << 3
    const dot = abs(load<f64>(row + at))
    const both = size * load<f64>(norms + at)
    if (p >= q && (p == q || load<u8>(stale + p))) continue
    if (dot <= tolerance * both) {
      if (dot > kept * both) kept = dot / both
      continue
    }
    const xp = x + <usize>p * stride
    const app = load<f64>(squares + at)
    const aqq = load<f64>(square)
    const apq = Vec.dot(xp, xq, ld)
    const fresh = sqrt(app) * sqrt(aqq)
    if (abs(apq) <= tolerance * fresh) {
      if (abs(apq) > kept * fresh) kept = abs(apq) / fresh
      continue
    }
    rotations++
    store<u8>(changed + p, 1)
    store<u8>(changed + q, 1)
    if (fresh > 0) store<f64>(worst, max(load<f64>(worst, 8), abs(apq) / fresh), 8)
    const tangent = Rotate.tangent(app, aqq, apq)
    const c = 1.0 / sqrt(1.0 + tangent * tangent)
    const s = c * tangent
    const t = s / (1.0 + c)
    Rotate.pair(v + <usize>p * stride, v + <usize>q * stride, ld, s, t)
    Rotate.pair(xp, xq, ld, s, t)
    const np = app - tangent * apq
    const nq = aqq + tangent * apq
    store<f64>(squares + at, np > TRUSTED * app ? np : Vec.dot(xp, xp, ld))
    store<f64>(square, nq > TRUSTED * aqq ? nq : Vec.dot(xq, xq, ld))
  }
  store<f64>(worst, kept)
  return rotations
}

/**
 * As jacobiSweeps, for columns that are nearly orthogonal. A sweep looks at all pairs of which a column has changed
 * since; the last one finds nothing to rotate. worst: f64[2], of which the first is the result. Scratch: g: f64[n][n],
 * gathered: f64[n / 4][ld], norms: f64[2 n], marks: u8[2 n], work: the greater of gramWork(n) and multiplyWork(n, 3)
 * bytes.
 */
export function screenedSweeps(
  x: usize,
  v: usize,
  worst: usize,
  ld: i32,
  n: i32,
  tolerance: f64,
  norms: usize,
  g: usize,
  gathered: usize,
  marks: usize,
  work: usize
): i32 {
  const stride = (<usize>ld) << 3
  const row = (<usize>n) << 3
  const squares = norms + row
  let stale = marks
  let changed = marks + n
  let count = n
  memory.fill(stale, 1, n)
  let sweep = 0
  while (sweep < MOST_SWEEPS) {
    sweep++
    // A few rows of the Gram matrix are cheaper than the half of it.
    const few = count <= n >> 2
    if (few) {
      let to = gathered
      for (let j = 0; j < n; j++) {
        if (!load<u8>(stale + j)) continue
        memory.copy(to, x + <usize>j * stride, stride)
        to += stride
      }
      memory.fill(g, 0, row * count)
      multiplyF64(g, n, gathered, ld, 0, x, ld, 1, count, n, ld, 1, work)
    } else {
      gramF64(g, n, x, ld, ld, n, work)
      store<f64>(worst, 0)
    }
    let from = g
    for (let j = 0; j < n; j++) {
      if (few && !load<u8>(stale + j)) continue
      const square = load<f64>(from + ((<usize>j) << 3))
      store<f64>(squares + ((<usize>j) << 3), square)
      store<f64>(norms + ((<usize>j) << 3), sqrt(square))
      from += row
    }
    memory.fill(changed, 0, n)
    store<f64>(worst, 0, 8)
    let rotations = 0
    from = g
    for (let q = 0; q < n; q++) {
      if (few && !load<u8>(stale + q)) continue
      const last = few ? n : q
      rotations += rotateRow(x, v, ld, from, q, last, stale, changed, norms, squares, tolerance, worst)
      from += row
    }
    if (rotations == 0) return sweep
    const other = stale
    stale = changed
    changed = other
    count = 0
    for (let j = 0; j < n; j++) count += load<u8>(stale + j)
  }
  store<f64>(worst, max(load<f64>(worst), load<f64>(worst, 8)))
  return MOST_SWEEPS + 1
}
