import type { Engine } from '../decompositionEngine.js'
import type { Access } from './access.js'
import { distances, scaleColumns, signsOf, topsOf, type Triples } from './columns.js'
import type { Floats } from '../matrix.js'
import { SLAB, type Passes } from './passes.js'
import { decompose } from '../svd.js'
import {
  addProduct,
  eachSlab,
  leading,
  makeTall,
  MOST_ROUNDS,
  orthonormalise,
  type FloatsOf,
  type Fresh,
  type Tall
} from './tall.js'
import { meets, type Target } from './target.js'

/** Columns of the block beyond the rank. */
export const OVERSAMPLING = 16
/** Products with A, and as many with its transpose. */
const KRYLOV_STEPS = 3

/** n x b of 1 and -1, of this seed. */
function signs({ memory, kernels }: Engine, type: FloatsOf<Floats>, rows: number, columns: number, seed: number): Tall {
  const x = makeTall(type, rows, columns)
  return memory.frame(() => {
    const at = memory.alloc(8 * SLAB * columns)
    eachSlab(rows, (start, count) => {
      kernels.randomSigns(at, count * columns, seed, 0, start * columns)
      x.data.set(memory.f64(at, count * columns), start * columns)
    })
    return x
  })
}

/** Matrices side by side. */
function sideBySide(parts: readonly Tall[]): Tall {
  const { rows } = parts[0]!
  const columns = parts.reduce((sum, part) => sum + part.columns, 0)
  const whole = makeTall(Float64Array, rows, columns)
  let offset = 0
  for (const part of parts) {
    const k = part.columns
    for (let i = 0; i < rows; i++) whole.data.set(part.data.subarray(i * k, (i + 1) * k), i * columns + offset)
    offset += k
  }
  return whole
}

/**
 * Block Golub-Kahan-Lanczos from a block of random signs (G. H. Golub, F. T. Luk and M. L. Overton, 1981; C. Musco and
 * C. Musco, 2015). Y spans the first blocks of (A A')^i A X. A is projected on Y by its rows A'Y, which are at hand.
 * `swapped`: the same of A's transpose. Returns undefined where the first `trusted` values do not meet the target; they
 * are the ones that the steps bring close.
 */
export function* byKrylov(
  engine: Engine,
  access: Access,
  trusted: number,
  target: Target,
  type: FloatsOf<Floats>,
  seed: number,
  swapped: boolean
): Passes<Triples | undefined> {
  const { memory, kernels } = engine
  const forth = (x: Tall): Passes<Tall> => (swapped ? access.timesTransposed(x) : access.times(x))
  const back = (y: Tall): Passes<Tall> => (swapped ? access.times(y) : access.timesTransposed(y))
  const columns = trusted + OVERSAMPLING
  const streams = streamsOf(seed, columns)
  const xs: Tall[] = []
  const ys: Tall[] = []
  const zs: Tall[] = []
  let x = signs(engine, type, swapped ? access.rows : access.columns, columns, seed)
  orthonormalise(memory, kernels, x, [], streams())
  for (let step = 0; step < KRYLOV_STEPS; step++) {
    const y = yield* forth(x)
    const image = step === 0 && access.checkAdjoint ? { ...y, data: y.data.slice() } : undefined
    orthonormalise(memory, kernels, y, ys, streams())
    const z = yield* back(y)
    if (image) access.checkAdjoint!(x, image, y, z)
    xs.push(x)
    ys.push(y)
    zs.push(z)
    if (step === KRYLOV_STEPS - 1) break
    x = makeTall(type, z.rows, columns)
    x.data.set(z.data)
    orthonormalise(memory, kernels, x, xs, streams())
  }

  const rows = sideBySide(zs)
  const shape = [rows.rows, rows.columns]
  const projected = decompose({ name: '', data: rows.data, shape, size: rows.data.length }, Float64Array)
  const squares = projected.s.data.map((value) => value * value)
  const rank = target.rank ?? enough(target, squares.subarray(0, trusted), access.squares)
  if (rank === undefined) return undefined
  const s = projected.s.data.slice(0, rank)
  const v = leading(projected.u, rank)
  const u = makeTall(Float64Array, ys[0]!.rows, rank)
  const mixing = leading(projected.v, rank)
  memory.frame(() => {
    const t = memory.alloc(8 * columns * rank)
    ys.forEach((y, i) => {
      memory.f64(t, columns * rank).set(mixing.data.subarray(i * columns * rank, (i + 1) * columns * rank))
      addProduct(memory, kernels, u, y, t, true)
    })
  })
  const image = yield* forth(v)
  const residuals = distances(engine, image, new Float64Array(rank).fill(1), u, s)
  const factors = signsOf(topsOf(engine, swapped ? v : u))
  scaleColumns(engine, u, factors)
  scaleColumns(engine, v, factors)
  const lost = lostBeyond(squares, rank, access.squares)
  const sides = swapped ? { u: v, v: u } : { u, v }
  return { ...sides, s, residuals, exponent: access.exponent, lost }
}

/** Streams of random numbers for each call of orthonormalise; 0 is the start's. */
function streamsOf(seed: number, columns: number): () => Fresh {
  let next = 1
  return () => {
    const stream = next
    next += MOST_ROUNDS * columns
    return { seed, stream }
  }
}

/** Share of `total` that the first `rank` squares leave. */
function lostBeyond(squares: Float64Array, rank: number, total: number | undefined): number | undefined {
  if (total === undefined) return undefined
  const kept = squares.subarray(0, rank).reduce((sum, square) => sum + square, 0)
  return total > 0 ? Math.max(0, total - kept) / total : 0
}

function enough(target: Target, squares: Float64Array, total: number | undefined): number | undefined {
  for (let rank = 1; rank <= squares.length; rank++) {
    if (meets(target, lostBeyond(squares, rank, total)!)) return rank
  }
  return undefined
}
