import type { Bitmask } from '../../core/mask.js'
import { checkMask } from '../../core/mask.js'
import { partOf, readTensor, type Source, type Tensor, type TensorLike } from '../../core/tensor.js'
import type { Layout } from '../../core/layout.js'
import { applyMask } from '../../prune/applyMask.js'
import {
  arraysFor,
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
import { cutLayout, cutRows } from '../chunks.js'
import { once, type Plan, type Steps } from '../plan.js'

export type PruneResult = Pruned | Pruned[] | Record<string, Pruned>

/** Where a part of one of the tensors stands. */
interface Place {
  readonly tensor: number
  readonly start: number
}

function prunePlanOf(
  places: readonly Place[],
  arrays: readonly PruneArrays[],
  results: () => PruneResult,
  plan: Pick<Plan, 'program' | 'chunks' | 'agree' | 'agreements'>,
  removed: number[] = []
): Plan<PruneResult> {
  return {
    verb: 'prune',
    ...plan,
    take: (chunk, value) => {
      const { tensor, start } = places[chunk]!
      const part = value as CutResult
      arrays[tensor]!.data.set(part.data, start)
      arrays[tensor]!.bits.set(part.bits, start / 8)
      removed[tensor] = (removed[tensor] ?? 0) + part.removed
    },
    finish: results
  }
}

interface CutResult extends PruneArrays {
  readonly removed: number
}

export function prunePlan(tensors: Prunable, options: PruneOptions): Plan<PruneResult> {
  const { sources, rule, out, arrange } = preparePrune(tensors, options)
  const arrays = sources.map((source) => arraysFor(source, out))
  if (rule.kind === 'pattern') {
    const layouts = sources.map((source) => patternLayout(source, rule))
    const parts = layouts.flatMap((layout, tensor) => cutLayout(layout).map((part) => ({ tensor, ...part })))
    const finish = (): PruneResult =>
      arrange(sources.map((source, i) => pruned(source, arrays[i]!, removedByPattern(layouts[i]!, rule))))
    return prunePlanOf(parts, arrays, finish, {
      program: 'keepPattern',
      chunks: parts.map(({ tensor, start, layout }) => (): PatternChunk => {
        return { source: partOf(sources[tensor]!, start, layout.size), layout, rule }
      })
    })
  }
  const removed = sources.map(() => 0)
  const runs = sources.flatMap(({ size }, tensor) =>
    cutRows(size, 1).map(({ first, count }) => ({ tensor, start: first, count }))
  )
  const sets = setsOf(sources, rule)
  const finish = (): PruneResult => arrange(sources.map((source, i) => pruned(source, arrays[i]!, removed[i]!)))
  const chunks = runs.map(({ tensor, start, count }) => (): CountChunk => {
    return { source: partOf(sources[tensor]!, start, count), removes: sets[tensor]!.count > 0 }
  })
  const counts = rule.sets.some(({ count }) => count > 0)
  return prunePlanOf(
    runs,
    arrays,
    finish,
    {
      program: 'removeSmallest',
      chunks,
      agreements: counts ? 3 : 0,
      agree: agreeOnCuts(runs.map(({ tensor }) => sets[tensor]!))
    },
    removed
  )
}

type CountSet = CountRule['sets'][number]

/** The set of each tensor. */
function setsOf(sources: readonly Source[], { sets }: CountRule): CountSet[] {
  return sources.map((source) => sets.find((set) => set.sources.includes(source))!)
}

/** Adds up the counts of each set's chunks, digit after digit, and deals out its ties in the order of the chunks. */
function agreeOnCuts(setOf: readonly CountSet[]) {
  const cutting = new Map(setOf.filter(({ count }) => count > 0).map((set) => [set, new CountingCut(set.count)]))
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
  readonly source: Source
  readonly removes: boolean
}

export function* removeSmallestProgram({ source, removes }: CountChunk): Generator<Uint32Array, CutResult> {
  let known: Agreement = removes ? { digits: { pass: 0, prefix: 0 } } : { cut: { ...NO_CUT } }
  while (!known.cut) known = (yield countMagnitudes(source, known.digits!)) as unknown as Agreement
  const arrays = arraysFor(source)
  return { ...arrays, removed: maskByCut(source, known.cut, !removes, arrays) }
}

interface PatternChunk {
  readonly source: Source
  readonly layout: Layout
  readonly rule: PatternRule
}

export function keepPatternProgram({ source, layout, rule }: PatternChunk): Steps {
  return once((): CutResult => {
    const arrays = arraysFor(source)
    maskByPattern(source, layout, rule, arrays)
    return { ...arrays, removed: removedByPattern(layout, rule) }
  })
}

export function applyMaskPlan(tensor: TensorLike, mask: Bitmask): Plan<Tensor> {
  const source = readTensor('applyMask', 'tensor', tensor)
  const { bits } = checkMask('applyMask', mask, source.shape)
  const data = new Float32Array(source.size)
  const runs = cutRows(source.size, 1)
  return {
    verb: 'applyMask',
    program: 'applyBits',
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
