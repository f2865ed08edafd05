/**
 * The room of vectors: what comes in and goes out.
 *
 * Read in this order: this file (vectors from tensors, records and answers of APIs); readVectors with read/, a file a
 * format; fileVectors (rows of a file by id); exportVectors (as databases take them). May import core, files and
 * quantize.
 */
import { rangeError, typeError } from '../../core/errors.js'
import { checkAttached, show, tagOf } from '../../core/check.js'
import type { NumberArray, Source, TensorLike } from '../../core/tensor.js'
import { readTensor } from '../../core/tensor.js'

/** Vectors of more numbers are refused: the scans' sums hold no more. */
export const MOST_DIMENSIONS = 8192

/**
 * An embedding as APIs and databases give it: numbers, or text that holds them (base64 of f32, or "[1, 2, 3]" as
 * pgvector writes it).
 */
type Embedding = readonly number[] | NumberArray | TensorLike | string

/**
 * What vectors may come in: a tensor of shape (n, d) or (d); a list of vectors (arrays, typed arrays, tensors of one
 * vector); flat numbers with their `dimensions`; records with an `embedding`, `vector` or `values`; or what an API
 * answers, `{ data: [{ embedding }] }` or `{ embeddings: [[...]] }`. A typed array alone is one vector, or many where
 * the dimension is known.
 */
export type VectorsLike =
  | TensorLike
  | readonly Embedding[]
  | readonly VectorRecord[]
  | VectorRecord
  | { readonly data: NumberArray; readonly dimensions: number }
  | { readonly data: readonly VectorRecord[] }
  | {
      readonly embeddings:
        TensorLike | readonly Embedding[] | readonly VectorRecord[] | { readonly float: readonly Embedding[] }
    }
  | { readonly vectors: TensorLike | readonly Embedding[] | readonly VectorRecord[] }

/** A record of a store or of an answer; its other fields are not looked at. */
export type VectorRecord = Embedded<'embedding'> | Embedded<'vector'> | Embedded<'values'>
type Embedded<Field extends string> = { readonly [name in Field]: Embedding }

/** Vectors of one length: a source of shape (n, d), and for `readTensor` a tensor. */
export interface Vectors extends Source {
  readonly shape: readonly [count: number, dimensions: number]
  /** as `bits`, by the name that it has in a tensor */
  readonly dtype?: Source['bits']
  /** given as one vector, not as a list of one */
  readonly single: boolean
}

/** By which names records hold their vector. */
export const FIELDS = ['embedding', 'vector', 'values'] as const

const KINDS =
  '{ data, shape: [n, d] }, a list of vectors, records with an "embedding", or what an embedding API answers'

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value)

const isNumbers = (value: unknown): value is NumberArray =>
  ArrayBuffer.isView(value) && !/^(DataView|BigInt64Array|BigUint64Array)$/.test(tagOf(value))

const isBuffer = (value: unknown): boolean => ArrayBuffer.isView(value) && value.constructor.name === 'Buffer'

/** The vector of a record: undefined where it has none. */
export function embeddingOf(record: object): unknown {
  for (const field of FIELDS) {
    const value = (record as Record<string, unknown>)[field]
    // Maps and arrays have a method of the name `values`.
    if (value !== undefined && typeof value !== 'function') return value
  }
  return undefined
}

