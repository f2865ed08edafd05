import { applyMask } from '../../prune/applyMask.js'
import { prune } from '../../prune/prune.js'
import type { Program } from '../plan.js'
import { applyBitsProgram, keepPatternProgram, removeSmallestProgram } from '../plans/prune.js'
import { runWhole, type WholeChunk } from '../plans/whole.js'

/** The programs of pruning, by the names that plans ask for. */
export const programs: Readonly<Record<string, Program>> = {
  applyBits: applyBitsProgram,
  keepPattern: keepPatternProgram,
  removeSmallest: removeSmallestProgram,
  wholePrune: (chunk: WholeChunk) => runWhole({ applyMask, prune }, chunk)
}
