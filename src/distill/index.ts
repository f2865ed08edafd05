/**
 * Distillation: how far a student is from its teacher, with gradients.
 *
 * Read logits (what rows, labels and reductions are), softmax, distillRows (the kernel of all losses), then losses.
 * May import core.
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
export type { Reduction } from './logits.js'
export { logSoftmax, softmax, type SoftmaxOptions } from './softmax.js'
