import { checkOptions, show } from '../../core/check.js'
import { FormatError, rangeError, stateError, typeError } from '../../core/errors.js'
import { type FileTensor, isFloat, type TensorEntry } from '../../files/dtypes.js'
import { brief } from '../../files/names.js'
import { openTensors, type TensorFile } from '../../files/open.js'
import type { ByteInput } from '../../files/source.js'
import type { TensorLike } from '../../core/tensor.js'

/** Rows that are read at once although some between them are not wanted: a read costs more than so many bytes. */
const GAP_BYTES = 1 << 14

export interface FileVectorsOptions {
  /** name of the tensor in a safetensors file; default the only one of two dimensions */
  tensor?: string
}

/** Reads the vectors of ids: what `searchAsync` takes as `rescore`. Row i of the file is the vector with id i. */
export interface FileVectors {
  (ids: ArrayLike<number>): Promise<TensorLike>
  /** Closes the file. Reading after that is an Error. */
  close(): Promise<void>
}

/**
 * The rows of a .npy or safetensors file (F64, F32, F16, BF16), read by their places when they are asked for. The
 * header is read at the first time.
 *
 * @param input a path (Node, Deno, Bun), bytes, a Blob, or anything that reads ranges
 * @throws (rejects) FormatError for a file that is none, or that has no such rows; RangeError for an id beyond them
 */
export function fileVectors(input: ByteInput | string, options: FileVectorsOptions = {}): FileVectors {
  const verb = 'fileVectors'
  checkOptions(verb, options, ['tensor'])
  const { tensor } = options
  if (tensor !== undefined && typeof tensor !== 'string') {
    throw typeError(`${verb}: "tensor" expected a name, got ${show(tensor)}`)
  }
  let opening: Promise<{ file: TensorFile; entry: TensorEntry }> | undefined
  let isClosed = false
  const open = async () => {
    const file = await openTensors(input)
    try {
      return { file, entry: chosen(file, tensor) }
    } catch (error) {
      await file.close()
      throw error
    }
  }
  const read = async (ids: ArrayLike<number>): Promise<TensorLike> => {
    if (isClosed) throw stateError('closed', `${verb}: the file is closed`)
    const { file, entry } = await (opening ??= open())
    return readRows(file, entry, ids)
  }
  const close = async (): Promise<void> => {
    isClosed = true
    // A file that could not be opened is closed.
    const opened = await opening?.catch(() => undefined)
    await opened?.file.close()
  }
  return Object.assign(read, { close })
}

function chosen({ tensors }: TensorFile, name: string | undefined): TensorEntry {
  const tables = tensors.filter(({ dtype, shape }) => shape.length === 2 && isFloat(dtype))
  const entry = name === undefined ? tables[0] : tables.find((one) => one.name === name)
  if (entry && (name !== undefined || tables.length === 1)) return entry
  const names = tables.map((one) => brief(one.name)).join(', ') || 'none'
  throw new FormatError(
    'bad-tensor',
    `fileVectors: expected ${name === undefined ? 'one tensor' : `a tensor ${brief(name)}`} of floats, of shape (n, d), got ${names}` +
      (tables.length > 1 ? '; say which one by "tensor"' : '')
  )
}

async function readRows(file: TensorFile, entry: TensorEntry, ids: ArrayLike<number>): Promise<TensorLike> {
  const [rows, dimensions] = entry.shape as [number, number]
  if (!Array.isArray(ids) && !(ArrayBuffer.isView(ids) && 'length' in ids)) {
    throw typeError(`fileVectors: "ids" expected an array of whole numbers, got ${show(ids)}`)
  }
  for (const id of ids as ArrayLike<unknown> & Iterable<unknown>) {
    if (Number.isInteger(id) && (id as number) >= 0 && (id as number) < rows) continue
    throw rangeError(`fileVectors: expected ids below ${rows}, the rows of the file, got ${show(id)}`)
  }
  const order = Array.from({ length: ids.length }, (_, i) => i).sort((a, b) => ids[a]! - ids[b]!)
  const gap = Math.max(1, Math.floor(GAP_BYTES / Math.max(1, entry.byteLength / rows)))
  let data: FileTensor['data'] | undefined
  for (let start = 0; start < order.length;) {
    let end = start + 1
    while (end < order.length && ids[order[end]!]! - ids[order[end - 1]!]! <= gap) end++
    const first = ids[order[start]!]!
    const part = await file.readRows(entry.name, first, ids[order[end - 1]!]! - first + 1)
    data ??= new (part.data.constructor as new (length: number) => FileTensor['data'])(ids.length * dimensions)
    for (const i of order.slice(start, end)) {
      const from = (ids[i]! - first) * dimensions
      data.set(part.data.subarray(from, from + dimensions) as never, i * dimensions)
    }
    start = end
  }
  data ??= new Float32Array(0)
  return { data, shape: [ids.length, dimensions], dtype: entry.dtype.toLowerCase() } as TensorLike
}
