import { isArrayOf, show, tagOf } from '../core/check.js'
import { typeError } from '../core/errors.js'
import { readableBytes, withFile, writeFile, type Readable } from './fileSystem.js'
import type { BlobLike } from './source.js'

/** A file that tersor wrote, as it is given: its bytes, or its path (Node, Deno, Bun). */
export type FileInput = Uint8Array | ArrayBuffer | string

/**
 * Reads such a file, or a Blob of it (a File is one), of which it gives a promise. `what` names the file in messages:
 * "a codec". Throws TypeError for any other input, the runtime's own error where a path or a Blob cannot be read.
 */
export function openInput<T>(
  verb: string,
  what: string,
  input: FileInput | BlobLike,
  read: (file: Readable) => T
): T | Promise<T> {
  if (typeof input === 'string') return withFile(verb, input, read)
  const bytesOf = (buffer: ArrayBuffer): Readable => readableBytes(new Uint8Array(buffer))
  if (isArrayOf(input, Uint8Array)) return read(readableBytes(input))
  // By tag, not by instanceof: bytes may come from another realm.
  const tag = typeof input === 'object' && input !== null ? tagOf(input) : ''
  if (tag === 'ArrayBuffer') return read(bytesOf(input as ArrayBuffer))
  if (tag === 'Blob' || tag === 'File') {
    const blob = input as BlobLike
    return blob
      .slice(0, blob.size)
      .arrayBuffer()
      .then((buffer) => read(bytesOf(buffer)))
  }
  throw typeError(`${verb}: "input" expected the bytes of ${what}, a Blob or a path, got ${show(input)}`)
}

/** Writes a file for `openInput`, whole or not at all. Throws TypeError for a path that is none. */
export function saveFile(path: string, pieces: () => Iterable<Uint8Array>): void {
  if (typeof path !== 'string') {
    throw typeError(`save: "path" expected a string, got ${show(path)}; toBytes gives the bytes of the file`)
  }
  writeFile('save', path, pieces())
}
