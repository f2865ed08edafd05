import { ENCODERS } from '../../src/embeddings/codec/coding.js'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { createEngine, frame } from '../../src/embeddings/codingEngine.js'
import { blockBytes, clearBlocks, placeRows } from '../../src/embeddings/scan/blocks.js'
import { rowBytes } from '../../src/embeddings/scan/layout.js'
import { openerOf } from '../../src/embeddings/codec/methods/openers.js'
import { createFitEngine, type Fitter } from '../../src/embeddings/codec/fit/fitter.js'
import type { Metric, Quantizer } from '../../src/embeddings/codec/quantizer.js'
import { scanBlocks, scoreFinely } from '../../src/embeddings/scan/scan.js'
import { expectSameBits } from './bits.js'
import { normals } from './random.js'

/** Dimensions at which kernels take their different ways. */
export const DIMENSIONS = [1, 2, 3, 7, 8, 63, 64, 65, 100, 300, 384, 768, 1000, 1024, 1536, 3072, 4097, 8192] as const

export const METRICS = ['cosine', 'dot', 'l2'] as const

/** Rows of one matrix. */
export interface Rows {
  readonly data: Float32Array
  readonly count: number
  readonly dimensions: number
}

export function rowsFrom(data: Float32Array, dimensions: number): Rows {
  return { data, count: data.length / dimensions, dimensions }
}

/** Gaussian rows about a centroid, with a zero row, a pair of equal rows, one row far out, a constant coordinate. */
export function uglyRows(count: number, dimensions: number, seed: number): Rows {
  const data = normals(count * dimensions, seed)
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < dimensions; j++) data[i * dimensions + j] += j % 3
    if (dimensions > 2) data[i * dimensions + 1] = 0.25
  }
  if (count > 4) {
    data.fill(0, dimensions, 2 * dimensions)
    data.copyWithin(2 * dimensions, 3 * dimensions, 4 * dimensions)
    for (let j = 0; j < dimensions; j++) data[4 * dimensions + j] *= 1e4
  }
  return { data, count, dimensions }
}

/** Rows as the codec's front gives them for a metric: of unit length for cosine. */
export function front({ data, count, dimensions }: Rows, metric: Metric): Rows {
  const copy = data.slice()
  if (metric !== 'cosine') return { data: copy, count, dimensions }
  for (let i = 0; i < count; i++) {
    const row = copy.subarray(i * dimensions, (i + 1) * dimensions)
    const length = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0))
    if (length > 0) row.forEach((x, j) => (row[j] = x / length))
  }
  return { data: copy, count, dimensions }
}

export const rowOf = ({ data, dimensions }: Rows, i: number): Float32Array =>
  data.subarray(i * dimensions, (i + 1) * dimensions)

export function firstRows({ data, dimensions }: Rows, count: number): Rows {
  return { data: data.subarray(0, count * dimensions), count, dimensions }
}

export function fitted<T extends object>(
  kind: Fitter<T>,
  { data, count, dimensions }: Rows,
  metric: Metric,
  options: T,
  seed = 0
): Quantizer {
  const engine = createFitEngine()
  return frame(engine, (memory) => {
    const rows = memory.alloc(data.byteLength)
    memory.f32(rows, data.length).set(data)
    return kind.fit(engine, { rows, count, dimensions, metric, total: count, seed }, options)
  })
}

/** A quantizer in an engine of its own, over arrays. */
export interface Coder {
  readonly bytes: number
  encode(rows: Float32Array): Uint8Array
  decode(codes: Uint8Array): Float32Array
}

export function coderOf(quantizer: Quantizer): Coder {
  const engine = createEngine()
  const { memory } = engine
  const loaded = quantizer.load(engine, ENCODERS)
  const { dimensions, layout } = quantizer
  const bytes = rowBytes(layout)
  return {
    bytes,
    encode: (rows) =>
      frame(engine, () => {
        const count = rows.length / dimensions
        const from = memory.alloc(rows.byteLength)
        const to = memory.alloc(bytes * count + 64)
        memory.f32(from, rows.length).set(rows)
        memory.u8(to, bytes * count + 64).fill(0xa5)
        const top = memory.used
        loaded.encode(to, from, count)
        expect(memory.used, 'encode gives back what it took').toBe(top)
        expect(
          memory.u8(to + bytes * count, 64).every((x) => x === 0xa5),
          'nothing is written past the codes'
        ).toBe(true)
        return memory.u8(to, bytes * count).slice()
      }),
    decode: (codes) =>
      frame(engine, () => {
        const count = codes.length / bytes
        const from = memory.alloc(codes.length)
        const to = memory.alloc(4 * dimensions * count + 64)
        memory.u8(from, codes.length).set(codes)
        memory.u8(to + 4 * dimensions * count, 64).fill(0xa5)
        const top = memory.used
        loaded.decode(to, from, count)
        expect(memory.used, 'decode gives back what it took').toBe(top)
        expect(
          memory.u8(to + 4 * dimensions * count, 64).every((x) => x === 0xa5),
          'nothing is written past the rows'
        ).toBe(true)
        return memory.f32(to, dimensions * count).slice()
      })
  }
}

