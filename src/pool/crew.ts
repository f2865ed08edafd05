import { stateError } from '../core/errors.js'
import { fingerprint } from '#fingerprint'
import type { Job, Unit } from './job.js'
import type { ScriptSource } from './ports.js'
import { parcel, putTogether, type FromWorker } from './protocol.js'
import { HEARING, keyOf, Thread } from './thread.js'

/** Chunks that a thread has at once: the next one is copied to it while it works. */
const DEPTH = 2
/** What an aborted job's chunk may still take before its thread is ended, in ms. */
const GRACE = 50

/**
 * Shares out the chunks of jobs among threads. A thread's worker and its chunks make its state (`ThreadState`):
 *
 *     opening --- it fails; is silent for 15 s; is of another build: its jobs reject ---+
 *        |                                                                              |
 *        | its script says "ready"                                                      v
 *        v                                                                            ended
 *      idle  <------------------- its last chunk is done, failed or dropped ---+        ^
 *        |                                                                     |        |
 *        | a chunk                                                             |        |
 *        v                                                                     |        |
 *     running --- each of its chunks has answered ---> waiting ----------------+        |
 *        ^                                                |                             |
 *        +---------- a reply, or another chunk -----------+                             |
 *                                                                                       |
 *     opening, idle, running, waiting --- the pool is closed ---------------------------+
 *     idle, running, waiting --- its worker dies: the job of its current chunk rejects -+
 *     running --- busy for 50 ms with a chunk of a job that was aborted ----------------+
 *
 * Chunks may be given to a thread that still opens: at "ready" it is running. The chunks of an ended thread that nobody
 * rejected are queued again. The next chunk that finds no thread opens a new one. `UnitState` has the states of chunks.
 */
export class Crew {
  /** those that have not ended */
  private readonly threads: Thread[] = []
  private queue: Unit[] = []
  private closed = false

  /** @param verb the function that made the pool, for messages */
  constructor(
    private readonly verb: string,
    private readonly size: number,
    private readonly script: ScriptSource
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
      if (!thread.forget((unit) => unit.job === job)) continue
      thread.post({ message: { kind: 'drop', job: job.id }, transfer: [] })
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
    const unit = thread.current
    if (thread.state !== 'running' || !unit?.job.over) return
    const end = (): void => {
      if (thread.state === 'running' && thread.current === unit) this.replace(thread)
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
    const isFree = ({ load, pending, isTaken }: Thread): boolean => {
      // Nor does it stand in the way of chunks that will hear what was agreed on.
      return job.plan.exclusive ? load === 0 && pending === 0 : load < DEPTH && !isTaken
    }
    const [least] = this.threads.filter(isFree).sort((a, b) => a.load - b.load)
    if (least?.load === 0 || this.threads.length === this.size) return least
    return this.open()
  }

  private send(thread: Thread, unit: Unit): void {
    const { job, chunk, replies } = unit
    const { plan } = job
    job.mark(unit, 'running')
    try {
      thread.give(unit, () => {
        const args = plan.chunks[chunk]!()
        const message = { kind: 'chunk', program: plan.program, job: job.id, chunk, args, replies } as const
        return parcel(message, (array) => plan.moves?.has(array) === true)
      })
    } catch (error) {
      job.reject(error)
    }
  }

  private hear(thread: Thread, message: FromWorker): void {
    // What a thread still says that was ended is done again elsewhere.
    if (thread.state === 'ended') return
    if (message.kind === 'ready') {
      if (message.fingerprint !== fingerprint) {
        this.lose(thread, 'its script is of another version of tersor')
        return
      }
      thread.ready()
      this.watch(thread)
      return
    }
    const unit = thread.release(keyOf(message))
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
    if (message.kind === 'answer') thread.park(unit)
    const replies = message.kind === 'answer' ? job.answered(chunk, message.value) : job.finished(chunk, message.value)
    for (const { unit: told, reply } of replies) {
      const owner = this.threads.find((other) => other.hasParked(told))!
      owner.resume(told, parcel({ kind: 'reply', job: job.id, chunk: told.chunk, reply }))
    }
  }

  private open(): Thread {
    const thread = new Thread(this.script, {
      message: (from, message) => this.hear(from, message),
      failure: (from, reason) => this.lose(from, reason)
    })
    this.threads.push(thread)
    return thread
  }

  /** A thread has died, or has never lived. */
  private lose(thread: Thread, reason: string): void {
    if (thread.state === 'ended') return
    if (thread.state === 'opening') {
      const error = this.startError(reason)
      const jobs = new Set([...this.queue, ...thread.units].map(({ job }) => job))
      void this.end(thread, error)
      for (const job of jobs) job.reject(error)
      return
    }
    const job = thread.current?.job
    const fate = `a worker of the pool died at it: ${reason}; the pool goes on with a new one`
    job?.reject(stateError('worker-lost', `${job.plan.verb}: ${fate}`))
    this.replace(thread)
  }

  private startError(reason: string): Error {
    const { verb, script } = this
    const [from, hint] =
      'url' in script
        ? [`"workerUrl" ${script.url}`, 'it has to serve the script of tersor/worker.js']
        : [
            'its inline script',
            'where a content security policy forbids blob: workers, serve tersor/worker.js and give its address as "workerUrl"'
          ]
    return stateError('worker-lost', `${verb}: the worker could not be started from ${from}: ${reason}; ${hint}`)
  }

  /** Ends a thread, and has others do what it had of jobs that live on. */
  private replace(thread: Thread): void {
    void this.end(thread, stateError('worker-lost', 'the worker was replaced'))
    for (const unit of thread.units) {
      if (unit.job.over) continue
      unit.job.mark(unit, 'queued')
      this.queue.unshift(unit)
    }
    this.share()
  }

  private end(thread: Thread, reason: Error): Promise<void> | undefined {
    this.threads.splice(this.threads.indexOf(thread), 1)
    return thread.end(reason)
  }
}
