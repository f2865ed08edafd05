import { FormatError } from '../../../core/errors.js'
import { frame, type Engine } from '../../engine.js'
import { codeBytesOf, rowBytes, type RowLayout } from '../../scan/layout.js'
import { byteQuery } from '../../scan/scan.js'
import { decodeUniform, encodeAffine } from '../kernelCalls.js'
import type { LoadedQuantizer, Metric, OpenMethod, Quantizer } from '../quantizer.js'
import { loadCentered } from './centered.js'
import { checkTables, isFlag, isOneOf, isSeed, putFloats, readParameter, readTable } from './contents.js'

export const INT8_AXES = ['vector', 'dimension'] as const

const ROUNDINGS = ['nearest', 'down', 'cut'] as const
type Rounding = (typeof ROUNDINGS)[number]

/** Opens the quantizer of a file. */
export const openInt8: OpenMethod = (dimensions, metric, parameters, tables) => {
  const axis = readParameter('int8', parameters, 'axis', INT8_AXES.join(' or '), isOneOf(INT8_AXES))
  if (axis === 'vector') {
    checkTables('int8', tables, ['centre'])
    const seed = readParameter('int8', parameters, 'seed', 'a whole number', isSeed)
    return vectorQuantizer(dimensions, metric, seed, readTable('int8', tables, 'centre', dimensions).data)
  }
  const mean = metric === 'l2' ? readTable('int8', tables, 'mean', dimensions).data : undefined
  checkTables('int8', tables, mean ? ['starts', 'steps', 'mean'] : ['starts', 'steps'])
  const rounding = readParameter('int8', parameters, 'rounding', ROUNDINGS.join(', '), isOneOf(ROUNDINGS))
  const starts = readTable('int8', tables, 'starts', dimensions).data
  const unsigned = readParameter('int8', parameters, 'unsigned', 'true or false', isFlag)
  const steps = readTable('int8', tables, 'steps', dimensions).data
  if (steps.some((step) => !(step > 0))) {
    throw new FormatError('bad-tensor', 'int8: "steps" expected numbers above 0')
  }
  return affineQuantizer({ dimensions, metric, rounding, unsigned, starts, steps, mean })
}

function byteLayout(count: number, factors: 0 | 2): RowLayout {
  return { scan: 'bytes', bits: 8, count, codeBytes: codeBytesOf(8, count), factors, centroidBytes: 0 }
}

export function vectorQuantizer(
  dimensions: number,
  metric: Metric,
  seed: number,
  centroid: Float32Array<ArrayBuffer>
): Quantizer {
  const layout = byteLayout(dimensions, 2)
  return {
    ...{ method: 'int8', dimensions, metric, layout, centroids: 1 },
    parameters: { axis: 'vector', seed },
    tables: { centre: { data: centroid, shape: [dimensions] } },
    load: (engine) => loadVectors(engine, layout, metric, seed, centroid)
  }
}

function loadVectors(
  engine: Engine,
  layout: RowLayout,
  metric: Metric,
  seed: number,
  mean: Float32Array
): LoadedQuantizer {
  const { memory, kernels } = engine
  const d = layout.count
  const stride = rowBytes(layout)
  const l2 = metric === 'l2'
  const coded = { dimensions: d, bits: 8, stride, codeBytes: d }
  const centered = loadCentered(engine, mean, metric, seed, true)
  return {
    encode: (codes, rows, count) =>
      centered.residuals(rows, count, (z, first, part) =>
        kernels.encodeSymmetric(codes + stride * first, z, centered.centroid, part, d, stride, l2 ? 1 : 0)
      ),
    decode: (rows, codes, count) => {
      frame(engine, () => {
        const how = { ...coded, factor: l2 ? 0.5 : 1, zero: -128, third: false, scratch: memory.alloc(d) }
        decodeUniform(engine, { ...how, rows, codes, count })
      })
      centered.restore(rows, count)
    },
    query: (row) => {
      const { residual, constant } = centered.query(row)
      return { ...byteQuery(engine, residual, d, 8), multiplier: 0, bound: 0, constant, terms: 0 }
    }
  }
}

interface Affine {
  dimensions: number
  metric: Metric
  rounding: Rounding
  /** bytes 0 .. 255 */
  unsigned: boolean
  starts: Float32Array<ArrayBuffer>
  steps: Float32Array<ArrayBuffer>
  /** of rows, for l2 alone */
  mean: Float32Array<ArrayBuffer> | undefined
}

export function affineQuantizer(affine: Affine): Quantizer {
  const { dimensions, metric, rounding, unsigned, starts, steps, mean } = affine
  const shape = [dimensions]
  const layout = { ...byteLayout(dimensions, metric === 'l2' ? 2 : 0), ...(unsigned ? { unsigned } : {}) }
  return {
    ...{ method: 'int8', dimensions, metric, layout, centroids: 0 },
    parameters: { axis: 'dimension', rounding, unsigned },
    tables: {
      starts: { data: starts, shape },
      steps: { data: steps, shape },
      ...(mean ? { mean: { data: mean, shape } } : {})
    },
    load: (engine) => loadAffine(engine, layout, affine)
  }
}

function loadAffine(engine: Engine, layout: RowLayout, affine: Affine): LoadedQuantizer {
  const { rounding, starts, steps, mean } = affine
  const flip = affine.unsigned ? 128 : 0
  const { memory, kernels } = engine
  const d = layout.count
  const stride = rowBytes(layout)
  const low = putFloats(memory, starts)
  const step = putFloats(memory, steps)
  // What was rounded down lies half a step higher in the mean; what was cut off towards zero, neither.
  const middle = rounding === 'down' ? 128.5 : 128
  const offset = putFloats(
    memory,
    starts.map((start, j) => start + middle * steps[j]!)
  )
  // Distances are those of rows less their mean, so that data far from zero loses no digits.
  const centroid = mean ? putFloats(memory, mean) : 0
  const apart = mean ? memory.alloc(4 * d) : offset
  if (mean) kernels.shiftRowsF32(apart, offset, centroid, 1, d, -1)
  const how = {
    ...{ starts: low, steps: step, offsets: offset, centroid, dimensions: d, stride },
    ...{ rounding: ROUNDINGS.indexOf(rounding), l2: mean !== undefined, flip }
  }
  return {
    encode: (codes, rows, count) => encodeAffine(engine, { ...how, codes, rows, count }),
    decode: (rows, codes, count) => kernels.decodeAffine(rows, codes, step, offset, count, d, stride, flip),
    query: (row) => {
      const scaled = memory.alloc(4 * d)
      if (centroid) kernels.shiftRowsF32(row, row, centroid, 1, d, -1)
      const constant = centroid ? -kernels.squaresF32(row, d) : 0
      const offsets = kernels.productF32(row, apart, d)
      kernels.timesF32(scaled, row, step, d)
      const built = byteQuery(engine, scaled, d, 8, { uneven: true })
      return { ...built, base: built.base + offsets, multiplier: 0, bound: 0, constant, terms: 0 }
    }
  }
}
