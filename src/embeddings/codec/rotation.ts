import { frame, type Engine } from '../engine.js'
import type { Pointer } from '../../core/memory.js'
import { powerOfTwo } from '../../core/powers.js'

/** A random orthogonal matrix R of d rows and columns, known by its seed alone. */
export interface Rotation {
  readonly dimensions: number
  readonly seed: number
  /** Puts its signs into an engine, where they live until the caller's frame ends. */
  load(engine: Engine): LoadedRotation
}

export interface LoadedRotation {
  /**
   * rows: f32 (count, d) -> R (row - centroid): f32 (count, d); to may be from. No centroid: 0. Every row by itself:
   * the number of rows does not matter.
   */
  rotate(to: Pointer, from: Pointer, count: number, centroid?: Pointer): void
  /** f32 (count, d) -> R^T row: f32 (count, d); to may be from */
  inverse(to: Pointer, from: Pointer, count: number): void
  /** For kernels that rotate rows on their way: f32 signs times scales, as assembly/embeddings/rotate.ts takes them. */
  readonly signs: Pointer
  /** elements of a transform, a power of two */
  readonly block: number
  /** f32[d] of zeros */
  readonly zeros: Pointer
}

/** Streams of random numbers of a seed from here on are those of a rotation. */
const STREAM = 0x10000

/** The first factor of sqrt(1/2), of which the kernel has the second. */
const HALF_SIGNS = 1.0003691911697388

/**
 * Elements of a transform: all of d or a third, where that is a power of two and fills vectors; else the greatest power
 * of two below d.
 */
function blockOf(d: number): number {
  const power = 2 ** (31 - Math.clz32(d))
  if (power === d) return d
  const third = d / 3
  return Number.isInteger(third) && (third & (third - 1)) === 0 && (third >= 16 || d < 16) ? third : power
}

/**
 * A rotation of rows of any dimension in O(d log d).
 *
 * Method: assembly/embeddings/rotate.ts; signs are bits of SplitMix64, of the seed and of each transform's stream.
 * Error: rows keep their length to 7e-8 of it (below 64 dimensions, 2e-7); R^T R x is x to 4e-7 of its length.
 */
export function rotationOf(dimensions: number, seed: number): Rotation {
  return {
    dimensions,
    seed,
    load: (engine) => loadRotation(engine, dimensions, seed)
  }
}

function loadRotation(engine: Engine, d: number, seed: number): LoadedRotation {
  const { memory, kernels } = engine
  const block = blockOf(d)
  const blocks = d === block || d === 3 * block
  const log = 31 - Math.clz32(block)
  // Two transforms of blocks have the scale 1/p, exactly; the others 1/sqrt(p) each.
  const scales = blocks
    ? [powerOfTwo(-(log >> 1)), powerOfTwo(-(log - (log >> 1)))]
    : [0, 1, 2, 3].map(() => powerOfTwo(-(log >> 1)) * (log & 1 ? HALF_SIGNS : 1))
  const length = blocks ? d : block
  const signs = memory.alloc(4 * length * scales.length)
  const zeros = memory.alloc(4 * d)
  memory.f32(zeros, d).fill(0)
  frame(engine, () => {
    const raw = memory.alloc(8 * length)
    scales.forEach((scale, step) => {
      kernels.randomSigns(raw, length, seed, STREAM + step, 0)
      const to = memory.f32(signs + 4 * length * step, length)
      memory.f64(raw, length).forEach((sign, i) => (to[i] = sign * scale))
    })
  })
  return {
    signs,
    block,
    zeros,
    rotate: (to, from, count, centroid = zeros) => kernels.rotateRows(to, from, centroid, signs, count, d, block),
    inverse: (to, from, count) => kernels.unrotateRows(to, from, signs, count, d, block)
  }
}
