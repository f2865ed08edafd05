export type IntegerFormat = 'int8' | 'uint8' | 'int4' | 'uint4'
export type FloatFormat = 'float16' | 'bfloat16'
export type Format = IntegerFormat | FloatFormat

export interface Options<F extends Format = Format> {
  format: F
  axis?: number | undefined
  group?: number | undefined
  symmetric?: boolean | undefined
  scales?: ArrayLike<number> | undefined
  zeroPoints?: ArrayLike<number> | undefined
}

export interface QuantizedIntegers {
  codes: Int8Array | Uint8Array
  scales: Float32Array
  zeroPoints?: Int8Array | Uint8Array
}

export interface QuantizedFloats {
  codes: Uint16Array
}

/** What dequantisation reads; the oracle's own results and any other holder of the same arrays fit. */
export interface Codes {
  codes: ArrayLike<number>
  scales?: ArrayLike<number> | undefined
  zeroPoints?: ArrayLike<number> | undefined
}

export interface Layout {
  channels: number
  groupsPerChannel: number
  setOf(index: number): number
}

interface Parameters {
  scales: Float32Array
  zeroPoints: number[]
  low: number[]
  high: number[]
}

const minimum: Record<IntegerFormat, number> = { int8: -128, uint8: 0, int4: -8, uint4: 0 }
const maximum: Record<IntegerFormat, number> = { int8: 127, uint8: 255, int4: 7, uint4: 15 }
const middle: Record<IntegerFormat, number> = { int8: 0, uint8: 128, int4: 0, uint4: 8 }

const greatestFloat = (2 - 2 ** -23) * 2 ** 127
const leastScale = 2 ** -126

const product = (dims: readonly number[]): number => dims.reduce((total, dim) => total * dim, 1)

const clamp = (x: number, low: number, high: number): number => Math.min(Math.max(x, low), high)

const isUnsigned = (format: IntegerFormat): boolean => format === 'uint8' || format === 'uint4'

const isFloat = (options: Options): options is Options<FloatFormat> =>
  options.format === 'float16' || options.format === 'bfloat16'

/** Round to nearest, ties to even (IEEE 754-2019, 4.3.1 roundTiesToEven) of a real to an integer. */
export function roundHalfEven(x: number): number {
  if (!Number.isFinite(x)) return x
  const magnitude = Math.abs(x)
  const below = Math.floor(magnitude)
  // The difference is exact because the magnitude is not negative; for x itself, 1 - 0.49999999999999994 would not be.
  const rest = magnitude - below
  const up = rest > 0.5 || (rest === 0.5 && below % 2 === 1)
  const rounded = up ? below + 1 : below
  return x < 0 ? 0 - rounded : rounded
}

/**
 * The position of |x| in the increasing list of a binary format's non-negative values, without an upper limit to the
 * exponent. The encodings of IEEE 754-2019, 3.4 are these positions, with the sign in the leading bit.
 */
function encoding(x: number, fractionBits: number, minimumExponent: number): number {
  const magnitude = Math.abs(x)
  let exponent = minimumExponent
  while (magnitude >= 2 ** (exponent + 1)) exponent++
  // A division by a power of two is exact; below the least normal the unit stays that of the subnormals.
  const significand = roundHalfEven(magnitude / 2 ** (exponent - fractionBits))
  return (exponent - minimumExponent) * 2 ** fractionBits + significand
}

function encode(x: number, fractionBits: number, minimumExponent: number, infinity: number): number {
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0
  if (Number.isNaN(x)) return infinity + 2 ** (fractionBits - 1)
  if (!Number.isFinite(x)) return sign + infinity
  return sign + Math.min(encoding(x, fractionBits, minimumExponent), infinity - 1)
}

