/** What every module has: the tensors' halves, packed bits, the exact square root. They are copied, never linked. */
export { packBits } from './bits'
export { decodeBF16, decodeF16 } from './half'
export { sqrtF64 } from './scalars'
