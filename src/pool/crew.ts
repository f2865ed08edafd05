import { stateError } from '../core/errors.js'
import { fingerprint } from '#fingerprint'
import { compileModule } from '../core/modules.js'
import type { Job, Unit } from './job.js'
import type { Plan } from './plan.js'
import { openPort, type Port } from './ports.js'
import { parcel, putTogether, type FromWorker } from './protocol.js'

/** Chunks that a thread has at once: the next one is copied to it while it works. */
const DEPTH = 2
/** What an aborted job's chunk may still take before its thread is ended, in ms. */
const GRACE = 50
/** A script that says nothing for so long is none of ours, in ms. */
const START_LIMIT = 15_000
/** After a limit, so that a thread which was blocked itself first hears what has come meanwhile, in ms. */
const HEARING = 20

interface Thread {
  port: Port | undefined
  readonly running: Map<string, Unit>
  readonly waiting: Map<string, Unit>
  /** names of the modules that it has */
  readonly kernels: Set<string>
  readonly started: Promise<void>
  isReady: boolean
  ready: () => void
  refuse: (error: Error) => void
  timer: ReturnType<typeof setTimeout> | undefined
}

const keyOf = ({ job, chunk }: { job: number; chunk: number }): string => `${job}/${chunk}`
const keyOfUnit = ({ job, chunk }: Unit): string => keyOf({ job: job.id, chunk })

/** Shares out the chunks of jobs among workers. */
export class Crew {
  private readonly threads: Thread[] = []
  private queue: Unit[] = []
  private closed = false

  constructor(
    private readonly size: number,
    private readonly url: string | undefined
  ) {}

  /** Opens all threads, and waits until they are there. */
  async start(): Promise<void> {
    while (this.threads.length < this.size && !this.closed) this.open()
    await Promise.all(this.threads.map(({ started }) => started))
  }

  run(job: Job): void {
    for (const unit of job.units) this.queue.push(unit)
    job.begin()
    this.share()
  }

  /** Forgets a job that is over; a thread that is still busy with it has a moment to end by itself. */
  drop(job: Job): void {
    this.queue = this.queue.filter((unit) => unit.job !== job)
    for (const thread of [...this.threads]) {
      const isOf = (unit: Unit): boolean => unit.job === job
      const stashed = [...thread.waiting].filter(([, unit]) => isOf(unit))
      for (const [key] of stashed) thread.waiting.delete(key)
      const isBusy = [...thread.running.values()].some(isOf)
      if (!isBusy && stashed.length === 0) continue
      thread.port?.post({ message: { kind: 'drop', job: job.id }, transfer: [] })
      this.watch(thread)
    }
    this.share()
  }

  async close(): Promise<void> {
    this.queue = []
    this.closed = true
    const closed = stateError('closed', 'the pool was closed')
    await Promise.all([...this.threads].map((thread) => this.end(thread, closed)))
  }

  /** Gives a thread a moment to end what nobody waits for; it may be behind others' work, or not have started yet. */
  private watch(thread: Thread): void {
    const current = (): Unit | undefined => thread.running.values().next().value
    const unit = current()
    if (!thread.isReady || !unit?.job.over) return
    const end = (): void => {
      if (this.threads.includes(thread) && current() === unit) this.replace(thread)
    }
    setTimeout(() => setTimeout(end, HEARING), GRACE)
  }

  private share(): void {
    for (let unit = this.queue[0]; unit; unit = this.queue[0]) {
      if (unit.state !== 'queued' || unit.job.over) {
        this.queue.shift()
        continue
      }
      const thread = this.threadFor(unit)
      if (!thread) return
      this.queue.shift()
      this.send(thread, unit)
    }
  }

  /** The least busy thread, a new one while there may be more; none where all have enough. */
  private threadFor({ job }: Unit): Thread | undefined {
    const isFree = ({ running, waiting }: Thread): boolean => {
      // Nor does it stand in the way of chunks that will hear what was agreed on.
      if (job.plan.exclusive) return running.size === 0 && waiting.size === 0
      return running.size < DEPTH && ![...running.values()].some((other) => other.job.plan.exclusive)
    }
    const [least] = this.threads.filter(isFree).sort((a, b) => a.running.size - b.running.size)
    if (least?.running.size === 0 || this.threads.length === this.size) return least
    return this.open()
  }

  private send(thread: Thread, unit: Unit): void {
    const { job, chunk, replies } = unit
    const { plan } = job
    job.mark(unit, 'running')
    try {
      const args = plan.chunks[chunk]!()
      const message = { kind: 'chunk', program: plan.program, job: job.id, chunk, args, replies } as const
      thread.running.set(keyOfUnit(unit), unit)
      this.supply(thread, plan)
      thread.port?.post(parcel(message, (array) => plan.moves?.has(array) === true))
      thread.port?.hold(true)
    } catch (error) {
      thread.running.delete(keyOfUnit(unit))
      job.reject(error)
    }
  }

