import { stateError } from '../core/errors.js'
import { compileModule } from '../core/modules.js'
import type { Unit } from './job.js'
import type { Plan } from './plan.js'
import { openPort, type Port, type ScriptSource } from './ports.js'
import type { FromWorker, Parcel, ToWorker } from './protocol.js'

/** A script that says nothing for so long is none of ours, in ms. */
const START_LIMIT = 15_000
/** After a limit, so that a thread which was blocked itself first hears what has come meanwhile, in ms. */
export const HEARING = 20

/**
 * Where a thread is; the diagram over `Crew` has what leads from one state to the next.
 *
 * - `opening`: its worker was started, and has not said "ready";
 * - `idle`: it has no chunks, and does not keep the process alive;
 * - `running`: it has a chunk to work on;
 * - `waiting`: all its chunks have answered, and wait for what the others answer;
 * - `ended`: its worker was ended or died. It does not come back.
 */
export type ThreadState = 'opening' | 'idle' | 'running' | 'waiting' | 'ended'

/** What the crew hears of a thread. */
export interface ThreadEvents {
  message(thread: Thread, message: FromWorker): void
  /** it could not start, or died */
  failure(thread: Thread, reason: string): void
}

/** Names a chunk among all of a crew. */
export const keyOf = ({ job, chunk }: { job: number; chunk: number }): string => `${job}/${chunk}`
const keyOfUnit = ({ job, chunk }: Unit): string => keyOf({ job: job.id, chunk })

/** A worker and the chunks that it has: its state is `ThreadState`. */
export class Thread {
  /** settles when it leaves the state `opening` */
  readonly started: Promise<void>
  private readonly running = new Map<string, Unit>()
  private readonly waiting = new Map<string, Unit>()
  /** names of the modules that it has */
  private readonly modules = new Set<string>()
  private now: ThreadState = 'opening'
  private port: Port | undefined
  private silence: ReturnType<typeof setTimeout> | undefined
  private admit!: () => void
  private refuse!: (error: Error) => void

  constructor(script: ScriptSource, events: ThreadEvents) {
    this.started = new Promise((resolve, reject) => {
      this.admit = resolve
      this.refuse = reject
    })
    // Whoever waits for it hears of it; jobs are told by themselves.
    this.started.catch(() => undefined)
    const lost = (reason: string): void => events.failure(this, reason)
    try {
      this.port = openPort(script, { message: (message) => events.message(this, message), failure: lost })
      this.post({ message: { kind: 'start' }, transfer: [] })
      this.port.hold(true)
      const silent = (): void => lost('it does not answer; is it the script of tersor/worker.js?')
      this.silence = setTimeout(() => {
        this.silence = setTimeout(silent, START_LIMIT / HEARING)
      }, START_LIMIT)
    } catch (error) {
      // After the caller has put the unit down that it wants a thread for.
      queueMicrotask(() => lost(error instanceof Error ? error.message : String(error)))
    }
  }

  get state(): ThreadState {
    return this.now
  }

  /** The chunk that it is at; others only wait in it. */
  get current(): Unit | undefined {
    return this.running.values().next().value
  }

  /** Chunks that it works on, the next ones included. */
  get load(): number {
    return this.running.size
  }

  /** Chunks that will hear of an agreement. */
  get pending(): number {
    return this.waiting.size
  }

  get units(): Unit[] {
    return [...this.running.values(), ...this.waiting.values()]
  }

  /** Whether one of its chunks may last. */
  get isTaken(): boolean {
    return [...this.running.values()].some(({ job }) => job.plan.exclusive)
  }

  /** Its script has answered. */
  ready(): void {
    clearTimeout(this.silence)
    this.now = 'idle'
    this.settle()
    this.admit()
  }

  /** Takes a chunk. When its arguments cannot be made or posted, it throws and is as before. */
  give(unit: Unit, make: () => Parcel<ToWorker>): void {
    const key = keyOfUnit(unit)
    this.running.set(key, unit)
    try {
      const parcel = make()
      this.supply(unit.job.plan)
      this.post(parcel)
    } catch (error) {
      this.running.delete(key)
      throw error
    } finally {
      this.settle()
    }
  }

  /** It has said something of a chunk, which it does no longer. */
  release(key: string): Unit | undefined {
    const unit = this.running.get(key)
    this.running.delete(key)
    this.settle()
    return unit
  }

  /** One of its chunks has answered. */
  park(unit: Unit): void {
    this.waiting.set(keyOfUnit(unit), unit)
    this.settle()
  }

  hasParked(unit: Unit): boolean {
    return this.waiting.has(keyOfUnit(unit))
  }

  /** A chunk that has answered goes on. */
  resume(unit: Unit, reply: Parcel<ToWorker>): void {
    this.waiting.delete(keyOfUnit(unit))
    this.running.set(keyOfUnit(unit), unit)
    this.post(reply)
    this.settle()
  }

  /** Forgets what waits for an agreement of these; says whether it had any, or works on one. */
  forget(isOf: (unit: Unit) => boolean): boolean {
    const parked = [...this.waiting].filter(([, unit]) => isOf(unit))
    for (const [key] of parked) this.waiting.delete(key)
    this.settle()
    return parked.length > 0 || [...this.running.values()].some(isOf)
  }

  post({ message, transfer }: Parcel<ToWorker>): void {
    this.port?.post({ message, transfer })
  }

  /** Ends the worker; whoever waits for its start hears the reason. */
  end(reason: Error): Promise<void> | undefined {
    clearTimeout(this.silence)
    this.now = 'ended'
    this.refuse(reason)
    return this.port?.terminate()
  }

  /** Posts the kernels that a plan's program calls, unless the worker has them. */
  private supply({ verb, modules }: Plan): void {
    for (const kernels of modules) {
      const { name } = kernels
      if (this.modules.has(name)) continue
      const module = compileModule(kernels)
      try {
        this.post({ message: { kind: 'kernels', name, module }, transfer: [] })
      } catch (cause) {
        const why = cause instanceof Error ? cause.message : String(cause)
        const what = `${verb}: the kernels of ${name} cannot be handed to a worker: ${why}`
        throw stateError('unsupported-runtime', what, { cause })
      }
      this.modules.add(name)
    }
  }

  /** What its chunks make of its state; a worker that opens or is busy keeps the process alive. */
  private settle(): void {
    if (this.now === 'ended') return
    if (this.now !== 'opening') this.now = this.running.size ? 'running' : this.waiting.size ? 'waiting' : 'idle'
    this.port?.hold(this.now === 'opening' || this.now === 'running')
  }
}
