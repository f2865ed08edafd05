import { frobenius } from './linalg.js'

type Matrix = ArrayLike<number>

/** u v' + residual of u (m, rank), v (n, rank), residual (m, n), row-major; ranks in order. */
export function reconstructOracle(u: Matrix, v: Matrix, rank: number, residual?: Matrix): Float64Array<ArrayBuffer> {
  const m = rank === 0 ? 0 : u.length / rank
  const n = rank === 0 ? 0 : v.length / rank
  const out = new Float64Array(m * n)
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0
      for (let r = 0; r < rank; r++) sum += u[i * rank + r] * v[j * rank + r]
      out[i * n + j] = sum + (residual ? residual[i * n + j] : 0)
    }
  }
  return out
}

/** a x' of a (m, n), x (samples, n). */
export function outputsOracle(a: Matrix, n: number, x: Matrix): Float64Array<ArrayBuffer> {
  const m = a.length / n
  const samples = x.length / n
  const out = new Float64Array(m * samples)
  for (let i = 0; i < m; i++) {
    for (let s = 0; s < samples; s++) {
      for (let j = 0; j < n; j++) out[i * samples + s] += a[i * n + j] * x[s * n + j]
    }
  }
  return out
}

/** |a - b| / |a|, or of what they make of inputs x; 0 where both norms are. Scaled, so that no square overflows or vanishes. */
export function relativeErrorOracle(a: Matrix, b: Matrix, n: number, x?: Matrix): number {
  const top = Array.from(a).reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1
  const difference = Array.from(a, (value, i) => (value - b[i]) / top)
  const whole = Array.from(a, (value) => value / top)
  const error = frobenius(x ? outputsOracle(difference, n, x) : difference)
  return error === 0 ? 0 : error / frobenius(x ? outputsOracle(whole, n, x) : whole)
}

export interface Choice {
  cost: number
  loss: number
}

/** The least sum of losses of one choice an item within the budget, by trying all; Infinity where none is. */
export function allocateOracle(items: readonly (readonly Choice[])[], budget: number): number {
  if (budget < 0) return Infinity
  if (items.length === 0) return 0
  const [first, ...rest] = items
  let least = Infinity
  for (const { cost, loss } of first) least = Math.min(least, loss + allocateOracle(rest, budget - cost))
  return least
}

/** What no allocation can go below: a Lagrangian bound, at the best of its prices, which halving finds since the bound is concave in them. */
export function allocationBoundOracle(items: readonly (readonly Choice[])[], budget: number): number {
  const boundAt = (price: number): { bound: number; cost: number } => {
    let [bound, total] = [-price * budget, 0]
    for (const choices of items) {
      let best = choices[0]
      for (const choice of choices) {
        if (choice.loss + price * choice.cost < best.loss + price * best.cost) best = choice
      }
      bound += best.loss + price * best.cost
      total += best.cost
    }
    return { bound, cost: total }
  }
  let [low, high] = [0, 1]
  while (boundAt(high).cost > budget) high *= 2
  let greatest = boundAt(high).bound
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2
    const { bound, cost } = boundAt(middle)
    greatest = Math.max(greatest, bound)
    if (cost > budget) low = middle
    else high = middle
  }
  return greatest
}
