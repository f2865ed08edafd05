import { checkChoice } from '../../../core/check.js'
import { frame, type Engine } from '../../engine.js'
import { FormatError, rangeError } from '../../../core/errors.js'
import { readTensor, elementAt } from '../../../core/tensor.js'
import type { TensorLike } from '../../../core/tensor.js'
import { codeBytesOf, rowBytes, type RowLayout } from '../../scan/layout.js'
import type { LoadedQuantizer, MethodKind, Metric, Quantizer, Sample } from '../quantizer.js'
import { loadCentered, meanOf } from './centered.js'
import { checkTables, chosenBits, isFlag, isOneOf, isSeed, readParameter, readTable } from './parts.js'
import { byteQuery } from '../../scan/scan.js'

const AXES = ['vector', 'dimension'] as const

/**
 * Whose bytes: quantize_embeddings of sentence-transformers rounds down and clips to the ranges; up to release 5.1 it cut off towards
 * zero what was left after 128 was taken off. Its numbers are those of rows as they are: of the metrics dot and l2, since cosine brings rows to unit length.
 */
const COMPATS = ['sentence-transformers', 'sentence-transformers-uint8', 'sentence-transformers-5.1'] as const

/** The step of a dimension without a range. */
const LEAST_STEP = 2 ** -100
/** What rows may be is what ranges may be (front.ts). */
const MOST = 2 ** 48

const ROUNDINGS = ['nearest', 'down', 'cut'] as const
type Rounding = (typeof ROUNDINGS)[number]

export interface Int8Options {
  bits?: number
  /** a scale for each vector, centered and rotated, or a range for each dimension; default 'vector', with `compat` 'dimension' */
  axis?: (typeof AXES)[number]
  /** the bytes of another library */
  compat?: (typeof COMPATS)[number]
  /** (2, dimension), the least and the greatest of each dimension; default: those of the sample */
  ranges?: TensorLike
}

/**
 * A byte a coordinate.
 *
 * Method: axis 'vector': residuals, rotated, on a symmetric grid of 255 steps, with the scale that makes the estimate of an inner product
 * unbiased (|r|^2 / <r, code>); 8 bytes more. axis 'dimension': 256 steps between the ends of each dimension, undone in the score.
 */
export const int8: MethodKind<Int8Options> = {
  method: 'int8',
  options: ['axis', 'compat', 'ranges'],
  bits: [8],
  fit: (engine, sample, options) => {
    const { compat, ranges } = options
    chosenBits('int8', options.bits, [8], 8)
    if (compat !== undefined) checkChoice('fitCodec', 'compat', compat, COMPATS)
    const axis = checkChoice('fitCodec', 'axis', options.axis ?? (compat || ranges ? 'dimension' : 'vector'), AXES)
    if (axis === 'vector') {
      if (compat !== undefined || ranges !== undefined) {
        const name = compat !== undefined ? 'compat' : 'ranges'
        throw rangeError(`fitCodec: "axis" expected dimension with "${name}", got "vector"; leave one of them out`)
      }
      return vectorQuantizer(sample.dimensions, sample.metric, sample.seed, meanOf(engine, sample))
    }
    const rounding = compat === undefined ? 'nearest' : compat === 'sentence-transformers-5.1' ? 'cut' : 'down'
    const unsigned = compat === 'sentence-transformers-uint8'
    const { low, high } = ranges === undefined ? endsOf(engine, sample) : readRanges(ranges, sample.dimensions)
    // As NumPy computes them in float32. Of one number, what codes stand for is that number.
    const steps = low.map((start, j) => Math.fround(Math.fround(high[j]! - start) / 255) || LEAST_STEP)
    return affineQuantizer({
      dimensions: sample.dimensions,
      metric: sample.metric,
      rounding,
      unsigned,
      starts: low,
      steps,
      mean: sample.metric === 'l2' ? meanOf(engine, sample) : undefined
    })
  },
  open: (dimensions, metric, parameters, tables) => {
    const axis = readParameter('int8', parameters, 'axis', AXES.join(' or '), isOneOf(AXES))
    if (axis === 'vector') {
      checkTables('int8', tables, ['centre'])
      const seed = readParameter('int8', parameters, 'seed', 'a whole number', isSeed)
      return vectorQuantizer(dimensions, metric, seed, readTable('int8', tables, 'centre', dimensions).data)
    }
    const mean = metric === 'l2' ? readTable('int8', tables, 'mean', dimensions).data : undefined
    checkTables('int8', tables, mean ? ['starts', 'steps', 'mean'] : ['starts', 'steps'])
    const rounding = readParameter('int8', parameters, 'rounding', ROUNDINGS.join(', '), isOneOf(ROUNDINGS))
    const starts = readTable('int8', tables, 'starts', dimensions).data
    const unsigned = readParameter('int8', parameters, 'unsigned', 'true or false', isFlag)
    const steps = readTable('int8', tables, 'steps', dimensions).data
    if (steps.some((step) => !(step > 0))) {
      throw new FormatError('bad-tensor', 'int8: "steps" expected numbers above 0')
    }
    return affineQuantizer({ dimensions, metric, rounding, unsigned, starts, steps, mean })
  }
}

