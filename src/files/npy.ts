import { FormatError, rangeError } from '../core/errors.js'
import type { Contents, Dtype, NewTensor } from './dtypes.js'
import { byteLengthOf, carry, checkNewTensor, describe, isLength, rowLength } from './dtypes.js'
import { brief, shorten } from './names.js'
import type { PyLiteral } from './pyliteral.js'
import { parsePython, PyTuple } from './pyliteral.js'
import type { ByteSource } from './source.js'

// The format: NEP 1, https://numpy.org/neps/nep-0001-npy-format.html (1.0), and numpy/lib/format.py (2.0, 3.0, what is
// refused).

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]

/** The one tensor of a .npy file has no name of its own. */
const NAME = 'data'

/** More than any type that can be read needs, and enough for a structured one, which is then named as what it is. */
const LONGEST_HEADER = 2 ** 20

interface Element {
  dtype: Dtype
  /** bytes of a number: half an element of C64 */
  unit: number
}

// bfloat16: numpy.save writes the dtype.str of ml_dtypes' type, which has kind 'V': '<V2', or '>V2' swapped (ml_dtypes
// 0.6.0, NumPy 2.4.6; https://github.com/jax-ml/ml_dtypes/issues/41). It is its only type of two bytes. Bytes that say
// nothing of themselves are '|V2', which is also what numpy.load makes of a bfloat16.
const ELEMENTS: Readonly<Record<string, Element>> = {
  b1: { dtype: 'BOOL', unit: 1 },
  i1: { dtype: 'I8', unit: 1 },
  u1: { dtype: 'U8', unit: 1 },
  i2: { dtype: 'I16', unit: 2 },
  u2: { dtype: 'U16', unit: 2 },
  f2: { dtype: 'F16', unit: 2 },
  V2: { dtype: 'BF16', unit: 2 },
  i4: { dtype: 'I32', unit: 4 },
  u4: { dtype: 'U32', unit: 4 },
  f4: { dtype: 'F32', unit: 4 },
  i8: { dtype: 'I64', unit: 8 },
  u8: { dtype: 'U64', unit: 8 },
  f8: { dtype: 'F64', unit: 8 },
  c8: { dtype: 'C64', unit: 4 }
}

const fail = (code: FormatError['code'], message: string) => new FormatError(code, `.npy: ${message}`)

/** Why a type cannot be read, and what to do. */
function unsupported(descr: PyLiteral): FormatError {
  const save = 'save it again'
  let why = `has elements of type ${typeof descr === 'string' ? brief(descr) : 'that cannot be read'}`
  if (Array.isArray(descr)) {
    why = `has structured elements (records); ${save} one field at a time: np.save(path, array['field'])`
  } else if (descr instanceof PyTuple) {
    why = `has elements that are arrays (a subarray type); ${save} as a plain array`
  } else if (typeof descr === 'string') {
    const [, kind, bytes] = /^[<>=|]?([a-zA-Z])(\d*)(?:\[.*\])?$/.exec(descr) ?? []
    const whys: Record<string, string> = {
      O:
        `holds Python objects as a pickle, which can run any code when read; ${save} as numbers: ` +
        'np.save(path, array.astype(np.float32), allow_pickle=False)',
      S: `holds byte strings; ${save} as numbers`,
      U: `holds text; ${save} as numbers`,
      M: `holds dates; ${save} as numbers: array.astype('int64')`,
      m: `holds time spans; ${save} as numbers: array.astype('int64')`,
      c: `holds complex numbers of ${bytes} bytes; ${save} as complex64`,
      f: `holds floats of ${bytes} bytes; ${save} as float64, float32 or float16`,
      V: `holds raw bytes that do not say what they are; ${save} viewed as ml_dtypes.bfloat16 or as integers`
    }
    if (kind && whys[kind]) why = `${whys[kind]} (${brief(descr)})`
  }
  return fail('unsupported-dtype', `the array ${why}; supported: ${Object.keys(ELEMENTS).join(', ')} (V2: bfloat16)`)
}

function readDescr(descr: PyLiteral | undefined): Element & { swapped: boolean } {
  if (descr === undefined || descr === null || typeof descr === 'number' || typeof descr === 'boolean') {
    throw fail('bad-header', `expected a type as 'descr', got ${brief(descr)}`)
  }
  // str(dtype), which some write into the header themselves to keep the name.
  if (descr === 'bfloat16') return { ...ELEMENTS['V2']!, swapped: false }
  const [, order, code] = (typeof descr === 'string' && /^([<>=|]?)(\w+)$/.exec(descr)) || []
  const known = code !== undefined && Object.hasOwn(ELEMENTS, code) && (code !== 'V2' || order === '<' || order === '>')
  if (!known) throw unsupported(descr)
  return { ...ELEMENTS[code]!, swapped: order === '>' }
}

