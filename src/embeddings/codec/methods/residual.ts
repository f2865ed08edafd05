import { internalError } from '../../../core/errors.js'
import type { Engine } from '../../engine.js'
import type { Pointer } from '../../../core/memory.js'
import type { Query } from '../../scan/query.js'
import { multiplyPanels } from '../panels.js'
import type { Encoders, LoadedQuantizer, OpenMethod, Quantizer, Tables } from '../quantizer.js'
import { checkTables, isCount, readParameter, readTable } from './contents.js'
import {
  CODEWORDS,
  LENGTH_BYTES,
  loadResidualTables,
  MOST_BEAM,
  MOST_STAGES,
  residualLayout,
  sumCodewords,
  type ResidualShape,
  type ResidualTables
} from './residualTables.js'

/** Opens the quantizer of a file. */
export const openResidual: OpenMethod = (d, metric, parameters, tables) => {
  const stages = readParameter('residual', parameters, 'stages', `1 to ${MOST_STAGES}`, isCount(MOST_STAGES))
  const isPart = (value: unknown): value is number => value === 0 || isCount(d)(value)
  const subspaces = readParameter('residual', parameters, 'subspaces', `0 to ${d}`, isPart)
  const beam = readParameter('residual', parameters, 'beam', '1 to 64', isCount(MOST_BEAM))
  const mean: Tables = metric === 'l2' ? { mean: readTable('residual', tables, 'mean', d) } : {}
  const codebooks: Tables =
    subspaces > 0 ? { codebooks: readTable('residual', tables, 'codebooks', CODEWORDS * d) } : {}
  checkTables('residual', tables, [...Object.keys({ ...mean, ...codebooks }), 'codewords', 'squares'])
  return residualQuantizer(
    { d, metric, stages, subspaces, beam },
    {
      ...mean,
      codewords: readTable('residual', tables, 'codewords', stages, CODEWORDS, d),
      ...codebooks,
      squares: readTable('residual', tables, 'squares', LENGTH_BYTES, CODEWORDS)
    }
  )
}

export function residualQuantizer(shape: ResidualShape, tables: Tables): Quantizer {
  const { d, metric, stages, subspaces, beam } = shape
  return {
    method: 'residual',
    dimensions: d,
    metric,
    layout: residualLayout(shape),
    centroids: 0,
    parameters: { stages, subspaces, beam },
    tables,
    load: (engine, encoders) => loadResidual(engine, tables, shape, encoders)
  }
}

function loadResidual(engine: Engine, tables: Tables, shape: ResidualShape, encoders?: Encoders): LoadedQuantizer {
  const { kernels } = engine
  const { d } = shape
  const loaded = loadResidualTables(engine, tables, shape)
  const { origin } = loaded
  const shift = (rows: Pointer, count: number, sign: 1 | -1): void => {
    if (origin) kernels.shiftRowsF32(rows, rows, origin, count, d, sign)
  }
  return {
    encode: (codes, rows, count) => {
      if (!encoders) throw internalError('a residual quantizer without its encoder')
      shift(rows, count, -1)
      encoders.residual(engine, loaded, codes, rows, count)
    },
    decode: (rows, codes, count) => {
      sumCodewords(engine, loaded, rows, codes, count)
      shift(rows, count, 1)
    },
    query: (row) => {
      shift(row, 1, -1)
      return queryOf(engine, loaded, row)
    }
  }
}

/** Tables of a query's products with all that codes stand for, and with it of their lengths. */
function queryOf(engine: Engine, loaded: ResidualTables, row: Pointer): Query {
  const { memory, kernels } = engine
  const { d, metric, stages, subspaces, length, squares, books, rest } = loaded
  const coded = CODEWORDS * (stages + subspaces)
  const lengths = CODEWORDS * LENGTH_BYTES
  const table = memory.alloc(4 * length * CODEWORDS)
  const pairs = metric === 'cosine' ? memory.alloc(8 * length * CODEWORDS) : 0
  books.forEach((book, stage) => multiplyPanels(engine, table + 4 * stage * CODEWORDS, row, 1, book))
  rest?.fill(table + 4 * stages * CODEWORDS, row, false)
  const common = { base: 0, multiplier: 0, bound: 0, terms: 0, exact: true }
  if (metric === 'cosine') {
    kernels.pairF32(pairs, table, 0, coded)
    kernels.pairF32(pairs + 8 * coded, 0, squares, lengths)
    return { data: pairs, step: 1, constant: 0, unit: true, ...common }
  }
  if (metric === 'dot') return { data: table, step: 1, constant: 0, ...common }
  // -|q - x|^2 = 2 (<q, x> - |x|^2 / 2) - |q|^2
  const last = memory.f32(table + 4 * coded, lengths)
  memory.f32(squares, lengths).forEach((square, i) => (last[i] = -square / 2))
  let square = 0
  for (const x of memory.f32(row, d)) square += x * x
  return { data: table, step: 2, constant: -square, ...common }
}
