import { outputArray } from '../core/check.js'
import { defaultEngine, frame } from '../core/engine.js'
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
import { Passes, type Parameters } from './passes.js'

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
  const verb = 'quantize'
  const checked = readOptions(verb, options)
  const source = readTensor(verb, 'tensor', tensor)
  const { format, axis, group, symmetric, out } = checked
  const shape = [...source.shape]
  if (isHalf(format)) {
    const codes = outputArray<Uint16Array<ArrayBuffer>>(verb, 'out.codes', out?.codes, Uint16Array, source.size)
    encodeHalf(source, format, codes)
    return { format, shape, codes }
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
  const parameters = encodeIntegers(source, layout, grid, symmetric, given, codes)
  scales.set(parameters.scales)
  zeroPoints?.set(parameters.zeros)
  return {
    format,
    shape,
    ...(axis === undefined ? {} : { axis }),
    ...(group === undefined ? {} : { group }),
    symmetric,
    codes,
    scales,
    ...(zeroPoints ? { zeroPoints } : {})
  }
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

function encodeIntegers(
  source: Source,
  layout: Layout,
  grid: Grid,
  symmetric: boolean,
  given: Parameters | undefined,
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

function encodeHalf(source: Source, format: HalfFormat, codes: Uint16Array<ArrayBuffer>): void {
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
