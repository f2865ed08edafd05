import type { Progress, Signal } from '../core/progress.js'

export interface PoolOptions {
  /** workers, 1 to 1024; default: one for each processor. Results do not depend on it */
  threads?: number
  /**
   * address of the worker script, tersor/worker.js of the same version, where a content security policy forbids the
   * inline one. That needs `worker-src blob:`. A URL, or its text: relative to the page in browsers, a path in Node
   */
  workerUrl?: string | { readonly href: string }
}

/** What every call of a pool takes beside the verb's own options. */
export interface RunOptions {
  /**
   * ends the call: its promise rejects with the signal's reason. A thread that is still busy with it 50 ms later is
   * replaced
   */
  signal?: Signal
  /** told after each step: one for each chunk, and one for each time that it has to agree with others */
  onProgress?: (progress: Progress) => void
  /**
   * default false: chunks of the input are copied. true: the input's arrays are handed over, not copied, and one
   * thread does the whole. They are empty for the caller afterwards, also where a second one is refused. The teacher
   * and the labels of a loss are inputs too. Arrays over SharedArrayBuffer are read in place either way
   */
  transfer?: boolean
}

/** The options of a verb with those of its run. */
export type Run<T> = T & RunOptions

/** What every pool has beside its verbs. */
export interface PoolControl {
  /** workers that the pool may have; 1 where the runtime has none */
  readonly threads: number
  /**
   * Compiles the kernels of the pool's verbs and starts all workers, ahead of the first call; rejects where it cannot.
   */
  init(): Promise<void>
  /** Ends all workers; calls that are not done reject. */
  close(): Promise<void>
}
