/** lost[r] = share of the sum of squares beyond the first r singular values; summed from the small end. */
export function lostShares(s: Float64Array): Float64Array {
  const scale = s[0]! || 1
  const tails = new Float64Array(s.length + 1)
  for (let r = s.length - 1; r >= 0; r--) {
    const share = s[r]! / scale
    tails[r] = tails[r + 1]! + share * share
  }
  return tails.map((tail) => (tails[0] ? tail / tails[0] : 0))
}

/** The least rank, at least 1, beyond which so little is lost that it is enough. */
export function leastRank(lost: Float64Array, enough: (rest: number) => boolean): number {
  return lost.findIndex((rest, r) => r > 0 && enough(rest))
}