/** The numbers that a text stands for: a JSON array, pgvector's literal, or base64 of little-endian f32. */
export function parseEmbedding(where: string, text: string): readonly unknown[] | Float32Array {
  const trimmed = text.trim()
  if (/^[[{]/.test(trimmed)) {
    try {
      // Postgres writes real[] in braces.
      const value: unknown = JSON.parse(trimmed.replace(/^\{(.*)\}$/s, '[$1]'))
      if (Array.isArray(value)) return value as unknown[]
    } catch {
      // Said below.
    }
    const hint = /^\[[^,]*\d\.?\s+-?\d/.test(trimmed)
      ? 'this looks like a NumPy array that was printed: save json.dumps(array.tolist())'
      : 'write numbers between brackets, separated by commas'
    throw typeError(`${where} expected a list like [0.1, 0.2], got ${excerpt(trimmed)}; ${hint}`)
  }
  let binary: string
  try {
    binary = atob(trimmed)
  } catch {
    throw typeError(`${where} expected numbers, "[0.1, 0.2]" or base64 of float32, got ${excerpt(trimmed)}`)
  }
  if (binary.length % 4 || binary.length === 0) {
    throw rangeError(`${where} expected base64 of float32, 4 bytes a number, got ${binary.length} bytes`)
  }
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0))
  return new Float32Array(bytes.buffer)
}

const excerpt = (text: string): string => show(text.length > 40 ? `${text.slice(0, 40)}…` : text)

/** The numbers of one vector of a list, not yet looked at one by one; `place` begins the messages. */
function rowOf(place: string, item: unknown): ArrayLike<unknown> {
  if (isBuffer(item)) throw bytesError(place)
  if (isNumbers(item)) {
    checkAttached(place, item)
    return item
  }
  if (Array.isArray(item)) return item
  if (isObject(item)) {
    if ('data' in item) return tensorRow(place, item)
    const embedding = embeddingOf(item)
    // As drivers give a column of bytes; vectors of bytes come as a tensor or a list.
    if (ArrayBuffer.isView(embedding) && tagOf(embedding) === 'Uint8Array') throw bytesError(place)
    if (typeof embedding === 'string') return parseEmbedding(place, embedding)
    if (embedding !== undefined) return rowOf(place, embedding)
  }
  throw typeError(`${place} expected an array of numbers or a record with ${FIELDS.join(', ')}, got ${show(item)}`)
}

const bytesError = (place: string): TypeError =>
  typeError(
    `${place} expected numbers, got bytes, which do not say of which type; ` +
      'give new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4), of a copy where it is not aligned'
  )

/** A tensor that holds one vector, of shape (d) or (1, d). */
function tensorRow(place: string, tensor: Record<string, unknown>): ArrayLike<unknown> {
  const { data } = tensor
  const shape: unknown = tensor.shape ?? tensor.dims ?? [isNumbers(data) ? data.length : 0]
  if (!isNumbers(data) || !Array.isArray(shape)) {
    throw typeError(`${place} expected a tensor { data, shape }, got ${show(tensor)}`)
  }
  checkAttached(place, data)
  const half = /^b?f(loat)?16$/i.test(String(tensor.dtype ?? tensor.type)) && tagOf(data) === 'Uint16Array'
  if (half) throw typeError(`${place} expected float32, got 16-bit floats; give all vectors as one tensor`)
  if (shape.at(-1) !== data.length) {
    throw rangeError(`${place} expected a tensor of one vector, got shape ${shape.join('x')}`)
  }
  return data
}

/** Copies a vector's numbers as f32; refuses what is none. `place` begins the messages. */
function copyRow(place: string, to: Float32Array, row: ArrayLike<unknown>): void {
  if (isNumbers(row)) {
    to.set(row)
    if (tagOf(row) !== 'Float64Array') return
  }
  for (let i = 0; i < to.length; i++) {
    const value = row[i]
    if (typeof value !== 'number') {
      const hint = Array.isArray(value) ? '; where each text has a vector for each token, pool them first' : ''
      throw typeError(`${place} expected a number at ${i}, got ${show(value)}${hint}`)
    }
    const rounded = Math.fround(value)
    if (Math.abs(rounded) === Infinity && Math.abs(value) < Infinity) {
      throw rangeError(`${place} expected numbers within float32, got ${value} at ${i}`)
    }
    to[i] = rounded
  }
}

/** Collects vectors of one length, as f32. */
export class RowCollector {
  private data = new Float32Array(0)
  private dimensions = 0
  count = 0

  /** @param expected how many will come, where that is known */
  constructor(private readonly expected = 64) {}

  /** Adds one vector, in any form that a list may hold; `place` names it in messages. */
  add(place: string, item: unknown): void {
    const row = typeof item === 'string' ? parseEmbedding(place, item) : rowOf(place, item)
    const { length } = row
    if (this.count === 0) {
      if (length === 0) throw rangeError(`${place} expected at least one number, got none`)
      this.dimensions = length
      this.data = new Float32Array(length * this.expected)
    }
    if (length !== this.dimensions) {
      throw rangeError(`${place} expected ${this.dimensions} numbers, as in the first vector, got ${length}`)
    }
    const start = this.count * length
    if (start === this.data.length) {
      const larger = new Float32Array(2 * start)
      larger.set(this.data)
      this.data = larger
    }
    copyRow(place, this.data.subarray(start, start + length), row)
    this.count++
  }

  /** All vectors: (n, d). */
  finish(): { data: Float32Array<ArrayBuffer>; shape: [number, number] } {
    const size = this.count * this.dimensions
    return {
      data: this.data.length === size ? this.data : this.data.slice(0, size),
      shape: [this.count, this.dimensions]
    }
  }
}

function fromRows(where: string, items: readonly unknown[], dimensions = 0): Vectors {
  const rows = new RowCollector(items.length)
  // By index: a hole is refused like anything else that is no vector.
  for (let i = 0; i < items.length; i++) {
    const item = items[i]
    rows.add(`${where}, vector ${i},`, typeof item === 'string' ? { embedding: item } : item)
  }
  const { data, shape } = rows.finish()
  return { name: where, data, shape: rows.count ? shape : [0, dimensions], size: data.length, single: false }
}

/** `verb: "name"` apart again, for those who put it together. */
function splitName(where: string): [verb: string, name: string] {
  const [, verb, name] = /^(.*?): "(.*)"$/s.exec(where)!
  return [verb!, name!]
}

/** A tensor of shape (n, d) or (d), over the caller's own array. */
function fromTensor(where: string, value: unknown, dimensions?: number): Vectors {
  const source = readTensor(...splitName(where), value)
  const { shape, size, bits } = source
  const common = { ...source, ...(bits ? { dtype: bits } : {}) }
  if (shape.length === 2) {
    const [count, length] = shape as [number, number]
    if (length === 0) throw rangeError(`${where} expected vectors of at least one number, got shape ${count}x0`)
    return { ...common, shape: [count, length], single: false }
  }
  if (shape.length !== 1) {
    const hint =
      shape.length === 3 ? "; where each text has a vector for each token, pool them first (pooling: 'mean')" : ''
    throw rangeError(`${where} expected vectors of shape (n, d), got ${shape.join('x') || 'a scalar'}${hint}`)
  }
  if (dimensions !== undefined && size !== dimensions && size % dimensions === 0) {
    return { ...common, shape: [size / dimensions, dimensions], single: false }
  }
  if (size === 0) return { ...common, shape: [0, dimensions ?? 0], single: false }
  // It is taken for many vectors whose dimension was not said.
  if (dimensions === undefined && size > MOST_DIMENSIONS) {
    throw rangeError(
      `${where} expected vectors of at most ${MOST_DIMENSIONS} numbers, got ${size} without a shape; give { data, shape: [n, d] }`
    )
  }
  return { ...common, shape: [1, size], single: true }
}

/** The items of an API's answer, in the order of their `index` where they have one. */
function inOrder(where: string, items: readonly unknown[]): readonly unknown[] {
  const indices = items.map((item) => (isObject(item) ? item.index : undefined))
  if (!indices.some((index) => index !== undefined)) return items
  const ordered: unknown[] = Array(items.length)
  const seen = new Set<unknown>()
  for (const [i, index] of indices.entries()) {
    const fits =
      Number.isInteger(index) && (index as number) >= 0 && (index as number) < items.length && !seen.has(index)
    if (!fits) {
      throw rangeError(
        `${where} expected each index from 0 to ${items.length - 1} once in "data", got ${show(index)} at ${i}; ` +
          'give the items of several answers as one list'
      )
    }
    seen.add(index)
    ordered[index as number] = items[i]
  }
  return ordered
}

function fromObject(where: string, value: Record<string, unknown>, dimensions?: number): Vectors | undefined {
  const { data, embeddings, vectors } = value
  if (data !== undefined) {
    if (value.shape === undefined && value.dims === undefined) {
      if (Array.isArray(data) && isObject(data[0])) return fromRows(where, inOrder(where, data), dimensions)
      if (value.dimensions !== undefined) return fromFlat(where, value)
      if (Array.isArray(data)) return fromArray(where, data, dimensions)
    }
    return fromTensor(where, value, dimensions)
  }
  if (Array.isArray(embeddings)) return fromRows(where, embeddings, dimensions)
  // Cohere: a list for each type that was asked for.
  if (isObject(embeddings) && Array.isArray(embeddings.float)) return fromRows(where, embeddings.float, dimensions)
  if (isObject(embeddings) && embeddings.data !== undefined) return fromObject(where, embeddings, dimensions)
  if (Array.isArray(vectors)) return fromRows(where, vectors, dimensions)
  if (isObject(vectors)) return fromObject(where, vectors, dimensions)
  if (embeddingOf(value) !== undefined) return { ...fromRows(where, [value]), single: true }
  return undefined
}

/** { data, dimension }: numbers one vector after the other. */
function fromFlat(where: string, value: Record<string, unknown>): Vectors {
  const { data, dimensions, ...others } = value
  if (typeof dimensions !== 'number' || !Number.isInteger(dimensions) || dimensions < 1) {
    throw rangeError(`${where}.dimension expected a whole number of at least 1, got ${show(dimensions)}`)
  }
  const length = isNumbers(data) || Array.isArray(data) ? data.length : undefined
  if (length === undefined || length % dimensions) {
    throw rangeError(`${where}.data expected a multiple of ${dimensions} numbers, got ${length ?? show(data)}`)
  }
  return fromTensor(where, { ...others, data, shape: [length / dimensions, dimensions] })
}

function fromArray(where: string, value: readonly unknown[], dimensions?: number): Vectors {
  if (typeof value[0] !== 'number') return fromRows(where, value, dimensions)
  const flat = fromTensor(where, value, dimensions)
  // As f32, with its numbers looked at, like vectors of a list.
  const data = new Float32Array(flat.size)
  copyRow(`${where},`, data, flat.data)
  return { ...flat, data }
}

/**
 * Reads vectors from whatever they come in ({@link VectorsLike}), as f32 or as the typed array that they are in
 * already. `dimensions` is that of the codec or index, where there is one. Numbers in one flat array are then cut by
 * it, and other lengths are an error. NaN and infinities pass: kernels find them.
 */
export function vectorsOf(verb: string, input: unknown, name = 'vectors', dimensions?: number): Vectors {
  const where = `${verb}: "${name}"`
  let read: Vectors | undefined
  if (isBuffer(input)) {
    throw typeError(`${where} expected ${KINDS}, got a Buffer; readVectors reads files`)
  } else if (isNumbers(input)) read = fromTensor(where, input, dimensions)
  else if (Array.isArray(input)) read = fromArray(where, input, dimensions)
  else if (isObject(input)) read = fromObject(where, input, dimensions)
  if (!read) {
    const isPromise = isObject(input) && typeof input.then === 'function'
    throw typeError(`${where} expected ${KINDS}, got ${isPromise ? 'a promise; await it first' : show(input)}`)
  }
  if (dimensions !== undefined && read.shape[1] !== dimensions && read.shape[0] > 0) {
    throw rangeError(`${where} expected vectors of dimension ${dimensions}, got ${read.shape[1]}`)
  }
  return read
}
