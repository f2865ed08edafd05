import { defaultEngine, frame, type Kernels } from './engine.js'
import type { Memory } from '../core/memory.js'
import { elementAt, loadF32, nonFiniteError, type Source } from '../core/tensor.js'
import { eachRun, TILE } from '../core/tiles.js'

/** Entries that the bracket may leave over: 4 MiB. */
const ROOM = 1 << 20
const SAMPLE = 1 << 16
const BINS = 2048
/** The bracket reaches this many standard deviations of the sample's rank to either side. */
const DEVIATIONS = 4
const LARGEST = 0x7fffffff

/** Where the cut lies: remove |x| < threshold (as an f32 pattern), and of those equal to it the next `ties`. */
export interface Cut {
  threshold: number
  ties: number
}

/**
 * The cut that removes exactly `count` (1 .. total) elements of least magnitude from several tensors taken together.
 *
 * A sample brackets the threshold, one pass collects what lies within, and a radix select finds it exactly. Where the
 * bracket misses, or holds too much (many equal values), three counting passes over the data settle it. Nothing depends
 * on the sample but the time.
 *
 * @throws RangeError for NaN or Infinity, with the first index
 */
export function selectCut(memory: Memory, kernels: Kernels, sources: readonly Source[], count: number): Cut {
  const total = sources.reduce((sum, { size }) => sum + size, 0)
  const rank = count - 1
  const values = memory.alloc(4 * TILE)
  const counts = memory.alloc(64)
  const histogram = memory.alloc(4 * BINS)
  // The kernel may write fifteen more than it was told.
  const found = memory.alloc(4 * (Math.min(ROOM, Math.max(total, SAMPLE)) + 16))
  const select = (length: number, k: number): number => kernels.selectMagnitude(counts, found, length, k, histogram)

  let low = 0
  let high = LARGEST
  if (total > ROOM) {
    sample(memory.f32(found, SAMPLE), sources, total)
    const share = rank / total
    const middle = share * SAMPLE
    const spread = DEVIATIONS * kernels.sqrtF64(SAMPLE * share * (1 - share)) + 8
    // A threshold among the sample's extremes may lie beyond them.
    if (middle - spread > 0) low = select(SAMPLE, Math.floor(middle - spread))
    if (middle + spread < SAMPLE - 1) high = select(SAMPLE, Math.ceil(middle + spread))
  }

  let below = 0
  let within = 0
  eachTile(memory, kernels, values, sources, (length, source) => {
    const room = Math.max(0, ROOM - within)
    kernels.bracketMagnitudes(found + 4 * Math.min(within, ROOM), counts, values, length, low, high, room)
    const [under, hits, bad] = memory.i32(counts, 3)
    if (bad) throw nonFiniteError(source)
    below += under!
    within += hits!
  })
  if (within <= ROOM && rank >= below && rank < below + within) {
    const threshold = select(within, rank - below)
    const [smaller, equal] = memory.i32(counts, 2)
    return cut(threshold, count - below - smaller!, equal!)
  }
  const counting = new CountingCut(count)
  for (;;) {
    counting.add(countMagnitudes(sources, counting.digits))
    const result = counting.next()
    if (result) return result
  }
}

/** Where every equal value goes, a higher threshold says the same without counting. */
function cut(threshold: number, ties: number, equal: number): Cut {
  return ties === equal ? { threshold: threshold + 1, ties: 0 } : { threshold, ties }
}

/** Digits of the 31-bit pattern from the top: [shift, bits]. */
const DIGITS = [
  [20, 11],
  [9, 11],
  [0, 9]
] as const

/** What is known of a threshold after `pass` of the three counting passes: its leading digits. */
export interface Digits {
  readonly pass: number
  readonly prefix: number
}

/**
 * How many magnitudes there are for each value of the digit that comes next, of those that begin with the digits known.
 *
 * @throws RangeError for NaN or Infinity, with the first index
 */
export function countMagnitudes(sources: readonly Source[], { pass, prefix }: Digits): Uint32Array<ArrayBuffer> {
  const [shift] = DIGITS[pass]!
  return frame(defaultEngine(), (memory, kernels) => {
    const values = memory.alloc(4 * TILE)
    const histogram = memory.alloc(4 * BINS)
    memory.u32(histogram, BINS).fill(0)
    eachTile(memory, kernels, values, sources, (length, source) => {
      if (kernels.magnitudeHistogram(histogram, values, length, shift, prefix)) throw nonFiniteError(source)
    })
    return memory.u32(histogram, BINS).slice()
  })
}

/**
 * The cut by counting, in three passes. Each shows `add` the counts of every tensor, or part of one, for the digits
 * known so far. `next` ends a pass and knows one digit more; after the last it knows the cut. For tensors that are not
 * in one memory all at once.
 */
export class CountingCut {
  private pass = 0
  private prefix = 0
  private below = 0
  private readonly bins = new Float64Array(BINS)

  /** @param count how many elements are to be removed, at least 1 */
  constructor(private readonly count: number) {}

  get digits(): Digits {
    return { pass: this.pass, prefix: this.prefix }
  }

  add(counts: Uint32Array): void {
    for (let bin = 0; bin < BINS; bin++) this.bins[bin]! += counts[bin]!
  }

  next(): Cut | undefined {
    const [, bits] = DIGITS[this.pass++]!
    let bin = 0
    while (this.below + this.bins[bin]! < this.count) this.below += this.bins[bin++]!
    const equal = this.bins[bin]!
    this.prefix = (this.prefix << bits) | bin
    this.bins.fill(0)
    return this.pass < DIGITS.length ? undefined : cut(this.prefix, this.count - this.below, equal)
  }
}

/** Magnitudes equal to a threshold, among the counts of the last pass. */
export function equalTo(threshold: number, counts: Uint32Array): number {
  return counts[threshold & ((1 << DIGITS[2][1]) - 1)]!
}

function eachTile(
  memory: Memory,
  kernels: Kernels,
  values: number,
  sources: readonly Source[],
  visit: (length: number, source: Source) => void
): void {
  for (const source of sources) {
    eachRun(source.size, (start, length) => {
      loadF32(memory, kernels, values, source, start, length)
      visit(length, source)
    })
  }
}

/** One element from each of SAMPLE equal stretches, at a place that a multiplicative hash picks. */
function sample(out: Float32Array, sources: readonly Source[], total: number): void {
  const step = total / SAMPLE
  let tensor = 0
  let base = 0
  let state = 1
  for (let i = 0; i < SAMPLE; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    const index = Math.min(total - 1, Math.floor((i + state / 2 ** 32) * step))
    while (index >= base + sources[tensor]!.size) base += sources[tensor++]!.size
    out[i] = elementAt(sources[tensor]!, index - base)
  }
}
