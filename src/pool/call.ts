import { checkOptions } from '../core/check.js'
import { readTensor, type NumberArray, type Source } from '../core/tensor.js'
import type { Plan } from './plan.js'
import { wholePlan, type Whole } from './plans/whole.js'
import { asTensor, takeArrays, type Owned } from './transfer.js'

/** Options that every call takes beside the verb's own. */
export const RUN_OPTIONS: readonly string[] = ['signal', 'onProgress', 'transfer']

/** The options of a verb that has none of its own. */
export function checkRunOptions(verb: string, options: unknown = {}): void {
  checkOptions(verb, options, RUN_OPTIONS)
}

export type Arguments = readonly unknown[]

/** A verb as the pool does it. */
export interface Call {
  /** which argument is its options */
  readonly options: number
  /** checks the arguments, and says how the work is cut */
  readonly plan: (args: Arguments) => Plan
  /** the same arguments with arrays taken from the caller; undefined where there is nothing to take */
  readonly take: (args: Arguments) => Taken | undefined
  /** makes the result, on the caller's thread, of one that crosses threads as data */
  readonly finish?: (result: never) => unknown
}

/** The calls of a domain, by their verbs. */
export type Calls<Verbs> = { readonly [verb in keyof Verbs]: Call }

export interface Taken {
  readonly args: Arguments
  readonly arrays: ReadonlySet<unknown>
}

/** A call's tensors, and its arguments with other ones in their places. */
export interface Replaceable {
  readonly tensors: readonly Source[]
  readonly put: (owned: readonly Owned[]) => unknown[]
}

/** The arguments with the arrays of `tensors` taken from the caller. */
export function takeFrom({ tensors, put }: Replaceable): Taken | undefined {
  const owned = takeArrays(tensors)
  return owned && { args: put(owned), arrays: new Set(owned.map(({ data }) => data)) }
}

/** An array as a tensor of one dimension. */
export function asSource(name: string, data: NumberArray): Source {
  return { name, data, shape: [data.length], size: data.length }
}

/** A verb whose first argument is its only tensor. */
export function ofTensor(verb: string, name: string, plan: (args: Arguments) => Plan): Call {
  return {
    options: 1,
    plan,
    take: ([tensor, ...rest]) =>
      takeFrom({ tensors: [readTensor(verb, name, tensor)], put: ([owned]) => [owned, ...rest] })
  }
}

/** A verb that one thread does as a whole. `options` is the place of its options, behind its tensors. */
export function ofParts(whole: Whole, verb: string, options: number, partsOf: (args: Arguments) => Replaceable): Call {
  return {
    options,
    plan: (args) => {
      const { tensors, put } = partsOf(args)
      return wholePlan(whole, verb, put(tensors.map(asTensor)))
    },
    take: (args) => takeFrom(partsOf(args))
  }
}
