/** Kernels of many arguments, by named fields. Flags are booleans here and 0 or 1 in the kernels. */
import type { Engine } from '../engine.js'
import type { Pointer } from '../../core/memory.js'

const flag = (value: boolean): 0 | 1 => (value ? 1 : 0)

/** Rows of codes of one method. */
export interface CodeRows {
  readonly codes: Pointer
  readonly count: number
  readonly dimensions: number
  readonly bits: number
  /** bytes from one row to the next */
  readonly stride: number
}

export interface NearestCall {
  /** u8 or, where `wide`, u16: the numbers that are found */
  readonly numbers: Pointer
  /** bytes from one number to the next */
  readonly step: number
  readonly wide: boolean
  /** f32 (count, stride), of which the first `dimensions` of a row take part */
  readonly rows: Pointer
  readonly count: number
  readonly stride: number
  readonly dimensions: number
  readonly panels: Pointer
  readonly halves: Pointer
  readonly shift: Pointer
  readonly k: number
  readonly work: Pointer
}

/** Returns how many numbers are other than before. */
export function findNearest({ kernels }: Engine, call: NearestCall): number {
  const { numbers, step, wide, rows, count, stride, dimensions, panels, halves, shift, k, work } = call
  return kernels.nearestF32(numbers, step, flag(wide), rows, count, stride, dimensions, panels, halves, shift, k, work)
}

export interface LookUpCall {
  /** f32 (count, stride), of which `width` numbers a row are written */
  readonly rows: Pointer
  readonly stride: number
  readonly codes: Pointer
  /** bytes from one row's code to the next */
  readonly step: number
  readonly count: number
  readonly width: number
  /** f32 (mask + 1, width) */
  readonly words: Pointer
  /** a code is (byte >> shift) & mask */
  readonly shift: number
  readonly mask: number
  /** to what is there */
  readonly add: boolean
}

export function lookUpRows({ kernels }: Engine, call: LookUpCall): void {
  const { rows, stride, codes, step, count, width, words, shift, mask, add } = call
  kernels.lookUpRowsF32(rows, stride, codes, step, count, width, words, shift, mask, flag(add))
}

export interface UniformCall extends CodeRows {
  readonly rows: Pointer
  readonly codeBytes: number
  /** what a row's first factor is multiplied with to get its scale */
  readonly factor: number
  /** the code that is zero, or (`third`) a row's third factor is what zero stands for */
  readonly zero: number
  readonly third: boolean
  /** u8 [dimensions] */
  readonly scratch: Pointer
}

export function decodeUniform({ kernels }: Engine, call: UniformCall): void {
  const { rows, codes, count, dimensions, bits, stride, codeBytes, factor, zero, third, scratch } = call
  kernels.decodeUniform(rows, codes, count, dimensions, bits, stride, codeBytes, factor, zero, flag(third), scratch)
}

export interface ResidualsCall extends CodeRows {
  /** f32 (count, dimensions) */
  readonly residuals: Pointer
  /** f32 [dimensions], rotated as the residuals are */
  readonly centroid: Pointer
  readonly codeBytes: number
  readonly l2: boolean
  readonly scratch: Pointer
}

export function encodeOsq({ kernels }: Engine, call: ResidualsCall & { readonly spread: number }): void {
  const { codes, residuals, centroid, count, dimensions, bits, stride, codeBytes, l2, spread, scratch } = call
  kernels.encodeOsq(codes, residuals, centroid, count, dimensions, bits, stride, codeBytes, flag(l2), spread, scratch)
}

export interface RabitqCall extends ResidualsCall {
  /** keeps the bound of the error as the third factor */
  readonly bound: boolean
  /** the best of all scales, not of twelve */
  readonly exact: boolean
  /** the scale to begin with, for residuals of unit length */
  readonly guess: number
}

export function encodeRabitq({ kernels }: Engine, call: RabitqCall): void {
  const { codes, residuals, centroid, count, dimensions, bits, stride, codeBytes, l2, bound, exact } = call
  kernels.encodeRabitq(
    codes,
    residuals,
    centroid,
    count,
    dimensions,
    bits,
    stride,
    codeBytes,
    flag(l2),
    flag(bound),
    flag(exact),
    call.guess,
    call.scratch
  )
}

