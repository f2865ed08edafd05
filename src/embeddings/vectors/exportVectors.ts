import { rangeError, typeError } from '../../core/errors.js'
import { checkChoice, checkInteger, checkOptions, checkPositive, show, tagOf } from '../../core/check.js'
import { elementAt, firstNonFinite } from '../../core/tensor.js'
import { quantize } from '../../quantize/quantize.js'
import { halves } from './read/tensors.js'
import { vectorsOf, type Vectors, type VectorsLike } from './vectors.js'

/** What a vector becomes for each destination. */
export interface VectorExports {
  /** "[0.1,0.2]", text for a column `vector(d)` */
  'pgvector/vector': string
  /** the same, of numbers rounded to float16, for a column `halfvec(d)` */
  'pgvector/halfvec': string
  /** "0110", for a column `bit(d)`: as `binary_quantize` */
  'pgvector/bit': string
  /** f32, for a column `float[d]` */
  'sqlite-vec/float': Uint8Array<ArrayBuffer>
  /** i8, for `vec_int8(?)` into a column `int8[d]` */
  'sqlite-vec/int8': Uint8Array<ArrayBuffer>
  /** bits, the first in the lowest of a byte, for `vec_bit(?)` into a column `bit[d]`: as `vec_quantize_binary` */
  'sqlite-vec/bit': Uint8Array<ArrayBuffer>
  /** numbers that are as short in JSON as f32 can be */
  'qdrant/float32': number[]
  /** whole numbers from 0 to 255, for `datatype: "uint8"` and the distance Euclid */
  'qdrant/uint8': number[]
  /** f32, for TYPE FLOAT32 */
  'redis/float32': Uint8Array<ArrayBuffer>
  /** for TYPE FLOAT16 */
  'redis/float16': Uint8Array<ArrayBuffer>
  /** for TYPE INT8 */
  'redis/int8': Uint8Array<ArrayBuffer>
}

export type VectorDestination = keyof VectorExports

export interface ExportVectorsOptions<To extends VectorDestination = VectorDestination> {
  to: To
  /** to int8 and uint8: what numbers are multiplied with before they are rounded, one for all vectors and queries */
  scale?: number
  /**
   * the input is bytes that hold so many bits of each vector (codes of 1 bit, say); what stands after them is left away
   */
  bits?: number
  /**
   * which bit of a byte comes first: 'lowest', as in codes of this library; or 'highest', as in NumPy's packbits and in
   * `ubinary` of sentence-transformers
   */
  order?: 'lowest' | 'highest'
}

const VERB = 'exportVectors'

/** A writer of one vector: row `index` of `vectors`. */
type Write<T> = (index: number) => T

const WRITERS: {
  [To in VectorDestination]: (vectors: Vectors, options: ExportVectorsOptions) => Write<VectorExports[To]>
} = {
  'pgvector/vector': (vectors) => textOf(floatsOf(vectors), shortF32),
  'pgvector/halfvec': (vectors) => textOf(halvesOf(vectors), shortF16),
  'pgvector/bit': (vectors, options) => {
    const bits = bitsOf(vectors, options)
    return (index) => bits(index).join('')
  },
  'sqlite-vec/float': (vectors) => bytesOf(floatsOf(vectors)),
  'sqlite-vec/int8': (vectors, options) => bytesOf(integersOf(vectors, options, Int8Array)),
  'sqlite-vec/bit': (vectors, options) => {
    const bits = bitsOf(vectors, options)
    const dimensions = options.bits ?? vectors.shape[1]
    if (dimensions % 8) {
      throw rangeError(
        `${VERB}: "vectors" expected a multiple of 8 bits for sqlite-vec, got ${dimensions}; pad or truncate them`
      )
    }
    return (index) => packed(bits(index))
  },
  'qdrant/float32': (vectors) => {
    const { data, dimensions } = floatsOf(vectors)
    return (index) =>
      Array.from(data.subarray(index * dimensions, (index + 1) * dimensions), (x) => Number(shortF32(x)))
  },
  'qdrant/uint8': (vectors, options) => {
    const { data, dimensions } = integersOf(vectors, options, Uint8Array)
    return (index) => Array.from(data.subarray(index * dimensions, (index + 1) * dimensions))
  },
  'redis/float32': (vectors) => bytesOf(floatsOf(vectors)),
  'redis/float16': (vectors) => bytesOf(halvesOf(vectors)),
  'redis/int8': (vectors, options) => bytesOf(integersOf(vectors, options, Int8Array))
}

const DESTINATIONS = /* @__PURE__ */ Object.keys(WRITERS) as VectorDestination[]

