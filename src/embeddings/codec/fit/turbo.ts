import { checkBoolean, checkInteger } from '../../../core/check.js'
import { rangeError } from '../../../core/errors.js'
import { rowBytes } from '../../scan/layout.js'
import { TURBO_BITS, turboLayout, turboQuantizer } from '../methods/turbo.js'
import { fitCalibration } from './calibration.js'
import { fitCentroids } from './centroids.js'
import type { Fitter, SampleShape } from './fitter.js'

export interface TurboOptions {
  /**
   * k-means centroids that rows are centered on, 1 (their mean) to 65536; default by the number of rows: the most of 1,
   * 16, 64, 256, 1024 that have 64 rows each, 1 below 1024 rows
   */
  centroids?: number
  /** shift and scale every rotated coordinate so that it fills the levels; default false */
  calibrate?: boolean
}

type Options = TurboOptions & { bits: number }

const MOST_CENTROIDS = 65536
/** Rows of the table for each of the centroids, and numbers of them, by default. */
const ROWS_EACH = 64
const USUAL = [1024, 256, 64, 16]

/**
 * Rotation, levels of Lloyd and Max, and one scale a row that keeps inner products right. Rows are centered on their
 * mean or on k-means centroids, whose share of a score the query knows.
 */
export const turbo: Fitter<Options> = {
  method: 'turbo',
  options: ['centroids', 'calibrate'],
  bits: TURBO_BITS,
  choices: (shape, options) => [
    { options, bytes: rowBytes(turboLayout(shape.dimensions, options.bits, centroidCount(shape, options))) }
  ],
  fit(engine, sample, options) {
    const { bits, calibrate = false } = options
    checkBoolean('fitCodec', 'calibrate', calibrate)
    const { dimensions, metric, seed } = sample
    const centroids = fitCentroids(engine, sample, centroidCount(sample, options))
    const plain = turboQuantizer(dimensions, metric, { bits, seed, centroids })
    if (!calibrate) return plain
    return turboQuantizer(dimensions, metric, {
      bits,
      seed,
      centroids,
      calibration: fitCalibration(engine, sample, centroids, bits)
    })
  }
}

function centroidCount({ count: rows, total }: SampleShape, { centroids }: Options): number {
  if (centroids === undefined) {
    const few = Math.min(rows, total)
    return USUAL.find((k) => few >= Math.max(1024, k * ROWS_EACH)) ?? 1
  }
  checkInteger('fitCodec', 'centroids', centroids, 1, MOST_CENTROIDS)
  if (centroids > rows) {
    throw rangeError(
      `fitCodec: "centroids" expected at most ${rows}, the rows there are to fit on, got ${centroids}; add rows, or ask for fewer`
    )
  }
  return centroids
}
