import { outputArray } from '../core/check.js'
import { defaultEngine, frame } from './engine.js'
import { channelLayout, type Layout } from '../core/layout.js'
import { PackedOutput } from '../core/packed.js'
import { loadF32, nonFiniteError, readTensor, type Source, type TensorLike } from '../core/tensor.js'
import { eachRun, isSequential, planWindows, tileLength, TILE, writeTile } from '../core/tiles.js'
import {
  GRIDS,
  isHalf,
  readOptions,
  readScales,
  readZeroPoints,
  type Grid,
  type HalfFormat,
  type IntegerFormat,
  type Quantized,
  type QuantizedHalf,
  type QuantizedIntegers,
  type QuantizeOptions
} from './formats.js'
import { Passes, type Parameters, type Ranges } from './passes.js'

/**
 * Quantises a tensor to 8-bit or 4-bit integers with scales, or to 16-bit floats.
 *
 * Shapes: any; `codes` stand in the tensor's own row-major order. Sets of elements share a scale: the whole tensor, each index along
 * `axis`, or each run of `group` elements in a channel.
 * Defaults: symmetric, one scale for the whole tensor.
 * Method: affine quantisation, code = clamp(rint(x / scale) + zeroPoint), half to even, x / scale as x * (1 / scale) in f32.
 * Symmetric: scale = absmax / 127 (8 bits) or / 7 (4 bits), codes within +-127 or +-7 of the zero point (0; 128 for uint8, 8 for uint4).
 * Otherwise scale = (max(0, x) - min(0, x)) / 255 or / 15, zeroPoint = qmin + rint(-min / scale): zero is always a code.
 * A set of zeros has scale 1; no scale is below 2^-126. float16 and bfloat16 round half to even and saturate finite values. f64 input is rounded to f32 first.
 * Error: |x - dequantised| <= scale (1/2 + 2^-15) for the data's own scales; up to a whole scale where values are so near the end of f32
 * that the scale had to be reduced for every code to decode.
 *
 * @throws TypeError for an unknown option or format, or options that do not go together
 * @throws RangeError for an axis outside the shape, a group below 1 or not whole, and for NaN or Infinity (the first index is named; with `scales` given,
 * infinities saturate)
 */
export function quantize(tensor: TensorLike, options: QuantizeOptions & { format: IntegerFormat }): QuantizedIntegers
export function quantize(tensor: TensorLike, options: QuantizeOptions & { format: HalfFormat }): QuantizedHalf
export function quantize(tensor: TensorLike, options: QuantizeOptions): Quantized
export function quantize(tensor: TensorLike, options: QuantizeOptions): Quantized {
  const asked = prepareQuantize(tensor, options)
  if (asked.kind === 'half') encodeHalf(asked.source, asked.format, asked.result.codes)
  else setParameters(asked, encodeIntegers(asked.source, asked, asked.result.codes))
  return asked.result
}

/** How elements become codes. */
export interface Coding {
  readonly layout: Layout
  readonly grid: Grid
  readonly symmetric: boolean
  /** scales and zero points that are known already */
  readonly given?: Parameters
}

export interface QuantizeIntegers extends Coding {
  readonly kind: 'integers'
  readonly source: Source
  readonly result: QuantizedIntegers
}

export interface QuantizeHalf {
  readonly kind: 'half'
  readonly source: Source
  readonly format: HalfFormat
  readonly result: QuantizedHalf
}

/** Reads and checks what `quantize` is asked; the result's arrays are there, yet to be filled. */
export function prepareQuantize(tensor: TensorLike, options: QuantizeOptions): QuantizeIntegers | QuantizeHalf {
  const verb = 'quantize'
  const checked = readOptions(verb, options)
  const source = readTensor(verb, 'tensor', tensor)
  const { format, axis, group, symmetric, out } = checked
  const shape = [...source.shape]
  if (isHalf(format)) {
    const codes = outputArray<Uint16Array<ArrayBuffer>>(verb, 'out.codes', out?.codes, Uint16Array, source.size)
    return { kind: 'half', source, format, result: { format, shape, codes } }
  }
  const layout = channelLayout(verb, shape, axis, group)
  const grid = GRIDS[format]
  const given = givenParameters(verb, checked, layout, grid)
  const earlier = out as Partial<QuantizedIntegers> | undefined
  const bytes = grid.bits === 4 ? Math.ceil(layout.size / 2) : layout.size
  const codeType: ByteClass = format === 'int8' ? Int8Array : Uint8Array
  const zeroType: ByteClass = grid.signed ? Int8Array : Uint8Array
  const codes = outputArray(verb, 'out.codes', earlier?.codes, codeType, bytes)
  const scales = outputArray<Float32Array<ArrayBuffer>>(verb, 'out.scales', earlier?.scales, Float32Array, layout.sets)
  const zeroPoints =
    symmetric && grid.signed
      ? undefined
      : outputArray(verb, 'out.zeroPoints', earlier?.zeroPoints, zeroType, layout.sets)
  const result = {
    format,
    shape,
    ...(axis === undefined ? {} : { axis }),
    ...(group === undefined ? {} : { group }),
    symmetric,
    codes,
    scales,
    ...(zeroPoints ? { zeroPoints } : {})
  }
  return { kind: 'integers', source, layout, grid, symmetric, given, result }
}

