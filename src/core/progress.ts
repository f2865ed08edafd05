import { show } from './check.js'
import { typeError } from './errors.js'

/** How far a long call has come. */
export interface Progress {
  /** steps that are done, and all that there are */
  done: number
  total: number
}

/** What is used of an AbortSignal. */
export interface Signal {
  readonly aborted: boolean
  readonly reason: unknown
  addEventListener(type: 'abort', listener: () => void): void
  removeEventListener(type: 'abort', listener: () => void): void
}

/** What long calls take beside their own options. */
export interface WatchOptions<P extends Progress = Progress> {
  signal?: Signal | undefined
  onProgress?: ((progress: P) => void) | undefined
}

export function checkWatch(verb: string, { signal, onProgress }: { signal?: unknown; onProgress?: unknown }): void {
  if (signal !== undefined && typeof (signal as Partial<Signal> | null)?.addEventListener !== 'function') {
    throw typeError(`${verb}: "signal" expected an AbortSignal, got ${show(signal)}`)
  }
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw typeError(`${verb}: "onProgress" expected a function, got ${show(onProgress)}`)
  }
}

/** Throws the reason of a signal that was aborted. */
export function checkAborted(signal: Signal | undefined): void {
  if (signal?.aborted) throw signal.reason
}

/** The steps of one call, which ends between two of them where it is aborted. */
export class StepCounter {
  private done = 0

  constructor(
    private readonly total: number,
    private readonly watch: WatchOptions
  ) {
    checkAborted(watch.signal)
  }

  /** To be called after each step. Throws where the call was aborted, also from inside onProgress. */
  next(): void {
    this.done++
    this.watch.onProgress?.({ done: this.done, total: this.total })
    checkAborted(this.watch.signal)
  }
}
