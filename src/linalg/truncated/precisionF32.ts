import type { Memory, Pointer } from '../../core/memory.js'
import { multiplyRows } from '../decompositionCalls.js'
import type { Kernels } from '../decompositionEngine.js'
import { padded, type Floats } from '../matrix.js'
import { SLAB } from './passes.js'
import type { OnSlab, Precision, Summer } from './precision.js'
import { takeSum, type Tall } from './tall.js'

/** f32 tiles; sums over rows go on in f64. */
export class PrecisionF32 implements Precision {
  readonly wide = false
  readonly type = Float32Array

  constructor(
    private readonly memory: Memory,
    private readonly kernels: Kernels
  ) {}

  alloc(length: number): Pointer {
    return this.memory.alloc(4 * length)
  }

  view(pointer: Pointer, length: number): Floats {
    return this.memory.f32(pointer, length)
  }

  squares(at: Pointer, length: number): number {
    return this.kernels.squaresF32(at, length)
  }

  scale(at: Pointer, length: number, exponent: number): void {
    this.kernels.scaleF32(at, length, exponent)
  }

  tops(tops: Pointer, slab: Pointer, rows: number, k: number): void {
    this.kernels.topColumnsF32(tops, slab, rows, k)
  }

  gram(gram: Pointer, n: number): OnSlab {
    const { kernels } = this
    const ld = padded(n)
    const panels = this.alloc(SLAB * ld)
    return (at, lda, rows) => {
      kernels.packAcrossF32(panels, at, n, 8, rows, lda)
      kernels.accumulatePanelsF32(gram, ld, panels, panels, n, n, rows, 1)
    }
  }

  multiplier(x: Tall, slab: Pointer): OnSlab {
    const { memory, kernels } = this
    const { rows: n, columns: k } = x
    const panels = this.alloc(n * padded(k))
    const edge = memory.alloc(128)
    memory.frame(() => {
      const staged = this.alloc(n * k)
      memory.f32(staged, n * k).set(x.data)
      kernels.packAcrossF32(panels, staged, k, 8, n, k)
    })
    return (at, ld, rows) => {
      memory.f32(slab, rows * k).fill(0)
      multiplyRows(kernels, { c: slab, ldc: k, a: at, lda: ld, panels, rows, columns: k, k: n, edge })
    }
  }

  summer(n: number, k: number, slab: Pointer): Summer {
    const { memory, kernels } = this
    const [height, ldc] = [padded(n), padded(k)]
    const sum = memory.alloc(8 * height * ldc)
    const left = this.alloc(SLAB * height)
    const right = this.alloc(SLAB * ldc)
    return {
      clear: () => void memory.f64(sum, height * ldc).fill(0),
      add: (at, lda, rows) => {
        kernels.packAcrossF32(left, at, n, 8, rows, lda)
        kernels.packAcrossF32(right, slab, k, 8, rows, k)
        kernels.accumulatePanelsF32(sum, ldc, left, right, n, k, rows, 0)
      },
      addSquare: (square, ld, rows) => kernels.accumulatePanelsF32(square, ld, right, right, k, k, rows, 1),
      take: () => takeSum(memory, sum, ldc, n, k)
    }
  }
}
