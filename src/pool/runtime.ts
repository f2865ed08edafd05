import { fingerprint } from '#fingerprint'
import { adoptModule } from './adoptedModules.js'
import type { Program, Steps } from './plan.js'
import { parcel, takeApart, type ChunkId, type FromWorker, type ToWorker } from './protocol.js'

interface ParentPort {
  postMessage(message: unknown, transfer: readonly ArrayBuffer[]): void
  on(event: 'message', listen: (message: ToWorker) => void): void
}

interface WorkerScope {
  postMessage?: (message: unknown, transfer: readonly ArrayBuffer[]) => void
  onmessage?: (event: { readonly data: ToWorker }) => void
  process?: { getBuiltinModule(name: string): { parentPort: ParentPort } }
}

/** Connects to the thread that started this one: as a web worker, or as one of Node. */
function connect(listen: (message: ToWorker) => void): (message: unknown, transfer: readonly ArrayBuffer[]) => void {
  const scope = globalThis as unknown as WorkerScope
  if (typeof scope.postMessage === 'function') {
    scope.onmessage = ({ data }) => listen(data)
    return (message, transfer) => scope.postMessage!(message, transfer)
  }
  const { parentPort } = scope.process!.getBuiltinModule('node:worker_threads')
  parentPort.on('message', listen)
  return (message, transfer) => parentPort.postMessage(message, transfer)
}

/** Connected to the thread that started this one. It does chunks by the programs of these tables. */
export function start(...tables: readonly Readonly<Record<string, Program>>[]): void {
  const programs = Object.assign({}, ...tables) as Readonly<Record<string, Program>>
  /** Chunks that wait for an agreement, by job and chunk. */
  const waiting = new Map<number, Map<number, Steps>>()

  /** Everything in a result was made here, and is handed over. */
  const send = (message: FromWorker): void => {
    const { message: whole, transfer } = parcel(message, ({ buffer, byteLength }) => byteLength === buffer.byteLength)
    post(whole, transfer)
  }

  const forget = (job: number, chunk: number): void => {
    waiting.get(job)?.delete(chunk)
    if (waiting.get(job)?.size === 0) waiting.delete(job)
  }

  const keep = (job: number, chunk: number, steps: Steps): void => {
    const chunks = waiting.get(job) ?? new Map<number, Steps>()
    waiting.set(job, chunks.set(chunk, steps))
  }

  /** Works until the chunk has to hear more, or is done. */
  const step = ({ job, chunk }: ChunkId, begin: () => Steps, replies: readonly unknown[]): void => {
    try {
      const steps = begin()
      let { done, value } = steps.next(replies[0])
      for (let i = 1; !done && i < replies.length; i++) ({ done, value } = steps.next(replies[i]))
      if (done) forget(job, chunk)
      else keep(job, chunk, steps)
      send({ kind: done ? 'result' : 'answer', job, chunk, value })
    } catch (error) {
      forget(job, chunk)
      send({ kind: 'failure', job, chunk, error: takeApart(error) })
    }
  }

  const post = connect((message) => {
    switch (message.kind) {
      case 'start':
        send({ kind: 'ready', fingerprint })
        break
      case 'kernels':
        adoptModule(message.name, message.module)
        break
      case 'chunk':
        step(message, () => programs[message.program]!(message.args as never), [undefined, ...message.replies])
        break
      case 'reply':
        step(message, () => waiting.get(message.job)!.get(message.chunk)!, [message.reply])
        break
      case 'drop':
        waiting.delete(message.job)
    }
  })
}
