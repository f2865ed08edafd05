import type { Delivery, Job } from './job.js'
import type { Program, Steps } from './plan.js'

/** Lets the runtime do something else: deliver an abort, draw a frame. */
const breathe = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0))

/** Does a job on this thread, chunk after chunk, where there are no workers. */
export async function runInline(job: Job, programs: Readonly<Record<string, Program>>): Promise<void> {
  const running = new Map<number, Steps>()
  const queue: Delivery[] = job.units.map((unit) => ({ unit, reply: undefined }))
  job.begin()
  for (let next = queue.shift(); next; next = queue.shift()) {
    await breathe()
    if (job.over) return
    const { unit, reply } = next
    const { chunk } = unit
    if (unit.state === 'skipped') continue
    job.mark(unit, 'running')
    try {
      const steps = running.get(chunk) ?? programs[job.plan.program]!(job.plan.chunks[chunk]!() as never)
      const { done, value } = steps.next(reply)
      if (done) running.delete(chunk)
      else running.set(chunk, steps)
      for (const delivery of done ? job.finished(chunk, value) : job.answered(chunk, value)) queue.push(delivery)
    } catch (error) {
      job.failed(chunk, error)
    }
  }
}
