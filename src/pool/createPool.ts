import { decomposing, type Decomposing } from './domains/decompositions.js'
import { distilling, type Distilling } from './domains/distill.js'
import { approximating, type Approximating } from './domains/lowRank.js'
import { multiplying, type Multiplying } from './domains/products.js'
import { pruning, type Pruning } from './domains/prune.js'
import { quantizing, type Quantizing } from './domains/quantize.js'
import { solving, type Solving } from './domains/solvers.js'
import { assemblePool } from './pool.js'
import type { PoolControl, PoolOptions } from './run.js'

/**
 * The verbs of `tersor`, on workers: same arguments, same bytes, promises.
 *
 * A call rejects with:
 * - the verb's own errors;
 * - the reason of its signal;
 * - TypeError for an array that cannot be transferred, or was;
 * - Error where the pool was closed, where no worker could be started, and where the call's worker died.
 *
 * A pool whose worker died goes on with a new one.
 *
 * One thread does the whole of a matrix of `svd`, and of groups across an inner axis. Calls of these verbs are not cut
 * either: `truncatedSvd`, `qr`, `cholesky`, `solveTriangular`, `ridge`, `procrustes`, `lowRank`, `lowRankPlan`,
 * `reconstruct`.
 */
export interface Pool
  extends PoolControl, Quantizing, Pruning, Distilling, Multiplying, Decomposing, Solving, Approximating {}

/**
 * A pool of workers that run the verbs of `tersor` and answer with promises.
 * The bytes are those of the verbs on one thread, for any number of threads. `createPoolOf` makes a smaller pool, with
 * the verbs of some domains.
 *
 * Defaults: as many threads as there are processors, started at the first call; an inline worker script.
 * Where a runtime has no workers (workerd, edge runtimes) calls run chunk by chunk on this thread.
 * Method: work is cut into chunks of about 262,144 elements by index alone. Scales of sets that cross chunks, and
 * thresholds, are agreed on between passes. Sums are added in the order of one thread. `svd` takes one thread for each
 * matrix, the verbs of low rank one: give the pool many at once.
 * Error: none beyond the verbs'.
 * An input must not be changed until its promise settles. Arrays over SharedArrayBuffer are read in place. Others are
 * copied chunk by chunk, or handed over with `transfer`.
 *
 * @example
 * const pool = createPool({ threads: 2 })
 * const { codes } = await pool.quantize(new Float32Array(1e6), { format: 'int8' })
 * await pool.close()
 * @throws TypeError for an unknown option, and for a workerUrl that is none
 * @throws RangeError for a number of threads that is not whole, or outside 1 .. 1024
 */
export function createPool(options: PoolOptions = {}): Pool {
  const all = [quantizing, pruning, distilling, multiplying, decomposing, solving, approximating] as const
  return assemblePool('createPool', all, options) as Pool
}
