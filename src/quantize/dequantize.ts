import { rangeError, typeError } from '../core/errors.js'
import { checkAttached, checkBoolean, checkChoice, checkOptions, isArrayOf, outputArray, show } from '../core/check.js'
import { defaultEngine, frame } from './engine.js'
import { channelLayout, type Layout } from '../core/layout.js'
import { sizeOf, type Tensor } from '../core/tensor.js'
import { eachRun, isSequential, planWindows, readTile, tileLength, TILE, writeTile } from '../core/tiles.js'
import {
  FORMATS,
  GRIDS,
  isHalf,
  readScales,
  readZeroPoints,
  type Grid,
  type HalfFormat,
  type Quantized,
  type QuantizedIntegers
} from './formats.js'
import { decodeTile, Passes, type Parameters } from './passes.js'

const VERB = 'dequantize'
const KNOWN = ['format', 'shape', 'axis', 'group', 'symmetric', 'codes', 'scales', 'zeroPoints'] as const

export interface DequantizeOptions {
  /** as many f32 as the tensor has elements, to write to; fresh memory costs more than the work */
  out?: Float32Array<ArrayBuffer>
}

/**
 * Turns what `quantize` returned back into f32.
 *
 * Shapes: those of the tensor that was quantised.
 * Method: value = (code - zeroPoint) * scale, one f32 rounding; float16 and bfloat16 exactly, NaN made canonical.
 * Error: none beyond that rounding.
 *
 * @throws TypeError for an object that is no quantised tensor
 * @throws RangeError where codes, scales or zero points are not as many as shape, axis and group ask for
 */
export function dequantize(quantized: Quantized, options: DequantizeOptions = {}): Tensor {
  const asked = prepareDequantize(quantized, options)
  if (asked.kind === 'half') decodeHalf(asked, asked.codes, asked.data)
  else decodeIntegers(asked, asked.codes, asked.data)
  return { data: asked.data, shape: [...quantized.shape] }
}

/** How integer codes become values. */
export interface Decoding {
  readonly layout: Layout
  readonly grid: Grid
  readonly symmetric: boolean
  readonly parameters: Parameters
}

export interface DequantizeIntegers extends Decoding {
  readonly kind: 'integers'
  readonly codes: Int8Array | Uint8Array
  readonly data: Float32Array<ArrayBuffer>
}

export interface DequantizeHalf {
  readonly kind: 'half'
  readonly format: HalfFormat
  readonly codes: Uint16Array
  readonly data: Float32Array<ArrayBuffer>
}

/** Reads and checks what `dequantize` is asked; `data` is there, yet to be filled. */
export function prepareDequantize(
  quantized: Quantized,
  options: DequantizeOptions
): DequantizeIntegers | DequantizeHalf {
  checkOptions(VERB, quantized, KNOWN)
  checkOptions(VERB, options, ['out'])
  const format = checkChoice(VERB, 'format', quantized.format, FORMATS)
  const { shape } = quantized
  if (!Array.isArray(shape) || !shape.every((n) => Number.isInteger(n) && n >= 0)) {
    throw typeError(`${VERB}: "shape" expected an array of whole numbers, got ${show(shape)}`)
  }
  const out = (size: number): Float32Array<ArrayBuffer> =>
    outputArray<Float32Array<ArrayBuffer>>(VERB, 'out', options.out, Float32Array, size)
  if (isHalf(format)) {
    const codes = checkCodes(quantized.codes, Uint16Array, sizeOf(shape))
    return { kind: 'half', format, codes, data: out(codes.length) }
  }
  const { axis, group, scales, zeroPoints } = quantized as QuantizedIntegers
  const grid = GRIDS[format]
  const layout = channelLayout(VERB, shape, axis, group)
  const symmetric = checkBoolean(VERB, 'symmetric', (quantized as QuantizedIntegers).symmetric)
  if (!zeroPoints && !(symmetric && grid.signed)) {
    throw typeError(`${VERB}: "zeroPoints" are missing: ${format} needs them unless it is signed and symmetric`)
  }
  const bytes = grid.bits === 4 ? Math.ceil(layout.size / 2) : layout.size
  const codeType = grid.bits === 8 && grid.signed ? Int8Array : Uint8Array
  const codes = checkCodes<Int8Array | Uint8Array>(quantized.codes, codeType, bytes)
  const parameters = {
    scales: readScales(VERB, scales, layout.sets),
    zeros: zeroPoints ? readZeroPoints(VERB, zeroPoints, layout.sets, grid) : new Int32Array(layout.sets)
  }
  return { kind: 'integers', codes, layout, grid, symmetric, parameters, data: out(layout.size) }
}

type Codes = Int8Array | Uint8Array | Uint16Array

function checkCodes<T extends Codes>(codes: unknown, type: new (length: number) => T, length: number): T {
  if (!isArrayOf(codes, type)) throw typeError(`${VERB}: "codes" expected a ${type.name}, got ${show(codes)}`)
  if (codes.length !== length) {
    checkAttached(`${VERB}: "codes"`, codes)
    throw rangeError(`${VERB}: "codes" expected length ${length} for the shape, got ${codes.length}`)
  }
  return codes
}

export function decodeHalf(
  { format }: { readonly format: HalfFormat },
  codes: Uint16Array,
  data: Float32Array<ArrayBuffer>
): void {
  frame(defaultEngine(), (memory, kernels) => {
    const decode = format === 'float16' ? kernels.decodeF16 : kernels.decodeBF16
    const values = memory.alloc(4 * TILE)
    const bits = memory.alloc(2 * TILE)
    eachRun(codes.length, (start, length) => {
      memory.u16(bits, length).set(codes.subarray(start, start + length))
      decode(values, bits, length)
      data.set(memory.f32(values, length), start)
    })
  })
}

export function decodeIntegers(
  { layout, grid, symmetric, parameters }: Decoding,
  codes: Int8Array | Uint8Array,
  data: Float32Array<ArrayBuffer>
): void {
  frame(defaultEngine(), (memory, kernels) => {
    const windows = planWindows(layout)
    const passes = new Passes(memory, kernels, layout, grid, symmetric, windows)
    const nibbles = memory.alloc(TILE / 2)
    const unpack = (start: number, length: number): void => {
      const first = start / 2
      const count = Math.ceil(length / 2)
      memory.u8(nibbles, count).set(codes.subarray(first, first + count))
      kernels.unpackNibbles(passes.codes, nibbles, length, Number(grid.signed))
    }
    // Nibbles that tiles do not take in order are unpacked first.
    let loose: Int8Array | Uint8Array | undefined = grid.bits === 8 ? codes : undefined
    if (!loose && !isSequential(windows)) {
      const whole = new Uint8Array(layout.size)
      eachRun(layout.size, (start, length) => {
        unpack(start, length)
        whole.set(memory.u8(passes.codes, length), start)
      })
      loose = whole
    }
    for (const window of windows) {
      passes.use(window, parameters)
      passes.spread(window, false)
      for (const tile of window.tiles) {
        const length = tileLength(tile)
        if (loose) readTile(passes.codeView(length), loose, layout, tile)
        else unpack(tile.start, length)
        decodeTile(passes, tile, passes.values)
        writeTile(data, memory.f32(passes.values, length), layout, tile)
      }
    }
  })
}
