import { MODULES } from '../../quantize/engine.js'
import { partOf, sizeOf, type Source, type Tensor, type TensorLike } from '../../core/tensor.js'
import { decodeHalf, decodeIntegers, prepareDequantize, type Decoding } from '../../quantize/dequantize.js'
import type { DequantizeOptions } from '../../quantize/dequantize.js'
import {
  fakeHalf,
  fakeIntegers,
  prepareFakeQuantize,
  type Faked,
  type FakeQuantized,
  type FakeQuantizeOptions
} from '../../quantize/fakeQuantize.js'
import { FORMATS, type ByteArray, type HalfFormat } from '../../quantize/formats.js'
import type { Parameters, QuantizeOptions } from '../../quantize/options.js'
import { emptyParameters, type Coding, type Ranges } from '../../quantize/passes.js'
import type { Quantized } from '../../quantize/quantized.js'
import {
  encodeHalf,
  encodeIntegers,
  measureRanges,
  parametersFrom,
  prepareQuantize,
  setParameters
} from '../../quantize/quantize.js'
import { cutLayout, cutRows, type LayoutPart } from '../chunks.js'
import { once, type Plan, type Steps } from '../plan.js'

interface HalfChunk {
  readonly source: Source
  readonly format: HalfFormat
}

interface IntegerChunk {
  readonly source: Source
  readonly coding: Coding
  /** the scales come from the ranges of all chunks */
  readonly shared: boolean
}

/** The parameters of a part's own sets. */
function partParameters(parameters: Parameters, { layout, firstSet, shared }: LayoutPart): Parameters {
  if (shared) return parameters
  const { scales, zeroPoints } = parameters
  const end = firstSet + layout.sets
  return { scales: scales.slice(firstSet, end), zeroPoints: zeroPoints?.slice(firstSet, end) }
}

function integerChunk(source: Source, coding: Coding, part: LayoutPart): IntegerChunk {
  const given = coding.given && partParameters(coding.given, part)
  return {
    source: partOf(source, part.start, part.layout.size),
    coding: { ...coding, layout: part.layout, given },
    shared: part.shared && !given
  }
}

/** Agrees on the scales of sets that go through several chunks. */
function agreeOnScales(coding: Coding, tell: (parameters: Parameters) => void) {
  return (answers: readonly unknown[]): unknown[] => {
    const [first, ...others] = answers as Ranges[]
    const { high, low } = first!
    for (const other of others) {
      for (let set = 0; set < high.length; set++) {
        high[set] = Math.max(high[set]!, other.high[set]!)
        low[set] = Math.min(low[set]!, other.low[set]!)
      }
    }
    const parameters = parametersFrom({ high, low }, coding)
    tell(parameters)
    return answers.map(() => parameters)
  }
}

/** Hears the scales where they are shared, and works with them. */
function* withScales({ source, coding, shared }: IntegerChunk, work: (coding: Coding) => unknown): Generator<Ranges> {
  if (!shared) return work(coding)
  const given = (yield measureRanges(source, coding)) as unknown as Parameters
  return work({ ...coding, given })
}

export function quantizePlan(tensor: TensorLike, options: QuantizeOptions): Plan<Quantized> {
  const asked = prepareQuantize(tensor, options)
  const { source } = asked
  if (asked.kind === 'half') {
    const { result } = asked
    const runs = cutRows(source.size, 1)
    return {
      verb: 'quantize',
      program: 'encodeHalf',
      modules: MODULES,
      chunks: runs.map(({ first, count }) => (): HalfChunk => ({
        source: partOf(source, first, count),
        format: asked.format
      })),
      take: (chunk, codes) => result.codes.set(codes as Uint16Array, runs[chunk]!.first),
      finish: () => result
    }
  }
  const { layout, format, symmetric, given, result } = asked
  const coding: Coding = { layout, format, symmetric, given }
  const parts = cutLayout(layout)
  const { bytesOf } = FORMATS[format]
  if (given) setParameters(asked, given)
  return {
    verb: 'quantize',
    program: 'encode',
    modules: MODULES,
    chunks: parts.map((part) => () => integerChunk(source, coding, part)),
    agreements: parts[0]!.shared && !given ? 1 : 0,
    agree: agreeOnScales(coding, (parameters) => setParameters(asked, parameters)),
    take: (chunk, value) => {
      const { codes, parameters } = value as Encoded
      const { start, firstSet, shared } = parts[chunk]!
      result.codes.set(codes, bytesOf(start))
      if (!shared) setParameters(asked, parameters, firstSet)
    },
    finish: () => result
  }
}

