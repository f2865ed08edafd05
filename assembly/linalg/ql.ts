/**
 * Eigenvalues of a symmetric tridiagonal matrix by implicit QL (A. Dubrulle, R. S. Martin, J. H. Wilkinson, Numer.
 * Math. 12, 1968), its rotations recorded and applied in runs to panels of 8 rows, the column that a run carries along
 * in registers.
 */

const EPSILON: f64 = 2.220446049250313e-16
const MOST_STEPS: i32 = 60
/** The greatest entry being about 1: what is below this is 0, so that squares keep their bits. */
const TINY: f64 = 1e-140

/**
 * z: f64[panels][n][8] times the recorded rotations; runs: i32[count][2] { first column, rotations }, cs: f64[][2] {
 * cosine, sine }.
 */
function applyRotations(z: usize, panels: i32, n: i32, runs: usize, count: i32, cs: usize): void {
  while (panels > 0) {
    let run = runs
    let r = cs
    const lastRun = runs + ((<usize>count) << 3)
    while (run < lastRun) {
      let p = z + ((<usize>load<i32>(run)) << 6)
      const end = r + ((<usize>load<i32>(run, 4)) << 4)
      run += 8
      let a0 = v128.load(p)
      let a1 = v128.load(p, 16)
      let a2 = v128.load(p, 32)
      let a3 = v128.load(p, 48)
      do {
        const c = v128.load64_splat(r)
        const s = v128.load64_splat(r, 8)
        p -= 64
        const x0 = v128.load(p)
        const x1 = v128.load(p, 16)
        const x2 = v128.load(p, 32)
        const x3 = v128.load(p, 48)
        v128.store(p, f64x2.add(f64x2.mul(s, x0), f64x2.mul(c, a0)), 64)
        v128.store(p, f64x2.add(f64x2.mul(s, x1), f64x2.mul(c, a1)), 80)
        v128.store(p, f64x2.add(f64x2.mul(s, x2), f64x2.mul(c, a2)), 96)
        v128.store(p, f64x2.add(f64x2.mul(s, x3), f64x2.mul(c, a3)), 112)
        a0 = f64x2.sub(f64x2.mul(c, x0), f64x2.mul(s, a0))
        a1 = f64x2.sub(f64x2.mul(c, x1), f64x2.mul(s, a1))
        a2 = f64x2.sub(f64x2.mul(c, x2), f64x2.mul(s, a2))
        a3 = f64x2.sub(f64x2.mul(c, x3), f64x2.mul(s, a3))
        r += 16
      } while (r < end)
      v128.store(p, a0)
      v128.store(p, a1, 16)
      v128.store(p, a2, 32)
      v128.store(p, a3, 48)
    }
    z += (<usize>n) << 6
    panels--
  }
}

/**
 * d: f64[n] the diagonal, the greatest entry about 1, on return the eigenvalues, unordered; e: f64[n] beside it,
 * destroyed. z: f64[panels][n][8], its rows times the eigenvectors' matrix; no panels for eigenvalues alone. records:
 * 24 bytes x capacity scratch, capacity >= n. Returns 0 where an eigenvalue has taken more than 60 steps, else 1; z has
 * been rotated, orthogonally, either way.
 */
export function implicitQl(d: usize, e: usize, n: i32, z: usize, panels: i32, records: usize, capacity: i32): i32 {
  const cs = records
  const runs = records + ((<usize>capacity) << 4)
  let rotations = 0
  let count = 0
  let converged = 1
  for (let l = 0; l < n; l++) {
    for (let step = 0; ; step++) {
      let m = l
      while (m < n - 1) {
        const p = d + ((<usize>m) << 3)
        if (abs(load<f64>(e + ((<usize>m) << 3))) <= EPSILON * (abs(load<f64>(p)) + abs(load<f64>(p, 8))) + TINY) break
        m++
      }
      if (m == l) break
      if (step == MOST_STEPS) {
        converged = 0
        break
      }
      if (panels && rotations + (m - l) > capacity) {
        applyRotations(z, panels, n, runs, count, cs)
        rotations = 0
        count = 0
      }
      const dl = d + ((<usize>l) << 3)
      const el = e + ((<usize>l) << 3)
      let g = (load<f64>(dl, 8) - load<f64>(dl)) / (2.0 * load<f64>(el))
      let r = sqrt(g * g + 1.0)
      g = load<f64>(d + ((<usize>m) << 3)) - load<f64>(dl) + load<f64>(el) / (g + (g >= 0 ? r : -r))
      let s = 1.0
      let c = 1.0
      let p = 0.0
      let i = m - 1
      const first = rotations
      let split = false
      while (i >= l) {
        const di = d + ((<usize>i) << 3)
        const ei = e + ((<usize>i) << 3)
        const f = s * load<f64>(ei)
        const b = c * load<f64>(ei)
        r = sqrt(f * f + g * g)
        store<f64>(ei, r, 8)
        if (r <= TINY) {
          store<f64>(di, load<f64>(di, 8) - p, 8)
          store<f64>(e + ((<usize>m) << 3), 0)
          split = true
          break
        }
        s = f / r
        c = g / r
        g = load<f64>(di, 8) - p
        r = (load<f64>(di) - g) * s + 2.0 * c * b
        p = s * r
        store<f64>(di, g + p, 8)
        g = c * r - b
        if (panels) {
          const at = cs + ((<usize>rotations) << 4)
          store<f64>(at, c)
          store<f64>(at, s, 8)
          rotations++
        }
        i--
      }
      if (rotations > first) {
        const run = runs + ((<usize>count) << 3)
        store<i32>(run, m)
        store<i32>(run, rotations - first, 4)
        count++
      }
      if (split) continue
      store<f64>(dl, load<f64>(dl) - p)
      store<f64>(el, g)
      store<f64>(e + ((<usize>m) << 3), 0)
    }
  }
  if (count) applyRotations(z, panels, n, runs, count, cs)
  return converged
}

/**
 * Reads T from its end: d: f64[n], e: f64[n - 1] and a zero. QL takes fewer steps where the greatest entries come last.
 */
export function reverseTridiagonal(d: usize, e: usize, n: i32): void {
  Ends.swap(d, n)
  Ends.swap(e, n - 1)
}

class Ends {
  @inline static swap(x: usize, n: i32): void {
    let p = x
    let q = x + ((<usize>n) << 3) - 8
    while (p < q) {
      const kept = load<f64>(p)
      store<f64>(p, load<f64>(q))
      store<f64>(q, kept)
      p += 8
      q -= 8
    }
  }
}

/** z: f64[rows / 8][n][8] from n columns of `rows` rows (a multiple of 8), ld apart, the last column first. */
export function toPanels(z: usize, x: usize, ld: i32, rows: i32, n: i32): void {
  for (let b = 0; b < rows; b += 8) {
    let from = x + ((<usize>b) << 3) + ((<usize>(n - 1) * ld) << 3)
    const end = z + ((<usize>n) << 6)
    while (z < end) {
      memory.copy(z, from, 64)
      z += 64
      from -= (<usize>ld) << 3
    }
  }
}

/** The inverse of toPanels. */
export function fromPanels(x: usize, z: usize, ld: i32, rows: i32, n: i32): void {
  for (let b = 0; b < rows; b += 8) {
    let to = x + ((<usize>b) << 3) + ((<usize>(n - 1) * ld) << 3)
    const end = z + ((<usize>n) << 6)
    while (z < end) {
      memory.copy(to, z, 64)
      z += 64
      to -= (<usize>ld) << 3
    }
  }
}
