import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createIndex, type Codec, type CodecOptions } from '../../src/embeddings/index.js'
import { rowsOf, type Table } from './tables.js'

export type Vectors = Table<Float32Array<ArrayBuffer>>

const folder = new URL('../../../shared/data/', import.meta.url)
const FILES = { ada: 'ada002-526x1536.npy', glosses: 'glosses-embeddings-20000x384.npy' } as const
const QUERIES = { ada: 100, glosses: 500 } as const
export type TableName = keyof typeof FILES

/** Whether the tables are beside the project. */
export const hasTables = Object.values(FILES).every((name) => existsSync(new URL(name, folder)))
if (!hasTables) console.log('../shared/data has no embeddings: their tests are skipped')

export const pathOf = (name: TableName): string => fileURLToPath(new URL(FILES[name], folder))

const tables = new Map<TableName, Vectors>()

/** A table of float32 from its .npy file. */
export function tableNamed(name: TableName): Vectors {
  const known = tables.get(name)
  if (known) return known
  const file = readFileSync(pathOf(name))
  const start = 10 + file.readUInt16LE(8)
  const header = file.toString('latin1', 10, start)
  const [, rows, dim] = /'<f4'.*\((\d+), (\d+)\)/.exec(header)!
  const data = new Float32Array(file.buffer.slice(file.byteOffset + start, file.byteOffset + file.length))
  const table: Vectors = { data, shape: [Number(rows), Number(dim)] }
  tables.set(name, table)
  return table
}

/** What is fitted on and searched, and what is searched for. */
export function splitOf(name: TableName): { rows: Vectors; queries: Vectors } {
  const table = tableNamed(name)
  const [count] = table.shape
  return { rows: rowsOf(table, 0, count - QUERIES[name]), queries: rowsOf(table, count - QUERIES[name], count) }
}

/** The ten nearest rows of each query, by NumPy in float64 (test/vectors/make_recall.py). */
export const truthOf = (name: TableName): number[][] =>
  (
    JSON.parse(readFileSync(new URL('../vectors/recall.json', import.meta.url), 'utf8')) as Record<
      TableName,
      number[][]
    >
  )[name]

/** Recall@10 of the codes, and of the best 30 where those are rescored exactly, which puts every true neighbour first. */
export function recallOf(codec: Codec, name: TableName): { raw: number; rescored: number } {
  const { rows, queries } = splitOf(name)
  const index = createIndex(codec)
  index.add(rows)
  const { ids } = index.search(queries, { k: 30 })
  const truth = truthOf(name)
  let [raw, rescored] = [0, 0]
  truth.forEach((nearest, q) => {
    const found = Array.from(ids.data.subarray(30 * q, 30 * q + 30))
    raw += nearest.filter((row) => found.slice(0, 10).includes(row)).length
    rescored += nearest.filter((row) => found.includes(row)).length
  })
  const all = 10 * truth.length
  return { raw: raw / all, rescored: rescored / all }
}

/** A method's row of the reference table: what was measured there, in bytes a vector without tables. */
export interface Target {
  options: CodecOptions
  bytes: number
  recall: number
  rescored?: number
}

const one = (bits: number): CodecOptions => ({ bits, centroids: 1 })

/** Recall@10 by the protocol of splitOf, and in how many bytes. */
export const TARGETS: Readonly<Record<TableName, readonly Target[]>> = {
  ada: [
    { options: { method: 'binary' }, bytes: 192, recall: 0.74, rescored: 0.964 },
    { options: { method: 'binary', rotate: true }, bytes: 192, recall: 0.71, rescored: 0.96 },
    { options: one(1), bytes: 200, recall: 0.88, rescored: 1 },
    { options: one(2), bytes: 392, recall: 0.935, rescored: 1 },
    { options: one(3), bytes: 584, recall: 0.963, rescored: 1 },
    { options: one(4), bytes: 776, recall: 0.98, rescored: 1 },
    { options: { method: 'rabitq', bits: 1 }, bytes: 204, recall: 0.88, rescored: 1 },
    { options: { method: 'osq', bits: 1 }, bytes: 204, recall: 0.87, rescored: 1 },
    { options: { method: 'osq', bits: 1, rotate: true }, bytes: 204, recall: 0.88, rescored: 1 },
    { options: { method: 'int8', axis: 'dimension' }, bytes: 1536, recall: 0.996 },
    { options: { method: 'int8' }, bytes: 1544, recall: 0.996, rescored: 1 },
    { options: { method: 'float16' }, bytes: 3072, recall: 0.997 }
  ],
  glosses: [
    { options: { method: 'binary' }, bytes: 48, recall: 0.523, rescored: 0.779 },
    { options: { method: 'binary', rotate: true }, bytes: 48, recall: 0.71, rescored: 0.94 },
    { options: one(1), bytes: 56, recall: 0.753, rescored: 0.96 },
    { options: one(2), bytes: 104, recall: 0.837, rescored: 0.98 },
    { options: one(3), bytes: 152, recall: 0.89, rescored: 0.99 },
    { options: one(4), bytes: 200, recall: 0.926, rescored: 0.99 },
    { options: { method: 'rabitq', bits: 1 }, bytes: 60, recall: 0.75, rescored: 0.96 },
    { options: { method: 'osq', bits: 1 }, bytes: 60, recall: 0.482 },
    { options: { method: 'osq', bits: 1, rotate: true }, bytes: 60, recall: 0.76, rescored: 0.96 },
    { options: { method: 'int8', axis: 'dimension' }, bytes: 384, recall: 0.946 },
    { options: { method: 'int8' }, bytes: 392, recall: 0.959, rescored: 0.99 },
    { options: { method: 'float16' }, bytes: 768, recall: 0.973 },
    { options: { method: 'pq', subspaces: 48 }, bytes: 48, recall: 0.588 },
    { options: { method: 'opq', subspaces: 48 }, bytes: 48, recall: 0.69, rescored: 0.91 }
  ]
}

/** What the default codec and those of many centroids must reach: by name, options, raw recall, and after rescoring. */
export const GOALS: readonly [table: TableName, options: CodecOptions, recall: number, rescored: number][] = [
  ['ada', { bits: 1 }, 0.875, 0.998],
  ['ada', { bits: 2 }, 0.935, 0.998],
  ['ada', { bits: 4 }, 0.978, 0.998],
  ['ada', { method: 'int8' }, 0.995, 0.998],
  ['glosses', { bits: 1 }, 0.75, 0.955],
  ['glosses', { bits: 2 }, 0.835, 0.955],
  ['glosses', { bits: 4 }, 0.925, 0.955],
  ['glosses', { method: 'int8' }, 0.958, 0.955],
  ['glosses', { bits: 1, centroids: 256 }, 0.825, 0.98],
  ['glosses', { bits: 2, centroids: 256 }, 0.89, 0.99],
  ['glosses', { bits: 4, centroids: 256 }, 0.95, 0.995]
]
