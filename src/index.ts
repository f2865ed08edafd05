// Its own `init` hides those of the domains.
export { init } from './init.js'
export { FormatError, MemoryLimitError, type ErrorCode, type FormatErrorCode } from './core/errors.js'
export type { Bitmask } from './core/mask.js'
export type { NestedArray, NumberArray, Tensor, TensorLike } from './core/tensor.js'

export * from './linalg/index.js'
export * from './quantize/index.js'
export * from './prune/index.js'
export * from './distill/index.js'

export { lowRank, type LowRank } from './lowRank/lowRank.js'
export type { GramLike, LowRankOptions, Quantization } from './lowRank/options.js'
export { lowRankPlan, type LowRankPlan, type LowRankPlanOptions, type PlannedRank } from './lowRank/plan.js'
export { reconstruct, type Factored } from './lowRank/reconstruct.js'
