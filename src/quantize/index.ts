/**
 * Quantisation: numbers to few bits and back.
 *
 * Read formats first: the table of number formats, each a file in formats/. Then passes (the kernels over tiles of a
 * tensor), then the verbs: quantize, dequantize, fakeQuantize. kernelCalls names the arguments of wide kernels; options
 * and quantized are what goes in and comes out; packing is for model files. May import core, and of files the names of
 * dtypes.
 */
export { dequantize, type DequantizeOptions } from './dequantize.js'
export { init } from './engine.js'
export { fakeQuantize, type FakeQuantized, type FakeQuantizeOptions } from './fakeQuantize.js'
export type { HalfFormat, IntegerFormat, QuantizeFormat } from './formats.js'
export type { QuantizeOptions } from './options.js'
export { quantize } from './quantize.js'
export type { Quantized, QuantizedHalf, QuantizedIntegers } from './quantized.js'
