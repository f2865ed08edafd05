import { outputArray } from '../core/check.js'
import { defaultEngine, frame } from './engine.js'
import { channelLayout, type Layout } from '../core/layout.js'
import { PackedOutput } from '../core/packed.js'
import { loadF32, nonFiniteError, readTensor, type Source, type TensorLike } from '../core/tensor.js'
import { eachRun, tileLength, TILE, writeTile } from '../core/tiles.js'
import { isSequential, planWindows } from '../core/windows.js'
import { FORMATS, hasZeroPoints, type Grid, type HalfFormat, type IntegerFormat } from './formats.js'
import { scalesFromRange } from './kernelCalls.js'
import { readOptions, readScales, readZeroPoints, type Parameters, type QuantizeOptions } from './options.js'
import {
  clearParameters,
  codeView,
  derive,
  emptyParameters,
  encodeTile,
  load,
  measure,
  preparePasses,
  refuseNaN,
  spread,
  store,
  takeRanges,
  use,
  type Coding,
  type Ranges
} from './passes.js'
import type { Quantized, QuantizedHalf, QuantizedIntegers } from './quantized.js'

/**
 * Quantises a tensor to 8-bit or 4-bit integers with scales, or to 16-bit floats.
 *
 * Shapes: any; `codes` stand in the tensor's own row-major order. Sets of elements share a scale: the whole tensor,
 * each index along `axis`, or each run of `group` elements in a channel.
 * Defaults: symmetric, one scale for the whole tensor.
 * Method: affine quantisation, code = clamp(rint(x / scale) + zeroPoint), half to even, x / scale as x * (1 / scale) in
 * f32.
 * Symmetric: scale = absmax / 127 (8 bits) or / 7 (4 bits), codes within +-127 or +-7 of the zero point (0; 128 for
 * uint8, 8 for uint4). Otherwise scale = (max(0, x) - min(0, x)) / 255 or / 15, zeroPoint = qmin + rint(-min / scale):
 * zero is always a code. A set of zeros has scale 1; no scale is below 2^-126. float16 and bfloat16 round half to even
 * and saturate finite values. f64 input is rounded to f32 first.
 * Error: |x - dequantised| <= scale (1/2 + 2^-15) for the data's own scales. It is up to a whole scale where values are
 * near the end of f32: there the scale was reduced so that every code decodes.
 *
 * @throws TypeError for an unknown option or format, or options that do not go together
 * @throws RangeError for an axis outside the shape, a group below 1 or not whole, and for NaN or Infinity (the first
 * index is named; with `scales` given, infinities saturate)
 */
export function quantize(tensor: TensorLike, options: QuantizeOptions & { format: IntegerFormat }): QuantizedIntegers
export function quantize(tensor: TensorLike, options: QuantizeOptions & { format: HalfFormat }): QuantizedHalf
export function quantize(tensor: TensorLike, options: QuantizeOptions): Quantized
export function quantize(tensor: TensorLike, options: QuantizeOptions): Quantized {
  const asked = prepareQuantize(tensor, options)
  if (asked.kind === 'half') encodeHalf(asked.source, asked.format, asked.result.codes)
  else {
    const { source, given, result } = asked
    encodeIntegers(source, asked, result.codes, result)
    if (given) setParameters(asked, given)
  }
  return asked.result
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
  const { axis, group, symmetric, out } = checked
  const format = FORMATS[checked.format]
  const shape = [...source.shape]
  if (format.kind === 'half') {
    const codes = outputArray(verb, 'out.codes', out?.codes, format.codes, source.size)
    return { kind: 'half', source, format: format.name, result: { format: format.name, shape, codes } }
  }
  const layout = channelLayout(verb, shape, axis, group)
  const given = givenParameters(verb, checked, layout, format)
  const earlier = out as Partial<QuantizedIntegers> | undefined
  const codes = outputArray(verb, 'out.codes', earlier?.codes, format.codes, format.bytesOf(layout.size))
  const scales = outputArray<Float32Array<ArrayBuffer>>(verb, 'out.scales', earlier?.scales, Float32Array, layout.sets)
  const zeroPoints = hasZeroPoints(format, symmetric)
    ? outputArray(verb, 'out.zeroPoints', earlier?.zeroPoints, format.zeroPoints, layout.sets)
    : undefined
  const result = { format: format.name, shape } as QuantizedIntegers
  if (axis !== undefined) result.axis = axis
  if (group !== undefined) result.group = group
  result.symmetric = symmetric
  result.codes = codes
  result.scales = scales
  if (zeroPoints) result.zeroPoints = zeroPoints
  return { kind: 'integers', source, layout, format: format.name, symmetric, given, result }
}