export interface AffineCall {
  readonly codes: Pointer
  readonly rows: Pointer
  readonly starts: Pointer
  readonly steps: Pointer
  readonly offsets: Pointer
  readonly centroid: Pointer
  readonly count: number
  readonly dimensions: number
  readonly stride: number
  /** 0: to the nearest, 1: down, 2: towards zero of what is left after 128 is taken off */
  readonly rounding: number
  readonly l2: boolean
  /** what bytes are xored with */
  readonly flip: number
}

export function encodeAffine({ kernels }: Engine, call: AffineCall): void {
  const { codes, rows, starts, steps, offsets, centroid, count, dimensions, stride, rounding, l2, flip } = call
  kernels.encodeAffine(
    codes,
    rows,
    starts,
    steps,
    offsets,
    centroid,
    count,
    dimensions,
    stride,
    rounding,
    flag(l2),
    flip
  )
}

/** What the kernels of turbo take of a quantizer in an engine. */
export interface TurboTables {
  readonly dimensions: number
  readonly bits: number
  /** bytes of a row */
  readonly stride: number
  readonly l2: boolean
  /** f32 (k, dimensions) */
  readonly centroids: Pointer
  /** f32 (k, dimensions, filled up to whole vectors): the centroids, rotated */
  readonly rotated: Pointer
  /** of the rotation, and elements of its transform */
  readonly signs: Pointer
  readonly block: number
  /** f32 (2, dimensions, filled up): factors and shifts; 0: none */
  readonly calibration: Pointer
  /** thresholds and levels (methods/lloydMax.ts) */
  readonly levels: Pointer
  /** of the grid of 8 bits */
  readonly gridStep: number
}

export interface TurboCall {
  readonly codes: Pointer
  readonly rows: Pointer
  readonly count: number
}

/** work: turboWork(dimensions) bytes */
export function encodeTurbo(
  { kernels }: Engine,
  { codes, rows, count }: TurboCall,
  tables: TurboTables,
  work: Pointer
): void {
  const { dimensions, bits, stride, l2, centroids, rotated, signs, block, calibration, levels, gridStep } = tables
  kernels.encodeTurbo(
    codes,
    rows,
    centroids,
    rotated,
    signs,
    calibration,
    levels,
    count,
    dimensions,
    block,
    bits,
    stride,
    flag(l2),
    gridStep,
    work
  )
}

/** shrink: what a row's scale is multiplied with for the least squared error */
export function decodeTurbo(
  { kernels }: Engine,
  { codes, rows, count }: TurboCall,
  tables: TurboTables,
  shrink: number
): void {
  const { dimensions, bits, stride, centroids, signs, block, calibration, levels, gridStep } = tables
  kernels.decodeTurbo(
    rows,
    codes,
    centroids,
    signs,
    calibration,
    levels,
    count,
    dimensions,
    block,
    bits,
    stride,
    gridStep,
    shrink
  )
}

/** Candidates of a beam search, between two of its stages. */
export interface Candidates {
  /** f32 (rows, candidates, dimensions): what is left of the rows */
  readonly left: Pointer
  /** u8 (rows, candidates, stages) */
  readonly codes: Pointer
  /** f32 (rows, candidates) */
  readonly costs: Pointer
}

export interface BeamCall {
  readonly after: Candidates
  readonly before: Candidates
  /** f32 (rows parents, 256): products of what is left with the stage's codewords */
  readonly products: Pointer
  /** f32 [256]: minus half the squares of the codewords */
  readonly halves: Pointer
  /** f32 (256, dimensions) */
  readonly codewords: Pointer
  readonly rows: number
  /** candidates of a row before, and after */
  readonly parents: number
  readonly beam: number
  readonly dimensions: number
  readonly stage: number
  readonly stages: number
  /** f32 [beam], scratch */
  readonly kept: Pointer
}

export function beamStep({ kernels }: Engine, call: BeamCall): void {
  const { after, before, products, halves, codewords, rows, parents, beam, dimensions, stage, stages, kept } = call
  kernels.beamStepF32(
    after.codes,
    after.left,
    after.costs,
    before.codes,
    before.left,
    before.costs,
    products,
    halves,
    codewords,
    rows,
    parents,
    beam,
    dimensions,
    stage,
    stages,
    kept
  )
}
