import { rangeError, typeError } from '../core/errors.js'
import { checkOptions, checkPositive, show } from '../core/check.js'
import { defaultEngine } from '../linalg/decompositionEngine.js'
import { channelLayout } from '../core/layout.js'
import type { Source, TensorLike } from '../core/tensor.js'
import { FORMATS, hasZeroPoints } from '../quantize/formats.js'
import { timesPower } from '../core/powers.js'
import { asSource, evenExponent, greatest, load } from './algebra.js'
import { allocate, type Choice } from './allocate.js'
import { readCoding, readFilled, type Coding, type Quantization } from './options.js'
import { numericalRank, singularValues } from './spectrum.js'

export interface LowRankPlanOptions {
  /** what all matrices together may take */
  bytes: number
  /** what the numbers are stored in, factors and matrices; default: f32, 4 bytes each */
  quantize?: Quantization
  /**
   * how much the squared error of each matrix counts, not negative; default 1. 1 / |A|^2 makes relative errors count
   * alike
   */
  weights?: readonly number[] | Readonly<Record<string, number>>
}

/** How one matrix is kept. */
export interface PlannedRank {
  /** of the factors; of a dense matrix min(m, n) */
  rank: number
  /** of both factors, or of the matrix */
  bytes: number
  /** |A - u vT| / |A| by the singular values left out; 0 for a dense matrix */
  relativeError: number
  /** the matrix is kept as it is: factors would take as much */
  dense: boolean
}

export interface LowRankPlan<M> {
  /** as the matrices were given: an array, or a record of the same names */
  matrices: M
  bytes: number
  /** the root of the weighted sum of squared errors by that of squared norms */
  relativeError: number
}

const VERB = 'lowRankPlan'

/**
 * Ranks for many matrices under one budget of bytes, so that the sum of their squared errors is least.
 *
 * Shapes: each (m, n), of any size. Rank r takes r (m + n) numbers and loses the squares of the singular values beyond
 * it. Where that is as much as m n, the matrix is kept dense and loses nothing. Each keeps at least rank 1. Ranks
 * beyond the numerical one, whose singular values are below max(m, n) 2^-52 of the greatest, are not given. Rounding by
 * a format is not in the errors, its bytes are: codes, scales and zero points as `lowRank` with `quantize` returns
 * them.
 * Method: the numbers of ranks with the most squared singular value a byte first, then dynamic programming over what a
 * Lagrangian bound leaves (src/lowRank/allocate.ts).
 * Error: least of all sums to 1e-9 of it; beyond 2048 equal prospects at once, within the squared singular values of
 * one step of one matrix.
 *
 * @throws TypeError for what are no matrices; RangeError for a budget below the least that they can be kept in (which
 * is named)
 * @throws RangeError for weights that are negative or not as many, and for an empty matrix
 * @throws RangeError for NaN or Infinity (the first index is named)
 */
export function lowRankPlan(matrices: readonly TensorLike[], options: LowRankPlanOptions): LowRankPlan<PlannedRank[]>
export function lowRankPlan<K extends string>(
  matrices: Readonly<Record<K, TensorLike>>,
  options: LowRankPlanOptions
): LowRankPlan<Record<K, PlannedRank>>
export function lowRankPlan(
  matrices: Matrices,
  options: LowRankPlanOptions
): LowRankPlan<PlannedRank[] | Record<string, PlannedRank>>
export function lowRankPlan(
  matrices: Matrices,
  options: LowRankPlanOptions
): LowRankPlan<PlannedRank[] | Record<string, PlannedRank>> {
  const { sources, weights, bytes, factors, whole, arrange } = prepareLowRankPlan(matrices, options)
  const spectra = sources.map((source, i) => spectrumOf(source, weights[i]!))
  const scale = spectra.reduce(
    (top, { exponent, share }) => (share > 0 ? Math.max(top, exponent) : top),
    LEAST_EXPONENT
  )
  const items = sources.map(({ shape }, i) => waysOf(shape as [number, number], spectra[i]!, scale, factors, whole))
  const needed = items.reduce((sum, { ways }) => sum + ways[0]!.cost, 0)
  if (bytes < needed) {
    throw rangeError(`${VERB}: "bytes" expected at least ${needed}, which all matrices take at the least, got ${bytes}`)
  }
  const { sqrtF64 } = defaultEngine().kernels
  const root = (lost: number, of: number): number => (of ? sqrtF64(lost / of) : 0)
  const chosen = allocate(
    items.map(({ ways }) => ways),
    bytes
  ).map((k, i) => items[i]!.ways[k]!)
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)
  return {
    matrices: arrange(
      chosen.map(({ rank, cost, lost, dense }, i) => {
        return { rank, bytes: cost, relativeError: root(lost, items[i]!.total), dense }
      })
    ),
    bytes: sum(chosen.map(({ cost }) => cost)),
    relativeError: root(sum(chosen.map(({ loss }) => loss)), sum(items.map(({ counts }) => counts)))
  }
}

