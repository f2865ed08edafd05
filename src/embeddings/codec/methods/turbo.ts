import { LEVEL_BYTES } from '../../../../assembly/embeddings/constants.js'
import { frame, type Engine } from '../../engine.js'
import { FormatError } from '../../../core/errors.js'
import type { Memory, Pointer } from '../../../core/memory.js'
import type { Tensor } from '../../../core/tensor.js'
import { malformed } from '../../../files/entry.js'
import { codeBytesOf, rowBytes, type RowLayout } from '../../scan/layout.js'
import type { Query } from '../../scan/query.js'
import { byteQuery, scalarTables } from '../../scan/scan.js'
import { decodeTurbo, encodeTurbo, type TurboTables } from '../kernelCalls.js'
import { loadCentroids, nearest, type PackedCentroids } from '../nearest.js'
import type { LoadedQuantizer, Metric, OpenMethod, Quantizer, Tables } from '../quantizer.js'
import { rotationOf, type LoadedRotation } from '../rotation.js'
import { centroidsOf, openCentroids, type CentroidTables } from './centroids.js'
import { putFloats } from './contents.js'
import { GRID_STEP, levelsAt, shrinkage, writeLevels } from './lloydMax.js'

export const TURBO_BITS = [1, 2, 3, 4, 8]

/** What a quantizer of this method is, beside its dimension and metric. */
export interface TurboParts {
  readonly bits: number
  readonly seed: number
  readonly centroids: CentroidTables
  /** (2, dimension): 1 / factor, shift */
  readonly calibration?: Tensor<Float32Array<ArrayBuffer>>
}

/** Opens the quantizer of a file. */
export const openTurbo: OpenMethod = (dimensions, metric, parameters, tables) => {
  const { bits, seed, centres: centroids } = parameters
  if (!TURBO_BITS.includes(bits as number)) throw malformed(`expected bits of ${TURBO_BITS.join(', ')}`, bits)
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
  return turboQuantizer(dimensions, metric, {
    bits: bits as number,
    seed: seed as number,
    centroids: openCentroids(dimensions, centroids, rest),
    ...(calibration ? { calibration: calibration as Tensor<Float32Array<ArrayBuffer>> } : {})
  })
}

export function turboLayout(dimensions: number, bits: number, centroids: number): RowLayout {
  return {
    scan: bits === 8 ? 'bytes' : 'tables',
    bits,
    count: dimensions,
    codeBytes: codeBytesOf(bits, dimensions),
    factors: 2,
    centroidBytes: centroids === 1 ? 0 : centroids <= 256 ? 1 : 2
  }
}

export function turboQuantizer(dimensions: number, metric: Metric, parts: TurboParts): Quantizer {
  const { bits, seed, centroids, calibration } = parts
  const layout = turboLayout(dimensions, bits, centroids.count)
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

/** A quantizer in an engine. */
interface Loaded {
  readonly tables: TurboTables
  readonly k: number
  readonly rotation: LoadedRotation
  /** f32 [d], the mean, which rows and queries are taken off for l2: so data far from zero loses no digits */
  readonly origin: Pointer | undefined
  /** none of one centroid */
  readonly search: PackedCentroids | undefined
}

function loadTurbo(engine: Engine, d: number, metric: Metric, layout: RowLayout, parts: TurboParts): LoadedQuantizer {
  const { bits, calibration } = parts
  const loaded = loadTables(engine, d, metric, rowBytes(layout), parts)
  const { tables, search } = loaded
  const { codeBytes, centroidBytes } = layout
  return {
    encode(codes, rows, count) {
      frame(engine, (memory) => {
        if (search) {
          const options = { bytes: centroidBytes as 1 | 2, step: tables.stride }
          nearest(engine, codes + codeBytes + 8, rows, count, search, options)
        }
        encodeTurbo(engine, { codes, rows, count }, tables, memory.alloc(engine.kernels.turboWork(d)))
      })
    },
    decode: (rows, codes, count) => decodeTurbo(engine, { codes, rows, count }, tables, shrinkage(bits)),
    query: (row) => queryOf(engine, loaded, row, calibration?.data)
  }
}

function loadTables(
  engine: Engine,
  d: number,
  metric: Metric,
  stride: number,
  { bits, seed, centroids: fitted, calibration }: TurboParts
): Loaded {
  const { memory } = engine
  const padded = Math.ceil(d / 16) * 16
  const l2 = metric === 'l2'
  const k = fitted.count
  const rotation = rotationOf(d, seed).load(engine)
  const centroids = putFloats(memory, centroidsOf(d, fitted))
  const rotated = memory.alloc(4 * k * padded)
  memory.f32(rotated, k * padded).fill(0)
  const origin = l2 ? putFloats(memory, fitted.tables.mean.data) : undefined
  for (let i = 0; i < k; i++) rotation.rotate(rotated + 4 * i * padded, centroids + 4 * i * d, 1, origin)
  const search = k > 1 ? loadCentroids(engine, centroids, k, d) : undefined
  const levels = memory.alloc(LEVEL_BYTES)
  writeLevels(memory, levels, bits)
  const { signs, block } = rotation
  const tables = {
    ...{ dimensions: d, bits, stride, l2, centroids, rotated, signs, block, levels, gridStep: GRID_STEP },
    calibration: calibration ? putCalibration(memory, calibration.data, padded) : 0
  }
  return { tables, k, rotation, origin, search }
}

/** Factors and shifts, each filled up to whole vectors with what changes nothing. */
function putCalibration(memory: Memory, data: Float32Array, padded: number): Pointer {
  const d = data.length / 2
  const at = memory.alloc(8 * padded)
  memory.f32(at, padded).fill(1)
  memory.f32(at, d).set(data.subarray(0, d))
  memory.f32(at + 4 * padded, padded).fill(0)
  memory.f32(at + 4 * padded, d).set(data.subarray(d))
  return at
}

function queryOf(
  engine: Engine,
  { tables, k, rotation, origin }: Loaded,
  row: Pointer,
  calibration: Float32Array | undefined
): Query {
  const { memory, kernels } = engine
  const { dimensions: d, bits, l2, centroids, levels } = tables
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
      shifted += q[i]! * calibration[d + i]!
      q[i]! *= calibration[i]!
    }
  }
  // The levels of 8 bits are (code + 1/2) steps of the grid.
  const grid = bits === 8 ? GRID_STEP : 1
  const built =
    bits === 8
      ? byteQuery(engine, turned, d, bits, { offset: 0.5 })
      : scalarTables(engine, turned, d, bits, levelsAt(levels))
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
