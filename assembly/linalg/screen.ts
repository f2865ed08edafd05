/**
 * One-sided Jacobi where the columns are nearly orthogonal: a product of packed panels finds the few pairs that are not, and only these are rotated. Beyond the
 * first sweeps almost all the work of a cyclic sweep is dots that change nothing.
 */
import { MOST_SWEEPS } from './jacobi'
import { packAlongF64 } from './pack'
import { multiplyPanelsF64 } from './product'
import { Rotate } from './rotate'
import { Vec } from './vector'

/** Rows of the Gram matrix that are made at once. */
const STRIP: i32 = 32
/** A norm that rotations have brought down to less of itself (squared) is measured again. */
const TRUSTED: f64 = 1e-6

/** Products that are summed before they are added to the Gram matrix. */
const DEPTH: i32 = 256

/** g: f64[n][ldg], of which the lower half, in strips of 32 rows, holds the dots of n columns x of `rows` rows, ld apart. work: gramWork(n) bytes. */
export function gramF64(g: usize, ldg: i32, x: usize, ld: i32, rows: i32, n: i32, work: usize): void {
  const panels = work + 128
  memory.fill(g, 0, (<usize>n * ldg) << 3)
  for (let r = 0; r < rows; r += DEPTH) {
    const depth = min(DEPTH, rows - r)
    packAlongF64(panels, x + ((<usize>r) << 3), n, 4, depth, ld)
    for (let i = 0; i < n; i += STRIP) {
      const strip = min(STRIP, n - i)
      const at = panels + ((<usize>i * depth) << 3)
      multiplyPanelsF64(g + ((<usize>i * ldg) << 3), ldg, at, panels, strip, i + strip, depth, 1, work)
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

/**
 * As jacobiSweeps, for columns that are nearly orthogonal. sweeps is counted by looks at the whole, the last of which finds nothing to rotate.
 * g: f64[n][n], norms: f64[2 n], work: gramWork(n) bytes: scratch.
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
  work: usize
): i32 {
  const stride = (<usize>ld) << 3
  const squares = norms + ((<usize>n) << 3)
  let sweep = 0
  while (sweep < MOST_SWEEPS) {
    sweep++
    gramF64(g, n, x, ld, ld, n, work)
    for (let j = 0; j < n; j++) {
      const square = load<f64>(g + ((<usize>j * (n + 1)) << 3))
      store<f64>(squares + ((<usize>j) << 3), square)
      store<f64>(norms + ((<usize>j) << 3), sqrt(square))
    }
    let off = 0.0
    let rotations = 0
    for (let q = 1; q < n; q++) {
      const row = g + ((<usize>q * n) << 3)
      const size = load<f64>(norms + ((<usize>q) << 3))
      for (let p = 0; p < q; p++) {
        const at = (<usize>p) << 3
        const dot = abs(load<f64>(row + at))
        const both = size * load<f64>(norms + at)
        if (dot <= tolerance * both) {
          if (dot > off * both) off = dot / both
          continue
        }
        const xp = x + <usize>p * stride
        const xq = x + <usize>q * stride
        const app = load<f64>(squares + at)
        const aqq = load<f64>(squares + ((<usize>q) << 3))
        const apq = Vec.dot(xp, xq, ld)
        const fresh = sqrt(app) * sqrt(aqq)
        if (abs(apq) > off * fresh && fresh > 0) off = abs(apq) / fresh
        if (abs(apq) <= tolerance * fresh) continue
        rotations++
        const tangent = Rotate.tangent(app, aqq, apq)
        const c = 1.0 / sqrt(1.0 + tangent * tangent)
        const s = c * tangent
        const t = s / (1.0 + c)
        Rotate.pair(v + <usize>p * stride, v + <usize>q * stride, ld, s, t)
        Rotate.pair(xp, xq, ld, s, t)
        const np = app - tangent * apq
        const nq = aqq + tangent * apq
        store<f64>(squares + at, np > TRUSTED * app ? np : Vec.dot(xp, xp, ld))
        store<f64>(squares + ((<usize>q) << 3), nq > TRUSTED * aqq ? nq : Vec.dot(xq, xq, ld))
      }
    }
    store<f64>(worst, off)
    if (rotations == 0) return sweep
  }
  return MOST_SWEEPS + 1
}