function decode(bits: number, fractionBits: number, minimumExponent: number, infinity: number): number {
  const sign = bits >= 0x8000 ? -1 : 1
  const position = bits % 0x8000
  if (position > infinity) return NaN
  if (position === infinity) return sign * Infinity
  const biased = Math.floor(position / 2 ** fractionBits)
  const fraction = position % 2 ** fractionBits
  if (biased === 0) return sign * fraction * 2 ** (minimumExponent - fractionBits)
  return sign * (2 ** fractionBits + fraction) * 2 ** (biased - 1 + minimumExponent - fractionBits)
}

/** IEEE 754 binary16; finite values saturate, infinities stay infinities. */
export const float16Bits = (x: number): number => encode(x, 10, -14, 0x7c00)
export const float16Value = (bits: number): number => decode(bits, 10, -14, 0x7c00)

/** bfloat16, the upper half of binary32; finite values saturate, infinities stay infinities. */
export const bfloat16Bits = (x: number): number => encode(x, 7, -126, 0x7f80)
export const bfloat16Value = (bits: number): number => decode(bits, 7, -126, 0x7f80)

/** Bit i & 7 of byte i >> 3 belongs to flat index i. */
export function packBits(flags: readonly boolean[]): Uint8Array {
  const bits = new Uint8Array(Math.ceil(flags.length / 8))
  flags.forEach((flag, i) => {
    if (flag) bits[Math.floor(i / 8)] += 2 ** (i % 8)
  })
  return bits
}

export function layout(shape: readonly number[], axis?: number, group?: number): Layout {
  if (group !== undefined && !(Number.isInteger(group) && group > 0)) throw new RangeError('group')
  const implied = group !== undefined && shape.length >= 2 ? 0 : undefined
  const chosen = axis ?? implied
  let outer = 1
  let channels = 1
  let inner = product(shape)
  if (chosen !== undefined) {
    const dimension = chosen < 0 ? chosen + shape.length : chosen
    if (!Number.isInteger(dimension) || dimension < 0 || dimension >= shape.length) throw new RangeError('axis')
    outer = product(shape.slice(0, dimension))
    channels = shape[dimension]
    inner = product(shape.slice(dimension + 1))
  }
  const groupsPerChannel = group === undefined ? 1 : Math.ceil((outer * inner) / group)
  return {
    channels,
    groupsPerChannel,
    setOf(index) {
      const o = Math.floor(index / (channels * inner))
      const channel = Math.floor(index / inner) % channels
      const position = o * inner + (index % inner)
      return channel * groupsPerChannel + (group === undefined ? 0 : Math.floor(position / group))
    }
  }
}

function checkFinite(data: Float32Array, infinityAllowed: boolean): void {
  data.forEach((x, i) => {
    if (Number.isNaN(x) || (!infinityAllowed && !Number.isFinite(x))) throw new RangeError(`not finite at ${i}`)
  })
}

/** Which options go together, whatever the tensor. */
function checkOptions(options: Options): void {
  const { axis, group, symmetric, scales, zeroPoints } = options
  if (isFloat(options)) {
    const given = [axis, group, symmetric, scales, zeroPoints].filter((option) => option !== undefined)
    if (given.length > 0) throw new TypeError('a float format takes no other option')
    return
  }
  const complete = (scales !== undefined && symmetric === false) === (zeroPoints !== undefined)
  if (!complete) throw new TypeError('zeroPoints go with scales and symmetric: false, and those want zeroPoints')
}

/** The f32 next to a positive one, on the side of 0. */
function nextBelow(x: number): number {
  const word = new Uint32Array(Float32Array.of(x).buffer)
  word[0] -= 1
  return new Float32Array(word.buffer)[0]
}

/** The scale, reduced where its farthest code, `steps` from the zero point, would decode to more than f32 holds. */
function decodable(scale: number, steps: number): number {
  if (!(scale > 2 ** 119)) return scale
  const most = Math.min(scale, Math.fround(greatestFloat / steps))
  return Math.fround(most * steps) === Infinity ? nextBelow(most) : most
}

