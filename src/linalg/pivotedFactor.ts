import { defaultEngine, frame } from './decompositionEngine.js'
import { factorPivotedInPlace } from './cholesky.js'
import type { Factor } from './gramKind.js'

/**
 * F with F F^T = A, of a positive semidefinite matrix (n, n) whose lower triangle is packed row after row. F is
 * Cholesky's factor with pivots, rows in their own order. Rows and columns are first scaled by powers of two that bring
 * the diagonal into [1, 4). What is left of an entry counts as rounding at n 2^-52 of the entry itself, whatever the
 * others are.
 */
export function pivotedFactor(packed: Float64Array, n: number): Pick<Factor, 'data' | 'columns'> {
  return frame(defaultEngine(), (memory, kernels) => {
    const a = memory.alloc(8 * n * n)
    const order = memory.alloc(4 * n)
    const diagonal = memory.alloc(8)
    const scales = new Float64Array(n)
    for (let i = 0, at = 0; i < n; i++, at += i) {
      memory.f64(diagonal, 1)[0] = packed[at + i]!
      scales[i] = 2 ** -Math.ceil(kernels.unitExponent(diagonal, 1) / 2 - 1)
      const row = memory.f64(a + 8 * n * i, i + 1)
      for (let j = 0; j <= i; j++) row[j] = packed[at + j]! * scales[i]! * scales[j]!
    }
    const { rank } = factorPivotedInPlace(memory, kernels, a, n, n, order, { tolerance: n * 2 ** -52 })
    const data = new Float64Array(n * rank)
    memory.u32(order, n).forEach((own, i) => {
      const row = memory.f64(a + 8 * n * i, Math.min(i + 1, rank))
      row.forEach((x, k) => (data[own * rank + k] = x / scales[own]!))
    })
    return { data, columns: rank }
  })
}