  /** Posts the kernels that a plan's program calls, unless the thread has them. */
  private supply({ port, kernels }: Thread, { modules }: Plan): void {
    for (const module of modules) {
      if (kernels.has(module.name)) continue
      kernels.add(module.name)
      port?.post({ message: { kind: 'kernels', name: module.name, module: compileModule(module) }, transfer: [] })
    }
  }

  private hear(thread: Thread, message: FromWorker): void {
    // What a thread still says that was ended is done again elsewhere.
    if (!this.threads.includes(thread)) return
    if (message.kind === 'ready') {
      if (message.fingerprint !== fingerprint) {
        this.lose(thread, 'its script is of another version of tersor')
        return
      }
      clearTimeout(thread.timer)
      thread.isReady = true
      thread.ready()
      if (thread.running.size === 0) thread.port!.hold(false)
      this.watch(thread)
      return
    }
    const key = keyOf(message)
    const unit = thread.running.get(key)
    thread.running.delete(key)
    if (thread.running.size === 0) thread.port!.hold(false)
    if (unit && !unit.job.over) this.note(thread, unit, message)
    this.watch(thread)
    this.share()
  }

  private note(thread: Thread, unit: Unit, message: Exclude<FromWorker, { kind: 'ready' }>): void {
    const { job, chunk } = unit
    if (message.kind === 'failure') {
      job.failed(chunk, putTogether(message.error))
      return
    }
    if (message.kind === 'answer') thread.waiting.set(keyOf(message), unit)
    const replies = message.kind === 'answer' ? job.answered(chunk, message.value) : job.finished(chunk, message.value)
    for (const { unit: told, reply } of replies) {
      const key = keyOfUnit(told)
      const owner = this.threads.find(({ waiting }) => waiting.has(key))!
      owner.waiting.delete(key)
      owner.running.set(key, told)
      owner.port!.post(parcel({ kind: 'reply', job: job.id, chunk: told.chunk, reply }))
      owner.port!.hold(true)
    }
  }

  private open(): Thread {
    let ready!: () => void
    let refuse!: (error: Error) => void
    const started = new Promise<void>((resolve, reject) => {
      ready = resolve
      refuse = reject
    })
    // Whoever waits for it hears of it; jobs are told by themselves.
    started.catch(() => undefined)
    const thread: Thread = {
      port: undefined,
      running: new Map(),
      waiting: new Map(),
      kernels: new Set(),
      started,
      isReady: false,
      ready,
      refuse,
      timer: undefined
    }
    this.threads.push(thread)
    const lost = (reason: string): void => {
      if (this.threads.includes(thread)) this.lose(thread, reason)
    }
    try {
      thread.port = openPort(this.url, { message: (message) => this.hear(thread, message), failure: lost })
      thread.port.post({ message: { kind: 'start' }, transfer: [] })
      thread.port.hold(true)
      const silent = (): void => lost('it does not answer; is it the script of tersor/worker.js?')
      thread.timer = setTimeout(() => {
        thread.timer = setTimeout(silent, START_LIMIT / HEARING)
      }, START_LIMIT)
    } catch (error) {
      // After the caller has put the unit down that it wants a thread for.
      queueMicrotask(() => lost(error instanceof Error ? error.message : String(error)))
    }
    return thread
  }

  /** A thread has died, or has never lived. */
  private lose(thread: Thread, reason: string): void {
    if (!thread.isReady) {
      const script = this.url === undefined ? 'its inline script' : `"workerUrl" ${this.url}`
      const hint =
        this.url === undefined
          ? '; where a content security policy forbids blob: workers, serve tersor/worker.js and give its address as "workerUrl"'
          : '; it has to serve the script of tersor/worker.js'
      const error = stateError(
        'worker-lost',
        `createPool: the worker could not be started from ${script}: ${reason}${hint}`
      )
      const jobs = new Set([...this.queue, ...thread.running.values()].map(({ job }) => job))
      void this.end(thread, error)
      for (const job of jobs) job.reject(error)
      return
    }
    // The first is what it was at; the others only waited in it.
    const [unit] = thread.running.values()
    if (unit) {
      const { plan } = unit.job
      unit.job.reject(
        stateError(
          'worker-lost',
          `${plan.verb}: a worker of the pool died at it: ${reason}; the pool goes on with a new one`
        )
      )
    }
    this.replace(thread)
  }

  /** Ends a thread, and has others do what it had of jobs that live on. */
  private replace(thread: Thread): void {
    const units = [...thread.running.values(), ...thread.waiting.values()]
    void this.end(thread, stateError('worker-lost', 'the worker was replaced'))
    for (const unit of units) {
      if (unit.job.over) continue
      unit.job.mark(unit, 'queued')
      this.queue.unshift(unit)
    }
    this.share()
  }

  private end(thread: Thread, reason: Error): Promise<void> | undefined {
    clearTimeout(thread.timer)
    this.threads.splice(this.threads.indexOf(thread), 1)
    thread.refuse(reason)
    return thread.port?.terminate()
  }
}
