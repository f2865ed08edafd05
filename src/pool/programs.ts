import type { Program } from './plan.js'
import { lossProgram, softmaxProgram } from './plans/distill.js'
import { compareTilesProgram, gramProgram, svdProgram } from './plans/linalg.js'
import { matmulProgram } from './plans/matmul.js'
import { applyBitsProgram, keepPatternProgram, removeSmallestProgram } from './plans/prune.js'
import {
  decodeHalfProgram,
  decodeProgram,
  encodeHalfProgram,
  encodeProgram,
  fakeHalfProgram,
  fakeProgram
} from './plans/quantize.js'
import { wholeProgram } from './plans/whole.js'

/** What plans ask for by name. */
export const programs: Readonly<Record<string, Program>> = {
  applyBits: applyBitsProgram,
  compareTiles: compareTilesProgram,
  decode: decodeProgram,
  decodeHalf: decodeHalfProgram,
  encode: encodeProgram,
  encodeHalf: encodeHalfProgram,
  fake: fakeProgram,
  fakeHalf: fakeHalfProgram,
  gram: gramProgram,
  keepPattern: keepPatternProgram,
  loss: lossProgram,
  matmul: matmulProgram,
  removeSmallest: removeSmallestProgram,
  softmax: softmaxProgram,
  svd: svdProgram,
  whole: wholeProgram
}
