/** A way to keep one item. */
export interface Choice {
  readonly cost: number
  readonly loss: number
}

/**
 * For each item one of its choices: costs within the budget, the least sum of losses (the multiple-choice knapsack
 * problem). The choices of an item come in ascending cost and strictly descending loss. At least the first of all must
 * be within the budget.
 *
 * Method: steps of the lower convex hulls by loss per cost, greatest first, as far as they fit (M. E. Dyer, 1984; E.
 * Zemel, 1984); the price of the first that does not is the multiplier of a Lagrangian bound. Then dynamic programming
 * over the items (P. Sinha and A. Zoltners, 1979), which leaves out what that bound rules out. Exact, unless more than
 * MOST states are left; then within the loss of that one step.
 */
export function allocate(items: readonly (readonly Choice[])[], budget: number): number[] {
  const { chosen, price } = greedy(items, budget)
  return price === undefined ? chosen : improve(items, budget, chosen, price)
}

/** States of the dynamic program; beyond, those that the bound likes least are left out. */
const MOST = 1 << 11

interface Step {
  readonly item: number
  readonly to: number
  readonly cost: number
  /** loss that a unit of cost takes off */
  readonly price: number
}

function greedy(items: readonly (readonly Choice[])[], budget: number): { chosen: number[]; price?: number } {
  const steps = items.flatMap(hullSteps)
  steps.sort((a, b) => b.price - a.price || a.item - b.item || a.to - b.to)
  const chosen = items.map(() => 0)
  let rest = budget - items.reduce((sum, choices) => sum + choices[0]!.cost, 0)
  let price: number | undefined
  const stuck = new Set<number>()
  for (const step of steps) {
    if (stuck.has(step.item)) continue
    if (step.cost <= rest) {
      chosen[step.item] = step.to
      rest -= step.cost
    } else {
      price ??= step.price
      stuck.add(step.item)
    }
  }
  return { chosen, price }
}

/** From each corner of the lower convex hull of (cost, loss) to the next: prices fall along it. */
function hullSteps(choices: readonly Choice[], item: number): Step[] {
  const step = (from: number, to: number): Step => {
    const cost = choices[to]!.cost - choices[from]!.cost
    return { item, to, cost, price: (choices[from]!.loss - choices[to]!.loss) / cost }
  }
  const corners: number[] = []
  choices.forEach((_, to) => {
    while (corners.length > 1) {
      const [before, last] = [corners.at(-2)!, corners.at(-1)!]
      if (step(before, last).price > step(last, to).price) break
      corners.pop()
    }
    corners.push(to)
  })
  return corners.slice(1).map((to, i) => step(corners[i]!, to))
}

/** Choices of the items so far: their sums, and how far they are from the bound. */
interface State {
  readonly cost: number
  readonly loss: number
  readonly penalty: number
  readonly choice: number
  readonly before?: State
}

function improve(
  items: readonly (readonly Choice[])[],
  budget: number,
  chosen: readonly number[],
  price: number
): number[] {
  // loss + price cost of a choice above the least that the item can do; no solution with penalties beyond the gap can
  // be better.
  const penalties = items.map((choices) => {
    const priced = choices.map(({ cost, loss }) => loss + price * cost)
    const least = priced.reduce((a, b) => Math.min(a, b))
    return priced.map((value) => value - least)
  })
  const total = (of: (choice: Choice, item: number) => number): number =>
    chosen.reduce((sum, k, item) => sum + of(items[item]![k]!, item), 0)
  const loss = total((choice) => choice.loss)
  const cost = total((choice) => choice.cost)
  const gap = chosen.reduce((sum, k, item) => sum + penalties[item]![k]!, 0) + price * (budget - cost)
  const limit = gap * (1 + 2 ** -30)
  if (gap <= loss * 2 ** -30) return [...chosen]
  const likely = penalties.map((all) => all.flatMap((penalty, k) => (penalty <= limit ? [k] : [])))
  // What the items to come cost at least.
  const ahead = new Float64Array(items.length + 1)
  for (let i = items.length - 1; i >= 0; i--) ahead[i] = ahead[i + 1]! + items[i]![0]!.cost

  let states: State[] = [{ cost: 0, loss: 0, penalty: 0, choice: 0 }]
  items.forEach((choices, item) => {
    const next: State[] = []
    for (const before of states) {
      for (const choice of likely[item]!) {
        const penalty = before.penalty + penalties[item]![choice]!
        const cost = before.cost + choices[choice]!.cost
        if (penalty > limit || cost + ahead[item + 1]! > budget) continue
        next.push({ cost, loss: before.loss + choices[choice]!.loss, penalty, choice, before })
      }
    }
    states = undominated(next)
  })
  const best = states.reduce<State | undefined>((a, b) => (a && a.loss <= b.loss ? a : b), undefined)
  if (!best || best.loss > loss || (best.loss === loss && best.cost >= cost)) return [...chosen]
  const choices: number[] = []
  for (let state = best; state.before; state = state.before) choices.unshift(state.choice)
  return choices
}

/** Those that no other state beats in both cost and loss, in ascending cost. */
function undominated(states: State[]): State[] {
  states.sort((a, b) => a.cost - b.cost || a.loss - b.loss)
  let least = Infinity
  const kept = states.filter(({ loss }) => {
    if (loss >= least) return false
    least = loss
    return true
  })
  if (kept.length <= MOST) return kept
  const order = kept.map(({ penalty }) => penalty).sort((a, b) => a - b)
  return kept.filter(({ penalty }) => penalty < order[MOST]!)
}