interface Encoded {
  readonly codes: ByteArray
  readonly parameters: Parameters
}

export function encodeHalfProgram({ source, format }: HalfChunk): Steps {
  return once(() => {
    const codes = new Uint16Array(source.size)
    encodeHalf(source, format, codes)
    return codes
  })
}

export function encodeProgram(args: IntegerChunk): Steps {
  return withScales(args, (coding): Encoded => {
    const format = FORMATS[coding.format]
    const codes = new format.codes(format.bytesOf(coding.layout.size))
    const parameters = coding.given ?? emptyParameters(coding)
    encodeIntegers(args.source, coding, codes, parameters)
    return { codes, parameters }
  })
}

export function fakeQuantizePlan(tensor: TensorLike, options: FakeQuantizeOptions): Plan<FakeQuantized> {
  const asked = prepareFakeQuantize(tensor, options)
  const { source } = asked
  const data = new Float32Array(source.size)
  const bits = new Uint8Array(Math.ceil(source.size / 8))
  const finish = (): FakeQuantized => ({
    values: { data, shape: [...source.shape] },
    mask: { bits, shape: [...source.shape] }
  })
  const takeAt = (start: number, value: unknown): void => {
    const part = value as Faked
    data.set(part.data, start)
    bits.set(part.bits, start / 8)
  }
  if (asked.kind === 'half') {
    const runs = cutRows(source.size, 1)
    return {
      verb: 'fakeQuantize',
      program: 'fakeHalf',
      modules: MODULES,
      chunks: runs.map(({ first, count }) => (): HalfChunk => ({
        source: partOf(source, first, count),
        format: asked.format
      })),
      take: (chunk, value) => takeAt(runs[chunk]!.first, value),
      finish
    }
  }
  const { layout, format, symmetric, given } = asked
  const coding: Coding = { layout, format, symmetric, given }
  const parts = cutLayout(layout)
  return {
    verb: 'fakeQuantize',
    program: 'fake',
    modules: MODULES,
    chunks: parts.map((part) => () => integerChunk(source, coding, part)),
    agreements: parts[0]!.shared && !given ? 1 : 0,
    agree: agreeOnScales(coding, () => undefined),
    take: (chunk, value) => takeAt(parts[chunk]!.start, value),
    finish
  }
}

export function fakeHalfProgram({ source, format }: HalfChunk): Steps {
  return once(() => fakeHalf(source, format))
}

export function fakeProgram(args: IntegerChunk): Steps {
  return withScales(args, (coding) => fakeIntegers(args.source, coding))
}

interface CodesChunk extends Decoding {
  readonly codes: Int8Array | Uint8Array
}

interface HalfCodesChunk {
  readonly format: HalfFormat
  readonly codes: Uint16Array
}

export function dequantizePlan(quantized: Quantized, options: DequantizeOptions = {}): Plan<Tensor> {
  const asked = prepareDequantize(quantized, options)
  const { data } = asked
  const shape = [...quantized.shape]
  const takeAt = (start: number, values: unknown): void => data.set(values as Float32Array, start)
  const finish = (): Tensor => ({ data, shape })
  if (asked.kind === 'half') {
    const runs = cutRows(sizeOf(shape), 1)
    return {
      verb: 'dequantize',
      program: 'decodeHalf',
      modules: MODULES,
      chunks: runs.map(({ first, count }) => (): HalfCodesChunk => {
        return { format: asked.format, codes: asked.codes.subarray(first, first + count) }
      }),
      take: (chunk, values) => takeAt(runs[chunk]!.first, values),
      finish
    }
  }
  const { codes, format, symmetric, given, layout } = asked
  const { bytesOf } = FORMATS[format]
  const parts = cutLayout(layout)
  return {
    verb: 'dequantize',
    program: 'decode',
    modules: MODULES,
    chunks: parts.map((part) => (): CodesChunk => {
      const first = bytesOf(part.start)
      const last = first + bytesOf(part.layout.size)
      return {
        layout: part.layout,
        format,
        symmetric,
        given: partParameters(given, part),
        codes: codes.subarray(first, last)
      }
    }),
    take: (chunk, values) => takeAt(parts[chunk]!.start, values),
    finish
  }
}

export function decodeProgram({ codes, ...decoding }: CodesChunk): Steps {
  return once(() => {
    const data = new Float32Array(decoding.layout.size)
    decodeIntegers(decoding, codes, data)
    return data
  })
}

export function decodeHalfProgram({ format, codes }: HalfCodesChunk): Steps {
  return once(() => {
    const data = new Float32Array(codes.length)
    decodeHalf({ format }, codes, data)
    return data
  })
}
