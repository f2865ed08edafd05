/** The ABI of quantisation. Arguments: outputs, inputs, sizes, scalars, scratch. */
export * from '../common/shared'
export { rangeClear, rangeColumns, rangeRows } from './range'
export { scalesFromRange, scalesWiden } from './scales'
export { encodeColumns, encodeRows } from './encode'
export { decodeColumns, decodeRows } from './decode'
export { insideColumns, insideLimit, insideRows } from './inside'
export { packNibbles, unpackNibbles } from './nibbles'
export { encodeBF16, encodeF16 } from './half'
