import { rangeError } from '../core/errors.js'
import { timesPower } from '../core/powers.js'
import type { Kernels } from './decompositionEngine.js'
import type { Memory } from '../core/memory.js'
import { nonFiniteF64Error, type Source } from '../core/tensor.js'
import { loadF64, NOT_FINITE } from './matrix.js'
import { type RowWeights, type Samples } from './samples.js'

/**
 * Beside a penalty that many powers of two above the squares of x, the Gram matrix is nothing. Weights are then xT y /
 * lambda, and the rest of the powers comes off at the end.
 */
const PENALTY = 200

/** lambda as x and the weights are scaled, and the powers of two that are left out of it. */
export function scalePenalty(
  memory: Memory,
  kernels: Kernels,
  lambda: number,
  x: Samples,
  weightsExponent: number
): { lambda: number; root: number; left: number } {
  if (lambda === 0) return { lambda, root: 0, left: 0 }
  const exponent = -2 * x.exponent - weightsExponent
  const own = memory.frame(() => {
    const cell = memory.alloc(8)
    memory.f64(cell, 1)[0] = lambda
    return kernels.unitExponent(cell, 1)
  })
  const beyond = own + exponent - 2 * x.peak - PENALTY
  const left = beyond > 0 ? 2 * Math.ceil(beyond / 2) : 0
  return {
    lambda: timesPower(lambda, exponent - left),
    root: timesPower(kernels.sqrtF64(lambda), (exponent - left) / 2),
    left
  }
}

/** Weights times 2^-exponent, which is even, so that the greatest is in [.25, 1). */
export function loadWeights(
  memory: Memory,
  kernels: Kernels,
  source: Source
): RowWeights & { total: number; exponent: number } {
  const weights = memory.alloc(8 * source.size)
  const roots = memory.alloc(8 * source.size)
  loadF64(memory, weights, source, 0, source.size)
  const top = kernels.unitExponent(weights, source.size)
  if (top === NOT_FINITE) throw nonFiniteF64Error(source)
  const exponent = 2 * Math.ceil(top / 2)
  const view = memory.f64(weights, source.size)
  const negative = view.findIndex((weight) => weight < 0)
  if (negative >= 0) {
    throw rangeError(
      `${source.name} expected numbers that are not negative, got ${view[negative]} at index ${negative}`
    )
  }
  // Of the weights as they came, which may be the better numbers.
  memory.f64(roots, source.size).set(view.map((weight) => kernels.sqrtF64(weight)))
  kernels.scaleByPower(roots, source.size, -exponent / 2)
  kernels.scaleByPower(weights, source.size, -exponent)
  const total = view.reduce((sum, weight) => sum + weight, 0)
  if (total === 0) throw rangeError(`${source.name} expected a sum above 0, got 0; leave them out or set some`)
  return { weights, roots, total, exponent }
}
