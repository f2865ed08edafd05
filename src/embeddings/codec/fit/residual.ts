import { checkInteger } from '../../../core/check.js'
import type { Pointer } from '../../../core/memory.js'
import { sizeOf } from '../../../core/tensor.js'
import { frame, type Engine } from '../../engine.js'
import {
  CODEWORDS,
  LENGTH_BYTES,
  MOST_BEAM,
  MOST_STAGES,
  residualLayout,
  residualSplit,
  type ResidualShape
} from '../methods/residualTables.js'
import { putFloats } from '../methods/contents.js'
import { residualQuantizer } from '../methods/residual.js'
import { loadCentroids, nearest } from '../nearest.js'
import type { Tables } from '../quantizer.js'
import { fitCodebooks, refineCodebooks } from './codebooks.js'
import type { Fitter, Sample } from './fitter.js'
import { kmeans } from './kmeans.js'
import { fitMean } from './mean.js'
import { checkCentroids } from './options.js'

export interface ResidualOptions {
  bits?: number
  /** bytes of codes, each a codeword of all dimensions; default 4 */
  stages?: number
  /**
   * bytes of codes of what the stages leave, each a centroid of its own part of the dimensions; default one for 8
   * dimensions; 0: none
   */
  subspaces?: number
  /** candidates that encoding keeps of each row from stage to stage, 1 to 64: slower, and nearer; default 1 */
  beam?: number
}

const STAGES = 4
/** Of the bytes that are asked for, at most so many are stages where there can be sub-spaces. */
const USUAL_STAGES = 8
const ITERATIONS = 10
const PART_ITERATIONS = 15
/** Rows that are fitted to at most. */
const MOST_ROWS = 32768

/**
 * Residual quantisation: a row as a sum of codewords, one of each stage, and of product codes of what they all leave.
 * A stage is fitted to what the stages before it have left.
 *
 * Method: Y. Chen, T. Guan and C. Wang, Sensors 10, 2010; encoded by a beam search (A. Babenko and V. Lempitsky, CVPR
 * 2014). The last two bytes of a row are the squared length of its sum, which cosine and l2 need; for dot there are
 * none. For l2 rows are taken off their mean first, so that these lengths are short.
 */
export const residual: Fitter<ResidualOptions> = {
  method: 'residual',
  options: ['stages', 'subspaces', 'beam'],
  bits: [8],
  usual: 8,
  choices: ({ metric, dimensions }, options) => {
    const { stages, subspaces } = options
    if (stages !== undefined) checkInteger('fitCodec', 'stages', stages, 1, MOST_STAGES)
    if (subspaces !== undefined) checkInteger('fitCodec', 'subspaces', subspaces, 0, dimensions)
    const choice = (s: number, m: number): { options: ResidualOptions; bytes: number } => ({
      options: { ...options, bits: 8, stages: s, subspaces: m },
      bytes: residualLayout({ metric, stages: s, subspaces: m }).codeBytes
    })
    const least = (stages ?? 1) + (subspaces ?? 0)
    const most = (stages ?? (subspaces === undefined ? USUAL_STAGES : MOST_STAGES)) + (subspaces ?? dimensions)
    const choices = []
    for (let codes = most; codes >= least; codes--) {
      const s = stages ?? (subspaces === undefined ? Math.min(codes, USUAL_STAGES) : codes - subspaces)
      choices.push(choice(s, codes - s))
    }
    return choices
  },
  fit: (engine, sample, options) => {
    const { dimensions: d, metric } = sample
    const stages = checkInteger('fitCodec', 'stages', options.stages ?? STAGES, 1, MOST_STAGES)
    const subspaces = checkInteger('fitCodec', 'subspaces', options.subspaces ?? Math.ceil(d / 8), 0, d)
    const beam = checkInteger('fitCodec', 'beam', options.beam ?? 1, 1, MOST_BEAM)
    checkCentroids(sample.count, CODEWORDS, 'give more rows')
    const shape = { d, metric, stages, subspaces, beam }
    return residualQuantizer(shape, fitTables(engine, sample, shape))
  }
}