const takesScale = (to: VectorDestination): boolean => /int8$/.test(to)
const takesBits = (to: VectorDestination): boolean => /bit$/.test(to)

/**
 * Writes vectors as databases take them: literals for pgvector, bytes for sqlite-vec and Redis, numbers for Qdrant; one
 * item for each vector, in a list also for one.
 *
 * Shapes: (n, d) or (d), in any form that the verbs take; with `bits`, bytes (n, at least bits / 8), as `encode` of a
 * codec of 1 bit gives them.
 * Method: bits are 1 where a number is above 0, in the order of the coordinates. float16 rounds half to even. int8 =
 * clamp(rint(scale x)), half to even. uint8 is the same plus 128, which leaves distances as they are, but not inner
 * products. An Int8Array or Uint8Array passes as it is, without a scale.
 * Error: text of f32 and float16 reads back exactly; numbers have no more digits than that takes.
 *
 * @throws TypeError for an unknown destination or option, or where the scale that int8 takes is missing
 * @throws RangeError for NaN and infinities, for numbers beyond float16 where it is asked for, and for bits that do not
 * fill bytes (sqlite-vec)
 */
export function exportVectors<To extends VectorDestination>(
  vectors: VectorsLike,
  options: ExportVectorsOptions<To>
): VectorExports[To][] {
  checkOptions(VERB, options, ['to', 'scale', 'bits', 'order'])
  const to = checkChoice(VERB, 'to', options.to, DESTINATIONS) as To
  if (options.scale !== undefined) checkPositive(VERB, 'scale', options.scale)
  if (options.order !== undefined) checkChoice(VERB, 'order', options.order, ['lowest', 'highest'])
  refuse(to, 'scale', options.scale, takesScale(to))
  refuse(to, 'bits', options.bits, takesBits(to))
  refuse(to, 'order', options.order, options.bits !== undefined)
  const read = vectorsOf(VERB, vectors)
  const write = WRITERS[to](read, options)
  return Array.from({ length: read.shape[0] }, (_, index) => write(index))
}

function refuse(to: VectorDestination, name: string, value: unknown, applies: boolean): void {
  if (value !== undefined && !applies) {
    const why = name === 'order' ? 'goes with "bits" only' : `does not apply to ${to}`
    throw typeError(`${VERB}: "${name}" ${why}`)
  }
}

/** Rows of a table, one after the other. */
interface Table<T> {
  data: T
  dimensions: number
}

function floatsOf(vectors: Vectors): Table<Float32Array<ArrayBuffer>> {
  const problem = firstNonFinite(vectors)
  if (problem) throw problem
  const { data, bits } = vectors
  const floats = bits ? halves(bits, new Uint16Array(data)) : Float32Array.from(data)
  return { data: floats, dimensions: vectors.shape[1] }
}

/** Halfway between the greatest float16 and the next one, if there were one: it rounds to infinity. */
const BEYOND_F16 = 65520

/** Patterns of float16. */
function halvesOf(vectors: Vectors): Table<Uint16Array<ArrayBuffer>> {
  const { data, dimensions } = floatsOf(vectors)
  const beyond = data.findIndex((x) => Math.abs(x) >= BEYOND_F16)
  if (beyond >= 0) {
    throw rangeError(
      `${VERB}: "vectors" expected numbers within float16, got ${data[beyond]} at index ${beyond}; rescale the data`
    )
  }
  return { data: quantize(data, { format: 'float16' }).codes, dimensions }
}

function integersOf<T extends Int8Array<ArrayBuffer> | Uint8Array<ArrayBuffer>>(
  vectors: Vectors,
  { scale }: ExportVectorsOptions,
  Type: new (length: number) => T
): Table<T> {
  const dimensions = vectors.shape[1]
  const to = new Type(vectors.size)
  if (tagOf(vectors.data) === Type.name) {
    if (scale !== undefined)
      throw typeError(`${VERB}: "scale" does not apply to ${Type.name}, which is written as it is`)
    to.set(vectors.data)
    return { data: to, dimensions }
  }
  const { data } = floatsOf(vectors)
  if (scale === undefined) {
    const most = data.reduce((greatest, x) => Math.max(greatest, Math.abs(x)), 0)
    throw typeError(
      `${VERB}: "scale" expected a number, the same for vectors and queries, got undefined; ` +
        (most > 0
          ? `the greatest magnitude here is ${shortF32(most)}: { scale: 127 / ${shortF32(most)} } uses all of int8`
          : 'all numbers here are 0, which any will do for')
    )
  }
  const offset = Type.name === 'Uint8Array' ? 128 : 0
  for (const [i, x] of data.entries()) to[i] = Math.min(127, Math.max(-128, roundToEven(x * scale))) + offset
  return { data: to, dimensions }
}

