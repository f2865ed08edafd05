import { rangeError, stateError, typeError } from '../../core/errors.js'
import { show } from '../../core/check.js'
import type { KernelModule } from '../../core/modules.js'
import { readTensor, type Tensor } from '../../core/tensor.js'
import { joinPieces } from '../../files/pieces.js'
import { saveFile } from '../../files/openInput.js'
import { codecPieces, type CodecParts } from './codecFile.js'
import { MOST_BITS } from './front.js'
import { planesOf, rowBytes, type RowLayout } from '../scan/layout.js'
import type { Encoders, Method, Metric, Quantizer } from './quantizer.js'
import type { VectorsLike } from '../vectors/vectors.js'

/** A fitted way to write vectors in few bytes. */
export interface Codec {
  readonly method: Method
  readonly metric: Metric
  /** of one code */
  readonly bits: number
  /** of the vectors that it takes */
  readonly dimensions: number
  /** k-means centroids; 1: the mean of all; 0: none */
  readonly centroids: number
  readonly bytesPerVector: number
  /** bytes of what was fitted: means, centroids, components */
  readonly tableBytes: number
  readonly seed: number
  /**
   * The codes of vectors (n, dimension): (n, bytesPerVector); of one (dimension): (bytesPerVector). The bytes of a
   * vector do not depend on the others.
   *
   * @throws RangeError for vectors of another dimension, or with a number that is not finite (row and column are named)
   */
  encode(vectors: VectorsLike): Tensor<Uint8Array<ArrayBuffer>>
  /**
   * The vectors that codes stand for: (n, dimension), or (dimension) for one. For cosine they are of about unit length.
   * Elements that `truncate` leaves out are 0.
   *
   * @throws TypeError for what are no bytes; RangeError for rows of another length, or that this codec cannot have made
   */
  decode(codes: CodesLike): Tensor<Float32Array<ArrayBuffer>>
  /** All of it as the bytes of a safetensors file (docs/formats.md), for `openCodec`. */
  toBytes(): Uint8Array<ArrayBuffer>
  /**
   * Writes these bytes to a file, whole or not at all (Node, Deno, Bun).
   *
   * @throws TypeError for what is no path; Error with `code` "no-file-system" or "not-a-file"; the runtime's own error
   */
  save(path: string): void
}

/** Rows of codes: `{ data, shape }` of bytes, as `encode` gives them, or the bytes of one vector. */
export type CodesLike =
  Uint8Array | { readonly data: Uint8Array; readonly shape?: readonly number[]; readonly dims?: readonly number[] }

/** What encodes and decodes by a codec. */
export interface Coder {
  encode(vectors: VectorsLike): Tensor<Uint8Array<ArrayBuffer>>
  decode(codes: CodesLike): Tensor<Float32Array<ArrayBuffer>>
}

/** What a codec takes to be more than a description: `coding` of coding.ts. */
export interface Coding {
  /** the kernels of codecs, with those of searching */
  readonly modules: readonly KernelModule[]
  readonly encoders: Encoders
  coderOf(parts: CodecParts): Coder
}

/** A codec of these parts. Without `coding` it says what it is, and no more. */
export function codecOf(parts: CodecParts, coding: Coding | undefined): Codec {
  return new FittedCodec(parts, coding)
}

/** What an index that was opened for searching alone does not do. */
export function refuseWithoutEncoder(verb: string): never {
  throw stateError(
    'no-encoder',
    `${verb}: the index was opened for searching alone; open it with openIndex(input, { encoder }), the encoder of tersor/embeddings`
  )
}

/** What a codec is made of, for those that work with its codes in an engine of their own. */
export function partsOf(verb: string, codec: unknown): CodecParts {
  if (codec instanceof FittedCodec) return codec.parts
  throw typeError(`${verb}: "codec" expected a Codec (of fitCodec, createCodecFit or openCodec), got ${show(codec)}`)
}

class FittedCodec implements Codec {
  private made: Coder | undefined

  constructor(
    readonly parts: CodecParts,
    private readonly coding: Coding | undefined
  ) {}

  get method(): Method {
    return this.parts.quantizer.method
  }

  get metric(): Metric {
    return this.parts.quantizer.metric
  }

  get bits(): number {
    return this.parts.quantizer.layout.bits
  }

  get dimensions(): number {
    return this.parts.front.dimensions
  }

  get centroids(): number {
    return this.parts.quantizer.centroids
  }

  get bytesPerVector(): number {
    return rowBytes(this.parts.quantizer.layout)
  }

