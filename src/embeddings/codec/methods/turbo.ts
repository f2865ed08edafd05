import { LEVEL_BYTES } from '../../../../assembly/embeddings/constants.js'
import { checkBoolean, checkInteger } from '../../../core/check.js'
import { frame, type Engine } from '../../engine.js'
import { FormatError, rangeError } from '../../../core/errors.js'
import type { Pointer } from '../../../core/memory.js'
import type { Tensor } from '../../../core/tensor.js'
import { malformed } from '../../../files/entry.js'
import { loadCentroids, nearest } from '../kmeans.js'
import { codeBytesOf, rowBytes, type RowLayout } from '../../scan/layout.js'
import type { LoadedQuantizer, MethodKind, Metric, Quantizer, SampleShape, Tables } from '../quantizer.js'
import { rotationOf } from '../rotation.js'
import { byteQuery, scalarTables } from '../../scan/scan.js'
import { fitCalibration } from './calibration.js'
import { centroidsOf, fitCentroids, openCentroids, type CentroidTables } from './centroids.js'
import { GRID_STEP, levelsAt, shrinkage, writeLevels } from './lloydMax.js'

export interface TurboOptions {
  /** k-means centroids that rows are centered on, 1 (their mean) to 65536; default by the number of rows: the most of 1, 16, 64, 256, 1024 that have 64 rows each, 1 below 1024 rows */
  centroids?: number
  /** shift and scale every rotated coordinate so that it fills the levels; default false */
  calibrate?: boolean
}

type Options = TurboOptions & { bits: number }

/** What a quantizer of this method is, beside its dimension and metric. */
interface Parts {
  readonly bits: number
  readonly seed: number
  readonly centroids: CentroidTables
  /** (2, dimension): 1 / factor, shift */
  readonly calibration?: Tensor<Float32Array<ArrayBuffer>>
}

const BITS = [1, 2, 3, 4, 8]
const MOST_CENTROIDS = 65536
/** Rows of the table for each of the centroids, and numbers of them, by default. */
const ROWS_EACH = 64
const USUAL = [1024, 256, 64, 16]

/**
 * Rotation, levels of Lloyd and Max, one scale a row that keeps inner products right, rows centered on their mean or on k-means centroids, whose share of a score
 * the query knows.
 */
export const turbo: MethodKind<Options> = {
  method: 'turbo',
  options: ['centroids', 'calibrate'],
  bits: BITS,
  choices: (shape, options) => [
    { options, bytes: rowBytes(layoutOf(shape.dimensions, options.bits, count(shape, options))) }
  ],
  fit(engine, sample, options) {
    const { bits, calibrate = false } = options
    checkBoolean('fitCodec', 'calibrate', calibrate)
    const { dimensions, metric, seed } = sample
    const centroids = fitCentroids(engine, sample, count(sample, options))
    const plain = quantizerOf(dimensions, metric, { bits, seed, centroids })
    if (!calibrate) return plain
    return quantizerOf(dimensions, metric, {
      bits,
      seed,
      centroids,
      calibration: fitCalibration(engine, sample, centroids, bits)
    })
  },
  open(dimensions, metric, parameters, tables) {
    const { bits, seed, centres: centroids } = parameters
    if (!BITS.includes(bits as number)) throw malformed(`expected bits of ${BITS.join(', ')}`, bits)
    if (!Number.isSafeInteger(seed) || (seed as number) < 0) throw malformed('expected a seed', seed)
    const { calibration, ...rest } = tables
    if (calibration) {
      const { data, shape } = calibration
      const fits = data instanceof Float32Array && shape.join() === [2, dimensions].join()
      if (!fits || data.subarray(0, dimensions).some((x) => !(x > 0))) {
        throw new FormatError(
          'bad-tensor',
          `the codec's array "table:calibration" expected F32 of 2x${dimensions}, scales above 0`
        )
      }
    }
    return quantizerOf(dimensions, metric, {
      bits: bits as number,
      seed: seed as number,
      centroids: openCentroids(dimensions, centroids, rest),
      ...(calibration ? { calibration: calibration as Tensor<Float32Array<ArrayBuffer>> } : {})
    })
  }
}

function count({ count: rows, total }: SampleShape, { centroids }: Options): number {
  if (centroids === undefined) {
    const few = Math.min(rows, total)
    return USUAL.find((k) => few >= Math.max(1024, k * ROWS_EACH)) ?? 1
  }
  checkInteger('fitCodec', 'centroids', centroids, 1, MOST_CENTROIDS)
  if (centroids > rows) {
    throw rangeError(
      `fitCodec: "centroids" expected at most ${rows}, the rows there are to fit on, got ${centroids}; add rows, or ask for fewer`
    )
  }
  return centroids
}