function givenParameters(sets: number, options: Options<IntegerFormat>): Parameters {
  const { format, symmetric = true, scales, zeroPoints } = options
  if (scales?.length !== sets) throw new RangeError('scales')
  if (zeroPoints !== undefined && zeroPoints.length !== sets) throw new RangeError('zeroPoints')
  const qmin = minimum[format]
  const qmax = maximum[format]
  const steps = Math.floor((qmax - qmin) / 2)
  const points = zeroPoints === undefined ? new Array<number>(sets).fill(middle[format]) : Array.from(zeroPoints)
  const rounded = Float32Array.from(scales)
  if (!rounded.every((scale) => scale >= leastScale && scale < Infinity)) throw new RangeError('scales')
  if (!points.every((point) => Number.isInteger(point) && point >= qmin && point <= qmax)) {
    throw new RangeError('zeroPoints')
  }
  return {
    scales: rounded,
    zeroPoints: points,
    low: points.map((point) => (symmetric ? Math.max(point - steps, qmin) : qmin)),
    high: points.map((point) => (symmetric ? Math.min(point + steps, qmax) : qmax))
  }
}

function measuredParameters(
  data: Float32Array,
  sets: number,
  setOf: (index: number) => number,
  options: Options<IntegerFormat>
): Parameters {
  const { format, symmetric = true } = options
  const least = new Array<number>(sets).fill(0)
  const greatest = new Array<number>(sets).fill(0)
  data.forEach((x, i) => {
    const set = setOf(i)
    least[set] = Math.min(least[set], x)
    greatest[set] = Math.max(greatest[set], x)
  })
  const qmin = minimum[format]
  const qmax = maximum[format]
  const steps = Math.floor((qmax - qmin) / 2)
  const result: Parameters = { scales: new Float32Array(sets), zeroPoints: [], low: [], high: [] }
  for (let set = 0; set < sets; set++) {
    const lo = least[set]
    const hi = greatest[set]
    if (symmetric) {
      const a = Math.max(-lo, hi)
      const scale = a > 0 ? Math.max(Math.fround(a / steps), leastScale) : 1
      result.scales[set] = decodable(scale, steps)
      result.zeroPoints.push(middle[format])
      result.low.push(middle[format] - steps)
      result.high.push(middle[format] + steps)
    } else {
      const scale = hi > lo ? Math.max(Math.fround((hi - lo) / (qmax - qmin)), leastScale) : 1
      const zeroPoint = clamp(qmin + roundHalfEven(-lo / scale), qmin, qmax)
      result.scales[set] = decodable(scale, Math.max(qmax - zeroPoint, zeroPoint - qmin))
      result.zeroPoints.push(zeroPoint)
      result.low.push(qmin)
      result.high.push(qmax)
    }
  }
  return result
}

/** The parameters, and for each element its level: rint(t) + zeroPoint, before the clamp to [low, high]. */
function levelsOf(
  data: Float32Array,
  shape: readonly number[],
  options: Options<IntegerFormat>
): { parameters: Parameters; levels: number[]; setOf: (index: number) => number } {
  checkOptions(options)
  const given = options.scales !== undefined
  checkFinite(data, given)
  const { channels, groupsPerChannel, setOf } = layout(shape, options.axis, options.group)
  const sets = channels * groupsPerChannel
  const parameters = given ? givenParameters(sets, options) : measuredParameters(data, sets, setOf, options)
  const levels = Array.from(data, (x, i) => {
    const set = setOf(i)
    const inverse = Math.fround(1 / parameters.scales[set])
    const t = Math.fround(x * inverse)
    return roundHalfEven(given ? clamp(t, -512, 512) : t) + parameters.zeroPoints[set]
  })
  return { parameters, levels, setOf }
}

function packCodes(codes: number[], format: IntegerFormat): Int8Array | Uint8Array {
  if (format === 'int8') return Int8Array.from(codes)
  if (format === 'uint8') return Uint8Array.from(codes)
  const packed = new Uint8Array(Math.ceil(codes.length / 2))
  codes.forEach((code, i) => {
    const nibble = code < 0 ? code + 16 : code
    packed[Math.floor(i / 2)] += i % 2 === 0 ? nibble : nibble * 16
  })
  return packed
}

