import workers from 'node:worker_threads'
import { afterAll } from 'vitest'

export interface Census {
  /** workers that were ever started */
  started: number
  /** those that have not ended */
  alive: number
}

/** Counts the workers that the tests of a file start. */
export function countWorkers(): Census {
  const census = { started: 0, alive: 0 }
  const { Worker } = workers
  workers.Worker = class extends Worker {
    constructor(...parameters: ConstructorParameters<typeof Worker>) {
      super(...parameters)
      census.started++
      census.alive++
      this.once('exit', () => census.alive--)
    }
  }
  afterAll(() => {
    workers.Worker = Worker
  })
  return census
}

/** Keeps this thread busy, so that what others say waits. */
export function block(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}
