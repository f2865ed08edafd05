import type { Engine } from '../../engine.js'
import type { RowLayout } from '../../scan/layout.js'
import type { LoadedQuantizer, MethodKind, Metric, Quantizer } from '../quantizer.js'
import { checkTables, chosenBits } from './parts.js'
import { floatQuery } from '../../scan/scan.js'

/** Rows as they are, or in float16 (half to even, numbers beyond 65504 become it): the numbers and nothing else. */
export function floatKind(method: 'float32' | 'float16'): MethodKind<{ bits?: number }> {
  const bits = method === 'float32' ? 32 : 16
  return {
    method,
    options: [],
    bits: [bits],
    fit: (_engine, { dimensions, metric }, options) => {
      chosenBits(method, options.bits, [bits], bits)
      return floatQuantizer(method, dimensions, metric)
    },
    open: (dimensions, metric, _parameters, tables) => {
      checkTables(method, tables, [])
      return floatQuantizer(method, dimensions, metric)
    }
  }
}

function floatQuantizer(method: 'float32' | 'float16', dimensions: number, metric: Metric): Quantizer {
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