function codeAt(codes: ArrayLike<number>, index: number, format: IntegerFormat): number {
  if (format === 'int8' || format === 'uint8') return codes[index]
  const byte = codes[Math.floor(index / 2)]
  const nibble = index % 2 === 0 ? byte % 16 : Math.floor(byte / 16)
  return format === 'int4' && nibble >= 8 ? nibble - 16 : nibble
}

const toBits: Record<FloatFormat, (x: number) => number> = { float16: float16Bits, bfloat16: bfloat16Bits }
const toValue: Record<FloatFormat, (bits: number) => number> = { float16: float16Value, bfloat16: bfloat16Value }

export function quantizeOracle(
  data: Float32Array,
  shape: readonly number[],
  options: Options<IntegerFormat>
): QuantizedIntegers
export function quantizeOracle(
  data: Float32Array,
  shape: readonly number[],
  options: Options<FloatFormat>
): QuantizedFloats
export function quantizeOracle(
  data: Float32Array,
  shape: readonly number[],
  options: Options
): QuantizedIntegers | QuantizedFloats
export function quantizeOracle(
  data: Float32Array,
  shape: readonly number[],
  options: Options
): QuantizedIntegers | QuantizedFloats {
  if (isFloat(options)) {
    checkOptions(options)
    checkFinite(data, false)
    return { codes: Uint16Array.from(data, toBits[options.format]) }
  }
  const integer = options as Options<IntegerFormat>
  const { format, symmetric = true } = integer
  const { parameters, levels, setOf } = levelsOf(data, shape, integer)
  const codes = levels.map((level, i) => clamp(level, parameters.low[setOf(i)], parameters.high[setOf(i)]))
  const result: QuantizedIntegers = { codes: packCodes(codes, format), scales: parameters.scales }
  if (!symmetric || isUnsigned(format)) {
    result.zeroPoints = isUnsigned(format)
      ? Uint8Array.from(parameters.zeroPoints)
      : Int8Array.from(parameters.zeroPoints)
  }
  return result
}

export function dequantizeOracle(q: Codes, shape: readonly number[], options: Options): Float32Array {
  const values = new Float32Array(product(shape))
  if (isFloat(options)) {
    const value = toValue[options.format]
    return values.map((_, i) => value(q.codes[i]))
  }
  const { format, axis, group } = options as Options<IntegerFormat>
  const { setOf } = layout(shape, axis, group)
  const { scales, zeroPoints } = q
  if (scales === undefined) throw new TypeError('scales')
  return values.map((_, i) => {
    const zeroPoint = zeroPoints === undefined ? middle[format] : zeroPoints[setOf(i)]
    return Math.fround((codeAt(q.codes, i, format) - zeroPoint) * Math.fround(scales[setOf(i)]))
  })
}

export function fakeQuantizeOracle(
  data: Float32Array,
  shape: readonly number[],
  options: Options
): { values: Float32Array; bits: Uint8Array } {
  const values = dequantizeOracle(quantizeOracle(data, shape, options), shape, options)
  if (isFloat(options)) {
    // The mask is that of integers, judged after rounding: 65519 rounds to 65504 and passes, 65520 would be infinite.
    const half = options.format === 'float16'
    const passes = (x: number): boolean => (half ? encoding(x, 10, -14) < 0x7c00 : encoding(x, 7, -126) < 0x7f80)
    return { values, bits: packBits(Array.from(data, passes)) }
  }
  const { parameters, levels, setOf } = levelsOf(data, shape, options as Options<IntegerFormat>)
  const inRange = levels.map((level, i) => level >= parameters.low[setOf(i)] && level <= parameters.high[setOf(i)])
  return { values, bits: packBits(inRange) }
}
