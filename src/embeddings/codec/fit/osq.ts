import { checkBoolean, checkInteger } from '../../../core/check.js'
import { rangeError } from '../../../core/errors.js'
import { OSQ_BITS, osqQuantizer } from '../methods/osq.js'
import type { Fitter } from './fitter.js'
import { fitMean } from './mean.js'
import { chosenBits } from './options.js'

export interface OsqOptions {
  bits?: number
  /** rows are rotated; default true */
  rotate?: boolean
  /**
   * of a query, for documents of one bit: 4 (whole numbers from -15 to 15, summed exactly), or 32 (tables of u8 of the
   * query as it is); default 4
   */
  queryBits?: number
}

/**
 * Residuals on 2^bits steps of an interval of each vector's own, chosen so that little of the error lies along the
 * vector. Rotated, the data need not be isotropic.
 *
 * Method: optimised scalar quantisation (assembly/embeddings/codec/osq.ts).
 */
export const osq: Fitter<OsqOptions> = {
  method: 'osq',
  options: ['rotate', 'queryBits'],
  bits: OSQ_BITS,
  fit: (engine, sample, options) => {
    const { dimensions, metric, seed } = sample
    const bits = chosenBits('osq', options.bits, OSQ_BITS, 2)
    const rotate = checkBoolean('fitCodec', 'rotate', options.rotate ?? true)
    const queryBits = checkInteger('fitCodec', 'queryBits', options.queryBits ?? (bits === 1 ? 4 : 32), 4, 32)
    if ((queryBits !== 4 && queryBits !== 32) || (queryBits === 4 && bits > 1)) {
      const known = bits === 1 ? '4 or 32' : `32 with ${bits} bits`
      throw rangeError(`fitCodec: "queryBits" expected ${known}, got ${queryBits}; leave it out for the usual`)
    }
    return osqQuantizer({ dimensions, metric, seed, bits, rotate, queryBits, centroid: fitMean(engine, sample) })
  }
}
