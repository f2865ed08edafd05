import { stateError, typeError } from '../core/errors.js'
import { checkInteger, checkOptions, show } from '../core/check.js'
import { startEngine } from '../core/engine.js'
import { compileModule } from '../core/modules.js'
import { checkWatch } from '../core/progress.js'
import { RUN_OPTIONS, type Call } from './call.js'
import { Crew } from './crew.js'
import { repertoireOf, type Domain, type Repertoire } from './domain.js'
import { runInline } from './inline.js'
import { Job } from './job.js'
import type { Plan } from './plan.js'
import { wholePlan, type Whole } from './plans/whole.js'
import { hasWorkers } from './ports.js'
import type { PoolControl, PoolOptions, RunOptions } from './run.js'
import { composeScript } from './script.js'

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

/** All of these types at once. */
type Together<T> = (T extends unknown ? (each: T) => void : never) extends (all: infer A) => void ? A : never
type VerbsOf<D> = D extends Domain<infer Verbs> ? Verbs : never

/** A pool with the verbs of some domains. */
export type PoolOf<D extends readonly Domain[]> = PoolControl & Together<VerbsOf<D[number]>>

/**
 * A pool of workers with the verbs of some domains alone, such as `quantizing` and `pruning`.
 *
 * It works as the pool of `createPool` does. A bundle carries the code and the kernels of these domains only, for this
 * thread and for the workers. The script for `workerUrl` is the same for every pool: tersor/worker.js.
 *
 * Defaults and method: those of `createPool`.
 * Error: none beyond the verbs'.
 *
 * @param domains one or more of `quantizing`, `pruning`, `distilling`, `multiplying`, `decomposing`, `solving` and
 * `approximating`
 * @example
 * const pool = createPoolOf([quantizing, pruning], { threads: 2 })
 * const { values } = await pool.prune(new Float32Array(1e6), { sparsity: 0.5 })
 * const { codes } = await pool.quantize(values, { format: 'int8' })
 * await pool.close()
 * @throws TypeError for `domains` that are no array of domains, for none, and for one that is named twice
 * @throws TypeError and RangeError for options, as `createPool` does
 */
export function createPoolOf<const D extends readonly Domain[]>(domains: D, options: PoolOptions = {}): PoolOf<D> {
  return assemblePool('createPoolOf', domains, options) as PoolOf<D>
}

/** Reads the options: how many threads there may be, and where their script comes from. */
function readPoolOptions(verb: string, options: PoolOptions): { threads: number; workerUrl: string | undefined } {
  checkOptions(verb, options, ['threads', 'workerUrl'])
  const { workerUrl } = options
  const given = options.threads === undefined ? Math.min(processors(), MOST_THREADS) : options.threads
  const threads = checkInteger(verb, 'threads', given, 1, MOST_THREADS)
  if (workerUrl !== undefined && typeof workerUrl !== 'string' && !isUrl(workerUrl)) {
    throw typeError(`${verb}: "workerUrl" expected a URL or its text, got ${show(workerUrl)}`)
  }
  return { threads, workerUrl: typeof workerUrl === 'object' ? workerUrl.href : workerUrl }
}

/** Puts a pool together. `verb` is the function that was called, for messages. */
export function assemblePool(verb: string, domains: readonly Domain[], options: PoolOptions): PoolControl {
  const repertoire = repertoireOf(verb, domains)
  const { threads, workerUrl } = readPoolOptions(verb, options)
  return poolOver(verb, repertoire, hasWorkers() ? crewOf(verb, repertoire, threads, workerUrl) : undefined, threads)
}

function crewOf(verb: string, { chunks }: Repertoire, threads: number, workerUrl: string | undefined): Crew {
  let text: string | undefined
  const inline = { text: () => (text ??= composeScript(chunks)) }
  return new Crew(verb, threads, workerUrl === undefined ? inline : { url: workerUrl })
}

function poolOver(maker: string, repertoire: Repertoire, crew: Crew | undefined, threads: number): PoolControl {
  const { calls, modules, programs } = repertoire
  const running = new Set<Job>()
  let closing: Promise<void> | undefined

  function checkOpen(name: string): void {
    if (closing) throw stateError('closed', `${name}: the pool was closed; create another with ${maker}`)
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
      else void runInline(job as Job, programs)
      return await job.settled
    } finally {
      signal?.removeEventListener('abort', abort)
      running.delete(job as Job)
      crew?.drop(job as Job)
    }
  }

  const verbs = [...calls].map(([name, call]) => [
    name,
    async (...given: unknown[]) => {
      checkOpen(name)
      const [args, how] = splitOptions(name, call, given)
      if (how.signal?.aborted) throw how.signal.reason
      return run(planOf(name, call, args, how), how)
    }
  ])
  return {
    ...(Object.fromEntries(verbs) as object),
    threads: crew ? threads : 1,
    init: async () => {
      checkOpen('init')
      await startEngine(modules)
      checkOpen('init')
      await crew?.start()
    },
    close: () => (closing ??= close())
  }
}

/** The plan of a call. Whether its arguments are right, and its kernels compile, shows here and not in a worker. */
function planOf(verb: string, call: Call & { readonly whole: Whole }, args: unknown[], { transfer }: RunOptions): Plan {
  const plan = call.plan(args)
  plan.modules.forEach(compileModule)
  if (!transfer) return plan
  refuseOut(verb, args[call.options])
  const moved = call.take(args)
  return moved ? wholePlan(call.whole, verb, moved.args, { moves: moved.arrays, finish: call.finish }) : plan
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
