import type { WasmModule } from '../core/modules.js'
import { tagOf } from '../core/check.js'
import { FormatError, MemoryLimitError, type FormatErrorCode } from '../core/errors.js'

/** Names a chunk of a job of the pool. */
export interface ChunkId {
  readonly job: number
  readonly chunk: number
}

export type ToWorker =
  | { readonly kind: 'start' }
  /** kernels, before the thread's first chunk that calls them */
  | { readonly kind: 'kernels'; readonly name: string; readonly module: WasmModule }
  /** `replies`: agreements that were made already, when a chunk is done again on another thread */
  | ({
      readonly kind: 'chunk'
      readonly program: string
      readonly args: unknown
      readonly replies: readonly unknown[]
    } & ChunkId)
  | ({ readonly kind: 'reply'; readonly reply: unknown } & ChunkId)
  | { readonly kind: 'drop'; readonly job: number }

export type FromWorker =
  | { readonly kind: 'ready'; readonly fingerprint: string }
  | ({ readonly kind: 'answer' | 'result'; readonly value: unknown } & ChunkId)
  | ({ readonly kind: 'failure'; readonly error: ErrorParts } & ChunkId)

/** A message and what is transferred with it. */
export interface Parcel<T> {
  readonly message: T
  readonly transfer: ArrayBuffer[]
}

/**
 * Makes a message ready to be sent. Views of shared memory go as they are. The buffers of arrays that `moves` picks are
 * transferred. Of any other array a copy is: the clone of a view would carry its whole buffer.
 */
export function parcel<T>(value: T, moves: (array: ArrayBufferView) => boolean = () => false): Parcel<T> {
  const transfer: ArrayBuffer[] = []
  const visit = (part: unknown): unknown => {
    if (ArrayBuffer.isView(part)) {
      if (isShared(part.buffer)) return part
      const own = moves(part) ? part : copyOf(part)
      transfer.push(own.buffer as ArrayBuffer)
      return own
    }
    if (Array.isArray(part)) return part.map(visit)
    if (typeof part !== 'object' || part === null || isModule(part)) return part
    return Object.fromEntries(Object.entries(part).map(([key, inner]) => [key, visit(inner)]))
  }
  const message = visit(value) as T
  return { message, transfer: [...new Set(transfer)] }
}

/** Not by the array's own slice or class, which may be a Buffer's or the caller's own. */
function copyOf(array: ArrayBufferView): ArrayBufferView {
  const { buffer, byteOffset, byteLength } = array
  const classes = globalThis as unknown as Readonly<Record<string, new (of: ArrayBuffer) => ArrayBufferView>>
  const Class = classes[tagOf(array)]!
  return new Class((buffer as ArrayBuffer).slice(byteOffset, byteOffset + byteLength))
}

function isModule(value: object): boolean {
  return tagOf(value) === 'WebAssembly.Module'
}

export function isShared(buffer: ArrayBufferLike): boolean {
  return tagOf(buffer) === 'SharedArrayBuffer'
}

/** An error as it crosses threads: a structured clone would lose its class and code. */
export interface ErrorParts {
  readonly name: string
  readonly message: string
  readonly code?: unknown
  readonly needed?: number
  readonly limit?: number
}

export function takeApart(error: unknown): ErrorParts {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) }
  const { name, message, code } = error as Error & { code?: unknown }
  if (error instanceof MemoryLimitError) return { name, message, needed: error.needed, limit: error.limit }
  return { name, message, ...(code === undefined ? {} : { code }) }
}

export function putTogether({ name, message, code, needed, limit }: ErrorParts): Error {
  if (name === 'FormatError') return new FormatError(code as FormatErrorCode, message)
  if (name === 'MemoryLimitError') return new MemoryLimitError(needed!, limit!)
  const native = { TypeError, RangeError }[name]
  const error = native ? new native(message) : Object.assign(new Error(message), { name })
  return code === undefined ? error : Object.assign(error, { code })
}
