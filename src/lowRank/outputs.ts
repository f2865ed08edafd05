import { defaultEngine, frame } from '../core/engine.js'
import type { Source } from '../core/tensor.js'
import { isArrayOf } from '../core/check.js'
import { loadF64 } from '../linalg/matrix.js'
import { minusAlong, evenExponent, greatest, load, semidefiniteFactor, type Dense } from './algebra.js'
import type { LowRankTask } from './options.js'

/** What inputs weigh: their Gram matrix XT X is 2^(2 exponent) l lT, so that |E XT| = 2^exponent |E l|. */
export interface Outputs {
  /** (n, rank) */
  readonly l: Dense
  readonly exponent: number
}

/** Undefined where no inputs are known. */
export function readOutputs({ activations, gram }: LowRankTask): Outputs | undefined {
  if (activations) return ofActivations(activations)
  return gram && ofGram(gram)
}

/**
 * Not more samples than columns: they are the factor themselves, and nothing is squared. Otherwise their Gram matrix is added up in runs of
 * 256 samples.
 */
function ofActivations(source: Source): Outputs {
  const [samples, n] = source.shape as [number, number]
  const exponent = evenExponent(greatest(source))
  if (samples <= n) {
    const x = load(source, -exponent)
    return { l: transposed(x), exponent }
  }
  const gram = new Float64Array(n * n)
  frame(defaultEngine(), (memory, kernels) => {
    const sums = memory.alloc(8 * n * n)
    const block = memory.alloc(8 * RUN * n)
    const work = memory.alloc(kernels.multiplyWork(n, 3))
    memory.f64(sums, n * n).fill(0)
    for (let first = 0; first < samples; first += RUN) {
      const count = Math.min(RUN, samples - first)
      loadF64(memory, block, source, first * n, count * n)
      kernels.scaleByPower(block, count * n, -exponent)
      kernels.multiplyF64(sums, n, block, n, 1, block, n, 0, n, n, count, 1, work)
    }
    gram.set(memory.f64(sums, n * n))
  })
  const l = semidefiniteFactor({ data: gram, rows: n, columns: n }, rounding(gram, n, 2 ** -52))
  return { l, exponent }
}

const RUN = 256

function ofGram(source: Source): Outputs {
  const [n] = source.shape as [number]
  const exponent = evenExponent(greatest(source))
  const { data } = load(source, -exponent)
  const unit = isArrayOf(source.data, Float64Array) ? 2 ** -52 : 2 ** -23
  const tolerance = rounding(data, n, unit)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const [below, above] = [data[i * n + j]!, data[j * n + i]!]
      if (Math.abs(below - above) > tolerance) {
        throw new RangeError(
          `${source.name} expected a symmetric matrix, got ${below * 2 ** exponent} at [${i}, ${j}] and ${above * 2 ** exponent} at [${j}, ${i}]`
        )
      }
      data[i * n + j] = data[j * n + i] = (below + above) / 2
    }
  }
  const whole = { data, rows: n, columns: n }
  const l = semidefiniteFactor(whole, tolerance)
  // Of a semidefinite matrix nothing is left where nothing is left on the diagonal.
  if (minusAlong(whole, l, l).data.some((x) => Math.abs(x) > 8 * tolerance)) {
    throw new RangeError(
      `${source.name} expected sums of products XT X, which are positive semidefinite, got a matrix that is not; add up whole rows of X`
    )
  }
  return { l, exponent: exponent / 2 }
}

/** What rounding may have left of a zero on the diagonal of a Gram matrix. */
function rounding(gram: Float64Array, n: number, unit: number): number {
  let top = 0
  for (let i = 0; i < n; i++) top = Math.max(top, gram[i * n + i]!)
  return n * unit * top
}

function transposed({ data, rows, columns }: Dense): Dense {
  const out = new Float64Array(data.length)
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = data[i * columns + j]!
  return { data: out, rows: columns, columns: rows }
}