/** Reads the header's text and where the data begins. */
async function readHeader(source: ByteSource): Promise<{ text: string; dataStart: number }> {
  const short = (needed: number) =>
    fail('truncated', `expected a header of ${needed} bytes in all, but the file has ${source.size} bytes`)
  if (source.size < 10) throw short(10)
  const start = await source.read(0, 10)
  if (!isNpy(start)) {
    throw fail('bad-magic', `expected the file to begin with \\x93NUMPY, got bytes ${start.subarray(0, 6).join(' ')}`)
  }
  const version = `${start[6]}.${start[7]}`
  if (!['1.0', '2.0', '3.0'].includes(version)) {
    throw fail('unsupported-version', `expected version 1.0, 2.0 or 3.0, got ${version}`)
  }
  let headerStart = 10
  let length = start[8]! + start[9]! * 0x100
  if (start[6]! > 1) {
    headerStart = 12
    if (source.size < headerStart) throw short(headerStart)
    const [third, fourth] = await source.read(10, 2)
    length += third! * 0x10000 + fourth! * 0x1000000
  }
  const dataStart = headerStart + length
  if (dataStart > source.size) throw short(dataStart)
  if (length > LONGEST_HEADER) {
    throw fail('bad-header', `expected a header of at most ${LONGEST_HEADER} bytes, but its length says ${length}`)
  }
  // Versions 1.0 and 2.0 are in Latin-1. It differs only in the field names of structured types, which are not read.
  return { text: new TextDecoder().decode(await source.read(headerStart, length)), dataStart }
}

function readDictionary(text: string): Map<PyLiteral, PyLiteral> {
  let header: PyLiteral
  try {
    header = parsePython(text)
  } catch (error) {
    throw fail('bad-header', `expected the header to be a Python dictionary: ${shorten((error as Error).message)}`)
  }
  if (!(header instanceof Map)) throw fail('bad-header', 'expected the header to be a Python dictionary')
  const keys = [...header.keys()].map(String).sort().join(', ')
  if (keys !== 'descr, fortran_order, shape') {
    throw fail('bad-header', `expected the keys descr, fortran_order and shape, got ${shorten(keys)}`)
  }
  return header
}

/** Reverses the bytes of each number in place. */
function swapBytes(bytes: Uint8Array, unit: number): void {
  for (let start = 0; start < bytes.length; start += unit) {
    for (let low = start, high = start + unit - 1; low < high; low++, high--) {
      const byte = bytes[low]!
      bytes[low] = bytes[high]!
      bytes[high] = byte
    }
  }
}

/** Column-major to row-major. Moves words, not numbers: a NaN keeps its bits. */
function toRowMajor(bytes: Uint8Array<ArrayBuffer>, shape: readonly number[], size: number): Uint8Array<ArrayBuffer> {
  const [Words, width] = size === 1 ? [Uint8Array, 1] : size === 2 ? [Uint16Array, 2] : [Uint32Array, 4]
  const words = size / width
  const from = new Words(bytes.buffer, 0, bytes.length / width)
  const to = new Words(from.length)
  let stride = words
  const strides = shape.map((length) => (stride *= length) / length)
  const index = shape.map(() => 0)
  for (let next = 0, start = 0; next < to.length;) {
    for (let word = 0; word < words; word++) to[next++] = from[start + word]!
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      start += strides[axis]!
      if (++index[axis]! < shape[axis]!) break
      start -= strides[axis]! * shape[axis]!
      index[axis] = 0
    }
  }
  return new Uint8Array(to.buffer)
}

/** Whether these first bytes are those of a .npy file. */
export function isNpy(start: Uint8Array): boolean {
  return MAGIC.every((byte, i) => start[i] === byte)
}

