import { defaultEngine, frame } from '../core/engine.js'
import type { Tensor } from '../core/tensor.js'

/** u vT of factors u (m, r), v (n, r) as f32 (m, n): products summed in f64, ranks in order, rounded once. */
export function multiplyFactors(u: Tensor, v: Tensor): Float32Array<ArrayBuffer> {
  const [m, rank] = u.shape as [number, number]
  const n = v.shape[0]!
  const out = new Float32Array(m * n)
  frame(defaultEngine(), (memory, kernels) => {
    const transposed = memory.alloc(8 * rank * n)
    const rows = Math.max(1, Math.min(m, Math.floor(16384 / Math.max(1, n))))
    const product = memory.alloc(8 * rows * n)
    const left = memory.alloc(8 * rows * rank)
    const view = memory.f64(transposed, rank * n)
    for (let j = 0; j < n; j++) for (let r = 0; r < rank; r++) view[r * n + j] = v.data[j * rank + r]!
    for (let i = 0; i < m; i += rows) {
      const count = Math.min(rows, m - i)
      memory.f64(left, count * rank).set(u.data.subarray(i * rank, (i + count) * rank))
      kernels.multiplyRows(product, left, transposed, count, n, rank)
      out.set(memory.f64(product, count * n), i * n)
    }
  })
  return out
}
