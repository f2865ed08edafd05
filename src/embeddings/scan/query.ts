import type { Pointer } from '../../core/memory.js'

/**
 * A query as its scan takes it: score = (step raw + base) scale + bias + third multiplier + terms[centroid] + constant.
 * The scan sums raw over the codes. Where it sums floats, step and base are 1 and 0.
 */
export interface Query {
  /** tables u8 [nibbles][16] | i16 pairs | packed bits | f32 tables | f32 row, by the layout's scan */
  readonly data: Pointer
  readonly step: number
  readonly base: number
  /** of the third factor, where it is an offset */
  readonly multiplier: number
  /** of the third factor, where it is an error: their product is half the width of the score's bound */
  readonly bound: number
  readonly constant: number
  /** f32 for each centroid; 0: none */
  readonly terms: Pointer
  /** 'tables': four entries sum to at most 255, and sums are exact; else they are averaged */
  readonly exact: boolean
  /** 'tables' and 'bytes': makes finer ones in the frame that is open, for scoreFinely */
  readonly fine?: (() => FineTables) | undefined
  /** 'bytes': coordinates are of such different sizes that the scan is coarser than the codes */
  readonly uneven?: boolean | undefined
  /** 'half' and 'float': minus the squared distance is summed, not the product */
  readonly squared?: boolean | undefined
  /**
   * 'lookup': tables hold pairs, f32 [bytes][256][2]. Raw is the first sum over the root of the second, which is the
   * product with rows of unit length.
   */
  readonly unit?: boolean | undefined
}

/** Tables of 4096 steps, in two digits. Their sums times `factor` plus `offset` are those of the query's own tables. */
export interface FineTables {
  readonly high: Pointer
  readonly low: Pointer
  readonly factor: number
  readonly offset: number
}

/** What the builders in scan.ts make. The quantizer adds multiplier, bound, constant and terms. */
export type QueryData = Pick<Query, 'data' | 'step' | 'base' | 'exact' | 'fine' | 'uneven' | 'squared'>
