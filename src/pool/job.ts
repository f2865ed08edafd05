import type { Plan } from './plan.js'

export interface Progress {
  /** chunks done, of `total`; a chunk that has something to agree on counts more than once */
  done: number
  total: number
}

export interface Unit {
  readonly job: Job
  readonly chunk: number
  state: 'queued' | 'running' | 'waiting' | 'done' | 'skipped'
  /** agreements that it has been told */
  readonly replies: unknown[]
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
  private steps = 0
  private resolve!: (result: R) => void
  private refuse!: (error: unknown) => void

  constructor(
    readonly plan: Plan<R>,
    private readonly onProgress?: (progress: Progress) => void
  ) {
    this.units = plan.chunks.map((_, chunk) => ({ job: this as Job, chunk, state: 'queued', replies: [] }))
    this.answers = plan.chunks.map(() => undefined)
    this.settled = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.refuse = reject
    })
  }

  answered(chunk: number, value: unknown): Delivery[] {
    this.answers[chunk] = value
    return this.advance(chunk, 'waiting')
  }

  finished(chunk: number, result: unknown): Delivery[] {
    this.answers[chunk] = undefined
    this.plan.take(chunk, result)
    return this.advance(chunk, 'done')
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

  /** Replies that are due, once every chunk has answered. */
  advance(chunk?: number, state?: Unit['state']): Delivery[] {
    if (this.over) return []
    if (chunk !== undefined) this.units[chunk]!.state = state!
    try {
      if (state === 'waiting' || state === 'done') this.tell()
      return this.decide()
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

  private tell(): void {
    const total = this.units.length * (1 + (this.plan.agreements ?? 0))
    this.onProgress?.({ done: Math.min(++this.steps, total), total })
  }
}
