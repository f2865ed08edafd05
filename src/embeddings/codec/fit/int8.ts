import { checkChoice } from '../../../core/check.js'
import { rangeError } from '../../../core/errors.js'
import { elementAt, readTensor, type TensorLike } from '../../../core/tensor.js'
import { frame, type Engine } from '../../engine.js'
import { affineQuantizer, INT8_AXES, vectorQuantizer } from '../methods/int8.js'
import type { Fitter, Sample } from './fitter.js'
import { fitMean } from './mean.js'
import { chosenBits } from './options.js'

/**
 * Whose bytes: quantize_embeddings of sentence-transformers rounds down and clips to the ranges. Up to release 5.1 it
 * cut off towards zero what was left after 128 was taken off. It codes rows as they are, so the metrics are dot and l2:
 * cosine brings rows to unit length.
 */
const COMPATS = ['sentence-transformers', 'sentence-transformers-uint8', 'sentence-transformers-5.1'] as const

/** The step of a dimension without a range. */
const LEAST_STEP = 2 ** -100
/** What rows may be is what ranges may be (front.ts). */
const MOST = 2 ** 48

export interface Int8Options {
  bits?: number
  /**
   * a scale for each vector, centered and rotated, or a range for each dimension; default 'vector', with `compat`
   * 'dimension'
   */
  axis?: (typeof INT8_AXES)[number]
  /** the bytes of another library */
  compat?: (typeof COMPATS)[number]
  /** (2, dimension), the least and the greatest of each dimension; default: those of the sample */
  ranges?: TensorLike
}

/**
 * A byte a coordinate.
 *
 * Method, axis 'vector': residuals, rotated, on a symmetric grid of 255 steps. The scale |r|^2 / <r, code> makes the
 * estimate of an inner product unbiased; it takes 8 bytes with the bias.
 * Method, axis 'dimension': 256 steps between the ends of each dimension, undone in the score.
 */
export const int8: Fitter<Int8Options> = {
  method: 'int8',
  options: ['axis', 'compat', 'ranges'],
  bits: [8],
  fit: (engine, sample, options) => {
    const { compat, ranges } = options
    chosenBits('int8', options.bits, [8], 8)
    if (compat !== undefined) checkChoice('fitCodec', 'compat', compat, COMPATS)
    const axis = checkChoice('fitCodec', 'axis', options.axis ?? (compat || ranges ? 'dimension' : 'vector'), INT8_AXES)
    if (axis === 'vector') {
      if (compat !== undefined || ranges !== undefined) {
        const name = compat !== undefined ? 'compat' : 'ranges'
        throw rangeError(`fitCodec: "axis" expected dimension with "${name}", got "vector"; leave one of them out`)
      }
      return vectorQuantizer(sample.dimensions, sample.metric, sample.seed, fitMean(engine, sample))
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
      mean: sample.metric === 'l2' ? fitMean(engine, sample) : undefined
    })
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
