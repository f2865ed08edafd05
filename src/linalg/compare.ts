import { rangeError } from '../core/errors.js'
import { isArrayOf } from '../core/check.js'
import { defaultEngine, frame } from './productEngine.js'
import { firstNonFinite, loadF32, nonFiniteError, readTensor, type Source, type TensorLike } from '../core/tensor.js'
import { eachRun, TILE } from '../core/tiles.js'
import { loadF64 } from './matrix.js'

export interface Comparison {
  /** mean of (a - b)^2 */
  meanSquaredError: number
  /** greatest |a - b| */
  maxAbsoluteError: number
  /** |a - b| / |a|, Frobenius norms; 0 when both are equal, Infinity when only a is zero */
  relativeError: number
  /** signal to noise ratio, 20 log10(|a| / |a - b|), in dB; Infinity when both are equal */
  snr: number
}

/**
 * How far a tensor is from its reference.
 *
 * Shapes: equal, any. Method: sums of squares of differences in f64, in a fixed order; the decibels come from our own
 * logarithm. f64 data (and nested arrays) is taken as it is, on either side, anything else as f32.
 * Error: relative 1e-15 n^(1/2) at most, for n elements whose squares are normal numbers.
 *
 * @throws RangeError for shapes that differ, NaN or Infinity (the first index is named)
 */
export function compare(reference: TensorLike, other: TensorLike): Comparison {
  const [a, b] = prepareComparison(reference, other)
  return finishComparison(a, b, compareTiles(a, b))
}

/** Reads and checks what `compare` is asked. */
export function prepareComparison(reference: TensorLike, other: TensorLike): [Source, Source] {
  const verb = 'compare'
  const a = readTensor(verb, 'reference', reference)
  const b = readTensor(verb, 'other', other)
  if (a.shape.length !== b.shape.length || a.shape.some((n, i) => n !== b.shape[i])) {
    throw rangeError(`${b.name} expected shape [${a.shape.join(', ')}] as the reference's, got [${b.shape.join(', ')}]`)
  }
  return [a, b]
}

/** Of each tile: the sum of squares of the differences, that of the reference, and the greatest difference. */
export function compareTiles(a: Source, b: Source): Float64Array<ArrayBuffer> {
  const tiles = new Float64Array(3 * Math.ceil(a.size / TILE))
  frame(defaultEngine(), (memory, kernels) => {
    const sums = memory.alloc(24)
    const left = memory.alloc(8 * TILE)
    const right = memory.alloc(8 * TILE)
    const wide = [a, b].some(({ data }) => isArrayOf(data, Float64Array))
    eachRun(a.size, (start, length) => {
      memory.f64(sums, 3).fill(0)
      if (wide) {
        loadF64(memory, left, a, start, length)
        loadF64(memory, right, b, start, length)
        kernels.differencesF64(sums, left, right, length)
      } else {
        loadF32(memory, kernels, left, a, start, length)
        loadF32(memory, kernels, right, b, start, length)
        kernels.differences(sums, left, right, length)
      }
      tiles.set(memory.f64(sums, 3), (3 * start) / TILE)
    })
  })
  return tiles
}

/** Adds the tiles up in their order. */
export function finishComparison(a: Source, b: Source, tiles: Float64Array): Comparison {
  let error = 0
  let signal = 0
  let worst = 0
  for (let i = 0; i < tiles.length; i += 3) {
    error += tiles[i]!
    signal += tiles[i + 1]!
    worst = Math.max(worst, tiles[i + 2]!)
  }
  // Squares of f32 stay far inside f64: a sum that is not finite has met Inf, NaN or f64 beyond f32.
  if (!Number.isFinite(error + signal)) throw firstNonFinite(a) ?? nonFiniteError(b)
  const { kernels } = defaultEngine()
  return {
    meanSquaredError: a.size ? error / a.size : 0,
    maxAbsoluteError: worst,
    relativeError: error === 0 ? 0 : signal === 0 ? Infinity : kernels.sqrtF64(error / signal),
    snr: error === 0 ? Infinity : signal === 0 ? -Infinity : 10 * kernels.log10F64(signal / error)
  }
}
