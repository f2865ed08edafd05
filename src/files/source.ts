import { show } from '../core/check.js'
import { FormatError, noMemoryError, stateError, typeError } from '../core/errors.js'

/**
 * Bytes that are read piece by piece: a file, a blob, an HTTP resource with ranges.
 * `read` resolves to exactly `length` bytes, which the caller may keep and change.
 */
export interface ByteSource {
  /** bytes in all */
  readonly size: number
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>
  close(): Promise<void>
}

/** What is used of a Blob; a File is one. */
export interface BlobLike {
  readonly size: number
  slice(start: number, end: number): { arrayBuffer(): Promise<ArrayBuffer> }
}

export type ByteInput = Uint8Array | ArrayBuffer | BlobLike | ByteSource

/** Node reads less than 2 GiB at a time (libuv takes an int32 length). */
const LONGEST_READ = 2 ** 30

function isByteSource(input: unknown): input is ByteSource {
  const source = input as Partial<ByteSource> | null
  return typeof source === 'object' && source !== null && typeof source.read === 'function'
}

function truncated(offset: number, length: number, size: number): FormatError {
  return new FormatError('truncated', `expected ${length} bytes at offset ${offset}, but the data ends at ${size}`)
}

function bytesFor(length: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(length)
  } catch (error) {
    throw noMemoryError(length, error)
  }
}

/** A source that keeps its promise: nothing outside of [0, size) is asked for, and exactly `length` bytes come. */
function guarded(size: number, read: ByteSource['read'], close: ByteSource['close']): ByteSource {
  return {
    size,
    async read(offset, length) {
      if (!(offset >= 0 && length >= 0 && offset + length <= size)) throw truncated(offset, length, size)
      if (length === 0) return new Uint8Array(0)
      const bytes = await read(offset, length)
      if (bytes.byteLength !== length) throw truncated(offset, length, offset + bytes.byteLength)
      return bytes
    },
    close
  }
}

/** Reads bytes of any kind piece by piece. Throws TypeError for anything else. */
export function toSource(input: ByteInput, verb = 'openTensors'): ByteSource {
  // By tag, not by instanceof: bytes may come from another realm (a frame, a vm context). Not by .slice: a Buffer's
  // shares memory.
  const tag = Object.prototype.toString.call(input).slice(8, -1)
  if (tag === 'Uint8Array' || tag === 'ArrayBuffer') {
    const bytes = tag === 'ArrayBuffer' ? new Uint8Array(input as ArrayBuffer) : (input as Uint8Array)
    const read = async (offset: number, length: number) => {
      const copy = bytesFor(length)
      copy.set(bytes.subarray(offset, offset + length))
      return copy
    }
    return guarded(bytes.byteLength, read, async () => {})
  }
  if (tag === 'Blob' || tag === 'File') {
    const blob = input as BlobLike
    const read = async (offset: number, length: number) =>
      new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer())
    return guarded(blob.size, read, async () => {})
  }
  if (isByteSource(input)) {
    const { size } = input
    if (!Number.isSafeInteger(size) || size < 0) {
      throw typeError(`${verb}: "input.size" expected a whole number of bytes, got ${show(size)}`)
    }
    return guarded(
      size,
      (offset, length) => input.read(offset, length),
      async () => input.close?.()
    )
  }
  throw typeError(
    `${verb}: "input" expected a Uint8Array, an ArrayBuffer, a Blob, a ByteSource or a path, got ${show(input)}`
  )
}

/**
 * Opens a file for reading piece by piece (Node, Deno, Bun); it is never written to. Close it when done.
 * Throws an Error where the runtime has no file system, the runtime's own error where the file cannot be opened.
 */
export async function fileSource(path: string): Promise<ByteSource> {
  if (typeof path !== 'string') throw typeError(`fileSource: "path" expected a string, got ${show(path)}`)
  // Not an import: a bundler for the web would have to resolve it.
  const fs = globalThis.process?.getBuiltinModule?.('node:fs/promises')
  if (!fs) {
    throw stateError(
      'no-file-system',
      'fileSource: this runtime has no file system; give the bytes or a Blob (a File is one) instead'
    )
  }
  const handle = await fs.open(path, 'r')
  let closing: Promise<void> | undefined
  const close = () => (closing ??= handle.close())
  try {
    const stat = await handle.stat()
    if (!stat.isFile())
      throw stateError('not-a-file', `expected a regular file, got a folder or a device (${show(path)})`)
    const read = async (offset: number, length: number) => {
      if (closing) throw stateError('closed', `fileSource: ${show(path)} is closed`)
      const bytes = bytesFor(length)
      for (let done = 0; done < length;) {
        const { bytesRead } = await handle.read(bytes, done, Math.min(length - done, LONGEST_READ), offset + done)
        // The file has become shorter since it was opened.
        if (bytesRead === 0) throw truncated(offset, length, offset + done)
        done += bytesRead
      }
      return bytes
    }
    return guarded(stat.size, read, close)
  } catch (error) {
    await close()
    throw error
  }
}
