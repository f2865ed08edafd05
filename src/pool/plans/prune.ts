import { MODULES } from '../../prune/engine.js'
import type { Bitmask } from '../../core/mask.js'
import { checkMask } from '../../core/mask.js'
import { partOf, readTensor, type Source, type Tensor, type TensorLike } from '../../core/tensor.js'
import type { Layout } from '../../core/layout.js'
import { applyMask } from '../../prune/applyMask.js'
import {
  arraysFor,
  findCut,
  maskByCut,
  maskByPattern,
  NO_CUT,
  patternLayout,
  preparePrune,
  pruned,
  removedByPattern,
  type CountRule,
  type PatternRule,
  type Prunable,
  type PruneArrays,
  type Pruned,
  type PruneOptions
} from '../../prune/prune.js'
import { CountingCut, countMagnitudes, equalTo, type Cut, type Digits } from '../../prune/select.js'
import { CHUNK, cutLayout, cutRows } from '../chunks.js'
import { once, type Plan, type Steps } from '../plan.js'

export type PruneResult = Pruned | Pruned[] | Record<string, Pruned>

/** A part of one of the tensors. */
interface Piece {
  readonly tensor: number
  readonly start: number
  readonly size: number
}

/** What one chunk holds: many small tensors go together. */
interface Bundle<P extends Piece = Piece> {
  readonly pieces: readonly P[]
  /** their tensors are whole, and their counts are their own */
  readonly apart: boolean
  /** whose count they share otherwise */
  readonly set?: CountSet
}

/** What a small piece counts at least: its arrays and messages are work, too. */
const LEAST = 256

/** Consecutive pieces, about a chunk together. */
function bundle<P extends Piece>(pieces: Iterable<P>, as: Omit<Bundle, 'pieces'>): Bundle<P>[] {
  const bundles: Bundle<P>[] = []
  let room = 0
  for (const piece of pieces) {
    if (bundles.length === 0 || room < piece.size) {
      bundles.push({ ...as, pieces: [] })
      room = CHUNK
    }
    ;(bundles.at(-1)!.pieces as P[]).push(piece)
    room -= Math.max(piece.size, LEAST)
  }
  return bundles
}

interface CutResult extends PruneArrays {
  readonly removed: number
}

/** Arrays of each tensor, made when the first of its pieces is there, and how much was removed of it. */
class Collected {
  private readonly arrays: PruneArrays[] = []
  readonly removed: number[] = []

  constructor(
    private readonly sources: readonly Source[],
    private readonly out: Pruned | undefined
  ) {}

  arraysOf(tensor: number): PruneArrays {
    return (this.arrays[tensor] ??= arraysFor(this.sources[tensor]!, this.out))
  }

  take(pieces: readonly Piece[], results: readonly CutResult[]): void {
    pieces.forEach(({ tensor, start }, i) => {
      const { data, bits, removed } = results[i]!
      const arrays = this.arraysOf(tensor)
      arrays.data.set(data, start)
      arrays.bits.set(bits, start / 8)
      this.removed[tensor] = (this.removed[tensor] ?? 0) + removed
    })
  }

  results(): Pruned[] {
    return this.sources.map((source, i) => pruned(source, this.arraysOf(i), this.removed[i] ?? 0))
  }
}

export function prunePlan(tensors: Prunable, options: PruneOptions): Plan<PruneResult> {
  const { sources, rule, out, arrange } = preparePrune(tensors, options)
  // What is wrong with `out` is said before any work.
  if (out) arraysFor(sources[0]!, out)
  const collected = new Collected(sources, out)
  const bundles = rule.kind === 'pattern' ? patternBundles(sources, rule) : countBundles(sources, rule)
  const part = ({ tensor, start, size }: Piece): Source => partOf(sources[tensor]!, start, size)
  return {
    verb: 'prune',
    take: (chunk, results) => collected.take(bundles[chunk]!.pieces, results as CutResult[]),
    finish: () => arrange(collected.results()),
    ...(rule.kind === 'pattern'
      ? {
          program: 'keepPattern',
          modules: MODULES,
          chunks: (bundles as Bundle<PatternPiece>[]).map(({ pieces }) => (): PatternChunk => {
            return { sources: pieces.map(part), layouts: pieces.map(({ layout }) => layout), rule }
          })
        }
      : {
          program: 'removeSmallest',
          modules: MODULES,
          chunks: bundles.map(({ pieces, apart, set }) => (): CountChunk => {
            const counts = apart ? pieces.map(({ tensor }) => countOf(rule, tensor)) : undefined
            return { sources: pieces.map(part), counts, removes: apart || set!.count > 0 }
          }),
          agreements: bundles.some(({ set }) => set && set.count > 0) ? 3 : 0,
          agree: agreeOnCuts(bundles.map(({ set }) => set))
        })
  }
}

interface PatternPiece extends Piece {
  readonly layout: Layout
}

function patternBundles(sources: readonly Source[], rule: PatternRule): Bundle<PatternPiece>[] {
  const pieces = sources.flatMap((source, tensor) =>
    cutLayout(patternLayout(source, rule)).map(({ start, layout }) => ({ tensor, start, size: layout.size, layout }))
  )
  return bundle(pieces, { apart: true })
}