type Matrices = readonly TensorLike[] | Readonly<Record<string, TensorLike>>

/** What `lowRankPlan` is asked, read and checked. */
export interface PlanTask {
  readonly sources: readonly Source[]
  readonly weights: readonly number[]
  readonly bytes: number
  readonly factors?: Coding
  readonly whole?: Coding
  /** one for each matrix, as the caller gave them */
  readonly arrange: <T>(results: T[]) => T[] | Record<string, T>
}

export function prepareLowRankPlan(matrices: Matrices, options: LowRankPlanOptions): PlanTask {
  checkOptions(VERB, options, ['bytes', 'quantize', 'weights'])
  const bytes = checkPositive(VERB, 'bytes', options.bytes)
  const { names, values, arrange } = readList(matrices)
  return {
    sources: names.map((name, i) => readFilled(VERB, name, values[i])),
    weights: readWeights(options.weights, Array.isArray(matrices) ? undefined : names, names.length),
    bytes,
    factors: readCoding(VERB, 'quantize', options.quantize, 1),
    whole: readCoding(VERB, 'quantize', options.quantize, 0),
    arrange
  }
}

function readList(matrices: Matrices): Pick<PlanTask, 'arrange'> & { names: string[]; values: readonly unknown[] } {
  if (isOne(matrices)) {
    throw typeError(`${VERB}: "matrices" expected an array or record of matrices, got one; wrap it in [ ]`)
  }
  if (Array.isArray(matrices)) {
    return { names: matrices.map((_, i) => `matrices[${i}]`), values: matrices, arrange: (results) => results }
  }
  if (typeof matrices !== 'object' || matrices === null || ArrayBuffer.isView(matrices)) {
    throw typeError(`${VERB}: "matrices" expected an array or record of matrices, got ${show(matrices)}`)
  }
  const names = Object.keys(matrices)
  return {
    names,
    values: Object.values(matrices),
    arrange: (results) => Object.fromEntries(names.map((name, i) => [name, results[i]!]))
  }
}

/** One matrix: rows of numbers, or data with its shape, which as matrices of those names neither could be. */
function isOne(matrices: unknown): boolean {
  if (Array.isArray(matrices)) return Array.isArray(matrices[0]) && typeof matrices[0][0] === 'number'
  if (typeof matrices !== 'object' || matrices === null || !('data' in matrices)) return false
  const { shape, dims } = matrices as { shape?: unknown; dims?: unknown }
  return [shape, dims].some((lengths) => Array.isArray(lengths) && typeof lengths[0] === 'number')
}

