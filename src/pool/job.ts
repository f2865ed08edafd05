import type { Progress } from '../core/progress.js'
import type { Plan } from './plan.js'

/** Where a chunk is; the diagram over `Unit` has what leads from one state to the next. */
export type UnitState = 'queued' | 'running' | 'waiting' | 'done' | 'skipped'

/**
 * A chunk of a job on its way.
 *
 *     queued --- a thread has it ---> running --- its result has come ---> done
 *        |  ^                         |  |  ^
 *        |  |                         |  |  +------ all have answered: a reply ----+
 *        |  |                         |  |                                         |
 *        |  |                         |  +--- it has something to agree on ---> waiting
 *        |  |                         |                                            |
 *        |  +-- its thread has ended -+--------------------------------------------+
 *        |                            |
 *        +-- an earlier chunk failed  +--- it fails ---> skipped
 *                     |                                     ^
 *                     +-------------------------------------+
 */
export interface Unit {
  readonly job: Job
  readonly chunk: number
  /** changed by the job's `mark` alone */
  state: UnitState
  /** agreements that it has been told */
  readonly replies: unknown[]
  steps: number
}

export interface Delivery {
  readonly unit: Unit
  readonly reply: unknown
}

let jobs = 0

/** A plan on its way: what its chunks have said, and whether it is over. */
export class Job<R = unknown> {
  readonly id = ++jobs
  readonly units: readonly Unit[]
  readonly settled: Promise<R>
  over = false
  private readonly answers: unknown[]
  private failure: { readonly chunk: number; readonly error: unknown } | undefined
  private done = 0
  /** chunks that are queued or running */
  private active: number
  private resolve!: (result: R) => void
  private refuse!: (error: unknown) => void

  constructor(
    readonly plan: Plan<R>,
    private readonly onProgress?: (progress: Progress) => void
  ) {
    this.units = plan.chunks.map((_, chunk) => ({ job: this as Job, chunk, state: 'queued', replies: [], steps: 0 }))
    this.active = this.units.length
    this.answers = plan.chunks.map(() => undefined)
    this.settled = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.refuse = reject
    })
  }

  answered(chunk: number, value: unknown): Delivery[] {
    return this.advance(chunk, 'waiting', () => {
      this.answers[chunk] = value
    })
  }

  finished(chunk: number, result: unknown): Delivery[] {
    return this.advance(chunk, 'done', () => this.plan.take(chunk, result))
  }

  /** The error that counts is that of the first chunk, whichever fails first. */
  failed(chunk: number, error: unknown): void {
    if (!this.failure || chunk < this.failure.chunk) this.failure = { chunk, error }
    for (const unit of this.units) if (unit.chunk > chunk && unit.state === 'queued') this.mark(unit, 'skipped')
    this.advance(chunk, 'skipped')
  }

  reject(error: unknown): void {
    if (this.over) return
    this.over = true
    this.refuse(error)
  }

  mark(unit: Unit, state: UnitState): void {
    this.active += Number(isActive(state)) - Number(isActive(unit.state))
    unit.state = state
  }

  /** What is due when nothing has been done yet: a job of no chunks is over. */
  begin(): void {
    this.advance()
  }

  /** Replies that are due, once every chunk has answered. */
  private advance(chunk?: number, state?: UnitState, take?: () => void): Delivery[] {
    if (this.over) return []
    try {
      take?.()
      if (chunk !== undefined) this.note(this.units[chunk]!, state!)
      return this.over ? [] : this.decide()
    } catch (error) {
      this.reject(error)
      return []
    }
  }

  private decide(): Delivery[] {
    const { failure, units, plan } = this
    if (failure) {
      if (!units.some(({ chunk, state }) => chunk < failure.chunk && isActive(state))) this.reject(failure.error)
      return []
    }
    if (this.active > 0) return []
    const waiting = units.filter(({ state }) => state === 'waiting')
    if (waiting.length === 0) {
      const result = plan.finish()
      this.over = true
      this.resolve(result)
      return []
    }
    const replies = plan.agree!(this.answers)
    this.answers.fill(undefined)
    return waiting.map((unit) => {
      const reply = replies[unit.chunk]
      this.mark(unit, 'running')
      unit.replies.push(reply)
      return { unit, reply }
    })
  }

  /** Tells of progress; a chunk that is done again, or had nothing to agree on, makes none that was not made. */
  private note(unit: Unit, state: UnitState): void {
    this.mark(unit, state)
    if (state === 'skipped') return
    const all = 1 + (this.plan.agreements ?? 0)
    const steps = state === 'done' ? all : unit.replies.length + 1
    if (steps <= unit.steps) return
    this.done += steps - unit.steps
    unit.steps = steps
    this.onProgress?.({ done: this.done, total: all * this.units.length })
  }
}

function isActive(state: UnitState): boolean {
  return state === 'queued' || state === 'running'
}