/** Scales and zero points from set `first` on. */
export function setParameters(
  { result, format }: QuantizeIntegers,
  { scales, zeroPoints }: Parameters,
  first = 0
): void {
  result.scales.set(scales, first)
  if (zeroPoints) result.zeroPoints?.set(zeroPoints, first)
  else result.zeroPoints?.fill(FORMATS[format].middle, first, first + scales.length)
}

/** The caller's scales and zero points, checked against the layout; undefined where the data's own are wanted. */
export function givenParameters(
  verb: string,
  { scales, zeroPoints }: QuantizeOptions,
  { sets }: Layout,
  grid: Grid
): Parameters | undefined {
  if (scales === undefined) return undefined
  return {
    scales: readScales(verb, scales, sets),
    zeroPoints: zeroPoints && readZeroPoints(verb, zeroPoints, sets, grid)
  }
}

/** The range of each set of a tensor, or of a part of one. */
export function measureRanges(source: Source, coding: Coding): Ranges {
  return frame(defaultEngine(), (memory, kernels) => {
    const { layout } = coding
    const windows = planWindows(layout)
    const passes = preparePasses(memory, kernels, coding, windows)
    const ranges = { high: new Float32Array(layout.sets), low: new Float32Array(layout.sets) }
    for (const window of windows) {
      measure(passes, source, window)
      takeRanges(passes, window, ranges)
    }
    return ranges
  })
}

/** The scales and zero points that such ranges give. */
export function parametersFrom(ranges: Ranges, coding: Coding): Parameters {
  const parameters = emptyParameters(coding)
  const { scales, zeroPoints } = parameters
  frame(defaultEngine(), (memory, kernels) => {
    const steps = { scales: memory.alloc(4 * TILE), zeros: memory.alloc(4 * TILE) }
    const high = memory.alloc(4 * TILE)
    const low = memory.alloc(4 * TILE)
    const { symmetric, format } = coding
    const room = { kernels, high, low, steps, grid: FORMATS[format], symmetric }
    eachRun(scales.length, (start, sets) => {
      memory.f32(high, sets).set(ranges.high.subarray(start, start + sets))
      memory.f32(low, sets).set(ranges.low.subarray(start, start + sets))
      scalesFromRange(room, sets, 1)
      scales.set(memory.f32(steps.scales, sets), start)
      zeroPoints?.set(memory.i32(steps.zeros, sets), start)
    })
  })
  return parameters
}

/** Codes go to `codes`; their scales and zero points, where none are given, to `into`. */
export function encodeIntegers(
  source: Source,
  coding: Coding,
  codes: QuantizedIntegers['codes'],
  into: Parameters
): void {
  frame(defaultEngine(), (memory, kernels) => {
    const { layout, given } = coding
    const windows = planWindows(layout)
    const passes = preparePasses(memory, kernels, coding, windows)
    const { packing } = passes.grid
    const packed =
      packing &&
      new PackedOutput(
        memory,
        layout,
        packing.perByte,
        kernels[packing.pack],
        isSequential(windows),
        codes as Uint8Array<ArrayBuffer>
      )
    // No window covers sets without elements.
    if (layout.size === 0 && !given) clearParameters(into, passes.grid, coding.symmetric)
    for (const window of windows) {
      if (given) use(passes, window, given)
      else {
        measure(passes, source, window)
        derive(passes, window)
        store(passes, window, into)
      }
      spread(passes, window, true)
      for (const tile of window.tiles) {
        // A window of one tile still holds it from the measuring.
        if (given || window.tiles.length > 1) load(passes, source, tile)
        if (given) refuseNaN(passes, source, window, tile)
        encodeTile(passes, tile, given !== undefined)
        if (packed) packed.write(tile, passes.codes)
        else writeTile(codes, codeView(passes, tileLength(tile)), layout, tile)
      }
    }
    packed?.finish(passes.codes)
  })
}

export function encodeHalf(source: Source, format: HalfFormat, codes: Uint16Array<ArrayBuffer>): void {
  frame(defaultEngine(), (memory, kernels) => {
    const values = memory.alloc(6 * TILE)
    const bits = values + 4 * TILE
    const { encode } = FORMATS[format]
    eachRun(source.size, (start, length) => {
      loadF32(memory, kernels, values, source, start, length)
      if (kernels[encode](bits, values, length)) throw nonFiniteError(source)
      codes.set(memory.u16(bits, length), start)
    })
  })
}
