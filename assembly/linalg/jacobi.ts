/**
 * One-sided Jacobi (M. R. Hestenes, 1958) with de Rijk's pivoting. It works on the lower triangular factor of a pivoted
 * QR, where it converges in few sweeps (Z. Drmac and K. Veselic, SIAM J. Matrix Anal. Appl. 29, 2008). Rotations in
 * Rutishauser's form.
 */
import { MOST_SWEEPS } from './constants'
import { Rotate } from './rotate'
import { Vec } from './vector'

/**
 * Rotates the n columns of x (length ld, a multiple of 4, zero padded) until all are orthogonal, and those of v with
 * them. A pair is rotated while |x_p . x_q| > tolerance |x_p| |x_q|. worst: f64, the greatest |x_p . x_q| / (|x_p|
 * |x_q|) that the last sweep met. norms: f64[n] scratch. Returns the number of sweeps, the last without a rotation;
 * more than MOST_SWEEPS where it has not converged.
 */
export function jacobiSweeps(x: usize, v: usize, worst: usize, ld: i32, n: i32, tolerance: f64, norms: usize): i32 {
  const stride = (<usize>ld) << 3
  let sweep = 0
  store<f64>(worst, 0)
  while (sweep < MOST_SWEEPS) {
    sweep++
    for (let j = 0; j < n; j++) {
      const column = x + <usize>j * stride
      store<f64>(norms + ((<usize>j) << 3), Vec.dot(column, column, ld))
    }
    let rotations = 0
    let off = 0.0
    for (let p = 0; p < n - 1; p++) {
      let best = p
      for (let k = p + 1; k < n; k++) {
        if (load<f64>(norms + ((<usize>k) << 3)) > load<f64>(norms + ((<usize>best) << 3))) best = k
      }
      const xp = x + <usize>p * stride
      const vp = v + <usize>p * stride
      if (best != p) {
        Vec.swap(xp, x + <usize>best * stride, ld)
        Vec.swap(vp, v + <usize>best * stride, ld)
        Vec.swap(norms + ((<usize>p) << 3), norms + ((<usize>best) << 3), 1)
      }
      let app = load<f64>(norms + ((<usize>p) << 3))
      let xq = xp + stride
      let vq = vp + stride
      let apq = Vec.dot(xp, xq, ld)
      for (let q = p + 1; q < n; q++) {
        const at = norms + ((<usize>q) << 3)
        const aqq = load<f64>(at)
        const next = xq + stride
        const last = q == n - 1
        const size = sqrt(max(0.0, app)) * sqrt(max(0.0, aqq))
        if (abs(apq) > off * size && size > 0) off = abs(apq) / size
        if (abs(apq) > tolerance * size) {
          rotations++
          const tangent = Rotate.tangent(app, aqq, apq)
          const c = 1.0 / sqrt(1.0 + tangent * tangent)
          const s = c * tangent
          const t = s / (1.0 + c)
          app -= tangent * apq
          store<f64>(at, aqq + tangent * apq)
          Rotate.pair(vp, vq, ld, s, t)
          if (last) Rotate.pair(xp, xq, ld, s, t)
          else apq = Rotate.pairDot(xp, xq, next, ld, s, t)
        } else if (!last) apq = Vec.dot(xp, next, ld)
        xq = next
        vq += stride
      }
      store<f64>(norms + ((<usize>p) << 3), app)
    }
    store<f64>(worst, off)
    if (rotations == 0) return sweep
  }
  return MOST_SWEEPS + 1
}
