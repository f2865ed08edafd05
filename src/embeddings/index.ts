/**
 * Vectors as codes that are searched as they are. Five rooms; each may import those before it, and core, files, linalg
 * and quantize:
 *
 * 1. vectors: what comes in and goes out. Begin with vectors/vectors.ts.
 * 2. scan: codes in blocks, and how a query scores them. Begin with scan/layout.ts.
 * 3. codec: a fitted way to write vectors. Begin with codec/quantizer.ts; methods/ open, fit/ fits.
 * 4. search: the index. Begin with search/indexInterface.ts.
 * 5. measure: what a codec loses, and which to take. Begin with measure/evaluate.ts.
 *
 * Two engines: engine.ts for what only searches, codingEngine.ts for what encodes and fits.
 */
export {
  createCodecFit,
  fitCodec,
  type CodecFit,
  type CodecFitOptions,
  type CodecOptions
} from './codec/fit/fitCodec.js'
export { openCodec } from './codec/openCodec.js'
export type { Codec, CodesLike } from './codec/codec.js'
export type { Method, Metric } from './codec/quantizer.js'
export {
  readVectors,
  type ArrowLibrary,
  type ArrowTable,
  type ParquetLibrary,
  type ReadVectors,
  type ReadVectorsOptions,
  type VectorFormat
} from './vectors/readVectors.js'
export type { VectorRecord, VectorsLike } from './vectors/vectors.js'
export {
  exportVectors,
  type ExportVectorsOptions,
  type VectorDestination,
  type VectorExports
} from './vectors/exportVectors.js'
export { init } from './codingEngine.js'
export { createIndex, openIndex, type OpenIndexOptions } from './search/createIndex.js'
export { encoder, type Encoder } from './search/encoder.js'
export type { Index } from './search/indexInterface.js'
export type { AddOptions, AsyncRescore, IndexOptions, Rescore, SearchOptions } from './search/options.js'
export type { OriginalsFormat } from './search/loaded.js'
export type { SearchResult } from './search/searchResult.js'
export type { Filter } from './search/filter.js'
export { fileVectors, type FileVectors, type FileVectorsOptions } from './vectors/fileVectors.js'
export { evaluate, type EvaluateOptions, type Evaluation } from './measure/evaluate.js'
export type { Interval } from './measure/interval.js'
export type { Progress, Signal } from '../core/progress.js'
export { chooseCodec } from './measure/choose.js'
export type { Choice, ChoiceRow } from './measure/choice.js'
export type { ChooseOptions } from './measure/goal.js'
export { paretoPlot, type PlotOptions, type PlotPoint } from './measure/plot.js'
