import { rangeError } from '../../core/errors.js'
import { checkInteger } from '../../core/check.js'
import { StepCounter } from '../../core/progress.js'
import { vectorsOf, type VectorsLike } from '../vectors/vectors.js'
import { candidatesFor, LEAST_TRAINED } from './candidates.js'
import type { Choice } from './choice.js'
import { Contest } from './contest.js'
import { Costs } from './costs.js'
import { checkGoal, type ChooseOptions } from './goal.js'
import { checkFinite } from './table.js'
import { Trials } from './trials.js'

/** Queries that are held out; more where the recall is so close to 1 that all of them could find all by chance. */
const QUERIES = 500
const MOST_QUERIES = 5000
/** Expected misses among the queries of a codec that is just short of the target. */
const MISSES = 8
const LEAST_ROWS = 20

/**
 * Finds the cheapest codec that holds a recall, or the one that finds most in so many bytes. Methods, bits, centroids,
 * fewer numbers of each vector, and rescoring are tried on vectors (n, d). Of these 500 are held out as queries, or
 * more where the recall is close to 1.
 *
 * A codec holds a recall where the lower end of its interval does. With `recall`, the fewest bytes of codes and tables
 * win; what cannot be smaller than a codec that holds it is not tried. With bytes, the highest recall of the codes
 * alone wins. Of many vectors a sample of 2^24 numbers is searched. Neighbours are easier to find in it than among all.
 * Codecs that fall short there are dropped, and a winner is measured among all rows before it counts. The codec is the
 * one that was measured; it has not seen the queries.
 *
 * Method: successive halving (K. Jamieson and A. Talwalkar, AISTATS 2016): a quarter of the queries first, all for
 * those that may still win. Of several that are close to the target the one chosen is, on average, lucky: `evaluate`
 * with other queries says by how much.
 *
 * @throws TypeError for none or several of recall, bytesPerVector, totalBytes
 * @throws RangeError where nothing that was tried reaches the target, naming the best
 * @throws RangeError for fewer than 20 vectors, or where they are not finite
 */
export function chooseCodec(vectors: VectorsLike, options: ChooseOptions): Choice {
  const goal = checkGoal(options)
  const all = vectorsOf('chooseCodec', vectors)
  checkFinite(all)
  const [count, dimensions] = all.shape
  if (count < LEAST_ROWS) {
    throw rangeError(`chooseCodec: "vectors" expected at least ${LEAST_ROWS}, got ${count}; with so few, keep float32`)
  }
  const rows = checkInteger('chooseCodec', 'rows', options.rows ?? count, count, 2 ** 40)
  const wanted = Math.max(QUERIES, goal.kind === 'recall' ? Math.ceil(MISSES / Math.max(1e-9, 1 - goal.value)) : 0)
  const queries = Math.min(wanted, MOST_QUERIES, Math.floor(count / 5))
  const possible = candidatesFor(dimensions, count - queries, goal.methods, Infinity)
  if (possible.length === 0) {
    throw rangeError(
      `chooseCodec: "methods" expected one that ${count - queries} vectors of ${dimensions} numbers are enough for, got ` +
        `${goal.methods.join(', ')}, which need ${LEAST_TRAINED}; allow others, such as turbo`
    )
  }
  const most = goal.kind === 'recall' ? Infinity : goal.kind === 'totalBytes' ? goal.value / rows : goal.value
  const candidates = candidatesFor(dimensions, count - queries, goal.methods, most)
  // For a recall the smallest first, for a size the largest: what comes early then rules out most of what follows.
  if (goal.kind !== 'recall') candidates.reverse()
  const larger = possible.filter(({ codeBytes }) => codeBytes > most)

  const steps = new StepCounter(candidates.length + larger.length, options)
  const contest = new Contest(new Costs(goal, rows, dimensions), new Trials(all, { ...goal, queries }))
  for (const candidate of candidates) {
    contest.meet(candidate)
    steps.next()
  }
  // The error says what would be enough.
  for (const candidate of larger) {
    if (contest.lacks(candidate)) contest.meet(candidate)
    steps.next()
  }
  return contest.choice()
}
