import { FormatError, isArgumentError } from '../core/errors.js'
import type { TensorLike } from '../core/tensor.js'
import { compare, type Comparison } from '../linalg/compare.js'
import { isFloat, type FileTensor } from '../files/dtypes.js'
import type { Model, ModelTensor } from './model.js'

/** How one tensor of two models compares. */
export interface TensorDifference {
  name: string
  /** shape in each, absent where the model lacks the tensor */
  a?: number[]
  b?: number[]
  /** 'equal', 'different' (numbers, by `error`, or bytes), 'shape', 'dtype', or 'only in a' and 'only in b' */
  verdict: 'equal' | 'different' | 'shape' | 'dtype' | 'only in a' | 'only in b'
  /** of b against a; absent where they are not numbers of one shape */
  error?: Comparison
}

/**
 * Compares two models tensor by tensor, restored where they are compressed; a is the reference.
 *
 * Shapes: tensors of one name are compared when their shapes are equal. Method: `compare` for floating-point tensors,
 * bytes for all others.
 * Error: that of `compare`.
 *
 * @throws FormatError for a file that is broken, or a tensor with NaN or Infinity in one model only
 */
export async function diffModels(a: Model, b: Model): Promise<TensorDifference[]> {
  const inA = new Map(a.tensors.map((tensor) => [tensor.name, tensor]))
  const inB = new Map(b.tensors.map((tensor) => [tensor.name, tensor]))
  const differences: TensorDifference[] = []
  for (const name of new Set([...inA.keys(), ...inB.keys()])) {
    const left = inA.get(name)
    const right = inB.get(name)
    if (!left || !right) {
      const verdict = left ? 'only in a' : 'only in b'
      differences.push({ name, ...(left ? { a: left.shape } : { b: right!.shape }), verdict })
    } else if (!sameShape(left, right)) {
      differences.push({ name, a: left.shape, b: right.shape, verdict: 'shape' })
    } else {
      const result = compareTensors(name, await a.read(name), await b.read(name))
      differences.push({ name, a: left.shape, b: right.shape, ...result })
    }
  }
  return differences
}

function sameShape(a: ModelTensor, b: ModelTensor): boolean {
  return a.shape.length === b.shape.length && a.shape.every((n, i) => n === b.shape[i])
}

function sameBytes(a: FileTensor, b: FileTensor): boolean {
  const bytes = ({ data }: FileTensor): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  const right = bytes(b)
  if (a.dtype !== b.dtype) return false
  const left = bytes(a)
  for (let i = 0; i < left.length; i++) if (left[i] !== right[i]) return false
  return true
}

function compareTensors(name: string, a: FileTensor, b: FileTensor): Pick<TensorDifference, 'verdict' | 'error'> {
  if (sameBytes(a, b)) return { verdict: 'equal' }
  if (!isFloat(a.dtype) || !isFloat(b.dtype)) return { verdict: a.dtype === b.dtype ? 'different' : 'dtype' }
  try {
    const error = compare(a as TensorLike, b as TensorLike)
    return { verdict: error.relativeError === 0 ? 'equal' : 'different', error }
  } catch (error) {
    if (!isArgumentError(error)) throw error
    const model = isComparable(a) ? 'b' : 'a'
    throw new FormatError('bad-tensor', `tensor ${JSON.stringify(name)} of ${model}: ${error.message}`)
  }
}

function isComparable(tensor: FileTensor): boolean {
  try {
    compare(tensor as TensorLike, tensor as TensorLike)
    return true
  } catch {
    return false
  }
}
