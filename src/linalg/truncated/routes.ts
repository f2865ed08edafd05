import { rangeError } from '../../core/errors.js'
import { timesPower } from '../../core/powers.js'
import { isArrayOf } from '../../core/check.js'
import type { Engine } from '../decompositionEngine.js'
import type { Source } from '../../core/tensor.js'
import type { Access } from './access.js'
import { distances, type Triples } from './columns.js'
import { byGram, LEAST_LOST } from './gram.js'
import { byKrylov, OVERSAMPLING } from './krylov.js'
import type { Floats } from '../matrix.js'
import type { OperatorAccess } from './operator.js'
import { MatrixRows, type RowReader, type Passes } from './passes.js'
import { decompose } from '../svd.js'
import { reserveGram, reserveKrylov } from './reserve.js'
import { RowAccess } from './rowAccess.js'
import { leading, type FloatsOf } from './tall.js'
import { lostSquares } from '../spectrum.js'
import { rankFor, type Target } from './target.js'

/** What is asked of a matrix of known shape. */
export interface Request {
  readonly verb: string
  readonly target: Target
  readonly method: 'gram' | 'krylov' | undefined
  readonly seed: number
  readonly type: FloatsOf<Floats>
}

export interface Found {
  readonly triples: Triples
  readonly method: 'gram' | 'krylov' | 'full'
}

/** A matrix that can be read by rows, or as a whole. */
export interface Reader {
  readonly shape: readonly number[]
  readonly rows: RowReader
  whole(): Passes<Source>
}

/**
 * A Gram matrix takes m n^2 multiplications, Krylov 12 m n (rank + 16): the former where n is no more than so many
 * blocks.
 */
const GRAM_BLOCKS = 12
/** As long as no rank is known. */
const FIRST_RANK = 64
/** Krylov's basis has three blocks, and no more columns than the matrix. */
const KRYLOV_BLOCKS = 3
/**
 * Squares to the unit roundoff of f64, with room for sums: below this error, or beyond this energy, a Gram matrix
 * cannot tell ranks apart.
 */
const LEAST_ERROR = 2 ** -22
const MOST_ENERGY = 1 - 2 ** -44
/** Tighter targets than these are met by sums in f64. */
const TIGHT_ERROR = 1e-2
const TIGHT_ENERGY = 1 - 1e-4

/** Whether a target lies below what a Gram matrix resolves. */
export function isBelowFloor({ energy = 0, maxRelativeError = 1 }: Target): boolean {
  return energy > MOST_ENERGY || maxRelativeError < LEAST_ERROR
}

function isTight({ energy = 0, maxRelativeError = 1 }: Target): boolean {
  return energy > TIGHT_ENERGY || maxRelativeError < TIGHT_ERROR
}

/** The greatest rank for which Krylov's blocks fit a matrix of this smaller side; it may be negative. */
function mostKrylov(side: number): number {
  return Math.floor(side / KRYLOV_BLOCKS) - OVERSAMPLING
}

export function inMemory({ memory, kernels }: Engine, source: Source): Reader {
  return {
    shape: source.shape,
    rows: new MatrixRows(memory, kernels, source, false),
    // eslint-disable-next-line require-yield -- it is here
    *whole() {
      return source
    }
  }
}

/** The decomposition of what can be read by rows. */
export function* fromRows(engine: Engine, reader: Reader, request: Request): Passes<Found> {
  const { target, type } = request
  const [m, n] = reader.shape as [number, number]
  if (isBelowFloor(target)) return { triples: yield* byWhole(engine, yield* reader.whole(), target), method: 'full' }

  const wide = isArrayOf(new type(0), Float64Array) || isTight(target)
  const side = Math.min(m, n)
  const blocks = (target.rank ?? FIRST_RANK) + OVERSAMPLING
  if ((request.method ?? (side <= GRAM_BLOCKS * blocks ? 'gram' : 'krylov')) === 'krylov') {
    checkKrylov(request, side)
    const { memory, kernels } = engine
    const most = request.method === undefined ? Math.ceil(side / GRAM_BLOCKS) - OVERSAMPLING - 1 : Infinity
    const access = new RowAccess(memory, kernels, reader.rows, wide)
    let triples = yield* grown(engine, access, request, most)
    if (triples && !wide && triples.lost! * access.squares! < LEAST_LOST * triples.s[0]! * triples.s[0]!) {
      triples = yield* grown(engine, new RowAccess(memory, kernels, reader.rows, true), request, most)
    }
    if (triples) return { triples, method: 'krylov' }
  }

  reserveGram(engine, side, target.rank ?? side)
  // Its columns are the shorter side's: a flat matrix is read by columns.
  const swapped = m < n
  const rows = swapped ? new MatrixRows(engine.memory, engine.kernels, yield* reader.whole(), true) : reader.rows
  const gram = (wide: boolean): Passes<Triples | undefined> =>
    byGram(engine, new RowAccess(engine.memory, engine.kernels, rows, wide), target, swapped)
  const triples = (yield* gram(wide)) ?? (yield* gram(true))!
  return { triples: swapped ? { ...triples, u: triples.v, v: triples.u } : triples, method: 'gram' }
}

