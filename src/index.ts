export { init } from './core/init.js'
export { FormatError, MemoryLimitError, type ErrorCode, type FormatErrorCode } from './core/errors.js'
export type { Bitmask } from './core/mask.js'
export type { NestedArray, NumberArray, Tensor, TensorLike } from './core/tensor.js'

export { cholesky, type Cholesky, type CholeskyOptions } from './linalg/cholesky.js'
export { compare, type Comparison } from './linalg/compare.js'
export { procrustes, type Procrustes, type ProcrustesOptions } from './linalg/procrustes.js'
export { qr, type Qr, type QrOptions } from './linalg/qr.js'
export { ridge, type Ridge, type RidgeOptions } from './linalg/ridge.js'
export { matmul, type MatmulOptions } from './linalg/matmul.js'
export { solveTriangular, type SolveTriangularOptions } from './linalg/triangular.js'
export { createGram, gram, openGram, type Gram, type GramOptions } from './linalg/gram.js'
export type { Pca, PcaOptions } from './linalg/pca.js'
export {
  truncatedSvd,
  type AsyncRowStream,
  type LinearOperator,
  type RowStream,
  type TruncatedSvd,
  type TruncatedSvdOptions
} from './linalg/truncatedSvd.js'
export { svd, type Svd } from './linalg/svd.js'

export { dequantize, type DequantizeOptions } from './quantize/dequantize.js'
export { fakeQuantize, type FakeQuantizeOptions } from './quantize/fakeQuantize.js'
export type {
  HalfFormat,
  IntegerFormat,
  Quantized,
  QuantizedHalf,
  QuantizedIntegers,
  QuantizeFormat,
  QuantizeOptions
} from './quantize/formats.js'
export { quantize } from './quantize/quantize.js'

export { applyMask } from './prune/applyMask.js'
export { prune, type Pruned, type PruneOptions, type PruneScope } from './prune/prune.js'

export { lowRank, type LowRank } from './lowRank/lowRank.js'
export type { GramLike, LowRankOptions, Quantization } from './lowRank/options.js'
export { lowRankPlan, type LowRankPlan, type LowRankPlanOptions, type PlannedRank } from './lowRank/plan.js'
export { reconstruct, type Factored } from './lowRank/reconstruct.js'

export {
  crossEntropy,
  distillationLoss,
  klDivergence,
  type CrossEntropyOptions,
  type DistillationLossOptions,
  type KlDivergenceOptions,
  type Loss
} from './distill/losses.js'
export type { Reduction } from './distill/rows.js'
export { logSoftmax, softmax, type SoftmaxOptions } from './distill/softmax.js'