function layoutOf(dimensions: number, bits: number, centroids: number): RowLayout {
  return {
    scan: bits === 8 ? 'bytes' : 'tables',
    bits,
    count: dimensions,
    codeBytes: codeBytesOf(bits, dimensions),
    factors: 2,
    centroidBytes: centroids === 1 ? 0 : centroids <= 256 ? 1 : 2
  }
}

function quantizerOf(dimensions: number, metric: Metric, parts: Parts): Quantizer {
  const { bits, seed, centroids, calibration } = parts
  const layout = layoutOf(dimensions, bits, centroids.count)
  const tables: Tables = { ...centroids.tables, ...(calibration ? { calibration } : {}) }
  return {
    method: 'turbo',
    dimensions,
    metric,
    layout,
    centroids: centroids.count,
    // Files of version 1 have it by this name.
    parameters: { bits, seed, centres: centroids.count },
    tables,
    load: (engine) => loadTurbo(engine, dimensions, metric, layout, parts)
  }
}

function loadTurbo(
  engine: Engine,
  d: number,
  metric: Metric,
  layout: RowLayout,
  { bits, seed, centroids: fitted, calibration }: Parts
): LoadedQuantizer {
  const { memory, kernels } = engine
  const padded = Math.ceil(d / 16) * 16
  const l2 = metric === 'l2'
  const k = fitted.count
  const rotation = rotationOf(d, seed).load(engine)
  const centroids = memory.alloc(4 * k * d)
  memory.f32(centroids, k * d).set(centroidsOf(d, fitted))
  const rotated = memory.alloc(4 * k * padded)
  memory.f32(rotated, k * padded).fill(0)
  // Distances are those of rows less their mean, so that data far from zero loses no digits to the query's tables.
  let origin: Pointer | undefined
  if (l2) {
    origin = memory.alloc(4 * d)
    memory.f32(origin, d).set(fitted.tables.mean.data)
  }
  for (let i = 0; i < k; i++) rotation.rotate(rotated + 4 * i * padded, centroids + 4 * i * d, 1, origin)
  const search = k > 1 ? loadCentroids(engine, centroids, k, d) : undefined
  const tables = memory.alloc(LEVEL_BYTES)
  writeLevels(memory, tables, bits)
  let calibrated: Pointer = 0
  if (calibration) {
    calibrated = memory.alloc(8 * padded)
    memory.f32(calibrated, padded).fill(1)
    memory.f32(calibrated, d).set(calibration.data.subarray(0, d))
    memory.f32(calibrated + 4 * padded, padded).fill(0)
    memory.f32(calibrated + 4 * padded, d).set(calibration.data.subarray(d))
  }
  const { codeBytes, centroidBytes } = layout
  const stride = rowBytes(layout)
  const { signs, block } = rotation
  const work = kernels.turboWork(d)
  return {
    encode(codes, rows, count) {
      frame(engine, () => {
        if (search) {
          nearest(engine, codes + codeBytes + 8, rows, count, search, { bytes: centroidBytes as 1 | 2, step: stride })
        }
        const scratch = memory.alloc(work)
        kernels.encodeTurbo(
          ...[codes, rows, centroids, rotated, signs, calibrated, tables],
          ...([count, d, block, bits, stride, Number(l2), GRID_STEP, scratch] as const)
        )
      })
    },
    decode(rows, codes, count) {
      kernels.decodeTurbo(
        ...([rows, codes, centroids, signs, calibrated, tables] as const),
        ...([count, d, block, bits, stride, GRID_STEP, shrinkage(bits)] as const)
      )
    },
    query(row) {
      const terms = memory.alloc(4 * k)
      if (l2) kernels.distanceRows(terms, row, centroids, k, d)
      else kernels.dotRows(terms, row, centroids, k, d)
      const turned = memory.alloc(4 * d)
      rotation.rotate(turned, row, 1, origin)
      const q = memory.f32(turned, d)
      // The levels of a code are 1 / factor times its own, less shift.
      let shifted = 0
      if (calibration) {
        for (let i = 0; i < d; i++) {
          shifted += q[i]! * calibration.data[d + i]!
          q[i]! *= calibration.data[i]!
        }
      }
      // The levels of 8 bits are (code + 1/2) steps of the grid.
      const grid = bits === 8 ? GRID_STEP : 1
      const built =
        bits === 8
          ? byteQuery(engine, turned, d, bits, { offset: 0.5 })
          : scalarTables(engine, turned, d, bits, levelsAt(tables))
      const twice = l2 ? 2 : 1
      return {
        data: built.data,
        step: twice * grid * built.step,
        base: twice * (grid * built.base - shifted),
        multiplier: 0,
        bound: 0,
        constant: k === 1 ? memory.f32(terms, 1)[0]! : 0,
        terms: k === 1 ? 0 : terms,
        exact: built.exact,
        fine: built.fine
      }
    }
  }
}
