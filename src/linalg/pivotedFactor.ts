import { defaultEngine } from '../core/engine.js'
import type { Factor } from './gramKind.js'

/**
 * F with F F^T = A, of a symmetric matrix (n, n) without negative eigenvalues: Cholesky's factor with complete pivoting (N. J. Higham, Accuracy and
 * Stability of Numerical Algorithms, 10.3), rows in their own order. What is left of a diagonal entry counts as nothing where it is no more
 * than n 2^-52 of the entry itself: so columns of any size are told from rounding by their own. `a` is destroyed.
 */
export function pivotedFactor(a: Float64Array<ArrayBuffer>, n: number): Pick<Factor, 'data' | 'columns'> {
  const { sqrtF64 } = defaultEngine().kernels
  const l = new Float64Array(n * n)
  const rest = Float64Array.from({ length: n }, (_, i) => a[i * n + i]!)
  const least = rest.map((size) => size * n * 2 ** -52)
  let open = Array.from(rest.keys())
  let k = 0
  for (; open.length > 0; k++) {
    let p = -1
    for (const i of open) if (rest[i]! > least[i]! && (p < 0 || rest[i]! > rest[p]!)) p = i
    if (p < 0) break
    const pivot = sqrtF64(rest[p]!)
    const row = l.subarray(p * n, p * n + k)
    open = open.filter((i) => i !== p)
    for (const i of open) {
      let entry = a[i * n + p]!
      for (let t = 0, at = i * n; t < k; t++) entry -= l[at + t]! * row[t]!
      entry /= pivot
      l[i * n + k] = entry
      rest[i]! -= entry * entry
    }
    l[p * n + k] = pivot
  }
  if (k === n) return { data: l, columns: n }
  const data = new Float64Array(n * k)
  for (let i = 0; i < n; i++) data.set(l.subarray(i * n, i * n + k), i * k)
  return { data, columns: k }
}
