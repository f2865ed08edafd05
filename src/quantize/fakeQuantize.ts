import { defaultEngine, frame } from './engine.js'
import { channelLayout } from '../core/layout.js'
import type { Bitmask } from '../core/mask.js'
import { PackedOutput } from '../core/packed.js'
import { loadF32, nonFiniteError, readTensor, type Source, type Tensor, type TensorLike } from '../core/tensor.js'
import { isSequential, planWindows, tileLength, TILE, writeTile } from '../core/tiles.js'
import { GRIDS, isHalf, readOptions, type HalfFormat, type QuantizeOptions } from './formats.js'
import { decodeTile, insideTile, Passes } from './passes.js'
import { emptyParameters, givenParameters, type Coding } from './quantize.js'

/** Least magnitudes that round beyond the format, as f32 patterns: 65520, and halfway from the greatest bfloat16 to infinity. */
const HALF_LIMIT: Readonly<Record<HalfFormat, number>> = { float16: 0x477ff000, bfloat16: 0x7f7f8000 }

export type FakeQuantizeOptions = Omit<QuantizeOptions, 'out'>

const VERB = 'fakeQuantize'

/**
 * Quantises and dequantises at once, and tells which elements a straight-through gradient passes.
 *
 * Shapes: `values` and `mask` have the tensor's. Options and defaults are those of `quantize`.
 * Method: values = dequantize(quantize(tensor)); the mask's bit is 1 where rint(x / scale) + zeroPoint is one of the codes, judged on the
 * rounded value as PyTorch's fake_quantize does (at int4 and scale 1, -8.4 passes and 7.5 does not). For float16 and
 * bfloat16 it is 0 where a value saturated.
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
  const { format, axis, group, symmetric } = checked
  if (isHalf(format)) return { kind: 'half', source, format }
  const grid = GRIDS[format]
  const layout = channelLayout(VERB, source.shape, axis, group)
  return { kind: 'integers', source, layout, grid, symmetric, given: givenParameters(VERB, checked, layout, grid) }
}

export interface Faked {
  data: Float32Array<ArrayBuffer>
  bits: Uint8Array<ArrayBuffer>
}

export function fakeHalf(source: Source, format: HalfFormat): Faked {
  return frame(defaultEngine(), (memory, kernels) => {
    const [encode, decode] =
      format === 'float16' ? [kernels.encodeF16, kernels.decodeF16] : [kernels.encodeBF16, kernels.decodeBF16]
    const layout = channelLayout(VERB, [source.size])
    const data = new Float32Array(source.size)
    const values = memory.alloc(4 * TILE)
    const codes = memory.alloc(2 * TILE)
    const inside = memory.alloc(TILE)
    const packed = new PackedOutput(memory, layout, 8, kernels.packBits, true)
    for (const { tiles } of planWindows(layout)) {
      for (const tile of tiles) {
        const length = tileLength(tile)
        loadF32(memory, kernels, values, source, tile.start, length)
        kernels.insideLimit(inside, values, length, HALF_LIMIT[format])
        if (encode(codes, values, length)) throw nonFiniteError(source)
        decode(values, codes, length)
        data.set(memory.f32(values, length), tile.start)
        packed.write(tile, inside)
      }
    }
    return { data, bits: packed.finish(inside) }
  })
}

export function fakeIntegers(source: Source, { layout, grid, symmetric, given }: Coding): Faked {
  return frame(defaultEngine(), (memory, kernels) => {
    const windows = planWindows(layout)
    const passes = new Passes(memory, kernels, layout, grid, symmetric, windows)
    const parameters = given ?? emptyParameters(layout, grid, symmetric)
    const packed = new PackedOutput(memory, layout, 8, kernels.packBits, isSequential(windows))
    const inside = memory.alloc(TILE)
    const data = new Float32Array(layout.size)
    for (const window of windows) {
      if (given) passes.use(window, given)
      else {
        passes.measure(source, window)
        passes.derive(window, parameters)
      }
      for (const tile of window.tiles) {
        const length = tileLength(tile)
        if (given || window.tiles.length > 1) passes.load(source, tile)
        if (given) passes.refuseNaN(source, window, tile)
        passes.spread(window, true)
        insideTile(passes, tile, inside)
        passes.encode(tile, given !== undefined)
        passes.spread(window, false)
        decodeTile(passes, tile, passes.values)
        packed.write(tile, inside)
        writeTile(data, memory.f32(passes.values, length), layout, tile)
      }
    }
    return { data, bits: packed.finish(inside) }
  })
}