/** Reads the header of a .npy file, and nothing else; its one tensor is named "data". Throws FormatError. */
export async function readNpy(source: ByteSource): Promise<Contents> {
  const { text, dataStart } = await readHeader(source)
  const header = readDictionary(text)
  const isFortran = header.get('fortran_order')
  if (typeof isFortran !== 'boolean') {
    throw fail('bad-header', `expected True or False as 'fortran_order', got ${brief(isFortran)}`)
  }
  const tuple = header.get('shape')
  const shape = tuple instanceof PyTuple ? tuple.items : undefined
  if (!shape?.every(isLength)) {
    throw fail('bad-header', `expected a tuple of whole numbers as 'shape', got ${brief(shape ?? tuple)}`)
  }
  const { dtype, unit, swapped } = readDescr(header.get('descr'))
  const byteLength = byteLengthOf(dtype, shape)
  const what = describe(dtype, shape)
  if (byteLength === Infinity) throw fail('bad-header', `expected fewer than 2^53 bits, got ${what}`)
  const present = source.size - dataStart
  if (present !== byteLength) {
    const code = present < byteLength ? 'truncated' : 'bad-offsets'
    throw fail(code, `expected ${byteLength} bytes of data (${what}), got ${present}`)
  }
  const entry = { name: NAME, dtype, shape, byteLength }
  const isTransposed = isFortran && shape.filter((length) => length !== 1).length > 1
  return {
    metadata: Object.create(null) as Record<string, string>,
    tensors: [entry],
    async read() {
      let bytes = new Uint8Array(carry('U8', await source.read(dataStart, byteLength)).buffer)
      if (swapped) swapBytes(bytes, unit)
      if (isTransposed && byteLength > 0) bytes = toRowMajor(bytes, shape, byteLengthOf(dtype, []))
      return carry(dtype, bytes)
    },
    async readRows(_, first, count) {
      if (isTransposed) {
        throw fail(
          'bad-tensor',
          'expected rows one after the other, got Fortran order; save np.ascontiguousarray(array)'
        )
      }
      const length = rowLength(entry)
      const bytes = new Uint8Array(carry('U8', await source.read(dataStart + first * length, count * length)).buffer)
      if (swapped) swapBytes(bytes, unit)
      return carry(dtype, bytes)
    }
  }
}

const CODES = /* @__PURE__ */ new Map(
  /* @__PURE__ */ Object.entries(ELEMENTS).map(([code, { dtype }]) => [dtype, code])
)

function buildHeader(verb: string, dtype: Dtype, shape: readonly number[]): Uint8Array<ArrayBuffer> {
  const code = CODES.get(dtype)
  if (!code) {
    const known = [...CODES.keys()].join(', ')
    throw rangeError(`${verb}: "dtype" expected one of ${known} for a .npy file, got ${brief(dtype)}`)
  }
  // NPY_MAXDIMS of NumPy 2; it is 32 in NumPy 1.
  if (shape.length > 64) {
    throw rangeError(`${verb}: "shape" expected at most 64 dimensions for a .npy file, got ${shape.length}`)
  }
  const order = ELEMENTS[code]!.unit === 1 ? '|' : '<'
  const tuple = `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`
  // As numpy.lib.format does: room for the first length to grow to 21 digits, at least one space, a multiple of 64 in
  // all.
  const growth = shape.length ? 21 - String(shape[0]).length : 0
  const text = `{'descr': '${order}${code}', 'fortran_order': False, 'shape': ${tuple}, }${' '.repeat(growth)}`
  const size = Math.floor((10 + text.length + 1) / 64) * 64 + 64
  const header = new Uint8Array(size).fill(0x20)
  header.set(MAGIC)
  header.set([1, 0, (size - 10) & 0xff, (size - 10) >> 8], MAGIC.length)
  header.set(new TextEncoder().encode(text), 10)
  header[size - 1] = 0x0a
  return header
}

/** The bytes of a .npy file (1.0) before its data, a multiple of 64: those that NumPy writes. Throws RangeError. */
export function npyHeader(dtype: Dtype, shape: readonly number[]): Uint8Array<ArrayBuffer> {
  return buildHeader('npyHeader', dtype, shape)
}

/**
 * Writes a tensor as the bytes of a .npy file, version 1.0, row-major, little-endian. Without `dtype` the typed array
 * decides (Float32Array is F32, Uint16Array is U16). BF16 becomes '<V2', as ml_dtypes has it:
 * `np.load(path).view(ml_dtypes.bfloat16)`. Throws TypeError and RangeError, also for the types that NumPy does not
 * have (F8, F6, F4: use encodeSafetensors). Format: NEP 1, https://numpy.org/neps/nep-0001-npy-format.html
 */
export function encodeNpy(tensor: NewTensor): Uint8Array<ArrayBuffer> {
  const { dtype, shape, bytes } = checkNewTensor('encodeNpy: "tensor"', tensor)
  const header = buildHeader('encodeNpy', dtype, shape)
  const file = new Uint8Array(header.length + bytes.length)
  file.set(header)
  file.set(bytes, header.length)
  return file
}
