import type { Engine, Kernels } from '../decompositionEngine.js'
import type { Access } from './access.js'
import { eigenBytes } from './eigen.js'
import { padded } from '../matrix.js'
import { SLAB } from './passes.js'

/** Throws where memory cannot hold so much more. */
function reserve({ memory }: Engine, bytes: number): void {
  memory.frame(() => {
    memory.alloc(bytes)
  })
}

/** Blocks of rows of k columns, and small matrices of their products. */
function tallBytes(kernels: Kernels, k: number): number {
  const ld = padded(k)
  return 4 * 8 * SLAB * ld + 5 * 8 * ld * ld + 3 * kernels.multiplyWork(k, 3)
}

/** Rows of n columns as they are read, and products of all of them with k columns. */
export function productBytes(kernels: Kernels, n: number, k: number): number {
  return 3 * 8 * SLAB * padded(n) + 2 * 8 * padded(n) * padded(k) + tallBytes(kernels, k)
}

/** Room for the Gram matrix of n columns, `rank` of its eigenvectors, and what follows, before any of it is begun. */
export function reserveGram(engine: Engine, n: number, rank: number): void {
  const ld = padded(n)
  const eigen = 8 * ld * ld + Math.max(3 * 8 * SLAB * ld, eigenBytes(n, rank))
  reserve(engine, Math.max(eigen, productBytes(engine.kernels, n, rank)))
}

/** Room for the products of Krylov's blocks, and for the decomposition of three of them side by side. */
export function reserveKrylov(engine: Engine, access: Access, columns: number, blocks: number): void {
  const all = blocks * columns
  const projection = 8 * all * (2 * Math.min(access.rows, access.columns) + 7 * all)
  reserve(engine, Math.max(projection, access.productBytes(columns)) + blocks * tallBytes(engine.kernels, columns))
}
