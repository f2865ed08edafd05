import { rangeError } from '../../../core/errors.js'
import { checkInteger } from '../../../core/check.js'
import { frame, type Engine } from '../../engine.js'
import type { Pointer } from '../../../core/memory.js'
import { fitCodebooks, loadCodebooks, type Split } from '../codebooks.js'
import { codeBytesOf, type RowLayout } from '../../scan/layout.js'
import type { MethodKind, Metric, Quantizer, SampleShape, Tables } from '../quantizer.js'
import { checkTables, isOneOf, readParameter, readTable } from './parts.js'

export interface PqOptions {
  /** of a sub-space's number: 4 or 8; default 8 */
  bits?: number
  /** default: one for 8 dimensions at 8 bits, for 4 at 4 bits */
  subspaces?: number
}

/** Rounds of k-means for each sub-space. */
const ITERATIONS = 25

/**
 * Product quantisation: each part of a row as the number of its nearest centroid.
 *
 * Method: H. Jegou, M. Douze and C. Schmid, IEEE Trans. Pattern Anal. Mach. Intell. 33, 2011; scores by tables of the query (asymmetric distances).
 */
export const pq: MethodKind<PqOptions> = {
  method: 'pq',
  options: ['subspaces'],
  bits: [8, 4],
  usual: 8,
  choices: splitChoices,
  fit: (engine, sample, options) => {
    const split = readSplit(sample, options)
    const data = frame(engine, (memory) => {
      const length = 2 ** split.bits * split.dimensions
      const centroids = memory.alloc(4 * length)
      fitCodebooks(engine, centroids, sample.rows, sample.count, split, { seed: sample.seed, iterations: ITERATIONS })
      return memory.f32(centroids, length).slice()
    })
    return pqQuantizer(sample.metric, split, { codebooks: { data, shape: [data.length] } })
  },
  open: (dimensions, metric, parameters, tables) => {
    const split = openSplit('pq', dimensions, parameters)
    checkTables('pq', tables, ['codebooks'])
    return pqQuantizer(metric, split, { codebooks: readTable('pq', tables, 'codebooks', 2 ** split.bits * dimensions) })
  }
}

function pqQuantizer(metric: Metric, split: Split, tables: Tables): Quantizer {
  const { dimensions, subspaces, bits } = split
  return {
    method: 'pq',
    dimensions,
    metric,
    layout: splitLayout(split),
    centroids: 0,
    parameters: { bits, subspaces },
    tables,
    load: (engine) => {
      const books = loadCodebooks(engine, putTable(engine, tables, 'codebooks'), split)
      return {
        encode: books.encode,
        decode: books.decode,
        query: (row) => books.query(row, metric)
      }
    }
  }
}

export function splitLayout({ subspaces, bits }: Split): RowLayout {
  const scan = bits === 8 ? 'lookup' : 'tables'
  return { scan, bits, count: subspaces, codeBytes: codeBytesOf(bits, subspaces), factors: 0, centroidBytes: 0 }
}

/** The rows that splits can make, for `bytes` to choose from. */
export function splitChoices(
  { dimensions }: SampleShape,
  { bits, subspaces }: PqOptions
): { options: PqOptions; bytes: number }[] {
  if (subspaces !== undefined) checkInteger('fitCodec', 'subspaces', subspaces, 1, dimensions)
  const choices = []
  for (const b of bits === undefined ? [8, 4] : [bits]) {
    const [least, most] = subspaces === undefined ? [1, dimensions] : [subspaces, subspaces]
    for (let m = most; m >= least; m--) {
      choices.push({ options: { bits: b, subspaces: m }, bytes: codeBytesOf(b, m) })
    }
  }
  return choices
}

/** Checks what a method that cuts rows into sub-spaces is asked. */
export function readSplit({ dimensions, count }: SampleShape, options: PqOptions): Split {
  const bits = (options.bits ?? 8) as 4 | 8
  const usual = Math.ceil(dimensions / bits)
  const subspaces = checkInteger('fitCodec', 'subspaces', options.subspaces ?? usual, 1, dimensions)
  checkCentroids(count, 2 ** bits, bits === 8 ? 'give more rows, or 4 bits' : 'give more rows')
  return { dimensions, subspaces, bits }
}

/** Throws where there are fewer rows than centroids. */
export function checkCentroids(rows: number, centroids: number, advice: string): void {
  if (rows < centroids) {
    throw rangeError(
      `fitCodec: "sample" expected at least ${centroids} rows for as many centroids, got ${rows}; ${advice}`
    )
  }
}

/** What a file says of a split. */
export function openSplit(
  method: 'pq' | 'opq',
  dimensions: number,
  parameters: Readonly<Record<string, unknown>>
): Split {
  const bits = readParameter(method, parameters, 'bits', '4 or 8', isOneOf([4, 8] as const))
  const counts = isCount(dimensions)
  return { dimensions, bits, subspaces: readParameter(method, parameters, 'subspaces', `1 to ${dimensions}`, counts) }
}

export function isCount(most: number): (value: unknown) => value is number {
  return (value): value is number => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= most
}

/** A table of floats in an engine, in the frame that is open. */
export function putTable({ memory }: Engine, tables: Tables, name: string): Pointer {
  const { data } = tables[name]!
  const pointer = memory.alloc(4 * data.length)
  memory.f32(pointer, data.length).set(data)
  return pointer
}