/** The decomposition of what is known by its products. */
export function* fromOperator(engine: Engine, access: OperatorAccess, request: Request): Passes<Found> {
  const { target, method } = request
  if (method !== 'gram' && !isBelowFloor(target)) {
    checkKrylov(request, Math.min(access.rows, access.columns))
    const triples = yield* grown(engine, access, request, Infinity)
    if (triples) {
      access.checkNorm(triples.s)
      return { triples, method: 'krylov' }
    }
  }
  // As many products as Krylov's, at most, make the matrix itself.
  const side = Math.min(access.rows, access.columns)
  const source = yield* access.dense(Math.min(side, (target.rank ?? FIRST_RANK) + OVERSAMPLING))
  const found = yield* fromRows(engine, inMemory(engine, source), { ...request, method: 'gram' })
  const { s, exponent } = found.triples
  access.checkNorm(s.map((value) => timesPower(value, exponent - access.exponent)))
  return found
}

/** Whoever asks for Krylov by name is told where it cannot be. */
function checkKrylov({ verb, method, target: { rank } }: Request, side: number): void {
  const least = rank ?? FIRST_RANK
  if (method !== 'krylov' || least <= mostKrylov(side)) return
  const aim = rank !== undefined ? `rank ${rank}` : 'a target of energy or error'
  throw rangeError(
    `${verb}: "method" 'krylov' expected min(m, n) of at least ${KRYLOV_BLOCKS * (least + OVERSAMPLING)} for ${aim}, got ${side}; leave it out`
  )
}

/** Krylov's triples, where its blocks fit; for targets from ever more columns, up to rank `most`. */
function* grown(
  engine: Engine,
  access: Access,
  { target, type, seed }: Request,
  most: number
): Passes<Triples | undefined> {
  const fitting = mostKrylov(Math.min(access.rows, access.columns))
  const swapped = access.rows < access.columns
  const attempt = (rank: number): Passes<Triples | undefined> => {
    reserveKrylov(engine, access, rank + OVERSAMPLING, KRYLOV_BLOCKS)
    return byKrylov(engine, access, rank, target, type, seed, swapped)
  }
  if (target.rank !== undefined) return target.rank <= fitting ? yield* attempt(target.rank) : undefined
  for (let rank = FIRST_RANK; rank <= Math.min(most, fitting); rank *= 2) {
    const triples = yield* attempt(rank)
    if (triples) return triples
  }
  return undefined
}

/** The first triples of the full decomposition. */
function* byWhole(engine: Engine, source: Source, target: Target): Passes<Triples> {
  const { u, s, v } = decompose(source, Float64Array)
  const top = s.data[0]! || 1
  const lost = lostSquares(s.data.map((value) => (value / top) * (value / top)))
  const rank = rankFor(target, lost)
  const { memory, kernels } = engine
  const access = new RowAccess(memory, kernels, new MatrixRows(memory, kernels, source, false), true)
  const [left, right] = [leading(u, rank), leading(v, rank)]
  const back = yield* access.timesTransposed(left)
  const values = s.data.slice(0, rank).map((value) => timesPower(value, -access.exponent))
  const residuals = distances(engine, back, new Float64Array(rank).fill(1), right, values)
  return { u: left, v: right, s: values, residuals, exponent: access.exponent, lost: lost[rank] }
}
