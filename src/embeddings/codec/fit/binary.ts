import { checkBoolean, checkChoice } from '../../../core/check.js'
import { frame, type Engine } from '../../engine.js'
import { BINARY_COMPATS, signQuantizer, type BinaryCompat } from '../methods/binary.js'
import { loadCentered } from '../methods/centered.js'
import type { Fitter, Sample } from './fitter.js'
import { fitMean } from './mean.js'
import { chosenBits } from './options.js'

export interface BinaryOptions {
  bits?: number
  /** rows are taken off their mean and rotated first; default false */
  rotate?: boolean
  /** whose bytes, as sentence-transformers names them: packed bits, or those less 128 as int8; default 'ubinary' */
  compat?: BinaryCompat
}

/**
 * The signs of coordinates: 1 where above 0. The score is the share of signs that agree less the share that differ, (d
 * - 2 Hamming) / d. For l2 it is minus the squared distance of the signs themselves, -4 Hamming / d.
 *
 * Method: bits as numpy.packbits has them, the first coordinate highest.
 */
export const binary: Fitter<BinaryOptions> = {
  method: 'binary',
  options: ['rotate', 'compat'],
  bits: [1],
  fit: (engine, sample, options) => {
    chosenBits('binary', options.bits, [1], 1)
    const rotate = checkBoolean('fitCodec', 'rotate', options.rotate ?? false)
    const compat = checkChoice('fitCodec', 'compat', options.compat ?? 'ubinary', BINARY_COMPATS)
    const { dimensions, metric, seed } = sample
    const centroid = rotate ? fitMean(engine, sample) : undefined
    const level = levelOf(engine, sample, centroid)
    return signQuantizer({ dimensions, metric, seed, compat, level, centroid })
  }
}

/** The mean magnitude of a coordinate: the level that signs stand for with the least squared error. */
function levelOf(engine: Engine, sample: Sample, centroid: Float32Array | undefined): number {
  const { rows, count, dimensions, metric, seed } = sample
  const all = count * dimensions
  if (all === 0) return 0
  if (!centroid) return engine.kernels.magnitudesF32(rows, all) / all
  return frame(engine, () => {
    let sum = 0
    loadCentered(engine, centroid, metric, seed, true).residuals(rows, count, (z, _first, part) => {
      for (let i = 0; i < part; i++) sum += engine.kernels.magnitudesF32(z + 4 * dimensions * i, dimensions)
    })
    return sum / all
  })
}
