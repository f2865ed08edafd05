import { checkBoolean, checkChoice } from '../../../core/check.js'
import { frame, type Engine } from '../../engine.js'
import { rowBytes, type RowLayout } from '../../scan/layout.js'
import type { LoadedQuantizer, MethodKind, Metric, Quantizer, Sample } from '../quantizer.js'
import { loadCentered, meanOf } from './centered.js'
import { checkTables, chosenBits, isWithin, isFlag, isOneOf, isSeed, readParameter, readTable } from './parts.js'
import { signQuery } from '../../scan/scan.js'

const COMPATS = ['ubinary', 'binary'] as const
type Compat = (typeof COMPATS)[number]

export interface BinaryOptions {
  bits?: number
  /** rows are taken off their mean and rotated first; default false */
  rotate?: boolean
  /** whose bytes, as sentence-transformers names them: packed bits, or those less 128 as int8; default 'ubinary' */
  compat?: Compat
}

/**
 * The signs of coordinates: 1 where above 0. The score of codes is what signs agree, (d - 2 Hamming) / d, between -1 and 1; for l2 the squared distance of the
 * signs themselves, -4 Hamming / d.
 *
 * Method: bits as numpy.packbits has them, the first coordinate highest.
 */
export const binary: MethodKind<BinaryOptions> = {
  method: 'binary',
  options: ['rotate', 'compat'],
  bits: [1],
  fit: (engine, sample, options) => {
    chosenBits('binary', options.bits, [1], 1)
    const rotate = checkBoolean('fitCodec', 'rotate', options.rotate ?? false)
    const compat = checkChoice('fitCodec', 'compat', options.compat ?? 'ubinary', COMPATS)
    const { dimensions, metric, seed } = sample
    const centroid = rotate ? meanOf(engine, sample) : undefined
    const level = levelOf(engine, sample, centroid)
    return signQuantizer({ dimensions, metric, seed, compat, level, centroid })
  },
  open: (dimensions, metric, parameters, tables) => {
    const rotate = readParameter('binary', parameters, 'rotate', 'true or false', isFlag)
    checkTables('binary', tables, rotate ? ['centre'] : [])
    const compat = readParameter('binary', parameters, 'compat', COMPATS.join(' or '), isOneOf(COMPATS))
    const seed = readParameter('binary', parameters, 'seed', 'a whole number', isSeed)
    const level = readParameter('binary', parameters, 'level', 'a number of at least 0', isWithin(0, 2 ** 48))
    const centroid = rotate ? readTable('binary', tables, 'centre', dimensions).data : undefined
    return signQuantizer({ dimensions, metric, seed, compat, level, centroid })
  }
}

interface Signs {
  dimensions: number
  metric: Metric
  seed: number
  compat: Compat
  /** what a sign is decoded to: the mean magnitude of a coordinate */
  level: number
  /** undefined: signs of the rows themselves */
  centroid: Float32Array<ArrayBuffer> | undefined
}

function signQuantizer(signs: Signs): Quantizer {
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

/** The mean magnitude of a coordinate: the level that signs stand for with the least squared error. */
function levelOf(engine: Engine, sample: Sample, centroid: Float32Array | undefined): number {
  const { rows, count, dimensions, metric, seed } = sample
  const all = count * dimensions
  if (all === 0) return 0
  if (!centroid) return engine.kernels.magnitudesF32(rows, all) / all
  return frame(engine, () => {
    let sum = 0
    loadCentered(engine, centroid, metric, seed, true).residuals(rows, count, (z, _first, part) => {
      for (let i = 0; i < part; i++) sum += engine.kernels.magnitudesF32(z + 4 * dimensions * i, dimensions)
    })
    return sum / all
  })
}
