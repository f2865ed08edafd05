import { frame, type Engine } from '../../engine.js'
import type { Pointer } from '../../../core/memory.js'
import { codeBytesOf, rowBytes, type RowLayout } from '../../scan/layout.js'
import { decodeUniform, encodeOsq } from '../kernelCalls.js'
import type { LoadedQuantizer, Metric, OpenMethod, Quantizer } from '../quantizer.js'
import type { QueryData } from '../../scan/query.js'
import { byteQuery, scalarTables } from '../../scan/scan.js'
import { loadCentered } from './centered.js'
import { checkTables, isFlag, isOneOf, isSeed, readParameter, readTable } from './contents.js'

export const OSQ_BITS = [1, 2, 3, 4, 5, 6, 7, 8] as const

/** Half the interval to begin with, in standard deviations, by bits: the best for a Gaussian. */
const SPREADS = [0, 0.798, 1.493, 2.051, 2.514, 2.916, 3.278, 3.611, 3.922] as const

export interface OsqParts {
  dimensions: number
  metric: Metric
  seed: number
  bits: number
  rotate: boolean
  queryBits: number
  centroid: Float32Array<ArrayBuffer>
}

/** Opens the quantizer of a file. */
export const openOsq: OpenMethod = (dimensions, metric, parameters, tables) => {
  checkTables('osq', tables, ['centre'])
  const bits = readParameter('osq', parameters, 'bits', '1 to 8', isOneOf<number>(OSQ_BITS))
  return osqQuantizer({
    ...{ dimensions, metric, bits },
    seed: readParameter('osq', parameters, 'seed', 'a whole number', isSeed),
    rotate: readParameter('osq', parameters, 'rotate', 'true or false', isFlag),
    queryBits: readParameter('osq', parameters, 'queryBits', '4 or 32', isOneOf(bits === 1 ? [4, 32] : [32])),
    centroid: readTable('osq', tables, 'centre', dimensions).data
  })
}

export function osqQuantizer(parts: OsqParts): Quantizer {
  const { dimensions, metric, seed, bits, rotate, queryBits, centroid } = parts
  const layout: RowLayout = {
    ...{ scan: bits <= 4 ? 'tables' : 'bytes', bits, count: dimensions, codeBytes: codeBytesOf(bits, dimensions) },
    ...{ factors: 3, third: 'offset', centroidBytes: 0 }
  }
  return {
    ...{ method: 'osq', dimensions, metric, layout, centroids: 1 },
    parameters: { seed, bits, rotate, queryBits },
    tables: { centre: { data: centroid, shape: [dimensions] } },
    load: (engine) => loadOsq(engine, layout, parts)
  }
}

function loadOsq(engine: Engine, layout: RowLayout, parts: OsqParts): LoadedQuantizer {
  const { memory, kernels } = engine
  const { dimensions: d, metric, seed, bits, rotate, queryBits } = parts
  const { codeBytes } = layout
  const stride = rowBytes(layout)
  const l2 = metric === 'l2'
  const coded = { dimensions: d, bits, stride, codeBytes }
  const centered = loadCentered(engine, parts.centroid, metric, seed, rotate)
  const levels = memory.alloc(4 * 16)
  memory.f32(levels, 16).forEach((_, code, all) => (all[code] = code))
  const tablesOf = (residual: Pointer): QueryData => {
    if (queryBits === 4) return signedTables(engine, residual, d)
    if (bits <= 4) return scalarTables(engine, residual, d, bits, levels)
    // The byte of 8 bits is code - 128.
    return byteQuery(engine, residual, d, bits, { offset: bits === 8 ? 128 : 0 })
  }
  return {
    encode: (codes, rows, count) =>
      frame(engine, () => {
        const scratch = memory.alloc(kernels.osqWork(d))
        const how = { ...coded, centroid: centered.centroid, l2, spread: SPREADS[bits]!, scratch }
        centered.residuals(rows, count, (residuals, first, part) => {
          encodeOsq(engine, { ...how, codes: codes + stride * first, residuals, count: part })
        })
      }),
    decode: (rows, codes, count) => {
      frame(engine, () => {
        const scratch = memory.alloc(d)
        const how = { ...coded, factor: l2 ? 0.5 : 1, zero: 0, third: true, scratch }
        decodeUniform(engine, { ...how, rows, codes, count })
      })
      centered.restore(rows, count)
    },
    query: (row) => {
      const { residual, constant } = centered.query(row)
      const multiplier = kernels.sumF32(residual, d)
      return { ...tablesOf(residual), multiplier, bound: 0, constant, terms: 0 }
    }
  }
}

/**
 * Tables of whole numbers from -15 to 15: four of them, less their least, are at most 60, so that sums of u8 are exact.
 */
function signedTables(engine: Engine, q: Pointer, d: number): QueryData {
  const { memory, kernels } = engine
  const length = 16 * Math.ceil(d / 16)
  const data = memory.alloc(4 * length)
  const result = memory.alloc(16)
  frame(engine, () => {
    const padded = memory.alloc(4 * length)
    kernels.copyPadded(padded, q, 4 * d, 4 * length)
    kernels.buildSignedTables(data, result, padded, length, 15)
  })
  const [step, base] = memory.f64(result, 2) as unknown as [number, number]
  return { data, step, base, exact: true }
}
