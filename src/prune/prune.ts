import { rangeError, typeError } from '../core/errors.js'
import { checkChoice, checkNumber, checkOptions, outputArray, show } from '../core/check.js'
import { defaultEngine, frame } from './engine.js'
import { channelLayout, type Layout } from '../core/layout.js'
import type { Bitmask } from '../core/mask.js'
import { PackedOutput } from '../core/packed.js'
import {
  isTensorLike,
  loadF32,
  nonFiniteError,
  readTensor,
  type Source,
  type Tensor,
  type TensorLike
} from '../core/tensor.js'
import { eachRun, loadTile, tileLength, TILE, writeTile } from '../core/tiles.js'
import { isSequential, planChannels } from '../core/windows.js'
import { selectCut, type Cut } from './select.js'

export interface PruneOptions {
  /** fraction of the elements to remove, in [0, 1]: rint(sparsity * n) of them, half to even */
  sparsity?: number
  /** 'N:M' keeps the N greatest magnitudes of each M in a row */
  pattern?: string
  /** for many tensors: 'layer' (default) removes the fraction of each, 'global' the fraction of all together */
  scope?: PruneScope
  /**
   * for one tensor: an earlier result of its shape, whose arrays are written again (where an error stops the work, in
   * part)
   */
  out?: Pruned
}

export type PruneScope = 'layer' | 'global'

export interface Pruned {
  values: Tensor
  mask: Bitmask
  /** fraction that was removed */
  sparsity: number
}

const VERB = 'prune'
const LARGEST_BLOCK = 1024

/**
 * Removes the elements of least magnitude from one tensor, or from many in one call.
 *
 * Shapes: `values` and `mask` have the tensor's; many tensors come as an array or a record, and so do the results. With
 * `pattern` a tensor is seen as (shape[0], rest), one row for fewer than two dimensions; the last block of a row may be
 * short.
 * Defaults: scope 'layer'.
 * Method: exact selection on |x| as f32 patterns; of equal magnitudes the lowest flat index goes first (in 'global',
 * the earliest tensor). Removed elements become +0, kept ones keep their bits.
 * Error: none.
 *
 * @throws TypeError for an unknown option, for both or neither of sparsity and pattern, for scope 'global' with a
 * pattern
 * @throws RangeError for a sparsity outside [0, 1], a pattern that is not N:M with 0 < N < M <= 1024, NaN or Infinity
 * (first index named)
 */
export function prune(tensor: TensorLike, options: PruneOptions): Pruned
export function prune(tensors: readonly TensorLike[], options: PruneOptions): Pruned[]
export function prune<K extends string>(
  tensors: Readonly<Record<K, TensorLike>>,
  options: PruneOptions
): Record<K, Pruned>
export function prune(tensors: Prunable, options: PruneOptions): Pruned | Pruned[] | Record<string, Pruned> {
  const { sources, rule, out, arrange } = preparePrune(tensors, options)
  if (rule.kind === 'pattern') return arrange(sources.map((source) => prunePattern(source, rule, out)))
  return arrange(rule.sets.flatMap(({ sources, count }) => pruneTogether(sources, count, out)))
}

export type Prunable = TensorLike | readonly TensorLike[] | Readonly<Record<string, TensorLike>>

/** Keeps the `keep` greatest of each `block`. */
export interface PatternRule {
  readonly kind: 'pattern'
  readonly keep: number
  readonly block: number
}

/** Removes `count` elements of each set, whose tensors are taken together. */
export interface CountRule {
  readonly kind: 'count'
  readonly sets: readonly { readonly sources: readonly Source[]; readonly count: number }[]
}

export interface Pruning {
  readonly sources: readonly Source[]
  readonly rule: PatternRule | CountRule
  readonly out?: Pruned
  /** one result for each source, as the caller gave the tensors */
  readonly arrange: (results: Pruned[]) => Pruned | Pruned[] | Record<string, Pruned>
}

/** Reads and checks what `prune` is asked. */
export function preparePrune(tensors: Prunable, options: PruneOptions): Pruning {
  checkOptions(VERB, options, ['sparsity', 'pattern', 'scope', 'out'])
  const { sources, arrange, alone } = readPrunable(tensors)
  const { out } = options
  if (out !== undefined && !alone) {
    throw typeError(`${VERB}: "out" goes with one tensor; leave it out for many`)
  }
  return { sources, rule: readRule(options, sources), out, arrange }
}

