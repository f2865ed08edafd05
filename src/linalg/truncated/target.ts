/** How many singular values are kept: so many, or the fewest that do. */
export interface Target {
  readonly rank?: number
  readonly energy?: number
  readonly maxRelativeError?: number
}

/** lost[r] = share of the sum of `squares`, descending, beyond the first r, summed from the small end; what rounding left below 0 counts as 0. */
export function lostShares(squares: ArrayLike<number>): Float64Array {
  const tails = new Float64Array(squares.length + 1)
  for (let r = squares.length - 1; r >= 0; r--) tails[r] = tails[r + 1]! + Math.max(squares[r]!, 0)
  const total = tails[0]!
  return tails.map((tail) => (total > 0 ? tail / total : 0))
}

/** Whether losing such a share of the squares meets the target. */
export function meets({ energy, maxRelativeError }: Target, lost: number): boolean {
  if (energy !== undefined) return 1 - lost >= energy
  return lost <= maxRelativeError! * maxRelativeError!
}

/** The least rank, at least 1, that meets the target; undefined where none of `lost` does. */
export function leastRank(target: Target, lost: Float64Array): number | undefined {
  if (target.rank !== undefined) return target.rank
  const rank = lost.findIndex((rest, r) => r > 0 && meets(target, rest))
  return rank < 0 ? undefined : rank
}