function byteLayout(count: number, factors: 0 | 2): RowLayout {
  return { scan: 'bytes', bits: 8, count, codeBytes: codeBytesOf(8, count), factors, centroidBytes: 0 }
}

function vectorQuantizer(
  dimensions: number,
  metric: Metric,
  seed: number,
  centroid: Float32Array<ArrayBuffer>
): Quantizer {
  const layout = byteLayout(dimensions, 2)
  return {
    ...{ method: 'int8', dimensions, metric, layout, centroids: 1 },
    parameters: { axis: 'vector', seed },
    tables: { centre: { data: centroid, shape: [dimensions] } },
    load: (engine) => loadVectors(engine, layout, metric, seed, centroid)
  }
}

function loadVectors(
  engine: Engine,
  layout: RowLayout,
  metric: Metric,
  seed: number,
  mean: Float32Array
): LoadedQuantizer {
  const { memory, kernels } = engine
  const d = layout.count
  const stride = rowBytes(layout)
  const l2 = metric === 'l2' ? 1 : 0
  const centered = loadCentered(engine, mean, metric, seed, true)
  return {
    encode: (codes, rows, count) =>
      centered.residuals(rows, count, (z, first, part) =>
        kernels.encodeSymmetric(codes + stride * first, z, centered.centroid, part, d, stride, l2)
      ),
    decode: (rows, codes, count) => {
      frame(engine, () =>
        kernels.decodeUniform(rows, codes, count, d, 8, stride, d, l2 ? 0.5 : 1, -128, 0, memory.alloc(d))
      )
      centered.restore(rows, count)
    },
    query: (row) => {
      const { residual, constant } = centered.query(row)
      return { ...byteQuery(engine, residual, d, 8), multiplier: 0, bound: 0, constant, terms: 0 }
    }
  }
}

interface Affine {
  dimensions: number
  metric: Metric
  rounding: Rounding
  /** bytes 0 .. 255 */
  unsigned: boolean
  starts: Float32Array<ArrayBuffer>
  steps: Float32Array<ArrayBuffer>
  /** of rows, for l2 alone */
  mean: Float32Array<ArrayBuffer> | undefined
}

function affineQuantizer(affine: Affine): Quantizer {
  const { dimensions, metric, rounding, unsigned, starts, steps, mean } = affine
  const shape = [dimensions]
  const layout = { ...byteLayout(dimensions, metric === 'l2' ? 2 : 0), ...(unsigned ? { unsigned } : {}) }
  return {
    ...{ method: 'int8', dimensions, metric, layout, centroids: 0 },
    parameters: { axis: 'dimension', rounding, unsigned },
    tables: {
      starts: { data: starts, shape },
      steps: { data: steps, shape },
      ...(mean ? { mean: { data: mean, shape } } : {})
    },
    load: (engine) => loadAffine(engine, layout, affine)
  }
}