function readPrunable(tensors: Prunable): Pick<Pruning, 'sources' | 'arrange'> & { alone?: boolean } {
  if (isTensorLike(tensors) && !isRecordWithData(tensors) && !(Array.isArray(tensors) && tensors.length === 0)) {
    return { sources: [readTensor(VERB, 'tensor', tensors)], arrange: ([result]) => result!, alone: true }
  }
  if (Array.isArray(tensors)) {
    const all = tensors as readonly TensorLike[]
    return { sources: all.map((tensor, i) => readTensor(VERB, `tensors[${i}]`, tensor)), arrange: (results) => results }
  }
  const isRecord = typeof tensors === 'object' && tensors !== null && isPlain(tensors)
  if (!isRecord) {
    throw typeError(`${VERB}: "tensor" expected a tensor, or an array or record of tensors, got ${show(tensors)}`)
  }
  const record = tensors as Readonly<Record<string, TensorLike>>
  const names = Object.keys(record)
  return {
    sources: names.map((name) => readTensor(VERB, name, record[name])),
    arrange: (results) => Object.fromEntries(names.map((name, i) => [name, results[i]!]))
  }
}

/** A record whose tensors include one of the name `data`: no tensor has another tensor beside its data. */
function isRecordWithData(value: object): boolean {
  const beside = ([name, other]: [string, unknown]): boolean =>
    !['data', 'shape', 'dims'].includes(name) && isTensorLike(other)
  return !Array.isArray(value) && isPlain(value) && Object.entries(value).some(beside)
}

/** A record of tensors, and not an object of some class (an ArrayBuffer, a DataView) that holds none. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

function readRule({ sparsity, pattern, scope = 'layer' }: PruneOptions, sources: readonly Source[]): Pruning['rule'] {
  checkChoice(VERB, 'scope', scope, ['layer', 'global'])
  if ((sparsity === undefined) === (pattern === undefined)) {
    throw typeError(
      `${VERB}: expected either "sparsity" or "pattern", got ${pattern === undefined ? 'neither' : 'both'}`
    )
  }
  if (pattern !== undefined) {
    if (scope === 'global') throw typeError(`${VERB}: scope 'global' goes with "sparsity"; a pattern is local`)
    const [keep, block] = readPattern(VERB, pattern)
    return { kind: 'pattern', keep, block }
  }
  const share = checkNumber(VERB, 'sparsity', sparsity, 0, 1)
  const sets = scope === 'global' ? [sources] : sources.map((source) => [source])
  const count = (set: readonly Source[]): number =>
    removedCount(
      share,
      set.reduce((sum, { size }) => sum + size, 0)
    )
  return { kind: 'count', sets: sets.map((set) => ({ sources: set, count: count(set) })) }
}

/** @returns [N, M] of 'N:M' */
export function readPattern(verb: string, pattern: unknown): [number, number] {
  const match = typeof pattern === 'string' ? /^(\d{1,4}):(\d{1,4})$/.exec(pattern) : null
  const [keep, block] = [Number(match?.[1]), Number(match?.[2])]
  if (!match || !(keep > 0 && keep < block && block <= LARGEST_BLOCK)) {
    throw rangeError(
      `${verb}: "pattern" expected 'N:M' with 0 < N < M <= ${LARGEST_BLOCK}, such as '2:4', got ${show(pattern)}`
    )
  }
  return [keep, block]
}

/** Half to even, for a product that may fall between. */
export function removedCount(sparsity: number, total: number): number {
  const exact = sparsity * total
  const floor = Math.floor(exact)
  const rest = exact - floor
  if (rest === 0.5) return floor + (floor % 2)
  return rest > 0.5 ? floor + 1 : floor
}

/** The cut that removes nothing. */
export const NO_CUT: Readonly<Cut> = { threshold: 0, ties: 0 }

/** The cut that removes `count` elements of these tensors taken together. */
export function findCut(sources: readonly Source[], count: number): Cut {
  if (count === 0) return { ...NO_CUT }
  return frame(defaultEngine(), (memory, kernels) => selectCut(memory, kernels, sources, count))
}

