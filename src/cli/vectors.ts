import { stat } from 'node:fs/promises'
import {
  encoder,
  openIndex,
  readVectors,
  type Index,
  type Method,
  type Metric,
  type ReadVectors
} from '../embeddings/index.js'
import { FileError, isRefusal } from './errors.js'
import { nameFile } from './files.js'
import { bytes, printLine, printTable, ratio } from './output.js'

/** Reads vectors of any format; messages about the file name it. */
export async function vectorsFrom(file: string): Promise<ReadVectors> {
  let read: ReadVectors
  try {
    read = await readVectors(file)
  } catch (error) {
    throw aboutFile(file, error)
  }
  const { data, shape } = read.vectors
  const bad = data.findIndex((x) => !Number.isFinite(x))
  if (bad < 0) return read
  const place = `vector ${Math.floor(bad / shape[1]!)} at ${bad % shape[1]!}`
  throw new FileError(`${file}: expected finite numbers, got ${data[bad]} in ${place}; leave that vector out`)
}

/** The vectors of a file that go with an index. */
export async function vectorsFor(index: Index, name: string, file: string): Promise<ReadVectors['vectors']> {
  const { vectors } = await vectorsFrom(file)
  const { dimensions } = index.codec
  if (vectors.shape[1] !== dimensions) {
    throw new FileError(`${file}: expected vectors of dimension ${dimensions}, as in ${name}, got ${vectors.shape[1]}`)
  }
  return vectors
}

/** Opens an index; messages about the file name it. */
export async function indexFrom(file: string): Promise<Index> {
  try {
    // A folder opens, and fails later with words of its own.
    if ((await stat(file)).isDirectory()) throw new FileError(`cannot read ${file}: it is a directory`)
    return openIndex(file, { encoder })
  } catch (error) {
    throw aboutFile(file, error)
  }
}

/** What a file holds is no fault of the command line: its exit code is that of a bad file. */
export function aboutFile(file: string, error: unknown): unknown {
  if (isRefusal(error)) return new FileError(`${file}: ${error.message}`)
  return nameFile(file, error)
}

/** Ids that an index takes: whole numbers, each once. */
export function idsOf({ ids }: ReadVectors): number[] | undefined {
  const isId = (id: string | number): id is number =>
    typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < 0xffffffff
  return ids?.every(isId) && new Set(ids).size === ids.length ? (ids as number[]) : undefined
}

/** What is said of the codes in an index or of a codec. */
export function codecFields(codec: Index['codec']): Record<string, string | number> {
  const { method, metric, bits, dimensions, centroids, bytesPerVector, tableBytes, seed } = codec
  return { method, metric, bits, dimensions, centroids, bytesPerVector, tableBytes, seed }
}

/** What is said of an index. */
export function indexFields(index: Index): Record<string, string | number> {
  const { codec, size, lists, originals } = index
  return { rows: size, ...codecFields(codec), lists, originals: originals ?? 'none' }
}

/** A table of names and values. */
export function printFields(fields: Readonly<Record<string, string | number>>): void {
  printTable(
    ['', 'value'],
    Object.entries(fields).map(([name, value]) => [words(name), String(value)])
  )
}

/** bytesPerVector: "bytes per vector" */
const words = (name: string): string => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)

/** A share with its interval: "0.9341 (0.9228 to 0.9441)". */
export function interval(mean: number, [low, high]: readonly [number, number]): string {
  return `${mean.toFixed(4)} (${low.toFixed(4)} to ${high.toFixed(4)})`
}

export const METHODS: readonly Method[] = [
  'turbo',
  'rabitq',
  'osq',
  'int8',
  'binary',
  'float16',
  'float32',
  'pq',
  'opq',
  'residual'
]

export const METRICS: readonly Metric[] = ['cosine', 'dot', 'l2']

/** The end of what every command prints that has written something. */
export function printWritten(output: string, size: number, before: number, seconds: number): void {
  printLine(`wrote ${output}: ${bytes(size)}, ${ratio(before / size)} smaller than float32, in ${seconds.toFixed(2)} s`)
}