function roundToEven(x: number): number {
  const below = Math.floor(x)
  const rest = x - below
  if (rest !== 0.5) return Math.round(x)
  return below % 2 === 0 ? below : below + 1
}

/** The bits of a row, in the order of its coordinates. */
function bitsOf(vectors: Vectors, { bits, order = 'lowest' }: ExportVectorsOptions): Write<(0 | 1)[]> {
  const { data, shape } = vectors
  const stride = shape[1]
  if (bits === undefined) {
    const problem = firstNonFinite(vectors)
    if (problem) throw problem
    return (index) =>
      Array.from({ length: stride }, (_, i) =>
        (vectors.bits ? elementAt(vectors, index * stride + i) : data[index * stride + i]!) > 0 ? 1 : 0
      )
  }
  if (tagOf(data) !== 'Uint8Array') {
    throw typeError(`${VERB}: "vectors" expected bytes (a Uint8Array) that hold bits, got ${show(data)}`)
  }
  checkInteger(VERB, 'bits', bits, 1, shape[0] ? 8 * stride : Infinity)
  const place = order === 'lowest' ? (i: number) => i % 8 : (i: number) => 7 - (i % 8)
  return (index) =>
    Array.from({ length: bits }, (_, i) => ((data[index * stride + (i >> 3)]! >> place(i)) & 1) as 0 | 1)
}

/** Bits in bytes, the first in the lowest. */
function packed(bits: readonly number[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(bits.length / 8)
  for (const [i, bit] of bits.entries()) bytes[i >> 3]! |= bit << (i % 8)
  return bytes
}

/** Little-endian bytes of each row, in a buffer of its own: not every driver regards a view's offset. */
function bytesOf({ data, dimensions }: Table<Float32Array | Uint16Array | Int8Array>): Write<Uint8Array<ArrayBuffer>> {
  const width = data.BYTES_PER_ELEMENT * dimensions
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  return (index) => new Uint8Array(bytes.subarray(index * width, (index + 1) * width))
}

function textOf<T extends Float32Array | Uint16Array>(
  { data, dimensions }: Table<T>,
  shorten: (element: number) => string
): Write<string> {
  return (index) => `[${Array.from(data.subarray(index * dimensions, (index + 1) * dimensions), shorten).join(',')}]`
}

/** Powers of ten that f64 holds exactly. */
const TENS = /* @__PURE__ */ Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`))

/**
 * x to so many significant digits, where 10^first <= |x| < 10^(first + 1). A quotient of exact numbers is the f64 next
 * to the decimal.
 */
function rounded(x: number, digits: number, first: number): number {
  const ten = TENS[digits - 1 - first]!
  return Math.round(x * ten) / ten
}

/**
 * The fewest digits that read back as the same f32, of 6 to 9: nine always do (IEEE 754-2019, 5.12.2), and fewer than
 * six come by themselves.
 */
function shortF32(x: number): string {
  const magnitude = Math.abs(x)
  // Where numbers of embeddings are; toPrecision takes some 20 times as long.
  if (magnitude >= 1e-6 && magnitude < 1e5) {
    let first = -6
    while (first < 4 && magnitude >= (first < -1 ? 1 / TENS[-1 - first]! : TENS[first + 1]!)) first++
    for (let digits = 6; digits <= 9; digits++) {
      const short = rounded(x, digits, first)
      if (Math.fround(short) === x) return String(short)
    }
  }
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(x.toPrecision(digits))
    if (Math.fround(short) === x) return String(short)
  }
  return String(Number(x.toPrecision(9)))
}

/** Text of float16, by the pattern without its sign, as far as it was needed. */
const HALVES: string[] = []

/** The same for a pattern of float16. */
function shortF16(pattern: number): string {
  const magnitude = pattern & 0x7fff
  const text = (HALVES[magnitude] ??= shortHalf(magnitude))
  return pattern === magnitude || magnitude === 0 ? text : `-${text}`
}

/** 3 to 5 digits: nearer to the number than half the way to its smaller neighbour. */
function shortHalf(pattern: number): string {
  if (pattern === 0) return '0'
  const x = halfOf(pattern)
  const reach = (x - halfOf(pattern - 1)) / 2
  for (let digits = 3; digits < 5; digits++) {
    const short = Number(x.toPrecision(digits))
    if (Math.abs(short - x) < reach) return String(short)
  }
  return String(Number(x.toPrecision(5)))
}

function halfOf(pattern: number): number {
  const data = Uint16Array.of(pattern)
  return elementAt({ name: '', data, shape: [1], size: 1, bits: 'float16' }, 0)
}