  get tableBytes(): number {
    const { front, quantizer } = this.parts
    return [front.components, front.mean, ...Object.values(quantizer.tables)].reduce(
      (sum, table) => sum + (table?.data.byteLength ?? 0),
      0
    )
  }

  get seed(): number {
    return this.parts.seed
  }

  encode(vectors: VectorsLike): Tensor<Uint8Array<ArrayBuffer>> {
    return this.coder('encode').encode(vectors)
  }

  decode(codes: CodesLike): Tensor<Float32Array<ArrayBuffer>> {
    return this.coder('decode').decode(codes)
  }

  toBytes(): Uint8Array<ArrayBuffer> {
    return joinPieces(codecPieces(this.parts))
  }

  save(path: string): void {
    saveFile(path, () => codecPieces(this.parts))
  }

  private coder(verb: string): Coder {
    const { coding, parts } = this
    if (!coding) return refuseWithoutEncoder(verb)
    return (this.made ??= coding.coderOf(parts))
  }
}

/**
 * Reads the codes that a verb is given: (n, bytes of a row), or those of one row.
 * Checks what a damaged row would spoil: factors, numbers, the centroid's number and unused bits.
 */
export function readCodes(
  verb: string,
  codes: unknown,
  { layout, centroids }: Quantizer
): { bytes: Uint8Array; count: number; single: boolean } {
  const { name, data, shape, bits } = readTensor(verb, 'codes', codes)
  if (bits || !/^Uint8(Clamped)?Array$/.test(Object.prototype.toString.call(data).slice(8, -1))) {
    throw typeError(`${name} expected a Uint8Array, or { data, shape } with one, got ${show(data)}`)
  }
  const row = rowBytes(layout)
  if (shape.length < 1 || shape.length > 2 || shape.at(-1) !== row) {
    throw rangeError(
      `${name} expected rows of ${row} bytes, of shape (n, ${row}) or (${row}), got [${shape.join(', ')}]`
    )
  }
  const single = shape.length === 1
  const count = single ? 1 : shape[0]!
  const bytes = data as Uint8Array
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const { codeBytes, factors, centroidBytes } = layout
  const unused = unusedBits(layout)
  const wide = layout.scan === 'float'
  for (let i = 0; i < count; i++) {
    for (const [place, mask] of unused) {
      if ((bytes[i * row + place]! & mask) !== 0) {
        throw rowError(name, i, `zeros in what byte ${place} has beyond the last code, got ${bytes[i * row + place]}`)
      }
    }
    if (wide || layout.scan === 'half') {
      for (let j = 0; j < layout.count; j++) {
        const bits = wide
          ? view.getUint32(i * row + 4 * j, true) & 0x7fff_ffff
          : view.getUint16(i * row + 2 * j, true) & 0x7fff
        if (bits >= (wide ? MOST_BITS : MOST_HALF)) {
          throw rowError(name, i, `numbers ${wide ? 'below 2^48' : 'within float16'}, got none at column ${j}`)
        }
      }
    }
    const at = i * row + codeBytes
    for (let f = 0; f < factors; f++) {
      const factor = view.getFloat32(at + 4 * f, true)
      if (!Number.isFinite(factor)) throw rowError(name, i, `a finite factor ${f}, got ${factor}`)
    }
    if (centroidBytes === 0) continue
    const centroid = centroidBytes === 1 ? bytes[at + 4 * factors]! : view.getUint16(at + 4 * factors, true)
    if (centroid >= centroids) throw rowError(name, i, `one of ${centroids} centroids, got number ${centroid}`)
  }
  return { bytes, count, single }
}

/** The least pattern of float16 that is no finite number. */
const MOST_HALF = 0x7c00

/** Bytes of a row that have bits beyond the last code, and which these are. */
function unusedBits({ scan, bits, count }: RowLayout): [place: number, mask: number][] {
  if (scan === 'float' || scan === 'half') return []
  const found: [number, number][] = []
  let end = 0
  for (const plane of planesOf(bits)) {
    end += Math.ceil((plane * count) / 8)
    const used = (plane * count) % 8
    // Signs alone begin with the highest bit.
    if (used) found.push([end - 1, scan === 'signs' ? 0xff >> used : (0xff << used) & 0xff])
  }
  return found
}

export const rowError = (name: string, row: number, what: string): RangeError =>
  rangeError(`${name} expected row ${row} to have ${what}; these are not the bytes that this codec made`)
