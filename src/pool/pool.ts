import { stateError, typeError } from '../core/errors.js'
import { checkInteger, checkOptions, show } from '../core/check.js'
import { checkWatch } from '../core/progress.js'
import { Crew } from './crew.js'
import { runInline } from './inline.js'
import { Job } from './job.js'
import type { Plan } from './plan.js'
import { hasWorkers } from './ports.js'
import { compileModule } from '../core/modules.js'
import { init } from '../init.js'
import { wholePlan, type VerbName } from './plans/whole.js'
import { calls, RUN_OPTIONS, type Call } from './calls.js'
import type { Pool, PoolOptions, RunOptions } from './types.js'

/** What a host says of its processors. */
interface Host {
  navigator?: { hardwareConcurrency?: number }
  process?: { getBuiltinModule?: (name: string) => { availableParallelism?: () => number } | undefined }
}

function processors(): number {
  const { navigator, process } = globalThis as Host
  return navigator?.hardwareConcurrency ?? process?.getBuiltinModule?.('node:os')?.availableParallelism?.() ?? 1
}

const MOST_THREADS = 1024

/**
 * A pool of workers that run the verbs of `tersor` and answer with promises, with the bytes that the verbs give on one thread, for any number
 * of threads.
 *
 * Defaults: as many threads as there are processors, started at the first call; an inline worker script. Where a runtime has no workers
 * (workerd, edge runtimes) calls run chunk by chunk on this thread.
 * Method: work is cut into chunks of about 262,144 elements by index alone. Scales of sets that cross chunks, and thresholds, are agreed on
 * between passes; sums are added in the order of one thread. `svd` takes one thread for each matrix, the verbs of low rank one: give the pool many at once.
 * Error: none beyond the verbs'.
 * An input must not be changed until its promise settles. Arrays over SharedArrayBuffer are read in place, others are copied chunk by chunk, or handed over with
 * `transfer`.
 *
 * @throws TypeError for an unknown option or a workerUrl that is none; RangeError for a number of threads that is not whole or outside 1 .. 1024
 */
export function createPool(options: PoolOptions = {}): Pool {
  const verb = 'createPool'
  checkOptions(verb, options, ['threads', 'workerUrl'])
  const { workerUrl } = options
  const asked = checkInteger(
    verb,
    'threads',
    options.threads === undefined ? Math.min(processors(), MOST_THREADS) : options.threads,
    1,
    MOST_THREADS
  )
  const threads = hasWorkers() ? asked : 1
  if (workerUrl !== undefined && typeof workerUrl !== 'string' && !isUrl(workerUrl)) {
    throw typeError(`${verb}: "workerUrl" expected a URL or its text, got ${show(workerUrl)}`)
  }
  const crew = hasWorkers() ? new Crew(threads, typeof workerUrl === 'object' ? workerUrl.href : workerUrl) : undefined
  const running = new Set<Job>()
  let closing: Promise<void> | undefined

  function checkOpen(name: string): void {
    if (closing) throw stateError('closed', `${name}: the pool was closed; create another with createPool`)
  }

  async function close(): Promise<void> {
    for (const job of running) {
      job.reject(stateError('closed', `${job.plan.verb}: the pool was closed before it was done; wait for it first`))
    }
    await crew?.close()
  }

  async function run<R>(plan: Plan<R>, { signal, onProgress }: RunOptions): Promise<R> {
    const job = new Job(plan, onProgress)
    const abort = (): void => job.reject(signal!.reason)
    signal?.addEventListener('abort', abort)
    running.add(job as Job)
    try {
      if (crew) crew.run(job as Job)
      else void runInline(job as Job)
      return await job.settled
    } finally {
      signal?.removeEventListener('abort', abort)
      running.delete(job as Job)
      crew?.drop(job as Job)
    }
  }

  const verbs = Object.fromEntries(
    Object.entries(calls).map(([name, call]) => [
      name,
      async (...given: unknown[]) => {
        checkOpen(name)
        const [args, how] = splitOptions(name, call, given)
        if (how.signal?.aborted) throw how.signal.reason
        // What the runtime lacks is its own error, and no worker's.
        const plan = call.plan(args)
        plan.modules.forEach(compileModule)
        if (how.transfer) refuseOut(name, args[call.options])
        const moved = how.transfer ? call.take(args) : undefined
        return run(moved ? wholePlan(name as VerbName, moved.args, moved.arrays) : plan, how)
      }
    ])
  )
  return {
    ...(verbs as unknown as Omit<Pool, 'threads' | 'init' | 'close'>),
    threads,
    init: async () => {
      checkOpen('init')
      await init()
      checkOpen('init')
      await crew?.start()
    },
    close: () => (closing ??= close())
  }
}

/** An array to write to is the caller's, on the caller's thread. */
function refuseOut(verb: string, options: unknown): void {
  if ((options as { out?: unknown } | undefined)?.out !== undefined) {
    throw typeError(`${verb}: "out" does not go with "transfer"; leave one of them out`)
  }
}

function isUrl(value: unknown): value is { href: string } {
  return typeof (value as { href?: unknown } | null)?.href === 'string'
}

/** Takes what is the pool's from the options of a call. */
function splitOptions(verb: string, { options: at }: Call, given: readonly unknown[]): [unknown[], RunOptions] {
  const args = given.slice(0, at + 1)
  const options = args[at]
  // The verb has its own words for what is no object, or is an array.
  if (typeof options !== 'object' || options === null || Array.isArray(options) || ArrayBuffer.isView(options)) {
    return [args, {}]
  }
  const own = Object.fromEntries(Object.entries(options).filter(([name]) => !RUN_OPTIONS.includes(name)))
  const { signal, onProgress, transfer } = options as RunOptions
  checkWatch(verb, { signal, onProgress })
  if (transfer !== undefined && typeof transfer !== 'boolean') {
    throw typeError(`${verb}: "transfer" expected true or false, got ${show(transfer)}`)
  }
  args[at] = own
  return [args, { signal, onProgress, transfer }]
}
