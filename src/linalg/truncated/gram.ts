import type { Engine } from '../decompositionEngine.js'
import { distances, scaleColumns, signsOf, topsOf, type Triples } from './columns.js'
import { eigenSymmetric } from './eigen.js'
import { padded } from '../matrix.js'
import type { Passes } from './passes.js'
import type { RowAccess, Projection } from './rowAccess.js'
import { addProduct, makeTall, orthonormalise, tolerance, type Tall } from './tall.js'
import { lostSquares } from '../spectrum.js'
import { rankFor, type Target } from './target.js'

/** What sums in f32, of runs of 64 products, leave a Gram matrix wrong by, as a share of its greatest eigenvalue. */
const NOISE_F32 = 2 ** -23
/**
 * The most that an f32 Gram matrix may add to the sum of squares left out, as a share of that sum. Its root may grow by
 * half of it.
 */
const EXCESS = 2 ** -22
/** What is left out has to be so much of the greatest eigenvalue: then it is known to 1e-4. */
export const LEAST_LOST = 2 ** -10
/** Entries of what makes nearly orthonormal columns orthonormal. */
const MILD = 2
/** Below this share of the greatest, an eigenvalue of a Gram matrix is rounding. */
const NOTHING = 2 ** -60

/**
 * Singular triples from the eigenvectors V of A'A: U = A V / sigma, with sigma = |A v|.
 * Returns undefined where f32 sums would show in the result. A has at least as many rows as columns.
 */
export function* byGram(
  engine: Engine,
  access: RowAccess,
  target: Target,
  swapped: boolean
): Passes<Triples | undefined> {
  const { kernels } = engine
  const n = access.columns
  const { v, values, exponent, rank, lost } = yield* eigenvectors(engine, access, target)
  if (!v) return undefined

  // sigma as the Gram matrix has it, where it has one: A v / sigma is then of length 1 but for its rounding.
  const top = values[0]! > 0 ? values[0]! : 1
  const root = kernels.sqrtF64(2 ** (exponent % 2)) * 2 ** Math.trunc(exponent / 2)
  const sigma = values.slice(0, rank).map((value) => root * kernels.sqrtF64(Math.max(value, top * NOTHING)))
  const x = makeTall(Float64Array, n, rank)
  for (let i = 0; i < n * rank; i++) x.data[i] = v.data[i]! / sigma[i % rank]!
  const projection = yield* access.project(x)
  return yield* finish(engine, access, v, sigma, projection, lost[rank]!, swapped)
}

/** The eigenvectors of A'A that `target` asks for; none where noise in f32 sums would turn them. */
function* eigenvectors(engine: Engine, access: RowAccess, target: Target) {
  const { memory } = engine
  const n = access.columns
  const close = memory.open()
  try {
    const gram = memory.alloc(8 * padded(n) ** 2)
    yield* access.gram(gram)
    const { values, exponent, vectors } = eigenSymmetric(engine, gram, n)
    const lost = lostSquares(values)
    const rank = rankFor(target, lost)
    const v = access.wide || resolved(values, rank, lost) ? vectors(rank) : undefined
    return { v, values, exponent, rank, lost }
  } finally {
    close()
  }
}

/**
 * Whether noise in the Gram matrix, turning each vector by noise / value, stays small beside what the rank leaves out.
 */
function resolved(values: Float64Array, rank: number, lost: Float64Array): boolean {
  const total = values.reduce((sum, value) => sum + Math.max(value, 0), 0)
  if (!(lost[rank]! * total >= LEAST_LOST * values[0]!)) return false
  const noise = NOISE_F32 * values[0]!
  let excess = 0
  for (let i = 0; i < rank; i++) excess += (noise * noise) / Math.max(values[i]!, noise)
  return excess <= EXCESS * lost[rank]! * total
}

/** Orthonormal u, singular values and residuals from A v / sigma. */
function* finish(
  engine: Engine,
  access: RowAccess,
  v: Tall,
  sigma: Float64Array,
  { y: u, products, back, tops }: Projection,
  lost: number,
  swapped: boolean
): Passes<Triples> {
  const { kernels } = engine
  const k = v.columns
  const lengths = sigma.map((_, j) => kernels.sqrtF64(products[j * k + j]!))
  let defect = 0
  for (let i = 0; i < k; i++) {
    for (let j = 0; j < i; j++) {
      const share = Math.abs(products[i * k + j]!) / (lengths[i]! * lengths[j]!)
      if (!(share <= defect)) defect = share
    }
  }
  const s = new Float64Array(k)
  // Those that differ by rounding alone may come out of order.
  for (let j = 0; j < k; j++) s[j] = Math.min(sigma[j]! * lengths[j]!, j ? s[j - 1]! : Infinity)

  const sound = defect <= tolerance(u.data) && lengths.every((length) => length > 0)
  const change = sound ? undefined : orthonormalise(engine.memory, kernels, u, [], { seed: 0, stream: 1 })
  // Where lengths were rounding alone, the change makes as much of that of the products.
  const mended = change?.every((entry) => Math.abs(entry) <= MILD) ? change : undefined
  const signs = signsOf(swapped ? topsOf(engine, v) : sound ? tops : topsOf(engine, u))
  const factors = signs.map((sign, j) => (sound ? sign / lengths[j]! : sign))
  scaleColumns(engine, u, factors)
  scaleColumns(engine, v, signs)
  // A'u, from A'A v by what has made u of A v; where columns were replaced, by another reading.
  const image = sound ? back : mended ? transformed(engine, back, mended) : yield* access.timesTransposed(u)
  const residuals = distances(engine, image, sound || mended ? factors : s.map(() => 1), v, s)
  return { u, v, s, residuals, exponent: access.exponent, lost }
}

/** x t, for t: f64[k][k]. */
function transformed({ memory, kernels }: Engine, x: Tall, t: Float64Array): Tall {
  return memory.frame(() => {
    const at = memory.alloc(8 * t.length)
    memory.f64(at, t.length).set(t)
    const product = makeTall(Float64Array, x.rows, x.columns)
    addProduct(memory, kernels, product, x, at, true)
    return product
  })
}
