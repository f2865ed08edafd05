/** The ABI of sparse storage: the elements that stay, side by side, and back. Arguments as in masks. */
export { applyBits, countBits } from '../mask'
export { gatherKept, scatterKept } from '../compact'
