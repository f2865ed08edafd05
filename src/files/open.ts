import { checkInteger, show } from '../core/check.js'
import { FormatError, rangeError, stateError, typeError } from '../core/errors.js'
import type { Contents, FileTensor, TensorEntry } from './dtypes.js'
import { brief, nearNames } from './names.js'
import { isNpy, readNpy } from './npy.js'
import { readSafetensors } from './safetensors.js'
import type { ByteInput, ByteSource } from './source.js'
import { fileSource, toSource } from './source.js'

/** A file of tensors, its header read. Tensors stand in the order of their data. */
export interface TensorFile {
  readonly format: 'npy' | 'safetensors'
  readonly metadata: Readonly<Record<string, string>>
  /** bytes of the file */
  readonly size: number
  readonly tensors: readonly TensorEntry[]
  /** Reads one tensor into a typed array of its own. Throws RangeError for a name that the file does not have. */
  read(name: string): Promise<FileTensor>
  /**
   * Reads rows [first, first + count) of a tensor's first dimension, and nothing else of it. Throws RangeError where it
   * has fewer.
   */
  readRows(name: string, first: number, count: number): Promise<FileTensor>
  /** Closes the source. Reading after that is an Error. */
  close(): Promise<void>
}

/** A .npy file has at least 10 bytes before its header's text, a safetensors file 8 and {}. */
const LEAST_SIZE = 10

/** Files that are often taken for one of ours, by their first bytes. */
const OTHERS: readonly (readonly [start: string, what: string])[] = [
  ['PK\x03\x04', 'a zip archive (.npz, PyTorch): unpack it, or save its arrays one by one'],
  ['GGUF', 'a GGUF model'],
  ['\x89HDF', 'an HDF5 file (Keras)'],
  ['\x80\x02', 'a pickle (PyTorch): save its tensors with safetensors']
]

function unknownFormat(start: Uint8Array): FormatError {
  const text = String.fromCharCode(...start)
  const other = OTHERS.find(([magic]) => text.startsWith(magic))
  const hint = other ? `; this looks like ${other[1]}` : ''
  return new FormatError(
    'unknown-format',
    'expected a .npy file (beginning with \\x93NUMPY) or a safetensors file (8 bytes, then "{"), ' +
      `got bytes ${start.join(' ')}${hint}`
  )
}

async function readContents(source: ByteSource): Promise<{ format: TensorFile['format']; contents: Contents }> {
  if (source.size < LEAST_SIZE) {
    throw new FormatError('truncated', `expected a file of at least ${LEAST_SIZE} bytes, got ${source.size} bytes`)
  }
  const start = await source.read(0, LEAST_SIZE)
  if (isNpy(start)) return { format: 'npy', contents: await readNpy(source) }
  // What else is wrong with it, its reader says better.
  if (start[8] === 0x7b) return { format: 'safetensors', contents: await readSafetensors(source) }
  throw unknownFormat(start)
}

/**
 * Opens a .npy or safetensors file, recognised by its content: reads the header now, each tensor when asked for. A .npy
 * file has one tensor, named "data". The source is closed with the file, and also when it cannot be opened.
 *
 * @throws FormatError for a file that is broken or of another kind
 * @throws TypeError for an input of another type
 * @throws the runtime's own error where a path cannot be opened (a string is a path, in Node, Deno and Bun)
 */
export async function openTensors(input: ByteInput | string): Promise<TensorFile> {
  const source = typeof input === 'string' ? await fileSource(input) : toSource(input)
  let opened
  try {
    opened = await readContents(source)
  } catch (error) {
    await source.close()
    throw error
  }
  const { format, contents } = opened
  const { metadata, tensors } = contents
  const indices = new Map(tensors.map(({ name }, index) => [name, index]))
  let closing: Promise<void> | undefined
  const indexOf = (verb: string, name: unknown): number => {
    if (closing) throw stateError('closed', `${verb}: the file is closed`)
    if (typeof name !== 'string') throw typeError(`${verb}: "name" expected a string, got ${show(name)}`)
    const index = indices.get(name)
    if (index !== undefined) return index
    const near = nearNames(name, [...indices.keys()])
      .map(brief)
      .join(', ')
    const known = near ? `one of the file's ${tensors.length} tensors (near: ${near})` : 'a tensor; the file has none'
    throw rangeError(`${verb}: "name" expected ${known}, got ${brief(name)}`)
  }
  return {
    format,
    metadata,
    size: source.size,
    tensors,
    async read(name) {
      const index = indexOf('read', name)
      const entry = tensors[index]!
      return { ...entry, shape: [...entry.shape], data: await contents.read(index) }
    },
    async readRows(name, first, count) {
      const index = indexOf('readRows', name)
      const entry = tensors[index]!
      const rows = entry.shape[0] ?? 0
      checkInteger('readRows', 'first', first, 0, rows)
      checkInteger('readRows', 'count', count, 0, rows - first)
      const data = await contents.readRows(index, first, count)
      return { ...entry, shape: [count, ...entry.shape.slice(1)], byteLength: data.byteLength, data }
    },
    close: () => (closing ??= source.close())
  }
}
