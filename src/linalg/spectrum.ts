/** lost[r] = share of the sum of squares beyond the first r singular values; summed from the small end. */
export function lostShares(s: Float64Array): Float64Array {
  const scale = s[0]! || 1
  return lostSquares(s.map((value) => (value / scale) * (value / scale)))
}

/**
 * lost[r] = share of the sum of `squares`, descending, beyond the first r, summed from the small end; what rounding
 * left below 0 counts as 0.
 */
export function lostSquares(squares: ArrayLike<number>): Float64Array {
  const tails = new Float64Array(squares.length + 1)
  for (let r = squares.length - 1; r >= 0; r--) tails[r] = tails[r + 1]! + Math.max(squares[r]!, 0)
  const total = tails[0]!
  return tails.map((tail) => (total > 0 ? tail / total : 0))
}

/** The least rank, at least 1, beyond which so little is lost that it is enough. */
export function leastRank(lost: Float64Array, enough: (rest: number) => boolean): number {
  return lost.findIndex((rest, r) => r > 0 && enough(rest))
}
