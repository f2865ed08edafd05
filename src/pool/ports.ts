import type { FromWorker, Parcel, ToWorker } from './protocol.js'
import { hasScript } from './script.js'

/** A worker of this runtime. */
export interface Port {
  post(parcel: Parcel<ToWorker>): void
  terminate(): Promise<void>
  /** whether it keeps the process alive, where the runtime lets one say so */
  hold(busy: boolean): void
}

export interface PortEvents {
  message(message: FromWorker): void
  /** the worker is gone, or its script has failed */
  failure(reason: string): void
}

interface NodeWorker {
  on(event: string, listen: (value: never) => void): void
  postMessage(message: unknown, transfer: readonly ArrayBuffer[]): void
  terminate(): Promise<number>
  ref(): void
  unref(): void
}

type NodeWorkerClass = new (script: string | URL, options: { eval: boolean }) => NodeWorker

interface WebWorker {
  onmessage: ((event: { data: FromWorker }) => void) | null
  onmessageerror: (() => void) | null
  onerror: ((event: { message?: string; preventDefault?: () => void }) => void) | null
  addEventListener(type: 'close', listen: () => void): void
  postMessage(message: unknown, transfer: readonly ArrayBuffer[]): void
  terminate(): void
  ref?: () => void
  unref?: () => void
}

type WebWorkerClass = new (url: string | URL, options: { type: 'module' | 'classic' }) => WebWorker

interface Host {
  Worker?: WebWorkerClass
  process?: { getBuiltinModule?: (name: string) => { Worker?: NodeWorkerClass } | undefined }
}

/** Node's own class of worker; never by an import, which would break bundles for the web. */
function nodeWorkerClass(): NodeWorkerClass | undefined {
  return (globalThis as Host).process?.getBuiltinModule?.('node:worker_threads')?.Worker
}

/** Whether this runtime has workers: not workerd and edge runtimes, whose builds carry no script for them. */
export function hasWorkers(): boolean {
  if (!hasScript()) return false
  return typeof (globalThis as Host).Worker === 'function' || nodeWorkerClass() !== undefined
}

/** Where a worker's script comes from. */
export type ScriptSource = { readonly url: string } | { readonly text: () => string }

/** Starts a worker. */
export function openPort(script: ScriptSource, events: PortEvents): Port {
  const { Worker: Web } = globalThis as Host
  return typeof Web === 'function' ? openWeb(Web, script, events) : openNode(nodeWorkerClass()!, script, events)
}

function openNode(Class: NodeWorkerClass, script: ScriptSource, events: PortEvents): Port {
  const worker =
    'url' in script ? new Class(nodeUrl(script.url), { eval: false }) : new Class(script.text(), { eval: true })
  let reason = ''
  worker.on('message', (message: FromWorker) => events.message(message))
  worker.on('messageerror', () => events.failure('its message could not be read'))
  worker.on('error', (error: unknown) => {
    reason = error instanceof Error ? error.message : String(error)
  })
  worker.on('exit', (code: number) => events.failure(reason || `it exited with code ${code}`))
  worker.unref()
  return {
    post: ({ message, transfer }) => worker.postMessage(message, transfer),
    terminate: async () => void (await worker.terminate()),
    hold: (busy) => (busy ? worker.ref() : worker.unref())
  }
}

/** Node takes URLs as objects, and paths as strings. */
function nodeUrl(url: string): string | URL {
  return /^[a-z]{2,}:/i.test(url) ? new URL(url) : url
}

function openWeb(Class: WebWorkerClass, script: ScriptSource, events: PortEvents): Port {
  const url = 'url' in script ? script.url : URL.createObjectURL(new Blob([script.text()], { type: 'text/javascript' }))
  const forget = (): void => {
    if ('text' in script) URL.revokeObjectURL(url)
  }
  let worker: WebWorker
  try {
    worker = new Class(url, { type: 'module' })
  } catch (error) {
    forget()
    throw error
  }
  worker.onmessage = ({ data }) => {
    if (data.kind === 'ready') forget()
    events.message(data)
  }
  worker.onmessageerror = () => events.failure('its message could not be read')
  worker.onerror = (event) => {
    event.preventDefault?.()
    forget()
    events.failure(event.message || 'its script could not be loaded or run')
  }
  // Bun says so when a worker ends by itself.
  worker.addEventListener('close', () => events.failure('it ended'))
  worker.unref?.()
  return {
    post: ({ message, transfer }) => worker.postMessage(message, transfer),
    terminate: async () => {
      forget()
      worker.terminate()
    },
    hold: (busy) => (busy ? worker.ref?.() : worker.unref?.())
  }
}
