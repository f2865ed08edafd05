import type { Plan } from './plan.js'

export interface Progress {
  /** steps done, of `total`: one for each chunk, and one for each time that it has to agree with others */
  done: number
  total: number
}

export interface Unit {
  readonly job: Job
  readonly chunk: number
  state: 'queued' | 'running' | 'waiting' | 'done' | 'skipped'
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
  private told = 0
  private resolve!: (result: R) => void
  private refuse!: (error: unknown) => void

  constructor(
    readonly plan: Plan<R>,
    private readonly onProgress?: (progress: Progress) => void
  ) {
    this.units = plan.chunks.map((_, chunk) => ({ job: this as Job, chunk, state: 'queued', replies: [], steps: 0 }))
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
    for (const unit of this.units) if (unit.chunk > chunk && unit.state === 'queued') unit.state = 'skipped'
    this.advance(chunk, 'skipped')
  }

  reject(error: unknown): void {
    if (this.over) return
    this.over = true
    this.refuse(error)
  }

  /** What is due when nothing has been done yet: a job of no chunks is over. */
  begin(): void {
    this.advance()
  }

  /** Replies that are due, once every chunk has answered. */
  private advance(chunk?: number, state?: Unit['state'], take?: () => void): Delivery[] {
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
    const active = (unit: Unit): boolean => unit.state === 'queued' || unit.state === 'running'
    if (failure) {
      if (!units.some((unit) => unit.chunk < failure.chunk && active(unit))) this.reject(failure.error)
      return []
    }
    if (units.some(active)) return []
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
      unit.state = 'running'
      unit.replies.push(reply)
      return { unit, reply }
    })
  }

  /** Tells of progress; a chunk that is done again, or had nothing to agree on, makes none that was not made. */
  private note(unit: Unit, state: Unit['state']): void {
    unit.state = state
    if (state === 'skipped') return
    const all = 1 + (this.plan.agreements ?? 0)
    unit.steps = state === 'done' ? all : Math.max(unit.steps, unit.replies.length + 1)
    const done = this.units.reduce((sum, { steps }) => sum + steps, 0)
    if (done === this.told) return
    this.told = done
    this.onProgress?.({ done, total: all * this.units.length })
  }
}
