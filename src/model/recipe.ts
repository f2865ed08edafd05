import { rangeError, typeError } from '../core/errors.js'
import { checkInteger, checkNumber, checkOptions, show } from '../core/check.js'
import { checkWatch, type Progress, type WatchOptions } from '../core/progress.js'
import { prune, type PruneScope } from '../prune/prune.js'
import type { QuantizeFormat } from '../quantize/formats.js'
import { quantize } from '../quantize/quantize.js'
import type { ByteSink } from './writer.js'
import type { ModelTensor } from './model.js'

/** What is done to each tensor: low rank first, then pruning, then quantisation. At least one of the three. */
export interface Recipe {
  quantize?: { format: QuantizeFormat; axis?: number; group?: number; symmetric?: boolean }
  /** with scope 'global' the fraction is taken over all tensors that are compressed */
  prune?: { sparsity?: number; pattern?: string; scope?: PruneScope }
  /** exactly one; a tensor of more than two dimensions is seen as (shape[0], rest) */
  lowRank?: { rank?: number; energy?: number; maxRelativeError?: number }
}

/** How far a model is done, in tensors and in bytes. */
export interface ModelProgress extends Progress {
  /** tensor that has just been finished */
  name: string
  /** bytes that are done, and all */
  bytesDone: number
  bytes: number
}

/** An aborted call rejects with the signal's reason after the tensor at hand; a sink keeps what it was given. */
export interface CompressOptions extends Recipe, WatchOptions<ModelProgress> {
  /**
   * which tensors; those that hold no floating-point numbers are never compressed. Default: two or more dimensions, and
   * the only tensor of a file whatever its dimensions
   */
  select?: (tensor: ModelTensor) => boolean
  /** where the file goes; without it the bytes are returned */
  sink?: ByteSink
}

const KNOWN = ['quantize', 'prune', 'lowRank', 'select', 'sink', 'signal', 'onProgress']

/** Checks all that does not depend on a tensor, before any work. */
export function checkRecipe(verb: string, options: CompressOptions): void {
  checkOptions(verb, options, KNOWN)
  const { quantize: q, prune: p, lowRank: l } = options
  if (q === undefined && p === undefined && l === undefined) {
    throw typeError(`${verb}: expected at least one of quantize, prune, lowRank`)
  }
  if (q !== undefined) {
    checkOptions(`${verb}: quantize`, q, ['format', 'axis', 'group', 'symmetric'])
    // The verb's own checks; whether the axis fits is checked against each tensor.
    quantize(new Float32Array(0), { ...q, axis: q.axis === undefined ? undefined : 0 })
    if (q.axis !== undefined) checkInteger(`${verb}: quantize`, 'axis', q.axis, -Infinity, Infinity)
  }
  if (p !== undefined) {
    checkOptions(`${verb}: prune`, p, ['sparsity', 'pattern', 'scope'])
    prune([], p)
    if (p.scope === 'global' && l) {
      throw typeError(`${verb}: scope 'global' does not go with lowRank, whose factors are pruned one by one`)
    }
  }
  if (l !== undefined) checkTargets(`${verb}: lowRank`, l)
  checkSink(verb, options.sink)
  checkWatch(verb, options)
  const { select } = options
  if (select !== undefined && typeof select !== 'function') {
    throw typeError(`${verb}: "select" expected a function of a tensor, got ${show(select)}`)
  }
}

export function checkSink(verb: string, sink: unknown): void {
  if (sink !== undefined && typeof (sink as Partial<ByteSink> | null)?.write !== 'function') {
    throw typeError(`${verb}: "sink" expected { write(position, bytes) }, got ${show(sink)}`)
  }
}

/** An axis has to mean something to each tensor; factors have channels of their own. */
export function checkAxis(verb: string, { quantize: q, lowRank: l }: Recipe, tensors: Iterable<ModelTensor>): void {
  if (q?.axis === undefined || l) return
  for (const { name, shape } of tensors) {
    if (q.axis < -shape.length || q.axis >= shape.length) {
      const range = shape.length ? `from ${-shape.length} to ${shape.length - 1}` : 'no axis, for a scalar,'
      throw rangeError(
        `${verb}: quantize: "axis" expected ${range} for tensor ${JSON.stringify(name)} of shape [${shape.join(', ')}], got ${q.axis}`
      )
    }
  }
}

function checkTargets(where: string, target: NonNullable<Recipe['lowRank']>): void {
  checkOptions(where, target, ['rank', 'energy', 'maxRelativeError'])
  const { rank, energy, maxRelativeError } = target
  const given = [rank, energy, maxRelativeError].filter((value) => value !== undefined)
  if (given.length !== 1) {
    throw typeError(`${where}: expected exactly one of rank, energy, maxRelativeError, got ${given.length}`)
  }
  if (rank !== undefined) checkInteger(where, 'rank', rank, 1, Infinity)
  if (energy !== undefined) checkNumber(where, 'energy', energy, Number.MIN_VALUE, 1)
  if (maxRelativeError !== undefined) checkNumber(where, 'maxRelativeError', maxRelativeError, 0, 1)
}
