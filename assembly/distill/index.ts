/** The ABI of the losses. Arguments: outputs, inputs, sizes, scalars, scratch. */
export * from '../common/shared'
export { softmaxF32 } from './softmax'
export { logSoftmaxF32 } from './logSoftmax'
export { distillRows } from './loss'
