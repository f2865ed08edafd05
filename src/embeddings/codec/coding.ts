import { createEngineOf } from '../../core/engine.js'
import type { Tensor } from '../../core/tensor.js'
import { MODULES } from '../codingEngine.js'
import { frame, type Engine, type Kernels } from '../engine.js'
import { rowBytes } from '../scan/layout.js'
import { vectorsOf, type VectorsLike } from '../vectors/vectors.js'
import { readCodes, rowError, type Coder, type CodesLike, type Coding } from './codec.js'
import type { CodecParts } from './codecFile.js'
import { BATCH_BYTES, batchRows, type LoadedFront } from './front.js'
import { encodeResiduals } from './methods/residualEncode.js'
import type { Encoders, LoadedQuantizer } from './quantizer.js'

interface Loaded {
  readonly engine: Engine
  readonly front: LoadedFront
  readonly quantizer: LoadedQuantizer
}

/** The least pattern of f32 that is no finite number. */
const NOT_FINITE = 0x7f80_0000

/** Encodes and decodes by the parts of a codec. Its tables stay in an engine of its own from the first call on. */
class EngineCoder implements Coder {
  private loaded: Loaded | undefined
  private readonly bytesPerVector: number
  private readonly dimensions: number

  constructor(private readonly parts: CodecParts) {
    this.bytesPerVector = rowBytes(parts.quantizer.layout)
    this.dimensions = parts.front.dimensions
  }

  encode(vectors: VectorsLike): Tensor<Uint8Array<ArrayBuffer>> {
    const { dimensions, bytesPerVector, parts } = this
    const source = vectorsOf('encode', vectors, 'vectors', dimensions)
    const [count] = source.shape
    const data = new Uint8Array(count * bytesPerVector)
    const { engine, front, quantizer } = this.load()
    const step = batchRows(parts.front.width)
    frame(engine, (memory) => {
      const rows = memory.alloc(4 * Math.min(step, count) * parts.front.width)
      const codes = memory.alloc(Math.min(step, count) * bytesPerVector)
      for (let first = 0; first < count; first += step) {
        const some = Math.min(step, count - first)
        front.apply(rows, source, first, some)
        quantizer.encode(codes, rows, some)
        data.set(memory.u8(codes, some * bytesPerVector), first * bytesPerVector)
      }
    })
    return { data, shape: source.single ? [bytesPerVector] : [count, bytesPerVector] }
  }

  decode(codes: CodesLike): Tensor<Float32Array<ArrayBuffer>> {
    const { dimensions, bytesPerVector, parts } = this
    const { bytes, count, single } = readCodes('decode', codes, parts.quantizer)
    const data = new Float32Array(count * dimensions)
    const { engine, front, quantizer } = this.load()
    const { width } = parts.front
    const step = Math.max(1, Math.floor(BATCH_BYTES / 4 / dimensions))
    frame(engine, (memory, kernels) => {
      const most = Math.min(step, count)
      const from = memory.alloc(most * bytesPerVector)
      const rows = memory.alloc(4 * most * width)
      const to = memory.alloc(4 * most * dimensions)
      for (let first = 0; first < count; first += step) {
        const some = Math.min(step, count - first)
        memory
          .u8(from, some * bytesPerVector)
          .set(bytes.subarray(first * bytesPerVector, (first + some) * bytesPerVector))
        quantizer.decode(rows, from, some)
        front.undo(to, rows, some)
        if (kernels.greatestBitsF32(to, some * dimensions) >= NOT_FINITE) {
          const at = memory.f32(to, some * dimensions).findIndex((x) => !Number.isFinite(x))
          const row = first + Math.floor(at / dimensions)
          throw rowError('decode: "codes"', row, 'factors of numbers within float32, got greater ones')
        }
        data.set(memory.f32(to, some * dimensions), first * dimensions)
      }
    })
    return { data, shape: single ? [dimensions] : [count, dimensions] }
  }

  private load(): Loaded {
    if (!this.loaded) {
      const engine = createEngineOf<Kernels>(MODULES)
      const { front, quantizer } = this.parts
      this.loaded = { engine, front: front.load(engine), quantizer: quantizer.load(engine, ENCODERS) }
    }
    return this.loaded
  }
}

export const ENCODERS: Encoders = { residual: encodeResiduals }

/** What lets a codec encode and decode. */
export const coding: Coding = { modules: MODULES, encoders: ENCODERS, coderOf: (parts) => new EngineCoder(parts) }
