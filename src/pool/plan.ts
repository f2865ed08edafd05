import type { KernelModule } from '../core/modules.js'

/**
 * How an operation falls into chunks. A program works on one chunk, on any thread. It may stop to hear what all chunks
 * have to agree on: a range, a threshold. The plan stays on the caller's thread: it makes the arguments, settles the
 * agreements and puts the results together.
 */
export type Program = (args: never) => Steps

/** What a program does: answers, until its result is done. */
export interface Steps {
  next(reply?: unknown): { readonly done?: boolean; readonly value: unknown }
}

export interface Plan<R = unknown> {
  readonly verb: string
  readonly program: string
  /** the kernels that the program calls */
  readonly modules: readonly KernelModule[]
  /** each makes its chunk's arguments, when the chunk is sent */
  readonly chunks: readonly (() => unknown)[]
  /** at least as many agreements as there will be; for the progress */
  readonly agreements?: number
  /** the reply to each chunk, from the answers of all; undefined for a chunk that is done */
  readonly agree?: (answers: readonly unknown[]) => readonly unknown[]
  readonly take: (chunk: number, result: unknown) => void
  readonly finish: () => R
  /** what its one thread takes may last: nothing waits behind it */
  readonly exclusive?: boolean
  /** arrays of the arguments that are handed over, so that these can be made once only */
  readonly moves?: ReadonlySet<unknown>
}

/** The steps of a program that has nothing to agree on. */
export function once(work: () => unknown): Steps {
  return { next: () => ({ done: true, value: work() }) }
}
