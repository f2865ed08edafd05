/**
 * The verbs of tersor on workers: the same arguments and bytes, with promises.
 *
 * Read in this order: domain and domains/ (which verbs a pool has); plan and plans/ (how a call falls into chunks);
 * programs/ (what runs on a chunk). job is a plan on its way, crew shares chunks out among threads, and thread is one
 * worker. The diagram over `Crew` has their states; inline is the crew where there are no workers.
 * protocol, ports and transfer carry messages. script composes the worker's text; worker, runtime and adoptedModules
 * are the worker's own side.
 *
 * May import core, files, linalg, quantize, prune, distill and lowRank.
 */
export type { Progress, Signal } from '../core/progress.js'
export { createPool, type Pool } from './createPool.js'
export type { Domain } from './domain.js'
export { decomposing, type Decomposing } from './domains/decompositions.js'
export { distilling, type Distilling } from './domains/distill.js'
export { approximating, type Approximating } from './domains/lowRank.js'
export { multiplying, type Multiplying } from './domains/products.js'
export { pruning, type Pruning } from './domains/prune.js'
export { quantizing, type Quantizing } from './domains/quantize.js'
export { solving, type Solving } from './domains/solvers.js'
export { createPoolOf, type PoolOf } from './pool.js'
export type { PoolControl, PoolOptions, RunOptions } from './run.js'
