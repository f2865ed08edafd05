import type { Memory, Pointer } from '../core/memory.js'
import type { Kernels } from './decompositionEngine.js'
import { padded } from './matrix.js'

/** Rotations of the QL iteration that are recorded before they are applied: they stay in the second-level cache. */
const RECORDS = 8192

/** Where a decomposition of m x n, m >= n, works: columns `ld` and `small` apart. */
export interface Room {
  readonly m: number
  readonly n: number
  readonly ld: number
  readonly small: number
  /** the matrix, then Q1 */
  readonly a: Pointer
  readonly left: Pointer
  readonly right: Pointer
  /** Q2 */
  readonly q: Pointer
  readonly lower: Pointer
  readonly x: Pointer
  readonly gram: Pointer
  readonly reflectors: Pointer
  readonly records: Pointer
  readonly capacity: number
  readonly work: Pointer
  readonly tau: Pointer
  readonly tau2: Pointer
  readonly norms: Pointer
  readonly vectors: Pointer
  readonly sigma: Pointer
  readonly rows: Pointer
  readonly columns: Pointer
  readonly order: Pointer
  readonly spare: Pointer
  readonly off: Pointer
}

/** Allocates all that a decomposition takes, about 16 m n + 56 n^2 bytes, before any work. */
export function makeRoom(memory: Memory, kernels: Kernels, m: number, n: number): Room {
  const ld = padded(m)
  const small = padded(n)
  // Reflectors are applied to four columns at once.
  const tall = 8 * ld * small
  const square = 8 * small * small
  const capacity = Math.max(RECORDS, n)
  return {
    m,
    n,
    ld,
    small,
    a: memory.alloc(8 * ld * n),
    left: memory.alloc(tall),
    right: memory.alloc(square),
    q: memory.alloc(square),
    lower: memory.alloc(square),
    x: memory.alloc(square),
    gram: memory.alloc(square),
    reflectors: memory.alloc(square),
    records: memory.alloc(24 * capacity),
    capacity,
    work: memory.alloc(Math.max(kernels.gramWork(n), kernels.multiplyWork(n, 3))),
    tau: memory.alloc(8 * n),
    tau2: memory.alloc(8 * n),
    norms: memory.alloc(16 * Math.max(ld, n) + 64),
    vectors: memory.alloc(32 * ld),
    sigma: memory.alloc(8 * n),
    rows: memory.alloc(4 * m),
    columns: memory.alloc(4 * n),
    order: memory.alloc(4 * n),
    spare: memory.alloc(8 * ld),
    off: memory.alloc(64)
  }
}
