import { DEPTH, gemmPacked } from '../../linalg/gemm.js'
import { frame, type Engine } from '../engine.js'
import type { Pointer } from '../../core/memory.js'

/** Columns of a panel. */
const WIDTH = 8

/** A matrix (k, n), packed once for many products from the left. */
export interface Panels {
  readonly at: Pointer
  readonly k: number
  readonly n: number
}

/** Room for a packed matrix (k, n), in the frame that is open. */
export function roomForPanels({ memory }: Engine, k: number, n: number): Panels {
  return { at: memory.alloc(4 * k * paddedTo(n)), k, n }
}

/** Packs f32 (k, n). */
export function packAcross({ kernels }: Engine, { at, k, n }: Panels, matrix: Pointer): void {
  for (let p = 0; p < k; p += DEPTH) {
    kernels.packAcrossF32(at + 4 * p * paddedTo(n), matrix + 4 * p * n, n, WIDTH, Math.min(DEPTH, k - p), n)
  }
}

/** Packs the transpose of f32 (n, k). */
export function packAlong({ kernels }: Engine, { at, k, n }: Panels, matrix: Pointer): void {
  for (let p = 0; p < k; p += DEPTH) {
    kernels.packAlongF32(at + 4 * p * paddedTo(n), matrix + 4 * p, n, WIDTH, Math.min(DEPTH, k - p), k)
  }
}

/** to: f32 (count, n) = rows: f32 (count, k) times the matrix */
export function multiplyPanels(engine: Engine, to: Pointer, rows: Pointer, count: number, { at, k, n }: Panels): void {
  frame(engine, (memory, kernels) => {
    const work = memory.alloc(kernels.multiplyWork(0, 2))
    gemmPacked(kernels.multiplyPackedF32, {
      ...{ c: to, ldc: n, a: rows, lda: k, panels: at },
      ...{ m: count, n, k, write: 'set', work }
    })
  })
}

const paddedTo = (n: number): number => WIDTH * Math.ceil(n / WIDTH)