function pruneTogether(sources: readonly Source[], count: number, out: Pruned | undefined): Pruned[] {
  const cut = findCut(sources, count)
  return sources.map((source) => applyCut(source, cut, count === 0, out))
}

/**
 * Masks a tensor by a cut, and takes off the cut's ties what it has removed of them. `check`: the data has not been
 * looked at yet.
 */
export function applyCut(source: Source, cut: Cut, check = false, earlier?: Pruned): Pruned {
  const arrays = arraysFor(source, earlier)
  return pruned(source, arrays, maskByCut(source, cut, check, arrays))
}

export interface PruneArrays {
  readonly data: Float32Array<ArrayBuffer>
  readonly bits: Uint8Array<ArrayBuffer>
}

/** @returns how many were removed */
export function maskByCut(source: Source, cut: Cut, check: boolean, { data, bits: mask }: PruneArrays): number {
  let kept = 0
  frame(defaultEngine(), (memory, kernels) => {
    const values = memory.alloc(4 * TILE)
    const masked = memory.alloc(4 * TILE)
    const bits = memory.alloc(TILE / 8)
    const counts = memory.alloc(12)
    eachRun(source.size, (start, length) => {
      loadF32(memory, kernels, values, source, start, length)
      if (check) {
        kernels.bracketMagnitudes(masked, counts, values, length, 0, 0, 0)
        if (memory.i32(counts, 3)[2]) throw nonFiniteError(source)
      }
      cut.ties = kernels.maskMagnitudes(masked, bits, values, length, cut.threshold, cut.ties)
      const bytes = Math.ceil(length / 8)
      kept += kernels.countBits(bits, bytes)
      data.set(memory.f32(masked, length), start)
      mask.set(memory.u8(bits, bytes), start / 8)
    })
  })
  return source.size - kept
}

/** Arrays to write to: the earlier result's, or fresh ones. */
export function arraysFor({ size }: Source, earlier?: Pruned): PruneArrays {
  const { values, mask } = earlier ?? {}
  return {
    data: outputArray<Float32Array<ArrayBuffer>>(VERB, 'out.values.data', values?.data, Float32Array, size),
    bits: outputArray<Uint8Array<ArrayBuffer>>(VERB, 'out.mask.bits', mask?.bits, Uint8Array, Math.ceil(size / 8))
  }
}

export function pruned({ shape, size }: Source, { data, bits }: PruneArrays, removed: number): Pruned {
  return {
    values: { data, shape: [...shape] },
    mask: { bits, shape: [...shape] },
    sparsity: size ? removed / size : 0
  }
}

export function patternLayout({ shape }: Source, { block }: PatternRule): Layout {
  return channelLayout(VERB, shape, undefined, block)
}

function prunePattern(source: Source, rule: PatternRule, earlier?: Pruned): Pruned {
  const layout = patternLayout(source, rule)
  const arrays = arraysFor(source, earlier)
  maskByPattern(source, layout, rule, arrays)
  return pruned(source, arrays, removedByPattern(layout, rule))
}

export function removedByPattern({ channels, inner }: Layout, { keep, block }: PatternRule): number {
  return channels * (Math.floor(inner / block) * (block - keep) + Math.max(0, (inner % block) - keep))
}

export function maskByPattern(
  source: Source,
  layout: Layout,
  { keep, block }: PatternRule,
  { data, bits }: PruneArrays
): void {
  frame(defaultEngine(), (memory, kernels) => {
    // The channel axis of a pattern is the first.
    const windows = layout.size === 0 ? [] : planChannels(layout)
    const values = memory.alloc(4 * TILE)
    const masked = memory.alloc(4 * TILE)
    const bytes = memory.alloc(TILE)
    const packed = new PackedOutput(memory, layout, 8, kernels.packBits, isSequential(windows), bits)
    for (const { tiles } of windows) {
      for (const tile of tiles) {
        const length = tileLength(tile)
        loadTile(memory, kernels, values, source, layout, tile)
        if (kernels.keepPattern(masked, bytes, values, tile.rows, tile.width, keep, block)) throw nonFiniteError(source)
        writeTile(data, memory.f32(masked, length), layout, tile)
        packed.write(tile, bytes)
      }
    }
    packed.finish(bytes)
  })
}
