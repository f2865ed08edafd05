import { FormatError } from '../../../core/errors.js'
import type { Tensor } from '../../../core/tensor.js'

// The format of the Texmex sets, http://corpus-texmex.irisa.fr: each vector is its dimension, a little-endian i32, and
// its numbers: f32 (.fvecs), u8 (.bvecs) or i32 (.ivecs).

export type VecsFormat = 'fvecs' | 'bvecs' | 'ivecs'

const widthOf = (format: VecsFormat): number => (format === 'bvecs' ? 1 : 4)

/** Largest dimension that is believed of a file that does not say what it is. */
const PLAUSIBLE = 65536

/** The format of a file of vectors, where all of it is one. */
export function vecsFormatOf(bytes: Uint8Array): VecsFormat | undefined {
  if (bytes.length < 5) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const dimensions = view.getInt32(0, true)
  if (dimensions < 1 || dimensions > PLAUSIBLE) return undefined
  const fits = (width: number): boolean => {
    const stride = 4 + width * dimensions
    if (bytes.length % stride) return false
    for (let at = 0; at < bytes.length; at += stride) if (view.getInt32(at, true) !== dimensions) return false
    return true
  }
  if (!fits(4)) return fits(1) ? 'bvecs' : undefined
  // Whole numbers of less than 2^23 are subnormal as floats, which no vector consists of.
  let isSubnormal = true
  let isZero = true
  for (let i = 0; i < dimensions; i++) {
    const bits = view.getUint32(4 + 4 * i, true)
    isSubnormal &&= (bits & 0x7f80_0000) === 0
    isZero &&= bits === 0
  }
  return isSubnormal && !isZero ? 'ivecs' : 'fvecs'
}

/** Reads all vectors. Throws FormatError. */
export function readVecs(bytes: Uint8Array, format: VecsFormat): Tensor {
  const fail = (code: FormatError['code'], message: string) => new FormatError(code, `.${format}: ${message}`)
  if (bytes.length === 0) return { data: new Float32Array(0), shape: [0, 0] }
  if (bytes.length < 4) throw fail('truncated', `expected a dimension of 4 bytes, got ${bytes.length} bytes`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const dimensions = view.getInt32(0, true)
  if (dimensions < 1) throw fail('bad-header', `expected a dimension of at least 1, got ${dimensions}`)
  const stride = 4 + widthOf(format) * dimensions
  const count = Math.floor(bytes.length / stride)
  if (bytes.length % stride) {
    throw fail('truncated', `expected vectors of ${stride} bytes (dimension ${dimensions}), got ${bytes.length} bytes`)
  }
  const data = new Float32Array(count * dimensions)
  // A copy where words are not aligned: a subarray may begin anywhere.
  const aligned = bytes.byteOffset % 4 && format !== 'bvecs' ? new Uint8Array(bytes) : bytes
  const { buffer, byteOffset } = aligned
  for (let row = 0; row < count; row++) {
    const at = row * stride
    const claimed = view.getInt32(at, true)
    if (claimed !== dimensions) {
      throw fail('bad-header', `vector ${row} expected dimension ${dimensions}, as the first, got ${claimed}`)
    }
    const start = byteOffset + at + 4
    if (format === 'bvecs') data.set(new Uint8Array(buffer, start, dimensions), row * dimensions)
    else if (format === 'fvecs') data.set(new Float32Array(buffer, start, dimensions), row * dimensions)
    else setIntegers(data.subarray(row * dimensions), new Int32Array(buffer, start, dimensions), row)
  }
  return { data, shape: [count, dimensions] }
}

function setIntegers(to: Float32Array, from: Int32Array, row: number): void {
  to.set(from)
  const inexact = from.findIndex((value, i) => to[i] !== value)
  if (inexact >= 0) {
    const got = `${from[inexact]} at ${inexact} of vector ${row}`
    throw new FormatError('unsupported-dtype', `.ivecs: expected whole numbers that float32 holds exactly, got ${got}`)
  }
}
