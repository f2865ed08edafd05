import { FormatError, rangeError } from '../core/errors.js'
import { byteLengthOf, type Dtype, type FileTensor, type TensorArray } from '../files/dtypes.js'
import { METADATA_KEY } from '../files/entry.js'
import { decodeDense, partTypes } from './dense.js'
import { describeEncoding, parseArtefact, partName, type TensorEncoding } from './encoding.js'
import { openTensors, type TensorFile } from '../files/open.js'
import { readTensor, type Source } from '../core/tensor.js'
import { multiplyFactors } from '../lowRank/reconstruct.js'
import type { ByteInput } from '../files/source.js'

/** A tensor of a model, whatever it is stored as. */
export interface ModelTensor {
  name: string
  /** of the original */
  dtype: Dtype
  shape: number[]
  /** how it is stored, in a few words: 'F32', 'int4, group 32', 'rank 8, int8' … */
  encoding: string
  /** bytes that it takes in the file */
  byteLength: number
  /** bytes of the original */
  originalByteLength: number
  /** whether `compressModel` has made it smaller; `read` then restores it as F32 */
  compressed: boolean
}

/** A file of tensors, of which some may be compressed. */
export interface Model {
  readonly format: TensorFile['format']
  /** format of the file that was compressed, where this one is a result of `compressModel` */
  readonly sourceFormat: TensorFile['format']
  /** metadata of the file, without our own entry */
  readonly metadata: Readonly<Record<string, string>>
  /** bytes of the file */
  readonly size: number
  /** whether `compressModel` wrote it */
  readonly compressed: boolean
  readonly tensors: readonly ModelTensor[]
  /**
   * one tensor, restored to F32 where it is compressed; RangeError for an unknown name, FormatError for parts that do
   * not fit
   */
  read(name: string): Promise<FileTensor>
  close(): Promise<void>
}

/**
 * Opens a .npy or safetensors file, or what `compressModel` made of one: the header now, each tensor when it is read.
 *
 * @param input bytes, a Blob, the path of a file where the runtime has files, or anything that reads ranges
 * @throws FormatError for a file that is broken, of another kind, or by a later version
 */
export async function openModel(input: ByteInput | string): Promise<Model> {
  const file = await openTensors(input)
  try {
    return logical(file)
  } catch (error) {
    await file.close()
    throw error
  }
}

function logical(file: TensorFile): Model {
  const { [METADATA_KEY]: text, ...rest } = file.metadata
  const metadata = Object.assign(Object.create(null) as Record<string, string>, rest)
  const artefact = text === undefined ? undefined : parseArtefact(text)
  const entries = new Map(file.tensors.map((entry) => [entry.name, entry]))
  const encodings = new Map<string, { encoding: TensorEncoding; parts: string[] }>()
  const owned = new Map<string, string>()
  for (const encoding of artefact?.tensors ?? []) {
    const where = `tensor ${JSON.stringify(encoding.name)}`
    const parts = partsOf(encoding)
    for (const [part, dtype] of parts) {
      const entry = entries.get(part)
      if (!entry) throw new FormatError('bad-header', `${where} lacks its array ${JSON.stringify(part)}`)
      if (entry.dtype !== dtype) {
        const got = `expected ${dtype} as the dtype of its array ${JSON.stringify(part)}, got ${entry.dtype}`
        throw new FormatError('bad-header', `${where} ${got}`)
      }
      if (owned.has(part)) {
        const message = `the array ${JSON.stringify(part)} belongs to two tensors of the tersor metadata`
        throw new FormatError('duplicate-name', message)
      }
      owned.set(part, encoding.name)
    }
    if (encodings.has(encoding.name)) throw new FormatError('duplicate-name', `the tersor metadata has ${where} twice`)
    encodings.set(encoding.name, { encoding, parts: [...parts.keys()] })
  }
  for (const name of encodings.keys()) {
    if (entries.has(name) && owned.get(name) !== name) {
      throw new FormatError('duplicate-name', `the file has tensor ${JSON.stringify(name)} twice, once in two factors`)
    }
  }
  const tensors: ModelTensor[] = []
  const seen = new Set<string>()
  for (const { name, dtype, shape, byteLength } of file.tensors) {
    const owner = owned.get(name)
    if (owner === undefined) {
      const plain = { name, dtype, shape: [...shape], encoding: dtype, byteLength, originalByteLength: byteLength }
      tensors.push({ ...plain, compressed: false })
    } else if (!seen.has(owner)) {
      seen.add(owner)
      const { encoding, parts } = encodings.get(owner)!
      tensors.push({
        name: owner,
        dtype: encoding.dtype,
        shape: [...encoding.shape],
        encoding: describeEncoding(encoding),
        byteLength: parts.reduce((sum, part) => sum + entries.get(part)!.byteLength, 0),
        originalByteLength: byteLengthOf(encoding.dtype, encoding.shape),
        compressed: true
      })
    }
  }
  const places = new Map(artefact?.order.map((name, place) => [name, place]))
  const placeOf = ({ name }: ModelTensor): number => places.get(name) ?? places.size
  tensors.sort((a, b) => placeOf(a) - placeOf(b))
  const sourceFormat = artefact?.source.format ?? file.format
  if (sourceFormat === 'npy' && tensors.length !== 1) {
    throw new FormatError('bad-header', `the tersor metadata says .npy, which holds one tensor, not ${tensors.length}`)
  }
  return {
    format: file.format,
    sourceFormat,
    metadata,
    size: file.size,
    compressed: artefact !== undefined,
    tensors,
    async read(name) {
      const stored = encodings.get(name)
      if (!stored) {
        if (owned.has(name))
          throw rangeError(`read: "name" expected a tensor, got a part of one, ${JSON.stringify(name)}`)
        return file.read(name)
      }
      const arrays = new Map<string, TensorArray<ArrayBuffer>>()
      for (const part of stored.parts) arrays.set(part, (await file.read(part)).data)
      return restoreTensor(stored.encoding, (part) => arrays.get(part)!)
    },
    close: () => file.close()
  }
}

function partsOf({ name, dense, lowRank }: TensorEncoding): Map<string, Dtype> {
  if (!lowRank) return partTypes(name, dense!)
  return new Map([...partTypes(partName(name, 'u'), lowRank.u), ...partTypes(partName(name, 'v'), lowRank.v)])
}

/** The f32 tensor of an encoding from its parts. */
export function restoreTensor(
  { name, shape, dense, lowRank }: TensorEncoding,
  get: (part: string) => TensorArray<ArrayBuffer>
): FileTensor {
  let data: Float32Array<ArrayBuffer>
  if (lowRank) {
    const factor = (part: 'u' | 'v'): Source => {
      const at = partName(name, part)
      return readTensor('openModel', at, decodeDense(at, lowRank[part], get))
    }
    data = multiplyFactors(factor('u'), factor('v')).data as Float32Array<ArrayBuffer>
  } else data = decodeDense(name, dense!, get).data
  if (data.length !== byteLengthOf('U8', shape)) {
    throw new FormatError(
      'bad-tensor',
      `tensor ${JSON.stringify(name)} expected shape [${shape.join(', ')}], got ${data.length} elements`
    )
  }
  return { name, dtype: 'F32', shape: [...shape], byteLength: data.byteLength, data }
}
