import { rangeError } from '../../../core/errors.js'
import { checkBoolean, checkInteger } from '../../../core/check.js'
import { frame, type Engine } from '../../engine.js'
import type { Pointer } from '../../../core/memory.js'
import { codeBytesOf, rowBytes, type RowLayout } from '../../scan/layout.js'
import type { LoadedQuantizer, MethodKind, Metric, Quantizer } from '../quantizer.js'
import { byteQuery, scalarTables, type QueryData } from '../../scan/scan.js'
import { loadCentered, meanOf } from './centered.js'
import { checkTables, chosenBits, isFlag, isOneOf, isSeed, readParameter, readTable } from './parts.js'

const BITS = [1, 2, 3, 4, 5, 6, 7, 8] as const

/** Half the interval to begin with, in standard deviations, by bits: the best for a Gaussian. */
const SPREADS = [0, 0.798, 1.493, 2.051, 2.514, 2.916, 3.278, 3.611, 3.922] as const

export interface OsqOptions {
  bits?: number
  /** rows are rotated; default true */
  rotate?: boolean
  /** of a query, for documents of one bit: 4 (whole numbers from -15 to 15, summed exactly), or 32 (tables of u8 of the query as it is); default 4 */
  queryBits?: number
}

interface Plan {
  dimensions: number
  metric: Metric
  seed: number
  bits: number
  rotate: boolean
  queryBits: number
  centroid: Float32Array<ArrayBuffer>
}

/**
 * Residuals on 2^bits steps of an interval of each vector's own, chosen so that little of the error lies along the vector.
 *
 * Method: optimised scalar quantisation (assembly/embeddings/osq.ts); rotated, it needs nothing of the data to be isotropic.
 */
export const osq: MethodKind<OsqOptions> = {
  method: 'osq',
  options: ['rotate', 'queryBits'],
  bits: BITS,
  fit: (engine, sample, options) => {
    const { dimensions, metric, seed } = sample
    const bits = chosenBits('osq', options.bits, BITS, 2)
    const rotate = checkBoolean('fitCodec', 'rotate', options.rotate ?? true)
    const queryBits = checkInteger('fitCodec', 'queryBits', options.queryBits ?? (bits === 1 ? 4 : 32), 4, 32)
    if ((queryBits !== 4 && queryBits !== 32) || (queryBits === 4 && bits > 1)) {
      const known = bits === 1 ? '4 or 32' : `32 with ${bits} bits`
      throw rangeError(`fitCodec: "queryBits" expected ${known}, got ${queryBits}; leave it out for the usual`)
    }
    return planned({ dimensions, metric, seed, bits, rotate, queryBits, centroid: meanOf(engine, sample) })
  },
  open: (dimensions, metric, parameters, tables) => {
    checkTables('osq', tables, ['centre'])
    const bits = readParameter('osq', parameters, 'bits', '1 to 8', isOneOf<number>(BITS))
    return planned({
      ...{ dimensions, metric, bits },
      seed: readParameter('osq', parameters, 'seed', 'a whole number', isSeed),
      rotate: readParameter('osq', parameters, 'rotate', 'true or false', isFlag),
      queryBits: readParameter('osq', parameters, 'queryBits', '4 or 32', isOneOf(bits === 1 ? [4, 32] : [32])),
      centroid: readTable('osq', tables, 'centre', dimensions).data
    })
  }
}

function planned(plan: Plan): Quantizer {
  const { dimensions, metric, seed, bits, rotate, queryBits, centroid } = plan
  const layout: RowLayout = {
    ...{ scan: bits <= 4 ? 'tables' : 'bytes', bits, count: dimensions, codeBytes: codeBytesOf(bits, dimensions) },
    ...{ factors: 3, third: 'offset', centroidBytes: 0 }
  }
  return {
    ...{ method: 'osq', dimensions, metric, layout, centroids: 1 },
    parameters: { seed, bits, rotate, queryBits },
    tables: { centre: { data: centroid, shape: [dimensions] } },
    load: (engine) => loadOsq(engine, layout, plan)
  }
}

function loadOsq(engine: Engine, layout: RowLayout, plan: Plan): LoadedQuantizer {
  const { memory, kernels } = engine
  const { dimensions: d, metric, seed, bits, rotate, queryBits } = plan
  const { codeBytes } = layout
  const stride = rowBytes(layout)
  const l2 = metric === 'l2' ? 1 : 0
  const centered = loadCentered(engine, plan.centroid, metric, seed, rotate)
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
        centered.residuals(rows, count, (z, first, part) => {
          const to = codes + stride * first
          kernels.encodeOsq(to, z, centered.centroid, part, d, bits, stride, codeBytes, l2, SPREADS[bits]!, scratch)
        })
      }),
    decode: (rows, codes, count) => {
      frame(engine, () => {
        const scratch = memory.alloc(d)
        kernels.decodeUniform(rows, codes, count, d, bits, stride, codeBytes, l2 ? 0.5 : 1, 0, 1, scratch)
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

/** Tables of whole numbers from -15 to 15: four of them, less their least, are at most 60, so that sums of u8 are exact. */
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
