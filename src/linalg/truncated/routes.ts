import { isArrayOf } from '../../core/check.js'
import type { Engine } from '../../core/engine.js'
import type { Memory } from '../../core/memory.js'
import type { Source } from '../../core/tensor.js'
import { RowAccess, scaled, type Access } from './access.js'
import { distances, type Triples } from './columns.js'
import { eigenBytes } from './eigen.js'
import { byGram, LEAST_LOST } from './gram.js'
import { byKrylov, OVERSAMPLING } from './krylov.js'
import { padded, type Floats } from '../matrix.js'
import type { OperatorAccess } from './operator.js'
import { BLOCK, MatrixRows, type Rows, type Steps } from './passes.js'
import { decompose } from '../svd.js'
import { leading, type FloatsOf } from './tall.js'
import { leastRank, lostShares, type Target } from './target.js'

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
  readonly rows: Rows
  whole(): Steps<Source>
}

/** A Gram matrix takes m n^2 multiplications, Krylov 12 m n (rank + 16): the former where n is no more than so many blocks. */
const GRAM_BLOCKS = 12
/** As long as no rank is known. */
const FIRST_RANK = 64
/** Krylov's basis has three blocks, and no more columns than the matrix. */
const KRYLOV_BLOCKS = 3
/** Squares to the unit roundoff of f64, with room for sums: below this error, or beyond this energy, a Gram matrix cannot tell ranks apart. */
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
export function* fromRows(engine: Engine, reader: Reader, request: Request): Steps<Found> {
  const { target, type } = request
  const [m, n] = reader.shape as [number, number]
  if (isBelowFloor(target)) return { triples: yield* byWhole(engine, yield* reader.whole(), target), method: 'full' }

  const wide = isArrayOf(new type(0), Float64Array) || isTight(target)
  const side = Math.min(m, n)
  const blocks = (target.rank ?? FIRST_RANK) + OVERSAMPLING
  if ((request.method ?? (side <= GRAM_BLOCKS * blocks ? 'gram' : 'krylov')) === 'krylov') {
    const { memory, kernels } = engine
    const narrow = new RowAccess(memory, kernels, reader.rows, wide)
    let triples = yield* grown(engine, narrow, request)
    if (triples && !wide && triples.lost! * narrow.squares! < LEAST_LOST * triples.s[0]! * triples.s[0]!) {
      triples = yield* grown(engine, new RowAccess(memory, kernels, reader.rows, true), request)
    }
    if (triples) return { triples, method: 'krylov' }
  }

  reserveGram(engine.memory, side, target.rank ?? side)
  // Its columns are the shorter side's: a flat matrix is read by columns.
  const swapped = m < n
  const rows = swapped ? new MatrixRows(engine.memory, engine.kernels, yield* reader.whole(), true) : reader.rows
  const gram = (wide: boolean): Steps<Triples | undefined> =>
    byGram(engine, new RowAccess(engine.memory, engine.kernels, rows, wide), target, swapped)
  const triples = (yield* gram(wide)) ?? (yield* gram(true))!
  return { triples: swapped ? { ...triples, u: triples.v, v: triples.u } : triples, method: 'gram' }
}

/** The decomposition of what is known by its products. */
export function* fromOperator(engine: Engine, access: OperatorAccess, request: Request): Steps<Found> {
  const { target, method } = request
  if (method !== 'gram' && !isBelowFloor(target)) {
    const triples = yield* grown(engine, access, request)
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
  access.checkNorm(s.map((value) => scaled(value, exponent - access.exponent)))
  return found
}

/** Krylov's triples; for targets from ever more columns, as long as a Gram matrix would take longer. */
function* grown(engine: Engine, access: Access, request: Request): Steps<Triples | undefined> {
  const { verb, target, type, seed, method } = request
  const side = Math.min(access.rows, access.columns)
  const most = mostKrylov(side)
  const swapped = access.rows < access.columns
  const attempt = (rank: number): Steps<Triples | undefined> => {
    reserveKrylov(engine.memory, access.rows, access.columns, rank + OVERSAMPLING)
    return byKrylov(engine, access, rank, target, type, seed, swapped)
  }
  const least = target.rank ?? FIRST_RANK
  if (least > most) {
    if (method !== 'krylov') return undefined
    const aim = target.rank !== undefined ? `rank ${target.rank}` : 'a target of energy or error'
    throw new RangeError(
      `${verb}: "method" 'krylov' expected min(m, n) of at least ${KRYLOV_BLOCKS * (least + OVERSAMPLING)} for ${aim}, got ${side}; leave it out`
    )
  }
  if (target.rank !== undefined) return yield* attempt(target.rank)
  for (let rank = FIRST_RANK; rank <= most; rank *= 2) {
    if (method === undefined && side <= GRAM_BLOCKS * (rank + OVERSAMPLING)) return undefined
    const triples = yield* attempt(rank)
    if (triples) return triples
  }
  return undefined
}

/** The first triples of the full decomposition. */
function* byWhole(engine: Engine, source: Source, target: Target): Steps<Triples> {
  const { u, s, v } = decompose(source, Float64Array)
  const top = s.data[0]! || 1
  const lost = lostShares(s.data.map((value) => (value / top) * (value / top)))
  const rank = leastRank(target, lost)!
  const { memory, kernels } = engine
  const access = new RowAccess(memory, kernels, new MatrixRows(memory, kernels, source, false), true)
  const [left, right] = [leading(u, rank), leading(v, rank)]
  const back = yield* access.timesTransposed(left)
  const values = s.data.slice(0, rank).map((value) => scaled(value, -access.exponent))
  const residuals = distances(engine, back, new Float64Array(rank).fill(1), right, values)
  return { u: left, v: right, s: values, residuals, exponent: access.exponent, lost: lost[rank] }
}

/** Throws where memory cannot hold what a Gram matrix's eigenvectors, and readings of the rows, take. */
function reserveGram(memory: Memory, n: number, rank: number): void {
  const ld = padded(n)
  reserve(memory, 8 * ld * ld + eigenBytes(n, rank) + 3 * 8 * BLOCK * ld)
}

/** The same for products with m x n of blocks of `columns`. */
function reserveKrylov(memory: Memory, m: number, n: number, columns: number): void {
  const ld = padded(columns)
  reserve(memory, 2 * 8 * Math.max(m, n) * ld + 3 * 8 * BLOCK * (padded(n) + ld))
}

function reserve(memory: Memory, bytes: number): void {
  const mark = memory.mark()
  memory.alloc(bytes)
  memory.release(mark)
}
