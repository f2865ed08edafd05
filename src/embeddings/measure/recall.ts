import type { Neighbours } from './neighbours.js'

/** Of each query, the share of its true neighbours among the first `within` that were found: rows of `width`. */
export function sharesFound(
  truth: Neighbours,
  found: Uint32Array,
  width: number,
  within: number
): Float64Array<ArrayBuffer> {
  const queries = truth.ids.length / truth.width
  const shares = new Float64Array(queries)
  for (let q = 0; q < queries; q++) {
    const wanted = new Set(truth.ids.subarray(q * truth.width, (q + 1) * truth.width))
    let hits = 0
    const start = q * width
    for (let i = start; i < start + Math.min(width, within); i++) if (wanted.has(found[i]!)) hits++
    shares[q] = hits / truth.width
  }
  return shares
}

export function meanShare(shares: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < shares.length; i++) sum += shares[i]!
  return sum / shares.length
}
