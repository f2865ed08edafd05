import type { Found } from './find.js'
import type { Shortlist } from './shortlist.js'

/** Bounds are looked at anew after so many of k. */
const STEP = 4

/**
 * The shortlist of one query on its way to its results. Where rows have an upper bound of their score, they are scored
 * by falling bound. It ends when none that is left can come among the first k.
 */
export class Ranking {
  private order: Uint32Array<ArrayBuffer> = new Uint32Array(0)
  private uppers: Float32Array<ArrayBuffer> | undefined
  /** the scores of all that have been scored again */
  private readonly known = new Map<number, number>()
  /** the best so far, k at most: score falling, then id rising */
  private best: { id: number; score: number }[] = []
  private next = 0

  constructor(
    shortlist: Shortlist,
    private readonly k: number,
    /** whether to want more at a time the more there have been: where every time is one to wait for */
    private readonly inRounds = false
  ) {
    this.extend(shortlist)
  }

  /** how many have been scored again */
  get rescored(): number {
    return this.known.size
  }

  /** Takes another shortlist; rows that have been scored before are left out. */
  extend({ found: { ids }, uppers }: Shortlist): void {
    const places = Array.from(ids.keys()).filter((i) => !this.known.has(ids[i]!))
    if (uppers) {
      places.sort((a, b) => uppers[b]! - uppers[a]! || ids[a]! - ids[b]!)
      this.uppers = Float32Array.from(places, (i) => uppers[i]!)
    }
    this.order = Uint32Array.from(places, (i) => ids[i]!)
    this.next = 0
  }

  /** The ids to be scored next; none when it is done. */
  wanted(): Uint32Array<ArrayBuffer> {
    const { order, uppers, next, k, best } = this
    const step = Math.max(Math.ceil(k / STEP), this.inRounds ? Math.ceil(this.known.size / 2) : 0)
    if (!uppers) return order.subarray(next)
    if (best.length < k) return order.subarray(next, next + k)
    return uppers[next]! < best[k - 1]!.score ? order.subarray(0, 0) : order.subarray(next, next + step)
  }

  /**
   * Whether no row beyond the shortlist can come among the first k: their bounds are at most the last one's.
   */
  get settled(): boolean {
    const { uppers, best, k } = this
    return best.length === k && uppers!.length > 0 && uppers!.at(-1)! < best[k - 1]!.score
  }

  /** Takes the scores of those that were wanted. */
  take(ids: Uint32Array, scores: ArrayLike<number>): void {
    ids.forEach((id, i) => {
      this.known.set(id, scores[i]!)
      this.best.push({ id, score: scores[i]! })
    })
    this.next += ids.length
    this.rank()
  }

  /** Leaves out the rows that are gone, as if they had never been found. */
  forget(isGone: (id: number) => boolean): void {
    for (const id of this.known.keys()) if (isGone(id)) this.known.delete(id)
    this.best = Array.from(this.known, ([id, score]) => ({ id, score }))
    this.rank()
  }

  private rank(): void {
    this.best.sort((a, b) => b.score - a.score || a.id - b.id)
    this.best.length = Math.min(this.best.length, this.k)
  }

  result(): Found {
    return {
      ids: Uint32Array.from(this.best, ({ id }) => id),
      scores: Float32Array.from(this.best, ({ score }) => score)
    }
  }
}
