import { frame, type Engine } from '../../engine.js'
import { loadCodebooks, type Split } from '../codebooks.js'
import { multiplyPanels, packAcross, packAlong, roomForPanels } from '../panels.js'
import type { LoadedQuantizer, Metric, OpenMethod, Quantizer, Tables } from '../quantizer.js'
import { checkTables, putTable, readTable } from './contents.js'
import { openSplit, splitLayout } from './pq.js'

/** Opens the quantizer of a file. */
export const openOpq: OpenMethod = (dimensions, metric, parameters, tables) => {
  const split = openSplit('opq', dimensions, parameters)
  checkTables('opq', tables, ['codebooks', 'rotation'])
  return opqQuantizer(metric, split, {
    codebooks: readTable('opq', tables, 'codebooks', 2 ** split.bits * dimensions),
    rotation: readTable('opq', tables, 'rotation', dimensions, dimensions)
  })
}

export function opqQuantizer(metric: Metric, split: Split, tables: Tables): Quantizer {
  const { dimensions, subspaces, bits } = split
  return {
    method: 'opq',
    dimensions,
    metric,
    layout: splitLayout(split),
    centroids: 0,
    parameters: { bits, subspaces },
    tables,
    load: (engine) => loadOpq(engine, metric, split, tables)
  }
}

function loadOpq(engine: Engine, metric: Metric, split: Split, tables: Tables): LoadedQuantizer {
  const { memory } = engine
  const { dimensions: d } = split
  const books = loadCodebooks(engine, putTable(engine, tables, 'codebooks'), split)
  const forth = roomForPanels(engine, d, d)
  const back = roomForPanels(engine, d, d)
  frame(engine, () => {
    const rotation = putTable(engine, tables, 'rotation')
    packAcross(engine, forth, rotation)
    packAlong(engine, back, rotation)
  })
  return {
    encode: (codes, rows, count) => {
      frame(engine, () => {
        const turned = memory.alloc(4 * count * d)
        multiplyPanels(engine, turned, rows, count, forth)
        books.encode(codes, turned, count)
      })
    },
    decode: (rows, codes, count) => {
      frame(engine, () => {
        const turned = memory.alloc(4 * count * d)
        books.decode(turned, codes, count)
        multiplyPanels(engine, rows, turned, count, back)
      })
    },
    query: (row) => {
      const turned = memory.alloc(4 * d)
      multiplyPanels(engine, turned, row, 1, forth)
      return books.query(turned, metric)
    }
  }
}
