import { checkInteger } from '../../../core/check.js'
import { frame } from '../../engine.js'
import { codeBytesOf } from '../../scan/layout.js'
import type { Split } from '../codebooks.js'
import { pqQuantizer } from '../methods/pq.js'
import { fitCodebooks } from './codebooks.js'
import type { Fitter, SampleShape } from './fitter.js'
import { checkCentroids } from './options.js'

export interface PqOptions {
  /** of a sub-space's number: 4 or 8; default 8 */
  bits?: number
  /** default: one for 8 dimensions at 8 bits, for 4 at 4 bits */
  subspaces?: number
}

/** Rounds of k-means for each sub-space. */
const ITERATIONS = 25

/**
 * Product quantisation: each part of a row as the number of its nearest centroid.
 *
 * Method: H. Jegou, M. Douze and C. Schmid, IEEE Trans. Pattern Anal. Mach. Intell. 33, 2011. Scores come from tables
 * of the query (asymmetric distances).
 */
export const pq: Fitter<PqOptions> = {
  method: 'pq',
  options: ['subspaces'],
  bits: [8, 4],
  usual: 8,
  choices: splitChoices,
  fit: (engine, sample, options) => {
    const split = readSplit(sample, options)
    const data = frame(engine, (memory) => {
      const length = 2 ** split.bits * split.dimensions
      const centroids = memory.alloc(4 * length)
      fitCodebooks(engine, centroids, sample.rows, sample.count, split, { seed: sample.seed, iterations: ITERATIONS })
      return memory.f32(centroids, length).slice()
    })
    return pqQuantizer(sample.metric, split, { codebooks: { data, shape: [data.length] } })
  }
}

/** The rows that splits can make, for `bytes` to choose from. */
export function splitChoices(
  { dimensions }: SampleShape,
  { bits, subspaces }: PqOptions
): { options: PqOptions; bytes: number }[] {
  if (subspaces !== undefined) checkInteger('fitCodec', 'subspaces', subspaces, 1, dimensions)
  const choices = []
  for (const b of bits === undefined ? [8, 4] : [bits]) {
    const [least, most] = subspaces === undefined ? [1, dimensions] : [subspaces, subspaces]
    for (let m = most; m >= least; m--) {
      choices.push({ options: { bits: b, subspaces: m }, bytes: codeBytesOf(b, m) })
    }
  }
  return choices
}

/** Checks what a method that cuts rows into sub-spaces is asked. */
export function readSplit({ dimensions, count }: SampleShape, options: PqOptions): Split {
  const bits = (options.bits ?? 8) as 4 | 8
  const usual = Math.ceil(dimensions / bits)
  const subspaces = checkInteger('fitCodec', 'subspaces', options.subspaces ?? usual, 1, dimensions)
  checkCentroids(count, 2 ** bits, bits === 8 ? 'give more rows, or 4 bits' : 'give more rows')
  return { dimensions, subspaces, bits }
}
