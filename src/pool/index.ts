export { createPool } from './pool.js'
export type { Progress } from '../core/progress.js'
export type { Pool, PoolOptions, RunOptions, Signal } from './types.js'
