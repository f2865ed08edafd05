import { dequantize } from '../../quantize/dequantize.js'
import { fakeQuantize } from '../../quantize/fakeQuantize.js'
import { quantize } from '../../quantize/quantize.js'
import type { Program } from '../plan.js'
import {
  decodeHalfProgram,
  decodeProgram,
  encodeHalfProgram,
  encodeProgram,
  fakeHalfProgram,
  fakeProgram
} from '../plans/quantize.js'
import { runWhole, type WholeChunk } from '../plans/whole.js'

/** The programs of quantising, by the names that plans ask for. */
export const programs: Readonly<Record<string, Program>> = {
  decode: decodeProgram,
  decodeHalf: decodeHalfProgram,
  encode: encodeProgram,
  encodeHalf: encodeHalfProgram,
  fake: fakeProgram,
  fakeHalf: fakeHalfProgram,
  wholeQuantize: (chunk: WholeChunk) => runWhole({ dequantize, fakeQuantize, quantize }, chunk)
}
