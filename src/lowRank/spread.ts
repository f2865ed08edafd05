import { defaultEngine } from '../linalg/decompositionEngine.js'
import { product, productAcross, type Dense } from './algebra.js'
import type { Factors } from './basis.js'

/**
 * Other factors of the same product, (u Q)(v Q)T with Q orthogonal, whose columns are all of about one size. A great
 * column has a coarse scale, whose rounding would drown the small ones. In each of log2(rank) rounds the greatest
 * column turns with the smallest, the second greatest with the second smallest, and so on. The angle makes them equal
 * (R. B. Bendel and M. R. Mickey, Commun. Stat. B7, 1978, set the diagonal of a matrix.
 */
export function spread({ u, v }: Factors): Factors {
  const turned = turns(u, v)
  return { u: product(u, turned), v: product(v, turned) }
}

/** Q, from what both factors' Gram matrices say about their columns. */
function turns(u: Dense, v: Dense): Dense {
  const r = u.columns
  const { sqrtF64 } = defaultEngine().kernels
  const q = new Float64Array(r * r)
  for (let i = 0; i < r; i++) q[i * r + i] = 1
  const grams = [productAcross(u, u), productAcross(v, v)]
  const [sizeU, sizeV] = grams.map(({ data }) => trace(data, r))
  // Each factor counts the same.
  const gram = grams[0]!.data.map((x, i) => x * (sizeV! || 1) + grams[1]!.data[i]! * (sizeU! || 1))
  for (let met = 1; met < r; met *= 2) {
    const order = Array.from({ length: r }, (_, i) => i).sort((a, b) => gram[b * r + b]! - gram[a * r + a]! || a - b)
    for (let k = 0; k < r >> 1; k++) {
      const [i, j] = [order[k]!, order[r - 1 - k]!]
      // For sizes p, q and their product c, tan 2t = (q - p) / 2c makes p = q. 2t is within a right angle; half-angle
      // formulas lead from 2t to t.
      const difference = gram[i * r + i]! - gram[j * r + j]!
      const twice = 2 * gram[i * r + j]!
      const size = sqrtF64(difference * difference + twice * twice)
      if (difference === 0) continue
      const cosine = sqrtF64((1 + Math.abs(twice) / size) / 2)
      const sine = (twice < 0 ? difference : -difference) / size / (2 * cosine)
      turnColumns(q, r, i, j, cosine, sine)
      turnColumns(gram, r, i, j, cosine, sine)
      turnRows(gram, r, i, j, cosine, sine)
    }
  }
  return { data: q, rows: r, columns: r }
}

function trace(gram: Float64Array, r: number): number {
  let sum = 0
  for (let i = 0; i < r; i++) sum += gram[i * r + i]!
  return sum
}

/** Columns (x, y) become (c x + s y, c y - s x). */
function turnColumns(a: Float64Array, r: number, i: number, j: number, c: number, s: number): void {
  for (let k = 0; k < r; k++) turn(a, k * r + i, k * r + j, c, s)
}

function turnRows(a: Float64Array, r: number, i: number, j: number, c: number, s: number): void {
  for (let k = 0; k < r; k++) turn(a, i * r + k, j * r + k, c, s)
}

function turn(a: Float64Array, x: number, y: number, c: number, s: number): void {
  const [left, right] = [a[x]!, a[y]!]
  a[x] = c * left + s * right
  a[y] = c * right - s * left
}
