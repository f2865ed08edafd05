import { fingerprint } from '#fingerprint'
import { adoptModule } from '../core/modules.js'
import type { Steps } from './plan.js'
import { programs } from './programs.js'
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

/** Chunks that wait for an agreement, by job and chunk. */
const waiting = new Map<number, Map<number, Steps>>()

/** Everything in a result was made here, and is handed over. */
function send(message: FromWorker): void {
  const { message: whole, transfer } = parcel(message, ({ buffer, byteLength }) => byteLength === buffer.byteLength)
  post(whole, transfer)
}

function step({ job, chunk }: ChunkId, steps: Steps, replies: readonly unknown[]): void {
  try {
    let { done, value } = steps.next(replies[0])
    for (let i = 1; !done && i < replies.length; i++) ({ done, value } = steps.next(replies[i]))
    const chunks = waiting.get(job) ?? new Map<number, Steps>()
    if (done) chunks.delete(chunk)
    else chunks.set(chunk, steps)
    if (chunks.size > 0) waiting.set(job, chunks)
    else waiting.delete(job)
    send({ kind: done ? 'result' : 'answer', job, chunk, value })
  } catch (error) {
    waiting.get(job)?.delete(chunk)
    if (waiting.get(job)?.size === 0) waiting.delete(job)
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
      step(message, programs[message.program]!(message.args as never), [undefined, ...message.replies])
      break
    case 'reply':
      step(message, waiting.get(message.job)!.get(message.chunk)!, [message.reply])
      break
    case 'drop':
      waiting.delete(message.job)
  }
})
