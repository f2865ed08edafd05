import { MEDIAN } from '../../../assembly/embeddings/constants.js'
import { frame, type Engine } from '../engine.js'
import type { Pointer } from '../../core/memory.js'
import { findNearest } from './kernelCalls.js'

/** Centroids as the search for the nearest takes them. */
export interface PackedCentroids {
  readonly k: number
  readonly dimensions: number
  readonly panels: Pointer
  readonly halves: Pointer
  /** f32[dimension]: what rows and centroids are taken off first */
  readonly shift: Pointer
}

/** Centroids made ready for many calls of `nearest`, in the frame that is open. */
export function loadCentroids(engine: Engine, centroids: Pointer, k: number, dimensions: number): PackedCentroids {
  const packed = roomForCentroids(engine, k, dimensions)
  packCentroids(engine, packed, centroids)
  return packed
}

/** Room for so many packed centroids, in the frame that is open. */
export function roomForCentroids({ memory }: Engine, k: number, dimensions: number): PackedCentroids {
  const whole = 4 * Math.ceil(k / 4)
  const panels = memory.alloc(4 * whole * dimensions)
  return { k, dimensions, panels, halves: memory.alloc(4 * whole), shift: memory.alloc(4 * dimensions) }
}

/** Fills such room from f32 (k, dimensions). */
export function packCentroids(
  engine: Engine,
  { k, dimensions, panels, halves, shift }: PackedCentroids,
  centroids: Pointer
): void {
  frame(engine, (memory, kernels) => {
    kernels.packCentroidsF32(panels, halves, shift, centroids, k, dimensions, memory.alloc(4 * MEDIAN))
  })
}

export interface NearestOptions {
  /** numbers from one row to the next; default the centroids' dimensions */
  stride?: number
  /** of a number; default 2 */
  bytes?: 1 | 2
  /** bytes from one number to the next; default `bytes` */
  step?: number
}

/**
 * numbers: u16[count] (or as the options say) of the centroid that each row is nearest to, the lowest of equals.
 * Returns how many of them are other than before.
 */
export function nearest(
  engine: Engine,
  numbers: Pointer,
  rows: Pointer,
  count: number,
  packed: PackedCentroids,
  { stride = packed.dimensions, bytes = 2, step = bytes }: NearestOptions = {}
): number {
  return frame(engine, (memory) => {
    const work = memory.alloc(32 * (packed.dimensions + 2))
    return findNearest(engine, { ...packed, numbers, step, wide: bytes === 2, rows, count, stride, work })
  })
}
