/**
 * Whole models: every tensor of a file through a recipe, one at a time, into one safetensors file, and back.
 *
 * Read in this order: recipe (what is done to which tensors); compress (the verb); dense (how one array is stored);
 * encoding (what the metadata says of a tensor); writer (the file, array by array); model (opens it); decompress; diff.
 *
 * May import core, files, linalg, quantize, prune and lowRank. The formats are in docs/formats.md.
 */
export { FormatError, MemoryLimitError, type ErrorCode, type FormatErrorCode } from '../core/errors.js'
export { compressModel, type CompressReport, type CompressResult, type TensorReport } from './compress.js'
export { decompressModel, type DecompressOptions } from './decompress.js'
export { diffModels, type TensorDifference } from './diff.js'
export type { Dtype, FileTensor, NewTensor, TensorArray, TensorEntry } from '../files/dtypes.js'
export { openModel, type Model, type ModelTensor } from './model.js'
export { encodeNpy } from '../files/npy.js'
export { openTensors, type TensorFile } from '../files/open.js'
export type { Progress, Signal } from '../core/progress.js'
export type { CompressOptions, ModelProgress, Recipe } from './recipe.js'
export { encodeSafetensors } from '../files/safetensorsWriter.js'
export type { BlobLike, ByteInput, ByteSource } from '../files/source.js'
export type { ByteSink } from './writer.js'
