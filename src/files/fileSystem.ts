import { FormatError, stateError } from '../core/errors.js'
import { show } from '../core/check.js'

/** Node reads and writes less than 2 GiB at a time (libuv takes an int32 length). */
const LONGEST = 2 ** 30

type FileSystem = NonNullable<ReturnType<typeof builtin>>

// Not an import: a bundler for the web would have to resolve it.
const builtin = () => globalThis.process?.getBuiltinModule?.('node:fs')

function fileSystem(verb: string): FileSystem {
  const fs = builtin()
  if (!fs)
    throw stateError('no-file-system', `${verb}: this runtime has no file system; give or take bytes instead of a path`)
  return fs
}

/** Bytes that can be read at any place without waiting. */
export interface Readable {
  readonly size: number
  /** Fills `to` with the bytes from `offset` on. Throws FormatError where there are fewer. */
  read(to: Uint8Array, offset: number): void
}

export function readableBytes(bytes: Uint8Array): Readable {
  return {
    size: bytes.length,
    read(to, offset) {
      if (offset + to.length > bytes.length) throw truncated(offset, to.length, bytes.length)
      to.set(bytes.subarray(offset, offset + to.length))
    }
  }
}

/** Lends an open file to `body` and closes it. Throws the runtime's own error where it cannot be opened. */
export function withFile<T>(verb: string, path: string, body: (file: Readable) => T): T {
  const fs = fileSystem(verb)
  const descriptor = fs.openSync(path, 'r')
  try {
    const stat = fs.fstatSync(descriptor)
    if (!stat.isFile())
      throw stateError('not-a-file', `${verb}: expected a regular file, got a folder or a device (${show(path)})`)
    return body({
      size: stat.size,
      read(to, offset) {
        for (let done = 0; done < to.length;) {
          const length = Math.min(to.length - done, LONGEST)
          const count = fs.readSync(descriptor, to, done, length, offset + done)
          if (count === 0) throw truncated(offset, to.length, offset + done)
          done += count
        }
      }
    })
  } finally {
    fs.closeSync(descriptor)
  }
}

/** Writes a file whole or not at all: beside its place first, then there. Throws the runtime's own error. */
export function writeFile(verb: string, path: string, pieces: Iterable<Uint8Array>): void {
  const fs = fileSystem(verb)
  const existing = fs.statSync(path, { throwIfNoEntry: false })
  if (existing && !existing.isFile()) {
    throw stateError(
      'not-a-file',
      `${verb}: expected the path of a regular file, got a folder or a device (${show(path)})`
    )
  }
  // Through a symbolic link to the file that it means.
  const target = existing ? fs.realpathSync(path) : path
  const beside = `${target}.${globalThis.process.pid}-${counter++}.tmp`
  const descriptor = fs.openSync(beside, 'wx', existing?.mode)
  try {
    try {
      for (const piece of pieces) {
        for (let done = 0; done < piece.length;) {
          done += fs.writeSync(descriptor, piece, done, Math.min(piece.length - done, LONGEST))
        }
      }
      fs.fsyncSync(descriptor)
    } finally {
      fs.closeSync(descriptor)
    }
    fs.renameSync(beside, target)
  } catch (error) {
    fs.rmSync(beside, { force: true })
    throw error
  }
}

let counter = 0

function truncated(offset: number, length: number, size: number): FormatError {
  return new FormatError('truncated', `expected ${length} bytes at offset ${offset}, but the data ends at ${size}`)
}