type CountSet = CountRule['sets'][number]

/** How many are removed of a tensor that is a set by itself. */
function countOf({ sets }: CountRule, tensor: number): number {
  return sets[tensor]!.count
}

/** In the order of the tensors, so that the first bad number is found first. */
function countBundles(sources: readonly Source[], { sets }: CountRule): Bundle[] {
  const pieces = (source: Source, tensor: number): Piece[] =>
    cutRows(source.size, 1).map(({ first, count }) => ({ tensor, start: first, size: count }))
  const isLayer = sets.length === sources.length && sets.every((set, i) => set.sources[0] === sources[i])
  if (!isLayer) {
    return bundle(
      sources.flatMap((source, tensor) => pieces(source, tensor)),
      { apart: false, set: sets[0] }
    )
  }
  const bundles: Bundle[] = []
  let small: Piece[] = []
  const flush = (): void => {
    for (const some of bundle(small, { apart: true })) bundles.push(some)
    small = []
  }
  sources.forEach((source, tensor) => {
    if (source.size <= CHUNK) {
      small.push({ tensor, start: 0, size: source.size })
      return
    }
    flush()
    for (const piece of pieces(source, tensor)) bundles.push({ pieces: [piece], apart: false, set: sets[tensor] })
  })
  flush()
  return bundles
}

/** Adds up the counts of each set's chunks, digit after digit, and deals out its ties in the order of the chunks. */
function agreeOnCuts(setOf: readonly (CountSet | undefined)[]) {
  const cutting = new Map<CountSet, CountingCut>()
  for (const set of setOf) if (set && set.count > 0 && !cutting.has(set)) cutting.set(set, new CountingCut(set.count))
  return (answers: readonly unknown[]): unknown[] => {
    const counts = answers as (Uint32Array | undefined)[]
    counts.forEach((chunk, i) => chunk && cutting.get(setOf[i]!)!.add(chunk))
    const cuts = new Map([...cutting].map(([set, counting]) => [set, counting.next()]))
    return counts.map((chunk, i): Agreement | undefined => {
      if (!chunk) return undefined
      const cut = cuts.get(setOf[i]!)
      if (!cut) return { digits: cutting.get(setOf[i]!)!.digits }
      const ties = cut.ties > 0 ? Math.min(cut.ties, equalTo(cut.threshold, chunk)) : 0
      cut.ties -= ties
      return { cut: { threshold: cut.threshold, ties } }
    })
  }
}

interface Agreement {
  readonly digits?: Digits
  readonly cut?: Cut
}

interface CountChunk {
  readonly sources: readonly Source[]
  /** of each tensor, where they are whole; else they share what all chunks agree on */
  readonly counts?: readonly number[]
  readonly removes: boolean
}

export function* removeSmallestProgram({
  sources,
  counts,
  removes
}: CountChunk): Generator<Uint32Array, readonly CutResult[]> {
  const cutOf = (source: Source, cut: Cut, check: boolean): CutResult => {
    const arrays = arraysFor(source)
    return { ...arrays, removed: maskByCut(source, cut, check, arrays) }
  }
  if (counts) return sources.map((source, i) => cutOf(source, findCut([source], counts[i]!), counts[i] === 0))
  let known: Agreement = removes ? { digits: { pass: 0, prefix: 0 } } : { cut: { ...NO_CUT } }
  while (!known.cut) known = (yield countMagnitudes(sources, known.digits!)) as unknown as Agreement
  // The ties go from one to the next.
  const cut = { ...known.cut }
  return sources.map((source) => cutOf(source, cut, !removes))
}

interface PatternChunk {
  readonly sources: readonly Source[]
  readonly layouts: readonly Layout[]
  readonly rule: PatternRule
}

export function keepPatternProgram({ sources, layouts, rule }: PatternChunk): Steps {
  return once(() =>
    sources.map((source, i): CutResult => {
      const layout = layouts[i]!
      const arrays = arraysFor(source)
      maskByPattern(source, layout, rule, arrays)
      return { ...arrays, removed: removedByPattern(layout, rule) }
    })
  )
}

export function applyMaskPlan(tensor: TensorLike, mask: Bitmask): Plan<Tensor> {
  const source = readTensor('applyMask', 'tensor', tensor)
  const { bits } = checkMask('applyMask', mask, source.shape)
  const data = new Float32Array(source.size)
  const runs = cutRows(source.size, 1)
  return {
    verb: 'applyMask',
    program: 'applyBits',
    modules: MODULES,
    chunks: runs.map(({ first, count }) => (): MaskChunk => {
      return {
        source: partOf(source, first, count),
        bits: bits.subarray(first / 8, Math.ceil((first + count) / 8))
      }
    }),
    take: (chunk, values) => data.set(values as Float32Array, runs[chunk]!.first),
    finish: () => ({ data, shape: [...source.shape] })
  }
}

interface MaskChunk {
  readonly source: Source
  readonly bits: Uint8Array<ArrayBuffer>
}

export function applyBitsProgram({ source: { data, bits: dtype, shape }, bits }: MaskChunk): Steps {
  return once(() => applyMask({ data, dtype, shape }, { bits, shape: [...shape] }).data)
}
