import { frame, type Engine } from '../../engine.js'
import type { Tensor } from '../../../core/tensor.js'
import { centroidsOf, type CentroidTables } from '../methods/centroids.js'
import { greatestLevel } from '../methods/lloydMax.js'
import { loadCentroids, nearest } from '../nearest.js'
import { rotationOf } from '../rotation.js'
import type { Sample } from './fitter.js'

/** Rows whose quantiles are taken, evenly from all. */
const ROWS = 4096

/**
 * 1 / factor and shift of every rotated coordinate, times sqrt(d) / |r|. Its quantiles at the share of the outermost
 * level come to stand on that level, as in Qdrant's TurboQuant (docs of 1.18).
 */
export function fitCalibration(
  engine: Engine,
  { rows, count, dimensions: d, seed }: Sample,
  fitted: CentroidTables,
  bits: number
): Tensor<Float32Array<ArrayBuffer>> {
  const most = Math.min(count, ROWS)
  const columns = Array.from({ length: d }, () => new Float32Array(most))
  frame(engine, (memory, kernels) => {
    const k = fitted.count
    const centroids = memory.alloc(4 * k * d)
    memory.f32(centroids, k * d).set(centroidsOf(d, fitted))
    const rotation = rotationOf(d, seed).load(engine)
    const search = loadCentroids(engine, centroids, k, d)
    const turned = memory.alloc(4 * d)
    const number = memory.alloc(2)
    for (let i = 0; i < most; i++) {
      const row = rows + 4 * d * Math.floor((i * count) / most)
      nearest(engine, number, row, 1, search)
      rotation.rotate(turned, row, 1, centroids + 4 * d * memory.u16(number, 1)[0]!)
      const t = memory.f32(turned, d)
      let square = 0
      for (let j = 0; j < d; j++) square += t[j]! * t[j]!
      const scale = square > 0 ? kernels.sqrtF64(d / square) : 0
      for (let j = 0; j < d; j++) columns[j]![i] = t[j]! * scale
    }
  })
  const { level, share } = outermost(bits)
  const at = Math.min(most - 1, Math.floor(share * most))
  const data = new Float32Array(2 * d)
  columns.forEach((column, j) => {
    column.sort()
    const high = column[at]!
    const low = column[most - 1 - at]!
    const factor = (high - low) / (2 * level)
    // Coordinates that hardly vary, or too few rows to tell: as they are.
    const known = factor > 1 / 64 && most > 1
    data[j] = known ? factor : 1
    data[d + j] = known ? -(high + low) / 2 : 0
  })
  return { data, shape: [2, d] }
}

/** Shares of the normal distribution below the greatest level, by bits (test/vectors/make_lloydMax.py). */
const SHARES: Readonly<Record<number, number>> = {
  1: 0.787531258158,
  2: 0.934531550839,
  3: 0.984299184523,
  4: 0.996858070868
}

/** The greatest level, and the share below it; of 8 bits, those of 4, which fewer rows tell apart. */
function outermost(bits: number): { level: number; share: number } {
  const known = Math.min(bits, 4)
  return { level: greatestLevel(known), share: SHARES[known]! }
}
