import { checkBoolean, checkNumber } from '../../../core/check.js'
import { MOST_EPSILON, RABITQ_BITS, rabitqQuantizer } from '../methods/rabitq.js'
import type { Fitter } from './fitter.js'
import { fitMean } from './mean.js'
import { chosenBits } from './options.js'

/** Standard deviations that hold 99.9% of a normal distribution, a little up. */
const EPSILON = 3.3

export interface RabitqOptions {
  bits?: number
  /**
   * the best of twelve scales of the grid for each vector, instead of the best of all; default true. Up to 4 bits its
   * squared error is .3% greater.
   */
  fast?: boolean
  /** keeps the bound of the error with each code, in 4 bytes; default true */
  bound?: boolean
  /**
   * half the width of the bound, in standard deviations; default 3.3, which holds in 99.9% of unrelated pairs. The
   * paper's 1.9 holds in 94%.
   */
  epsilon?: number
}

/**
 * Residuals, rotated, by the nearest direction of a grid of 2^bits steps. Inner products and squared distances are
 * estimated without bias, with a bound of the error.
 *
 * Method: RaBitQ (assembly/embeddings/codec/rabitq.ts).
 * Error: an estimate of <q, x> has the standard deviation |q - c| |x - c| sqrt((1 / cos^2 - 1) / (d - 1)). cos is that
 * of the residual and its code.
 */
export const rabitq: Fitter<RabitqOptions> = {
  method: 'rabitq',
  options: ['fast', 'bound', 'epsilon'],
  bits: RABITQ_BITS,
  fit: (engine, sample, options) => {
    const { dimensions, metric, seed } = sample
    const bits = chosenBits('rabitq', options.bits, RABITQ_BITS, 2)
    const fast = checkBoolean('fitCodec', 'fast', options.fast ?? true)
    const bound = checkBoolean('fitCodec', 'bound', options.bound ?? true)
    const epsilon = checkNumber('fitCodec', 'epsilon', options.epsilon ?? EPSILON, 0, MOST_EPSILON)
    return rabitqQuantizer({ dimensions, metric, seed, bits, fast, bound, epsilon, centroid: fitMean(engine, sample) })
  }
}