/** Scales and zero points from set `first` on. */
export function setParameters({ result }: QuantizeIntegers, { scales, zeros }: Parameters, first = 0): void {
  result.scales.set(scales, first)
  result.zeroPoints?.set(zeros, first)
}

type ByteClass = new (length: number) => Int8Array<ArrayBuffer> | Uint8Array<ArrayBuffer>

/** The caller's scales and zero points, checked against the layout; undefined where the data's own are wanted. */
export function givenParameters(
  verb: string,
  { scales, zeroPoints }: QuantizeOptions,
  layout: Layout,
  grid: Grid
): Parameters | undefined {
  if (scales === undefined) return undefined
  return {
    scales: readScales(verb, scales, layout.sets),
    zeros: zeroPoints
      ? readZeroPoints(verb, zeroPoints, layout.sets, grid)
      : new Int32Array(layout.sets).fill(grid.middle)
  }
}

/** Parameters that each pass over a window fills in; an empty set has scale 1 and the zero point of a range of nothing. */
export function emptyParameters(layout: Layout, grid: Grid, symmetric: boolean): Parameters {
  return {
    scales: new Float32Array(layout.sets).fill(1),
    zeros: new Int32Array(layout.sets).fill(symmetric ? grid.middle : grid.least)
  }
}

/** The range of each set of a tensor, or of a part of one. */
export function measureRanges(source: Source, { layout, grid, symmetric }: Coding): Ranges {
  return frame(defaultEngine(), (memory, kernels) => {
    const windows = planWindows(layout)
    const passes = new Passes(memory, kernels, layout, grid, symmetric, windows)
    const ranges = { high: new Float32Array(layout.sets), low: new Float32Array(layout.sets) }
    for (const window of windows) {
      passes.measure(source, window)
      passes.takeRanges(window, ranges)
    }
    return ranges
  })
}

/** The scales and zero points that such ranges give. */
export function parametersFrom({ high, low }: Ranges, { grid, symmetric }: Coding): Parameters {
  const scales = new Float32Array(high.length)
  const zeros = new Int32Array(high.length)
  frame(defaultEngine(), (memory, kernels) => {
    const [to, zeroTo, highs, lows] = [
      memory.alloc(4 * TILE),
      memory.alloc(4 * TILE),
      memory.alloc(4 * TILE),
      memory.alloc(4 * TILE)
    ]
    eachRun(high.length, (start, length) => {
      memory.f32(highs, length).set(high.subarray(start, start + length))
      memory.f32(lows, length).set(low.subarray(start, start + length))
      const { least, most, middle } = grid
      kernels.scalesFromRange(to, zeroTo, highs, lows, length, 1, Number(symmetric), least, most, middle)
      scales.set(memory.f32(to, length), start)
      zeros.set(memory.i32(zeroTo, length), start)
    })
  })
  return { scales, zeros }
}

/** @returns the scales and zero points of the codes, which go to `codes` */
export function encodeIntegers(
  source: Source,
  { layout, grid, symmetric, given }: Coding,
  codes: QuantizedIntegers['codes']
): Parameters {
  return frame(defaultEngine(), (memory, kernels) => {
    const windows = planWindows(layout)
    const passes = new Passes(memory, kernels, layout, grid, symmetric, windows)
    const parameters = given ?? emptyParameters(layout, grid, symmetric)
    const packed =
      grid.bits === 4
        ? new PackedOutput(
            memory,
            layout,
            2,
            kernels.packNibbles,
            isSequential(windows),
            codes as Uint8Array<ArrayBuffer>
          )
        : undefined
    for (const window of windows) {
      if (given) passes.use(window, given)
      else {
        passes.measure(source, window)
        passes.derive(window, parameters)
      }
      passes.spread(window, true)
      for (const tile of window.tiles) {
        // A window of one tile still holds it from the measuring.
        if (given || window.tiles.length > 1) passes.load(source, tile)
        if (given) passes.refuseNaN(source, window, tile)
        passes.encode(tile, given !== undefined)
        if (packed) packed.write(tile, passes.codes)
        else writeTile(codes, passes.codeView(tileLength(tile)), layout, tile)
      }
    }
    packed?.finish(passes.codes)
    return parameters
  })
}

export function encodeHalf(source: Source, format: HalfFormat, codes: Uint16Array<ArrayBuffer>): void {
  frame(defaultEngine(), (memory, kernels) => {
    const encode = format === 'float16' ? kernels.encodeF16 : kernels.encodeBF16
    const values = memory.alloc(4 * TILE)
    const bits = memory.alloc(2 * TILE)
    eachRun(source.size, (start, length) => {
      loadF32(memory, kernels, values, source, start, length)
      if (encode(bits, values, length)) throw nonFiniteError(source)
      codes.set(memory.u16(bits, length), start)
    })
  })
}
