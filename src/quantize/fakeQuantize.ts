import { defaultEngine, frame } from './engine.js'
import { channelLayout } from '../core/layout.js'
import type { Bitmask } from '../core/mask.js'
import { PackedOutput } from '../core/packed.js'
import { loadF32, nonFiniteError, readTensor, type Source, type Tensor, type TensorLike } from '../core/tensor.js'
import { eachRun, tileLength, TILE, writeTile } from '../core/tiles.js'
import { isSequential, planWindows } from '../core/windows.js'
import { FORMATS, type HalfFormat } from './formats.js'
import { beyondPattern } from './formats/half.js'
import { readOptions, type QuantizeOptions } from './options.js'
import {
  decodeTile,
  derive,
  encodeTile,
  insideTile,
  load,
  measure,
  preparePasses,
  refuseNaN,
  spread,
  use,
  type Coding
} from './passes.js'
import { givenParameters } from './quantize.js'

export type FakeQuantizeOptions = Omit<QuantizeOptions, 'out'>

const VERB = 'fakeQuantize'

/**
 * Quantises and dequantises at once, and tells which elements a straight-through gradient passes.
 *
 * Shapes: `values` and `mask` have the tensor's. Options and defaults are those of `quantize`.
 * Method: values = dequantize(quantize(tensor)); the mask's bit is 1 where rint(x / scale) + zeroPoint is one of the
 * codes. The rounded value is judged, as in PyTorch's fake_quantize: at int4 and scale 1, -8.4 passes and 7.5 does not.
 * For float16 and bfloat16 it is 0 where a value saturated.
 * Error: that of `quantize`.
 *
 * @throws as `quantize`; with `scales` given, infinities saturate (and do not pass), NaN is an error
 */
export function fakeQuantize(tensor: TensorLike, options: FakeQuantizeOptions): FakeQuantized {
  const asked = prepareFakeQuantize(tensor, options)
  const { source } = asked
  const { data, bits } = asked.kind === 'half' ? fakeHalf(source, asked.format) : fakeIntegers(source, asked)
  return { values: { data, shape: [...source.shape] }, mask: { bits, shape: [...source.shape] } }
}

export interface FakeQuantized {
  values: Tensor
  mask: Bitmask
}

type FakeQuantizeAsked =
  | { readonly kind: 'half'; readonly source: Source; readonly format: HalfFormat }
  | ({ readonly kind: 'integers'; readonly source: Source } & Coding)

/** Reads and checks what `fakeQuantize` is asked. */
export function prepareFakeQuantize(tensor: TensorLike, options: FakeQuantizeOptions): FakeQuantizeAsked {
  const checked = readOptions(VERB, options, false)
  const source = readTensor(VERB, 'tensor', tensor)
  const { axis, group, symmetric } = checked
  const format = FORMATS[checked.format]
  if (format.kind === 'half') return { kind: 'half', source, format: format.name }
  const layout = channelLayout(VERB, source.shape, axis, group)
  const given = givenParameters(VERB, checked, layout, format)
  return { kind: 'integers', source, layout, format: format.name, symmetric, given }
}

export interface Faked {
  data: Float32Array<ArrayBuffer>
  bits: Uint8Array<ArrayBuffer>
}

export function fakeHalf(source: Source, format: HalfFormat): Faked {
  return frame(defaultEngine(), (memory, kernels) => {
    const half = FORMATS[format]
    const { encode, decode } = half
    const limit = beyondPattern(half)
    const data = new Float32Array(source.size)
    const mask = new Uint8Array(Math.ceil(source.size / 8))
    const values = memory.alloc(4 * TILE)
    const codes = memory.alloc(2 * TILE)
    const inside = memory.alloc(TILE)
    const bits = memory.alloc(TILE / 8)
    eachRun(source.size, (start, length) => {
      loadF32(memory, kernels, values, source, start, length)
      kernels.insideLimit(inside, values, length, limit)
      if (kernels[encode](codes, values, length)) throw nonFiniteError(source)
      kernels[decode](values, codes, length)
      kernels.packBits(bits, inside, length)
      data.set(memory.f32(values, length), start)
      mask.set(memory.u8(bits, Math.ceil(length / 8)), start / 8)
    })
    return { data, bits: mask }
  })
}

export function fakeIntegers(source: Source, coding: Coding): Faked {
  return frame(defaultEngine(), (memory, kernels) => {
    const { layout, given } = coding
    const windows = planWindows(layout)
    const passes = preparePasses(memory, kernels, coding, windows)
    const packed = new PackedOutput(memory, layout, 8, kernels.packBits, isSequential(windows))
    const inside = memory.alloc(TILE)
    const data = new Float32Array(layout.size)
    for (const window of windows) {
      if (given) use(passes, window, given)
      else {
        measure(passes, source, window)
        derive(passes, window)
      }
      for (const tile of window.tiles) {
        const length = tileLength(tile)
        if (given || window.tiles.length > 1) load(passes, source, tile)
        if (given) refuseNaN(passes, source, window, tile)
        spread(passes, window, true)
        insideTile(passes, tile, inside)
        encodeTile(passes, tile, given !== undefined)
        spread(passes, window, false)
        decodeTile(passes, tile, passes.values)
        packed.write(tile, inside)
        writeTile(data, memory.f32(passes.values, length), layout, tile)
      }
    }
    return { data, bits: packed.finish(inside) }
  })
}
