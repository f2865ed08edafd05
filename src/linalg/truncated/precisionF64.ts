import type { Memory, Pointer } from '../../core/memory.js'
import type { Kernels } from '../decompositionEngine.js'
import { gemm } from '../gemm.js'
import { padded, type Floats } from '../matrix.js'
import { SLAB } from './passes.js'
import type { OnSlab, Precision, Summer } from './precision.js'
import { takeSum, type Tall } from './tall.js'

/** f64 throughout. */
export class PrecisionF64 implements Precision {
  readonly wide = true
  readonly type = Float64Array

  constructor(
    private readonly memory: Memory,
    private readonly kernels: Kernels
  ) {}

  alloc(length: number): Pointer {
    return this.memory.alloc(8 * length)
  }

  view(pointer: Pointer, length: number): Floats {
    return this.memory.f64(pointer, length)
  }

  squares(at: Pointer, length: number): number {
    return this.kernels.squaresF64(at, length)
  }

  scale(at: Pointer, length: number, exponent: number): void {
    this.kernels.scaleByPower(at, length, exponent)
  }

  tops(tops: Pointer, slab: Pointer, rows: number, k: number): void {
    this.kernels.topColumnsF64(tops, slab, rows, k)
  }

  gram(gram: Pointer, n: number): OnSlab {
    const { memory, kernels } = this
    const ld = padded(n)
    const panels = this.alloc(SLAB * ld)
    const edge = memory.alloc(128)
    return (at, lda, rows) => {
      kernels.packAcrossF64(panels, at, n, 4, rows, lda)
      kernels.gramPanels(gram, ld, panels, 0, n, rows, edge)
    }
  }

  multiplier(x: Tall, slab: Pointer): OnSlab {
    const { memory, kernels } = this
    const { rows: n, columns: k } = x
    const right = this.alloc(n * k)
    const work = memory.alloc(kernels.multiplyWork(k, 3))
    memory.f64(right, n * k).set(x.data)
    return (at, ld, rows) => {
      memory.f64(slab, rows * k).fill(0)
      gemm(kernels.multiplyF64, { c: slab, ldc: k, a: at, lda: ld, b: right, ldb: k, m: rows, n: k, k: n, work })
    }
  }

  summer(n: number, k: number, slab: Pointer): Summer {
    const { memory, kernels } = this
    const [height, ldc] = [padded(n), padded(k)]
    const sum = this.alloc(height * ldc)
    const work = memory.alloc(kernels.multiplyWork(k, 3))
    const y = { b: slab, ldb: k, n: k, work }
    return {
      clear: () => void memory.f64(sum, height * ldc).fill(0),
      add: (a, lda, rows) => gemm(kernels.multiplyF64, { c: sum, ldc, a, lda, transposeA: true, ...y, m: n, k: rows }),
      addSquare: (c, ld, rows) =>
        gemm(kernels.multiplyF64, { c, ldc: ld, a: slab, lda: k, transposeA: true, ...y, m: k, k: rows }),
      take: () => takeSum(memory, sum, ldc, n, k)
    }
  }
}
