export { createPool } from './pool.js'
export type { Progress } from './job.js'
export type { Pool, PoolOptions, RunOptions, Signal } from './types.js'
