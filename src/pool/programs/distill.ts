import { crossEntropy, distillationLoss, klDivergence } from '../../distill/losses.js'
import { logSoftmax, softmax } from '../../distill/softmax.js'
import type { Program } from '../plan.js'
import { lossProgram, softmaxProgram } from '../plans/distill.js'
import { runWhole, type WholeChunk } from '../plans/whole.js'

/** The programs of the losses, by the names that plans ask for. */
export const programs: Readonly<Record<string, Program>> = {
  loss: lossProgram,
  softmax: softmaxProgram,
  wholeDistill: (chunk: WholeChunk) =>
    runWhole({ crossEntropy, distillationLoss, klDivergence, logSoftmax, softmax }, chunk)
}
