/**
 * Eigenvectors of a symmetric tridiagonal matrix by inverse iteration (J. H. Wilkinson, 1958; shifts of close
 * eigenvalues are moved apart and their vectors orthogonalised as in LAPACK's dstein.f).
 */
import { Random } from '../common/random'
import { Vec } from './vector'

const EPSILON: f64 = 2.220446049250313e-16
/**
 * dstein.f: eigenvalues nearer than this share of the norm to the one before form a chain, within which vectors are
 * orthogonalised.
 */
const CHAIN: f64 = 1e-3
/** Each step multiplies the share of the wanted vector by the inverse of the shift's error, some 1e12. */
const STEPS: i32 = 3

class At {
  @inline static get(p: usize, i: i32): f64 {
    return load<f64>(p + ((<usize>i) << 3))
  }

  @inline static set(p: usize, i: i32, x: f64): void {
    store<f64>(p + ((<usize>i) << 3), x)
  }

  /** x: f64[n] to length 1; its entries may be as great as 1e150. */
  static normalise(x: usize, n: i32): void {
    Vec.scale(x, n, 1.0 / sqrt(Vec.dot(x, x, n)))
  }
}

/**
 * P (T - shift) = L U with partial pivoting: reciprocals of U's diagonal, its two upper ones, L's multipliers, whether
 * rows were swapped.
 */
class Factors {
  @inline static make(f: usize, d: usize, e: usize, n: i32, shift: f64, least: f64): void {
    const bytes = (<usize>n) << 3
    const u1 = f + bytes
    const u2 = u1 + bytes
    const l = u2 + bytes
    const swapped = l + bytes
    let a = At.get(d, 0) - shift
    let b = n > 1 ? At.get(e, 0) : 0.0
    let c = 0.0
    for (let i = 0; i < n - 1; i++) {
      const below = At.get(e, i)
      const next = At.get(d, i + 1) - shift
      const after = i + 2 < n ? At.get(e, i + 1) : 0.0
      if (abs(below) > max(abs(a), least)) {
        const m = a / below
        At.set(f, i, 1.0 / below)
        At.set(u1, i, next)
        At.set(u2, i, after)
        At.set(l, i, m)
        At.set(swapped, i, 1)
        a = b - m * next
        b = c - m * after
        c = 0
      } else {
        if (abs(a) < least) a = least
        const m = below / a
        At.set(f, i, 1.0 / a)
        At.set(u1, i, b)
        At.set(u2, i, c)
        At.set(l, i, m)
        At.set(swapped, i, 0)
        a = next - m * b
        b = after - m * c
        c = 0
      }
    }
    if (abs(a) < least) a = least
    At.set(f, n - 1, 1.0 / a)
  }

  /** x = U^-1 L^-1 P x; the first time U^-1 x alone, as if the start had been chosen so. */
  @inline static solve(x: usize, f: usize, n: i32, first: bool): void {
    const bytes = (<usize>n) << 3
    const u1 = f + bytes
    const u2 = u1 + bytes
    const l = u2 + bytes
    const swapped = l + bytes
    if (!first) {
      let upper = At.get(x, 0)
      for (let i = 0; i < n - 1; i++) {
        const lower = At.get(x, i + 1)
        const m = At.get(l, i)
        if (At.get(swapped, i) != 0) {
          At.set(x, i, lower)
          upper = upper - m * lower
        } else {
          At.set(x, i, upper)
          upper = lower - m * upper
        }
      }
      At.set(x, n - 1, upper)
    }
    let y1 = At.get(x, n - 1) * At.get(f, n - 1)
    let y2 = 0.0
    At.set(x, n - 1, y1)
    for (let i = n - 2; i >= 0; i--) {
      const y = (At.get(x, i) - At.get(u1, i) * y1 - At.get(u2, i) * y2) * At.get(f, i)
      At.set(x, i, y)
      y2 = y1
      y1 = y
    }
  }
}

/**
 * z: f64[count] columns of length n, ld apart: orthonormal eigenvectors for values: f64[count], descending. The matrix
 * is tridiagonal of d: f64[n] and e: f64[n - 1], its greatest entry about 1. room: f64[5 n]. Returns the greatest |T z
 * - value z| of all, in units of T's norm.
 */
export function inverseIteration(
  z: usize,
  ld: i32,
  d: usize,
  e: usize,
  n: i32,
  values: usize,
  count: i32,
  room: usize
): f64 {
  const stride = (<usize>ld) << 3
  let norm = 0.0
  for (let i = 0; i < n; i++) {
    const left = i > 0 ? abs(At.get(e, i - 1)) : 0.0
    const right = i < n - 1 ? abs(At.get(e, i)) : 0.0
    norm = max(norm, left + abs(At.get(d, i)) + right)
  }
  if (norm == 0) norm = 1
  const least = EPSILON * norm
  const key = Random.key(0, 0)
  let worst = 0.0
  let first = 0
  let shift = 0.0
  for (let j = 0; j < count; j++) {
    const x = z + <usize>j * stride
    const value = At.get(values, j)
    if (j == 0 || At.get(values, j - 1) - value > CHAIN * norm) first = j
    shift = j > first ? min(value, shift - 4.0 * least) : value
    Factors.make(room, d, e, n, shift, least)
    for (let i = 0; i < n; i++) At.set(x, i, Random.uniform(key, <u64>j * <u64>n + <u64>i))
    // The last round only orthogonalises once more: what was subtracted may have left little.
    for (let step = 0; step <= STEPS; step++) {
      if (step < STEPS) Factors.solve(x, room, n, step == 0)
      At.normalise(x, n)
      if (step == 0 || first == j) continue
      for (let q = first; q < j; q++) {
        const other = z + <usize>q * stride
        Vec.axpy(x, other, n, -Vec.dot(x, other, n))
      }
      At.normalise(x, n)
    }
    for (let i = 0; i < n; i++) {
      let y = (At.get(d, i) - value) * At.get(x, i)
      if (i > 0) y += At.get(e, i - 1) * At.get(x, i - 1)
      if (i < n - 1) y += At.get(e, i) * At.get(x, i + 1)
      // Written so that a NaN becomes the greatest.
      if (!(abs(y) <= worst * norm)) worst = abs(y) / norm
    }
  }
  return worst
}
