/**
 * Distillation: how far a student is from its teacher, with gradients.
 *
 * Read rows (logits and how results are reduced), then softmax, then losses. May import core.
 */
export { init } from './engine.js'
export {
  crossEntropy,
  distillationLoss,
  klDivergence,
  type CrossEntropyOptions,
  type DistillationLossOptions,
  type KlDivergenceOptions,
  type Loss
} from './losses.js'
export type { Reduction } from './rows.js'
export { logSoftmax, softmax, type SoftmaxOptions } from './softmax.js'
