/**
 * Quantisation: numbers to few bits and back.
 *
 * Read formats (the number formats), then passes (the kernels over tiles of a tensor), then the verbs: quantize, dequantize,
 * fakeQuantize. May import core.
 */
export { dequantize, type DequantizeOptions } from './dequantize.js'
export { init } from './engine.js'
export { fakeQuantize, type FakeQuantized, type FakeQuantizeOptions } from './fakeQuantize.js'
export type {
  HalfFormat,
  IntegerFormat,
  Quantized,
  QuantizedHalf,
  QuantizedIntegers,
  QuantizeFormat,
  QuantizeOptions
} from './formats.js'
export { quantize } from './quantize.js'
