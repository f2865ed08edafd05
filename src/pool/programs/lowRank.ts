import { lowRank } from '../../lowRank/lowRank.js'
import { lowRankPlan } from '../../lowRank/plan.js'
import { reconstruct } from '../../lowRank/reconstruct.js'
import type { Program } from '../plan.js'
import { runWhole, type WholeChunk } from '../plans/whole.js'

/** The program of low rank, by the name that plans ask for. */
export const programs: Readonly<Record<string, Program>> = {
  wholeLowRank: (chunk: WholeChunk) => runWhole({ lowRank, lowRankPlan, reconstruct }, chunk)
}
