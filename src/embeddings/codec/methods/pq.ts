import { codeBytesOf, type RowLayout } from '../../scan/layout.js'
import { loadCodebooks, type Split } from '../codebooks.js'
import type { Metric, OpenMethod, Parameters, Quantizer, Tables } from '../quantizer.js'
import { checkTables, isCount, isOneOf, putTable, readParameter, readTable } from './contents.js'

/** Opens the quantizer of a file. */
export const openPq: OpenMethod = (dimensions, metric, parameters, tables) => {
  const split = openSplit('pq', dimensions, parameters)
  checkTables('pq', tables, ['codebooks'])
  return pqQuantizer(metric, split, { codebooks: readTable('pq', tables, 'codebooks', 2 ** split.bits * dimensions) })
}

export function pqQuantizer(metric: Metric, split: Split, tables: Tables): Quantizer {
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

/** What a file says of a split. */
export function openSplit(method: 'pq' | 'opq', dimensions: number, parameters: Parameters): Split {
  const bits = readParameter(method, parameters, 'bits', '4 or 8', isOneOf([4, 8] as const))
  const counts = isCount(dimensions)
  return { dimensions, bits, subspaces: readParameter(method, parameters, 'subspaces', `1 to ${dimensions}`, counts) }
}
