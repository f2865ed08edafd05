import type { Engine } from '../../engine.js'
import { rowBytes, type RowLayout } from '../../scan/layout.js'
import type { LoadedQuantizer, Metric, OpenMethod, Quantizer } from '../quantizer.js'
import { loadCentered } from './centered.js'
import { checkTables, isWithin, isFlag, isOneOf, isSeed, readParameter, readTable } from './contents.js'
import { signQuery } from '../../scan/scan.js'

export const BINARY_COMPATS = ['ubinary', 'binary'] as const
export type BinaryCompat = (typeof BINARY_COMPATS)[number]

/** Opens the quantizer of a file. */
export const openBinary: OpenMethod = (dimensions, metric, parameters, tables) => {
  const rotate = readParameter('binary', parameters, 'rotate', 'true or false', isFlag)
  checkTables('binary', tables, rotate ? ['centre'] : [])
  const compat = readParameter('binary', parameters, 'compat', BINARY_COMPATS.join(' or '), isOneOf(BINARY_COMPATS))
  const seed = readParameter('binary', parameters, 'seed', 'a whole number', isSeed)
  const level = readParameter('binary', parameters, 'level', 'a number of at least 0', isWithin(0, 2 ** 48))
  const centroid = rotate ? readTable('binary', tables, 'centre', dimensions).data : undefined
  return signQuantizer({ dimensions, metric, seed, compat, level, centroid })
}

interface Signs {
  dimensions: number
  metric: Metric
  seed: number
  compat: BinaryCompat
  /** what a sign is decoded to: the mean magnitude of a coordinate */
  level: number
  /** undefined: signs of the rows themselves */
  centroid: Float32Array<ArrayBuffer> | undefined
}

export function signQuantizer(signs: Signs): Quantizer {
  const { dimensions, metric, seed, compat, level, centroid } = signs
  const layout: RowLayout = {
    ...{ scan: 'signs', bits: 1, count: dimensions },
    ...{ codeBytes: Math.ceil(dimensions / 8), factors: 0, centroidBytes: 0 }
  }
  return {
    ...{ method: 'binary', dimensions, metric, layout, centroids: centroid ? 1 : 0 },
    parameters: { rotate: centroid !== undefined, compat, seed, level },
    tables: centroid ? { centre: { data: centroid, shape: [dimensions] } } : {},
    load: (engine) => loadSigns(engine, layout, signs)
  }
}

function loadSigns(engine: Engine, layout: RowLayout, signs: Signs): LoadedQuantizer {
  const { memory, kernels } = engine
  const { dimensions: d, metric, level } = signs
  const stride = rowBytes(layout)
  const flip = signs.compat === 'binary' ? 0x80 : 0
  const centered = signs.centroid && loadCentered(engine, signs.centroid, metric, signs.seed, true)
  const score = metric === 'l2' ? { step: -4 / d, base: 0 } : { step: -2 / d, base: 1 }
  return {
    encode: (codes, rows, count) => {
      if (!centered) return kernels.encodeSigns(codes, rows, count, d, flip)
      return centered.residuals(rows, count, (z, first, part) =>
        kernels.encodeSigns(codes + stride * first, z, part, d, flip)
      )
    },
    decode: (rows, codes, count) => {
      kernels.decodeSigns(rows, codes, count, d, flip, level)
      centered?.restore(rows, count)
    },
    query: (row) => {
      const residual = centered ? centered.query(row).residual : row
      const packed = memory.alloc(stride)
      kernels.encodeSigns(packed, residual, 1, d, flip)
      return { ...signQuery(engine, packed, d), ...score, multiplier: 0, bound: 0, constant: 0, terms: 0 }
    }
  }
}
