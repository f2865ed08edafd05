import { rangeError, typeError } from '../core/errors.js'
import { checkAttached, checkBoolean, checkChoice, checkOptions, isArrayOf, outputArray, show } from '../core/check.js'
import { defaultEngine, frame } from './engine.js'
import { channelLayout, type Layout } from '../core/layout.js'
import type { Memory } from '../core/memory.js'
import { sizeOf, type Tensor } from '../core/tensor.js'
import { eachRun, readTile, tileLength, TILE, writeTile, type RunTile, type Tile } from '../core/tiles.js'
import { isSequential, planWindows, type Window } from '../core/windows.js'
import { FORMAT_NAMES, FORMATS, hasZeroPoints, type HalfFormat } from './formats.js'
import { readScales, readZeroPoints, type Parameters } from './options.js'
import { codeView, decodeTile, preparePasses, spread, use, type Coding, type Passes } from './passes.js'
import type { Quantized, QuantizedIntegers } from './quantized.js'

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

/** How integer codes become values: by parameters that are always given. */
export interface Decoding extends Coding {
  readonly given: Parameters
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
  const format = FORMATS[checkChoice(VERB, 'format', quantized.format, FORMAT_NAMES)]
  const { shape } = quantized
  if (!Array.isArray(shape) || !shape.every((n) => Number.isInteger(n) && n >= 0)) {
    throw typeError(`${VERB}: "shape" expected an array of whole numbers, got ${show(shape)}`)
  }
  const out = (size: number): Float32Array<ArrayBuffer> =>
    outputArray<Float32Array<ArrayBuffer>>(VERB, 'out', options.out, Float32Array, size)
  if (format.kind === 'half') {
    const codes = checkCodes(quantized.codes, format.codes, sizeOf(shape))
    return { kind: 'half', format: format.name, codes, data: out(codes.length) }
  }
  const { axis, group, scales, zeroPoints } = quantized as QuantizedIntegers
  const layout = channelLayout(VERB, shape, axis, group)
  const symmetric = checkBoolean(VERB, 'symmetric', (quantized as QuantizedIntegers).symmetric)
  if (!zeroPoints && hasZeroPoints(format, symmetric)) {
    throw typeError(`${VERB}: "zeroPoints" are missing: ${format.name} needs them unless it is signed and symmetric`)
  }
  const codes = checkCodes(quantized.codes, format.codes, format.bytesOf(layout.size))
  const given = {
    scales: readScales(VERB, scales, layout.sets),
    zeroPoints: zeroPoints && readZeroPoints(VERB, zeroPoints, layout.sets, format)
  }
  return { kind: 'integers', codes, layout, format: format.name, symmetric, given, data: out(layout.size) }
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
    const { decode } = FORMATS[format]
    const values = memory.alloc(6 * TILE)
    const bits = values + 4 * TILE
    eachRun(codes.length, (start, length) => {
      memory.u16(bits, length).set(codes.subarray(start, start + length))
      kernels[decode](values, bits, length)
      data.set(memory.f32(values, length), start)
    })
  })
}

export function decodeIntegers(
  decoding: Decoding,
  codes: Int8Array | Uint8Array,
  data: Float32Array<ArrayBuffer>
): void {
  frame(defaultEngine(), (memory, kernels) => {
    const { layout, given } = decoding
    const windows = planWindows(layout)
    const passes = preparePasses(memory, kernels, decoding, windows)
    const bring = codesReader(memory, passes, codes, layout, windows)
    for (const window of windows) {
      use(passes, window, given)
      spread(passes, window, false)
      for (const tile of window.tiles) {
        bring(tile)
        decodeTile(passes, tile, passes.values)
        writeTile(data, memory.f32(passes.values, tileLength(tile)), layout, tile)
      }
    }
  })
}

/** Brings the codes of a tile into memory, a byte each. */
function codesReader(
  memory: Memory,
  passes: Passes,
  codes: Int8Array | Uint8Array,
  layout: Layout,
  windows: readonly Window[]
): (tile: Tile) => void {
  const { kernels, grid } = passes
  const { packing } = grid
  const readLoose = (loose: Int8Array | Uint8Array) => (tile: Tile) =>
    readTile(codeView(passes, tileLength(tile)), loose, layout, tile)
  if (!packing) return readLoose(codes)
  const { perByte, unpack } = packing
  const bytes = memory.alloc(TILE / perByte)
  const unpackRun = (start: number, length: number): void => {
    const first = start / perByte
    const count = Math.ceil(length / perByte)
    memory.u8(bytes, count).set(codes.subarray(first, first + count))
    kernels[unpack](passes.codes, bytes, length, Number(grid.signed))
  }
  // Of sequential windows every tile is a run.
  if (isSequential(windows)) return (tile) => unpackRun((tile as RunTile).start, tileLength(tile))
  const loose = new Uint8Array(layout.size)
  eachRun(layout.size, (start, length) => {
    unpackRun(start, length)
    loose.set(memory.u8(passes.codes, length), start)
  })
  return readLoose(loose)
}
