import { leastRank } from '../spectrum.js'

/** How many singular values are kept: so many, or the fewest that do. */
export interface Target {
  readonly rank?: number
  readonly energy?: number
  readonly maxRelativeError?: number
}

/** Whether losing such a share of the squares meets the target. */
export function meets({ energy, maxRelativeError }: Target, lost: number): boolean {
  if (energy !== undefined) return 1 - lost >= energy
  return lost <= maxRelativeError! * maxRelativeError!
}

/** The least rank, at least 1, that meets the target. */
export function rankFor(target: Target, lost: Float64Array): number {
  return target.rank ?? leastRank(lost, (rest) => meets(target, rest))
}