function readWeights(
  weights: LowRankPlanOptions['weights'],
  names: readonly string[] | undefined,
  count: number
): number[] {
  if (weights === undefined) return new Array<number>(count).fill(1)
  if (typeof weights !== 'object' || weights === null || Array.isArray(weights) !== (names === undefined)) {
    const expected = names ? 'a record of numbers, by the names of the matrices' : 'an array of numbers'
    throw typeError(`${VERB}: "weights" expected ${expected}, got ${show(weights)}`)
  }
  if (names) checkOptions(`${VERB}: weights`, weights, names)
  const list = names
    ? names.map((name) => (weights as Readonly<Record<string, number>>)[name])
    : (weights as readonly number[])
  if (list.length !== count) {
    throw rangeError(`${VERB}: "weights" expected ${count} numbers, one for each matrix, got ${list.length}`)
  }
  return Array.from(list, (weight, i) => {
    const name = names ? `weights.${names[i]}` : `weights[${i}]`
    if (typeof weight !== 'number') throw typeError(`${VERB}: "${name}" expected a number, got ${show(weight)}`)
    if (!(weight >= 0 && weight < Infinity)) {
      throw rangeError(`${VERB}: "${name}" expected a finite number, not negative, got ${weight}`)
    }
    return weight
  })
}

interface Way extends Choice {
  readonly rank: number
  readonly dense: boolean
  /**
   * the sum of squares lost, of the matrix in a scale of its own; `loss` is that times the weight, in the scale of all
   */
  readonly lost: number
}

/** A matrix by its singular values, in a scale of its own: a square of them counts share 2^exponent. */
interface Spectrum {
  readonly s: Float64Array
  /** the weight within 1; 0 for a zero matrix */
  readonly share: number
  readonly exponent: number
}

function spectrumOf(source: Source, weight: number): Spectrum {
  const first = evenExponent(greatest(source))
  const s = singularValues(asSource(source.name, load(source, -first)))
  const [own, heavy] = [evenExponent(s[0]!), evenExponent(weight)]
  return {
    s: s.map((value) => timesPower(value, -own)),
    share: s[0]! > 0 ? timesPower(weight, -heavy) : 0,
    exponent: 2 * (first + own) + heavy
  }
}

/** Below that of any matrix that counts. */
const LEAST_EXPONENT = -8192

/**
 * Each rank that is cheaper than the matrix, and the matrix: in ascending cost and descending loss, which is in units
 * of 2^scale.
 */
function waysOf(
  [m, n]: readonly [number, number],
  { s, share, exponent }: Spectrum,
  scale: number,
  factors: Coding | undefined,
  whole: Coding | undefined
): { ways: Way[]; total: number; counts: number } {
  const squares = s.map((value) => value * value)
  const count = Math.max(1, s[0]! > 0 ? numericalRank(s, Math.max(m, n)) : 0)
  const lost = new Float64Array(count + 1)
  for (let r = count - 1; r >= 0; r--) lost[r] = lost[r + 1]! + squares[r]!
  const counted = (loss: number): number => timesPower(share * loss, exponent - scale)
  const costs = Array.from({ length: count }, (_, i) => bytesOf([m, i + 1], factors) + bytesOf([n, i + 1], factors))
  const full = bytesOf([m, n], whole)
  const ways: Way[] = []
  costs.forEach((cost, i) => {
    const loss = counted(lost[i + 1]!)
    if (cost < full && (i === 0 || loss < ways.at(-1)!.loss)) {
      ways.push({ cost, loss, lost: lost[i + 1]!, rank: i + 1, dense: false })
    }
  })
  if (ways.length === 0 || ways.at(-1)!.loss > 0) {
    ways.push({ cost: full, loss: 0, lost: 0, rank: Math.min(m, n), dense: true })
  }
  return { ways, total: lost[0]!, counts: counted(lost[0]!) }
}

/** What a tensor takes, with its scales and zero points. */
function bytesOf(shape: readonly [number, number], coding: Coding | undefined): number {
  const size = shape[0] * shape[1]
  if (!coding) return 4 * size
  const { format, axis, group, symmetric } = coding
  const entry = FORMATS[format]
  const bytes = entry.bytesOf(size)
  if (entry.kind === 'half') return bytes
  const { sets } = channelLayout(VERB, shape, axis, group)
  return bytes + sets * (hasZeroPoints(entry, symmetric === true) ? 5 : 4)
}
