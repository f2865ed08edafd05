/**
 * Pruning: which numbers stay, and tensors of those alone.
 *
 * Read select (the threshold of the smallest), then prune (by fraction or pattern), applyMask, compact (sparse
 * storage). May import core.
 */
export { applyMask } from './applyMask.js'
export { init } from './engine.js'
export { prune, type Pruned, type PruneOptions, type PruneScope } from './prune.js'
