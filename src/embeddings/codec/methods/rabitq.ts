import { checkBoolean, checkNumber } from '../../../core/check.js'
import { frame, type Engine } from '../../engine.js'
import { codeBytesOf, rowBytes, type RowLayout } from '../../scan/layout.js'
import type { LoadedQuantizer, MethodKind, Metric, Quantizer } from '../quantizer.js'
import { loadCentered, meanOf } from './centered.js'
import { checkTables, chosenBits, isWithin, isFlag, isOneOf, isSeed, readParameter, readTable } from './parts.js'
import { byteQuery, scalarTables } from '../../scan/scan.js'

const BITS = [1, 2, 3, 4, 5, 6, 7, 8] as const

/**
 * Steps of the uniform grid that a Gaussian of variance 1 is best rounded to, by bits (J. Max, Quantizing for minimum distortion, 1960): rotated
 * residuals are about Gaussian. One bit has no choice.
 */
const STEPS = [1, 1, 0.9957, 0.586, 0.3352, 0.1881, 0.1041, 0.0569, 0.0308] as const

/** Standard deviations that hold 99.9% of a normal distribution, a little up. */
const EPSILON = 3.3
const MOST_EPSILON = 100

export interface RabitqOptions {
  bits?: number
  /** the best of twelve scales of the grid for each vector, instead of the best of all; default true: up to 4 bits its squared error is .3% greater */
  fast?: boolean
  /** keeps the bound of the error with each code, in 4 bytes; default true */
  bound?: boolean
  /** half the width of the bound, in standard deviations; the paper's is 1.9, which holds in 94% of unrelated pairs; default 3.3: 99.9% */
  epsilon?: number
}

interface Plan {
  dimensions: number
  metric: Metric
  seed: number
  bits: number
  fast: boolean
  bound: boolean
  epsilon: number
  centroid: Float32Array<ArrayBuffer>
}

/**
 * Residuals, rotated, by the nearest direction of a grid of 2^bits steps; inner products and squared distances are estimated without bias, with a bound
 * of the error.
 *
 * Method: RaBitQ (assembly/embeddings/rabitq.ts). Error: an estimate of <q, x> has the standard deviation |q - c| |x - c| sqrt((1 / cos^2 - 1) /
 * (d - 1)), cos being that of the residual and its code.
 */
export const rabitq: MethodKind<RabitqOptions> = {
  method: 'rabitq',
  options: ['fast', 'bound', 'epsilon'],
  bits: BITS,
  fit: (engine, sample, options) => {
    const { dimensions, metric, seed } = sample
    const bits = chosenBits('rabitq', options.bits, BITS, 2)
    const fast = checkBoolean('fitCodec', 'fast', options.fast ?? true)
    const bound = checkBoolean('fitCodec', 'bound', options.bound ?? true)
    const epsilon = checkNumber('fitCodec', 'epsilon', options.epsilon ?? EPSILON, 0, MOST_EPSILON)
    return planned({ dimensions, metric, seed, bits, fast, bound, epsilon, centroid: meanOf(engine, sample) })
  },
  open: (dimensions, metric, parameters, tables) => {
    checkTables('rabitq', tables, ['centre'])
    const flag = (name: string): boolean => readParameter('rabitq', parameters, name, 'true or false', isFlag)
    return planned({
      ...{ dimensions, metric, fast: flag('fast'), bound: flag('bound') },
      seed: readParameter('rabitq', parameters, 'seed', 'a whole number', isSeed),
      bits: readParameter('rabitq', parameters, 'bits', '1 to 8', isOneOf<number>(BITS)),
      epsilon: readParameter('rabitq', parameters, 'epsilon', 'a number from 0 to 100', isWithin(0, MOST_EPSILON)),
      centroid: readTable('rabitq', tables, 'centre', dimensions).data
    })
  }
}

function planned(plan: Plan): Quantizer {
  const { dimensions, metric, seed, bits, fast, bound, epsilon, centroid } = plan
  const layout: RowLayout = {
    ...{ scan: bits <= 4 ? 'tables' : 'bytes', bits, count: dimensions },
    ...{ codeBytes: codeBytesOf(bits, dimensions), factors: bound ? 3 : 2, centroidBytes: 0 },
    ...(bound ? { third: 'error' } : {})
  }
  return {
    ...{ method: 'rabitq', dimensions, metric, layout, centroids: 1 },
    parameters: { seed, bits, fast, bound, epsilon },
    tables: { centre: { data: centroid, shape: [dimensions] } },
    load: (engine) => loadRabitq(engine, layout, plan)
  }
}

function loadRabitq(engine: Engine, layout: RowLayout, plan: Plan): LoadedQuantizer {
  const { memory, kernels } = engine
  const { dimensions: d, metric, seed, bits, fast, bound, epsilon } = plan
  const { codeBytes } = layout
  const stride = rowBytes(layout)
  const l2 = metric === 'l2' ? 1 : 0
  const middle = -(2 ** bits - 1) / 2
  const guess = kernels.sqrtF64(d) / STEPS[bits]!
  const centered = loadCentered(engine, plan.centroid, metric, seed, true)
  const levels = memory.alloc(4 * 16)
  if (bits <= 4) memory.f32(levels, 2 ** bits).forEach((_, code, all) => (all[code] = code + middle))
  return {
    encode: (codes, rows, count) =>
      frame(engine, () => {
        const scratch = memory.alloc(kernels.rabitqWork(d))
        const flags = [l2, bound ? 1 : 0, fast ? 0 : 1] as const
        centered.residuals(rows, count, (z, first, part) => {
          const to = codes + stride * first
          kernels.encodeRabitq(to, z, centered.centroid, part, d, bits, stride, codeBytes, ...flags, guess, scratch)
        })
      }),
    decode: (rows, codes, count) => {
      frame(engine, () => {
        const scratch = memory.alloc(d)
        kernels.decodeUniform(rows, codes, count, d, bits, stride, codeBytes, l2 ? 0.5 : 1, middle, 0, scratch)
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
