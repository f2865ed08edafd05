import { checkChoice, checkNumber, checkOptions, outputArray, show } from '../core/check.js'
import { defaultEngine, frame } from '../core/engine.js'
import { channelLayout } from '../core/layout.js'
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
import { eachRun, isSequential, planWindows, tileLength, TILE, writeTile } from '../core/tiles.js'
import { selectCut, type Cut } from './select.js'

export interface PruneOptions {
  /** fraction of the elements to remove, in [0, 1]: rint(sparsity * n) of them, half to even */
  sparsity?: number
  /** 'N:M' keeps the N greatest magnitudes of each M in a row */
  pattern?: string
  /** for many tensors: 'layer' (default) removes the fraction of each, 'global' the fraction of all together */
  scope?: PruneScope
  /** for one tensor: an earlier result of its shape, whose arrays are written again (where an error stops the work, in part) */
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
 * Shapes: `values` and `mask` have the tensor's; many tensors come as an array or a record, and so do the results.
 * With `pattern` a tensor is seen as (shape[0], rest), one row for fewer than two dimensions; the last block of a row may be short.
 * Defaults: scope 'layer'.
 * Method: exact selection on |x| as f32 patterns; of equal magnitudes the lowest flat index goes first (in 'global', the earliest
 * tensor). Removed elements become +0, kept ones keep their bits.
 * Error: none.
 *
 * @throws TypeError for an unknown option, for both or neither of sparsity and pattern, for scope 'global' with a pattern
 * @throws RangeError for a sparsity outside [0, 1], a pattern that is not N:M with 0 < N < M <= 1024, NaN or Infinity (first index named)
 */
export function prune(tensor: TensorLike, options: PruneOptions): Pruned
export function prune(tensors: readonly TensorLike[], options: PruneOptions): Pruned[]
export function prune<K extends string>(
  tensors: Readonly<Record<K, TensorLike>>,
  options: PruneOptions
): Record<K, Pruned>
export function prune(
  tensors: TensorLike | readonly TensorLike[] | Readonly<Record<string, TensorLike>>,
  options: PruneOptions
): Pruned | Pruned[] | Record<string, Pruned> {
  checkOptions(VERB, options, ['sparsity', 'pattern', 'scope', 'out'])
  if (Array.isArray(tensors) && tensors.length === 0) return pruneAll([], options)
  const alone = isTensorLike(tensors) && !isRecordWithData(tensors)
  if (!alone && options.out !== undefined) {
    throw new TypeError(`${VERB}: "out" goes with one tensor; leave it out for many`)
  }
  if (alone) return pruneAll([readTensor(VERB, 'tensor', tensors)], options)[0]!
  if (Array.isArray(tensors)) {
    return pruneAll(
      (tensors as readonly TensorLike[]).map((tensor, i) => readTensor(VERB, `tensors[${i}]`, tensor)),
      options
    )
  }
  const isRecord = typeof tensors === 'object' && tensors !== null && isPlain(tensors)
  if (!isRecord) {
    throw new TypeError(`${VERB}: "tensor" expected a tensor, or an array or record of tensors, got ${show(tensors)}`)
  }
  const names = Object.keys(tensors)
  const record = tensors as Readonly<Record<string, TensorLike>>
  const results = pruneAll(
    names.map((name) => readTensor(VERB, name, record[name])),
    options
  )
  return Object.fromEntries(names.map((name, i) => [name, results[i]!]))
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

function pruneAll(sources: Source[], { sparsity, pattern, scope = 'layer', out }: PruneOptions): Pruned[] {
  checkChoice(VERB, 'scope', scope, ['layer', 'global'])
  if ((sparsity === undefined) === (pattern === undefined)) {
    throw new TypeError(
      `${VERB}: expected either "sparsity" or "pattern", got ${pattern === undefined ? 'neither' : 'both'}`
    )
  }
  if (pattern !== undefined) {
    if (scope === 'global') throw new TypeError(`${VERB}: scope 'global' goes with "sparsity"; a pattern is local`)
    const [keep, block] = readPattern(VERB, pattern)
    return sources.map((source) => prunePattern(source, keep, block, out))
  }
  const share = checkNumber(VERB, 'sparsity', sparsity, 0, 1)
  const sets = scope === 'global' ? [sources] : sources.map((source) => [source])
  return sets.flatMap((set) => pruneTogether(set, share, out))
}

/** @returns [N, M] of 'N:M' */
export function readPattern(verb: string, pattern: unknown): [number, number] {
  const match = typeof pattern === 'string' ? /^(\d{1,4}):(\d{1,4})$/.exec(pattern) : null
  const [keep, block] = [Number(match?.[1]), Number(match?.[2])]
  if (!match || !(keep > 0 && keep < block && block <= LARGEST_BLOCK)) {
    throw new RangeError(
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

function pruneTogether(sources: Source[], sparsity: number, out: Pruned | undefined): Pruned[] {
  const total = sources.reduce((sum, { size }) => sum + size, 0)
  const count = removedCount(sparsity, total)
  const cut: Cut =
    count > 0
      ? frame(defaultEngine(), (memory, kernels) => selectCut(memory, kernels, sources, count))
      : { threshold: 0, ties: 0 }
  return sources.map((source) => applyCut(source, cut, count === 0, out))
}

/** Masks a tensor by a cut, and takes off the cut's ties what it has removed of them. `check`: the data has not been looked at yet. */
export function applyCut(source: Source, cut: Cut, check = false, earlier?: Pruned): Pruned {
  return frame(defaultEngine(), (memory, kernels) => {
    const values = memory.alloc(4 * TILE)
    const masked = memory.alloc(4 * TILE)
    const bits = memory.alloc(TILE / 8)
    const counts = memory.alloc(12)
    const { data: out, bits: mask } = arraysFor(source, earlier)
    let kept = 0
    eachRun(source.size, (start, length) => {
      loadF32(memory, kernels, values, source, start, length)
      if (check) {
        kernels.bracketMagnitudes(masked, counts, values, length, 0, 0, 0)
        if (memory.i32(counts, 3)[2]) throw nonFiniteError(source)
      }
      cut.ties = kernels.maskMagnitudes(masked, bits, values, length, cut.threshold, cut.ties)
      const bytes = Math.ceil(length / 8)
      kept += kernels.countBits(bits, bytes)
      out.set(memory.f32(masked, length), start)
      mask.set(memory.u8(bits, bytes), start / 8)
    })
    return pruned(source, out, mask, source.size - kept)
  })
}

/** Arrays to write to: the earlier result's, or fresh ones. */
function arraysFor(
  { size }: Source,
  earlier: Pruned | undefined
): { data: Float32Array<ArrayBuffer>; bits: Uint8Array<ArrayBuffer> } {
  const { values, mask } = earlier ?? {}
  return {
    data: outputArray<Float32Array<ArrayBuffer>>(VERB, 'out.values.data', values?.data, Float32Array, size),
    bits: outputArray<Uint8Array<ArrayBuffer>>(VERB, 'out.mask.bits', mask?.bits, Uint8Array, Math.ceil(size / 8))
  }
}

function pruned(
  { shape, size }: Source,
  data: Float32Array<ArrayBuffer>,
  bits: Uint8Array<ArrayBuffer>,
  removed: number
): Pruned {
  return {
    values: { data, shape: [...shape] },
    mask: { bits, shape: [...shape] },
    sparsity: size ? removed / size : 0
  }
}

function prunePattern(source: Source, keep: number, block: number, earlier: Pruned | undefined): Pruned {
  return frame(defaultEngine(), (memory, kernels) => {
    const layout = channelLayout(VERB, source.shape, undefined, block)
    const windows = planWindows(layout)
    const values = memory.alloc(4 * TILE)
    const masked = memory.alloc(4 * TILE)
    const bytes = memory.alloc(TILE)
    const { data: out, bits } = arraysFor(source, earlier)
    const packed = new PackedOutput(memory, layout, 8, kernels.packBits, isSequential(windows), bits)
    for (const { tiles } of windows) {
      for (const tile of tiles) {
        const length = tileLength(tile)
        loadF32(memory, kernels, values, source, tile.start, length)
        if (kernels.keepPattern(masked, bytes, values, tile.rows, tile.width, keep, block)) throw nonFiniteError(source)
        writeTile(out, memory.f32(masked, length), layout, tile)
        packed.write(tile, bytes)
      }
    }
    const { channels, inner } = layout
    const removedInRow = Math.floor(inner / block) * (block - keep) + Math.max(0, (inner % block) - keep)
    return pruned(source, out, packed.finish(bytes), channels * removedInRow)
  })
}
