export { createPool } from './pool.js'
export type { Progress, Signal } from '../core/progress.js'
export type { Pool, PoolOptions, RunOptions } from './types.js'
