import { source } from '#worker'
import type { FromWorker, Parcel, ToWorker } from './protocol.js'

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
  if (source === '') return false
  return typeof (globalThis as Host).Worker === 'function' || nodeWorkerClass() !== undefined
}

/** Starts a worker from `url`, or from the script that the package carries. */
export function openPort(url: string | undefined, events: PortEvents): Port {
  const { Worker: Web } = globalThis as Host
  return typeof Web === 'function' ? openWeb(Web, url, events) : openNode(nodeWorkerClass()!, url, events)
}

function openNode(Class: NodeWorkerClass, url: string | undefined, events: PortEvents): Port {
  const worker = new Class(url === undefined ? source : nodeUrl(url), { eval: url === undefined })
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

function openWeb(Class: WebWorkerClass, url: string | undefined, events: PortEvents): Port {
  const inline = url === undefined ? URL.createObjectURL(new Blob([source], { type: 'text/javascript' })) : undefined
  const forget = (): void => {
    if (inline !== undefined) URL.revokeObjectURL(inline)
  }
  let worker: WebWorker
  try {
    worker = new Class(inline ?? url!, { type: 'module' })
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