/**
 * mean: (d), for l2 alone; codewords: (stages, 256, d), k-means of what the stages before have left of the rows;
 * codebooks: of the parts of what all have left; squares: (2, 256), what the bytes of a squared length stand for.
 */
function fitTables(engine: Engine, sample: Sample, shape: ResidualShape): Tables {
  const { rows, count, metric } = sample
  const { d, stages, subspaces } = shape
  const mean = metric === 'l2' ? fitMean(engine, sample) : undefined
  return frame(engine, (memory, kernels) => {
    const few = Math.min(count, MOST_ROWS)
    const left = memory.alloc(4 * few * d)
    const sourceOf = (r: number): Pointer => rows + 4 * d * Math.floor((r * count) / few)
    for (let r = 0; r < few; r++) memory.f32(left + 4 * d * r, d).set(memory.f32(sourceOf(r), d))
    if (mean) kernels.shiftRowsF32(left, left, putFloats(memory, mean), few, d, -1)
    const codewords = fitStages(engine, left, few, shape, sample.seed)
    const codebooks = memory.alloc(4 * CODEWORDS * d)
    const rebuilt = memory.alloc(4 * few * d)
    memory.f32(rebuilt, few * d).fill(0)
    if (subspaces > 0) {
      const how = { seed: sample.seed, iterations: PART_ITERATIONS }
      fitCodebooks(engine, codebooks, left, few, residualSplit(shape), how)
      refineCodebooks(engine, rebuilt, codebooks, left, few, residualSplit(shape))
    }
    // What codes stand for, in the place of what was left.
    for (let r = 0; r < few; r++) {
      const row = memory.f32(sourceOf(r), d)
      const rest = memory.f32(left + 4 * d * r, d)
      const parts = memory.f32(rebuilt + 4 * d * r, d)
      for (let j = 0; j < d; j++) rest[j] = row[j]! - (mean ? mean[j]! : 0) - rest[j]! + parts[j]!
    }
    const copy = (pointer: Pointer, ...shape: number[]): Tables[string] => ({
      data: memory.f32(pointer, sizeOf(shape)).slice(),
      shape
    })
    return {
      ...(mean && { mean: { data: mean, shape: [d] } }),
      codewords: copy(codewords, stages, CODEWORDS, d),
      ...(subspaces > 0 && { codebooks: copy(codebooks, CODEWORDS * d) }),
      squares: { data: fitSquares(engine, left, few, d), shape: [LENGTH_BYTES, CODEWORDS] }
    }
  })
}

/** Codewords f32 (stages, 256, d), in the frame that is open. `left` becomes what all stages leave of the rows. */
function fitStages(engine: Engine, left: Pointer, count: number, { d, stages }: ResidualShape, seed: number): Pointer {
  const { memory, kernels } = engine
  const codewords = memory.alloc(4 * stages * CODEWORDS * d)
  const numbers = memory.alloc(2 * count)
  for (let stage = 0; stage < stages; stage++) {
    const to = codewords + 4 * stage * CODEWORDS * d
    kmeans(engine, to, left, count, d, CODEWORDS, { seed, iterations: ITERATIONS, stream: stage })
    frame(engine, () => nearest(engine, numbers, left, count, loadCentroids(engine, to, CODEWORDS, d)))
    kernels.subtractByNumberF32(left, count, d, numbers, to)
  }
  return codewords
}

/** What the two bytes of a squared length stand for: up to twice the greatest of the rows. */
function fitSquares(engine: Engine, rows: Pointer, count: number, d: number): Float32Array<ArrayBuffer> {
  return frame(engine, (memory, kernels) => {
    const lengths = memory.alloc(4 * count)
    kernels.rowSquaresF32(lengths, rows, count, d)
    const unit = memory.f32(lengths, count).reduce((most, x) => Math.max(most, x), 0) / 32768
    return Float32Array.from(
      { length: LENGTH_BYTES * CODEWORDS },
      (_, i) => unit * (i < CODEWORDS ? CODEWORDS * i : i - CODEWORDS)
    )
  })
}
