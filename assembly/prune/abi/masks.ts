/**
 * The ABI of pruning: which elements stay, and tensors of those. Arguments: outputs, inputs, sizes, scalars, scratch.
 */
export * from '../../common/shared'
export { bracketMagnitudes, magnitudeHistogram, selectMagnitude } from '../select'
export { applyBits, countBits, maskMagnitudes } from '../mask'
export { keepPattern } from '../pattern'
