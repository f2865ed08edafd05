import { frame, type Engine } from '../../engine.js'
import { codeBytesOf, rowBytes, type RowLayout } from '../../scan/layout.js'
import { decodeUniform, encodeRabitq } from '../kernelCalls.js'
import type { LoadedQuantizer, Metric, OpenMethod, Quantizer } from '../quantizer.js'
import { loadCentered } from './centered.js'
import { checkTables, isWithin, isFlag, isOneOf, isSeed, readParameter, readTable } from './contents.js'
import { byteQuery, scalarTables } from '../../scan/scan.js'

export const RABITQ_BITS = [1, 2, 3, 4, 5, 6, 7, 8] as const

/**
 * Steps of the uniform grid that a Gaussian of variance 1 is best rounded to, by bits (J. Max, Quantizing for minimum
 * distortion, 1960). Rotated residuals are about Gaussian. One bit has no choice.
 */
const STEPS = [1, 1, 0.9957, 0.586, 0.3352, 0.1881, 0.1041, 0.0569, 0.0308] as const

export const MOST_EPSILON = 100

export interface RabitqParts {
  dimensions: number
  metric: Metric
  seed: number
  bits: number
  fast: boolean
  bound: boolean
  epsilon: number
  centroid: Float32Array<ArrayBuffer>
}

/** Opens the quantizer of a file. */
export const openRabitq: OpenMethod = (dimensions, metric, parameters, tables) => {
  checkTables('rabitq', tables, ['centre'])
  const flag = (name: string): boolean => readParameter('rabitq', parameters, name, 'true or false', isFlag)
  return rabitqQuantizer({
    ...{ dimensions, metric, fast: flag('fast'), bound: flag('bound') },
    seed: readParameter('rabitq', parameters, 'seed', 'a whole number', isSeed),
    bits: readParameter('rabitq', parameters, 'bits', '1 to 8', isOneOf<number>(RABITQ_BITS)),
    epsilon: readParameter('rabitq', parameters, 'epsilon', 'a number from 0 to 100', isWithin(0, MOST_EPSILON)),
    centroid: readTable('rabitq', tables, 'centre', dimensions).data
  })
}

export function rabitqQuantizer(parts: RabitqParts): Quantizer {
  const { dimensions, metric, seed, bits, fast, bound, epsilon, centroid } = parts
  const layout: RowLayout = {
    ...{ scan: bits <= 4 ? 'tables' : 'bytes', bits, count: dimensions },
    ...{ codeBytes: codeBytesOf(bits, dimensions), factors: bound ? 3 : 2, centroidBytes: 0 },
    ...(bound ? { third: 'error' } : {})
  }
  return {
    ...{ method: 'rabitq', dimensions, metric, layout, centroids: 1 },
    parameters: { seed, bits, fast, bound, epsilon },
    tables: { centre: { data: centroid, shape: [dimensions] } },
    load: (engine) => loadRabitq(engine, layout, parts)
  }
}

function loadRabitq(engine: Engine, layout: RowLayout, parts: RabitqParts): LoadedQuantizer {
  const { memory, kernels } = engine
  const { dimensions: d, metric, seed, bits, fast, bound, epsilon } = parts
  const { codeBytes } = layout
  const stride = rowBytes(layout)
  const l2 = metric === 'l2'
  const coded = { dimensions: d, bits, stride, codeBytes }
  const middle = -(2 ** bits - 1) / 2
  const guess = kernels.sqrtF64(d) / STEPS[bits]!
  const centered = loadCentered(engine, parts.centroid, metric, seed, true)
  const levels = memory.alloc(4 * 16)
  if (bits <= 4) memory.f32(levels, 2 ** bits).forEach((_, code, all) => (all[code] = code + middle))
  return {
    encode: (codes, rows, count) =>
      frame(engine, () => {
        const scratch = memory.alloc(kernels.rabitqWork(d))
        const how = { ...coded, centroid: centered.centroid, l2, bound, exact: !fast, guess, scratch }
        centered.residuals(rows, count, (residuals, first, part) => {
          encodeRabitq(engine, { ...how, codes: codes + stride * first, residuals, count: part })
        })
      }),
    decode: (rows, codes, count) => {
      frame(engine, () => {
        const scratch = memory.alloc(d)
        const how = { ...coded, factor: l2 ? 0.5 : 1, zero: middle, third: false, scratch }
        decodeUniform(engine, { ...how, rows, codes, count })
      })
      centered.restore(rows, count)
    },
    query: (row) => {
      const { residual, constant, squares } = centered.query(row)
      const built =
        bits <= 4
          ? scalarTables(engine, residual, d, bits, levels)
          : byteQuery(engine, residual, d, bits, { offset: bits === 8 ? 0.5 : middle })
      return { ...built, multiplier: 0, bound: epsilon * kernels.sqrtF64(squares), constant, terms: 0 }
    }
  }
}
