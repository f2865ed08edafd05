import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createEngine, frame } from '../../src/embeddings/codingEngine.js'
import { partsOf } from '../../src/embeddings/codec/codec.js'
import type { Codec } from '../../src/embeddings/index.js'
import { openTensors } from '../../src/model/index.js'
import type { Table } from './tables.js'

type Rows = Table<Float32Array<ArrayBuffer>>

export interface Protocol {
  rows: Rows
  queries: Rows
  /** ids of the ten best of each query, by the cosine */
  best: number[][]
}

const FILES = { ada: ['ada002-526x1536.npy', 100], glosses: ['glosses-embeddings-20000x384.npy', 500] } as const

const pathOf = (name: keyof typeof FILES): string =>
  fileURLToPath(new URL(`../../../shared/data/${FILES[name][0]}`, import.meta.url))

/** Whether the real data are here; says so where they are not. */
export function isThere(name: keyof typeof FILES): boolean {
  const there = existsSync(pathOf(name))
  if (!there) console.log(`../shared/data/${FILES[name][0]} is not here: its tests are skipped`)
  return there
}

const K = 10

/** Queries are the last rows, those before them the table; the best by plain products of rows of unit length. */
export async function readProtocol(name: keyof typeof FILES): Promise<Protocol> {
  const { shape, data } = await (await openTensors(readFileSync(pathOf(name)))).read('data')
  const [count, d] = shape as [number, number]
  const all = unitRows(Float32Array.from(data as Float32Array), d)
  const held = FILES[name][1]
  const n = count - held
  const rows: Rows = { data: all.slice(0, n * d), shape: [n, d] }
  const queries: Rows = { data: all.slice(n * d), shape: [held, d] }
  const best: number[][] = []
  eachProducts(rows.data, queries, n, (products) => best.push(topOf(products, K)))
  return { rows, queries, best }
}

function unitRows(data: Float32Array<ArrayBuffer>, d: number): Float32Array<ArrayBuffer> {
  for (let at = 0; at < data.length; at += d) {
    let square = 0
    for (let j = 0; j < d; j++) square += data[at + j] ** 2
    for (let j = 0; j < d; j++) data[at + j] /= Math.sqrt(square)
  }
  return data
}

/** Places of the k greatest, ties by the least place. */
export function topOf(scores: ArrayLike<number>, k: number): number[] {
  const top: number[] = []
  for (let i = 0; i < scores.length; i++) {
    if (top.length === k && !(scores[i] > scores[top[k - 1]])) continue
    let at = top.length
    while (at > 0 && scores[i] > scores[top[at - 1]]) at--
    top.splice(at, 0, i)
    if (top.length > k) top.pop()
  }
  return top
}

/** What decoding multiplies the scale of turbo's codes with, for the least error. */
const SHRINKAGE: Readonly<Record<number, number>> = {
  1: 0.63661977,
  2: 0.88251815,
  3: 0.96545224,
  4: 0.990499,
  8: 0.99991231
}

/**
 * Recall of the ten best of turbo's codes, and after the 30 best are scored exactly: scores are plain products with the vectors that codes stand for,
 * of the scale that keeps products right, and the bias of the row.
 */
export function turboRecall(codec: Codec, { rows, queries, best }: Protocol): { raw: number; rescored: number } {
  const [n, d] = rows.shape
  const { quantizer } = partsOf('test', codec)
  const { codeBytes } = quantizer.layout
  const codes = codec.encode(rows)
  const vectors = codec.decode(codes).data
  const { mean, offsets, scales } = quantizer.tables
  const view = new DataView(codes.data.buffer)
  const biases = new Float64Array(n)
  for (let i = 0; i < n; i++) {
    const at = i * codec.bytesPerVector + codeBytes
    biases[i] = view.getFloat32(at + 4, true)
    const number =
      codec.centroids === 1 ? 0 : codec.centroids <= 256 ? view.getUint8(at + 8) : view.getUint16(at + 8, true)
    for (let j = 0; j < d; j++) {
      const c = mean.data[j] + (offsets ? scales.data[number] * offsets.data[number * d + j] : 0)
      vectors[i * d + j] = c + (vectors[i * d + j] - c) / SHRINKAGE[codec.bits]
    }
  }
  let raw = 0
  let rescored = 0
  eachProducts(vectors, queries, n, (products, i) => {
    const found = topOf(
      Float64Array.from(products, (x, row) => x + biases[row]),
      3 * K
    )
    const ten = new Set(found.slice(0, K))
    const thirty = new Set(found)
    for (const id of best[i]) {
      if (ten.has(id)) raw++
      if (thirty.has(id)) rescored++
    }
  })
  const all = K * queries.shape[0]
  return { raw: raw / all, rescored: rescored / all }
}

/** Products of each query with all rows. */
function eachProducts(
  rows: Float32Array,
  queries: Rows,
  n: number,
  visit: (products: Float32Array, query: number) => void
): void {
  const [count, d] = queries.shape
  const engine = createEngine()
  frame(engine, (memory, kernels) => {
    const table = memory.alloc(4 * n * d)
    const query = memory.alloc(4 * d)
    const products = memory.alloc(4 * n)
    memory.f32(table, n * d).set(rows)
    for (let i = 0; i < count; i++) {
      memory.f32(query, d).set(queries.data.subarray(i * d, (i + 1) * d))
      kernels.dotRows(products, query, table, n, d)
      visit(memory.f32(products, n), i)
    }
  })
}