/** Scores of all rows of codes for a query, by the scan. */
export function scannerOf(quantizer: Quantizer, codes: Uint8Array): (query: Float32Array) => Float32Array {
  const engine = createEngine()
  const { memory } = engine
  const { layout } = quantizer
  const loaded = quantizer.load(engine, ENCODERS)
  const count = codes.length / rowBytes(layout)
  const blocks = Math.ceil(count / 32)
  const at = memory.alloc(blocks * blockBytes(layout))
  clearBlocks(engine, layout, at, blocks)
  frame(engine, () => {
    const rows = memory.alloc(codes.length)
    memory.u8(rows, codes.length).set(codes)
    placeRows(engine, layout, at, 0, rows, count)
  })
  return (query) =>
    frame(engine, () => {
      const row = memory.alloc(query.byteLength)
      memory.f32(row, query.length).set(query)
      const asked = loaded.query(row)
      const scores = memory.alloc(128 * blocks)
      if (asked.fine) scoreFinely(engine, layout, asked, asked.fine(), scores, at, blocks)
      else scanBlocks(engine, layout, asked, scores, at, blocks)
      return memory.f32(scores, count).slice()
    })
}

/** Recall@10 by the scan of a quantizer that was fitted on the base. */
export function scanRecall(quantizer: Quantizer, base: Rows, queries: Rows, truth: readonly number[][]): number {
  const scan = scannerOf(quantizer, coderOf(quantizer).encode(base.data.slice()))
  const found = Array.from({ length: queries.count }, (_, i) => topOf(scan(rowOf(queries, i).slice()), 10))
  return recall(truth, found)
}

/** The same bytes row by row, in parts, and from the quantizer as its file would open it. */
export function expectSteady<T extends object>(kind: Fitter<T>, quantizer: Quantizer, rows: Rows): void {
  const { dimensions } = rows
  const coder = coderOf(quantizer)
  const whole = coder.encode(rows.data.slice())
  expect(whole.length).toBe(rows.count * coder.bytes)
  const parts = [1, 2, 5, rows.count].map((step) => {
    const bytes = new Uint8Array(whole.length)
    for (let i = 0; i < rows.count; i += step) {
      const part = rows.data.slice(i * dimensions, (i + step) * dimensions)
      bytes.set(coder.encode(part), i * coder.bytes)
    }
    return bytes
  })
  parts.forEach((bytes) => expectSameBits(bytes, whole))
  const parameters = JSON.parse(JSON.stringify(quantizer.parameters)) as Record<string, unknown>
  const again = coderOf(openerOf(kind.method)!(dimensions, quantizer.metric, parameters, quantizer.tables))
  expectSameBits(again.encode(rows.data.slice()), whole)
  const decoded = coder.decode(whole)
  expect(decoded.every(Number.isFinite)).toBe(true)
  expectSameBits(again.decode(whole), decoded)
}

/** Factor `index` of row `i`. */
export function factorOf(codes: Uint8Array, { layout }: Quantizer, i: number, index: number): number {
  const view = new DataView(codes.buffer, codes.byteOffset)
  return view.getFloat32(i * rowBytes(layout) + layout.codeBytes + 4 * index, true)
}

const DATA = new URL('../../../shared/data/', import.meta.url)

/** A table of real embeddings, the last `queries` rows of it apart; undefined, and a line that says so, where it is missing. */
export function realData(file: string, queries: number): { base: Rows; queries: Rows } | undefined {
  const path = fileURLToPath(new URL(file, DATA))
  if (!existsSync(path)) {
    console.log(`../shared/data/${file} is not here: its tests are skipped`)
    return undefined
  }
  const bytes = readFileSync(path)
  const header = bytes.toString('latin1', 10, 10 + bytes.readUInt16LE(8))
  const [rows, dimensions] = /\((\d+), (\d+)\)/.exec(header)!.slice(1).map(Number) as [number, number]
  const start = 10 + bytes.readUInt16LE(8)
  const data = new Float32Array(
    bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + start + 4 * rows * dimensions)
  )
  const cut = (rows - queries) * dimensions
  return { base: rowsFrom(data.subarray(0, cut), dimensions), queries: rowsFrom(data.subarray(cut), dimensions) }
}

/** Positions of the k greatest scores for each query, equal ones by position; scores are inner products in f64. */
export function nearest(base: Rows, queries: Rows, k: number): number[][] {
  const { dimensions } = base
  const scores = new Float64Array(base.count)
  return Array.from({ length: queries.count }, (_, i) => {
    const q = rowOf(queries, i)
    for (let r = 0; r < base.count; r++) {
      let sum0 = 0
      let sum1 = 0
      const at = r * dimensions
      for (let j = 0; j + 1 < dimensions; j += 2) {
        sum0 += q[j]! * base.data[at + j]!
        sum1 += q[j + 1]! * base.data[at + j + 1]!
      }
      if (dimensions % 2) sum0 += q[dimensions - 1]! * base.data[at + dimensions - 1]!
      scores[r] = sum0 + sum1
    }
    return topOf(scores, k)
  })
}

export function topOf(scores: Float32Array | Float64Array, k: number): number[] {
  const top: number[] = []
  for (let r = 0; r < scores.length; r++) {
    if (top.length === k && !(scores[r]! > scores[top[k - 1]!]!)) continue
    let at = top.length
    while (at > 0 && scores[r]! > scores[top[at - 1]!]!) at--
    top.splice(at, 0, r)
    if (top.length > k) top.pop()
  }
  return top
}

/** The part of the true neighbours that were found. */
export function recall(truth: readonly number[][], found: readonly number[][]): number {
  let hits = 0
  let all = 0
  truth.forEach((row, i) => {
    const set = new Set(found[i])
    hits += row.filter((r) => set.has(r)).length
    all += row.length
  })
  return hits / all
}
