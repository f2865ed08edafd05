import { frame, type Engine } from '../../engine.js'
import type { Pointer } from '../../../core/memory.js'
import { BLOCK_ROWS } from '../../scan/layout.js'
import type { Metric } from '../quantizer.js'
import { rotationOf } from '../rotation.js'
import { putFloats } from './contents.js'

/** Rows taken off one centroid and rotated, and back: what the methods that code residuals share. */
export interface Centered {
  /** f32[dimension], the centroid rotated: its inner products with residuals are those of the centroid */
  readonly centroid: Pointer
  /** Calls `body` for rows in parts whose residuals z: f32 (count, dimension) fit the cache. */
  residuals(rows: Pointer, count: number, body: (z: Pointer, first: number, count: number) => void): void
  /** rows: f32 (count, dimension) of residuals, in place */
  restore(rows: Pointer, count: number): void
  /** A query's residual, and what every score has in common: <q, centroid>, or -|q - centroid|^2 for l2. */
  query(row: Pointer): { residual: Pointer; constant: number; squares: number }
}

/** Bytes of residuals that are coded at a time. */
const PART = 1 << 17

export function loadCentered(
  engine: Engine,
  mean: Float32Array,
  metric: Metric,
  seed: number,
  rotate: boolean
): Centered {
  const { memory, kernels } = engine
  const d = mean.length
  const origin = putFloats(memory, mean)
  const centroid = memory.alloc(4 * d)
  const rotation = rotate ? rotationOf(d, seed).load(engine) : undefined
  if (rotation) rotation.rotate(centroid, origin, 1)
  else memory.f32(centroid, d).set(mean)
  const reduce = (to: Pointer, from: Pointer, count: number): void => {
    if (rotation) rotation.rotate(to, from, count, origin)
    else kernels.shiftRowsF32(to, from, origin, count, d, -1)
  }
  const most = Math.max(1, Math.floor(PART / (4 * d * BLOCK_ROWS))) * BLOCK_ROWS
  return {
    centroid,
    residuals: (rows, count, body) => {
      if (count <= 0) return
      frame(engine, () => {
        const z = memory.alloc(4 * d * Math.min(count, most))
        for (let first = 0; first < count; first += most) {
          const part = Math.min(most, count - first)
          reduce(z, rows + 4 * d * first, part)
          body(z, first, part)
        }
      })
    },
    restore: (rows, count) => {
      rotation?.inverse(rows, rows, count)
      kernels.shiftRowsF32(rows, rows, origin, count, d, 1)
    },
    query: (row) => {
      const residual = memory.alloc(4 * d)
      const product = kernels.productF32(row, origin, d)
      reduce(residual, row, 1)
      const squares = kernels.squaresF32(residual, d)
      return { residual, constant: metric === 'l2' ? -squares : product, squares }
    }
  }
}
