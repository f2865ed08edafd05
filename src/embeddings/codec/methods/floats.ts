import type { Engine } from '../../engine.js'
import type { RowLayout } from '../../scan/layout.js'
import { floatQuery } from '../../scan/scan.js'
import type { LoadedQuantizer, Metric, OpenMethod, Quantizer } from '../quantizer.js'
import { checkTables } from './contents.js'

/** Rows as they are. */
export const openFloat32: OpenMethod = (dimensions, metric, _parameters, tables) => {
  checkTables('float32', tables, [])
  return floatQuantizer('float32', dimensions, metric)
}

/** Rows in float16: half to even, and numbers beyond 65504 become it. */
export const openFloat16: OpenMethod = (dimensions, metric, _parameters, tables) => {
  checkTables('float16', tables, [])
  return floatQuantizer('float16', dimensions, metric)
}

export function floatQuantizer(method: 'float32' | 'float16', dimensions: number, metric: Metric): Quantizer {
  const wide = method === 'float32'
  const layout: RowLayout = {
    ...{ scan: wide ? 'float' : 'half', bits: wide ? 32 : 16, count: dimensions },
    ...{ codeBytes: (wide ? 4 : 2) * dimensions, factors: 0, centroidBytes: 0 }
  }
  return {
    ...{ method, dimensions, metric, layout, centroids: 0, parameters: {}, tables: {} },
    load: (engine) => loadFloats(engine, dimensions, metric, wide)
  }
}

function loadFloats(engine: Engine, d: number, metric: Metric, wide: boolean): LoadedQuantizer {
  const { memory, kernels } = engine
  const copy = (to: number, from: number, length: number): void => {
    memory.u8(to, 4 * length).set(memory.u8(from, 4 * length))
  }
  return {
    encode: (codes, rows, count) => {
      if (wide) copy(codes, rows, count * d)
      else kernels.encodeF16(codes, rows, count * d)
    },
    decode: (rows, codes, count) => {
      if (wide) copy(rows, codes, count * d)
      else kernels.decodeF16(rows, codes, count * d)
    },
    query: (row) => ({
      ...floatQuery(engine, row, d, { squared: metric === 'l2' }),
      ...{ multiplier: 0, bound: 0, constant: 0, terms: 0 }
    })
  }
}