function loadAffine(engine: Engine, layout: RowLayout, affine: Affine): LoadedQuantizer {
  const { rounding, starts, steps, mean } = affine
  const flip = affine.unsigned ? 128 : 0
  const { memory, kernels } = engine
  const d = layout.count
  const stride = rowBytes(layout)
  const low = memory.alloc(4 * d)
  const step = memory.alloc(4 * d)
  const offset = memory.alloc(4 * d)
  memory.f32(low, d).set(starts)
  memory.f32(step, d).set(steps)
  // What was rounded down lies half a step higher in the mean; what was cut off towards zero, neither.
  const middle = rounding === 'down' ? 128.5 : 128
  memory.f32(offset, d).set(starts.map((start, j) => start + middle * steps[j]!))
  // Distances are those of rows less their mean, so that data far from zero loses no digits.
  const centroid = mean ? memory.alloc(4 * d) : 0
  const apart = mean ? memory.alloc(4 * d) : offset
  if (mean) {
    memory.f32(centroid, d).set(mean)
    kernels.shiftRowsF32(apart, offset, centroid, 1, d, -1)
  }
  const mode = ROUNDINGS.indexOf(rounding)
  return {
    encode: (codes, rows, count) =>
      kernels.encodeAffine(codes, rows, low, step, offset, centroid, count, d, stride, mode, mean ? 1 : 0, flip),
    decode: (rows, codes, count) => kernels.decodeAffine(rows, codes, step, offset, count, d, stride, flip),
    query: (row) => {
      const scaled = memory.alloc(4 * d)
      if (centroid) kernels.shiftRowsF32(row, row, centroid, 1, d, -1)
      const constant = centroid ? -kernels.squaresF32(row, d) : 0
      const offsets = kernels.productF32(row, apart, d)
      kernels.timesF32(scaled, row, step, d)
      const built = byteQuery(engine, scaled, d, 8, { uneven: true })
      return { ...built, base: built.base + offsets, multiplier: 0, bound: 0, constant, terms: 0 }
    }
  }
}

interface Ends {
  low: Float32Array<ArrayBuffer>
  high: Float32Array<ArrayBuffer>
}

function endsOf(engine: Engine, { rows, count, dimensions }: Sample): Ends {
  if (count === 0) throw rangeError('fitCodec: "sample" expected rows to take the ranges from, got none; give "ranges"')
  return frame(engine, (memory, kernels) => {
    const low = memory.alloc(4 * dimensions)
    const high = memory.alloc(4 * dimensions)
    kernels.endsRowsF32(low, high, rows, count, dimensions)
    return { low: memory.f32(low, dimensions).slice(), high: memory.f32(high, dimensions).slice() }
  })
}

function readRanges(value: TensorLike, dimensions: number): Ends {
  const source = readTensor('fitCodec', 'ranges', value)
  if (source.shape.length !== 2 || source.shape[0] !== 2 || source.shape[1] !== dimensions) {
    throw rangeError(`fitCodec: "ranges" expected the shape 2x${dimensions}, got ${source.shape.join('x')}`)
  }
  const row = (first: number): Float32Array<ArrayBuffer> =>
    Float32Array.from({ length: dimensions }, (_, j) => elementAt(source, first + j))
  const ends = { low: row(0), high: row(dimensions) }
  for (let j = 0; j < dimensions; j++) {
    const [low, high] = [ends.low[j]!, ends.high[j]!]
    if (!(low <= high && Math.max(-low, high) < MOST)) {
      throw rangeError(
        `fitCodec: "ranges" expected the least and the greatest, below 2^48, got ${low} and ${high} at dimension ${j}`
      )
    }
  }
  return ends
}
