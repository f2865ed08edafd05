import { MODULES as DECOMPOSITIONS } from '../../linalg/decompositionEngine.js'
import { MODULES as PRODUCTS } from '../../linalg/productEngine.js'
import { partOf, sizeOf, type Source, type TensorLike } from '../../core/tensor.js'
import { TILE } from '../../core/tiles.js'
import { compareTiles, finishComparison, prepareComparison, type Comparison } from '../../linalg/compare.js'
import { gramOfRows, openParts, prepareGram, type Gram, type GramOptions } from '../../linalg/gram.js'
import type { GramParts, GramSettings } from '../../linalg/gramKind.js'
import { BLOCK } from '../../linalg/mergeTree.js'
import { rowsFrom } from '../../linalg/rows.js'
import type { Floats } from '../../linalg/matrix.js'
import { decompose, emptySvd, mergeSvd, prepareSvd, type Svd, type SvdOptions } from '../../linalg/svd.js'
import { CHUNK, cutRows, type Run } from '../chunks.js'
import { once, type Plan, type Steps } from '../plan.js'

interface ComparisonChunk {
  readonly a: Source
  readonly b: Source
}

export function comparePlan(reference: TensorLike, other: TensorLike): Plan<Comparison> {
  const [a, b] = prepareComparison(reference, other)
  const tiles = new Float64Array(3 * Math.ceil(a.size / TILE))
  const runs = cutRows(a.size, 1)
  return {
    verb: 'compare',
    program: 'compareTiles',
    modules: PRODUCTS,
    chunks: runs.map(({ first, count }) => (): ComparisonChunk => {
      return { a: partOf(a, first, count), b: partOf(b, first, count) }
    }),
    take: (chunk, part) => tiles.set(part as Float64Array, (3 * runs[chunk]!.first) / TILE),
    finish: () => finishComparison(a, b, tiles)
  }
}

export function compareTilesProgram({ a, b }: ComparisonChunk): Steps {
  return once(() => compareTiles(a, b))
}

/** Elements of the matrices that make a chunk: a decomposition costs more than its elements. */
const SVD_CHUNK = 16384
/** A matrix of more takes its thread for tens of milliseconds and up. */
const LASTING = 65536

interface SvdChunk {
  readonly source: Source
  readonly wide: boolean
}

/** Each matrix is decomposed by one thread. */
export function svdPlan(matrix: TensorLike, options?: SvdOptions): Plan<Svd> {
  const { source, type } = prepareSvd(matrix, options)
  const [rows, columns] = source.shape.slice(-2) as [number, number]
  const size = rows * columns
  const count = size ? sizeOf(source.shape.slice(0, -2)) : 0
  const step = Math.max(1, Math.floor(SVD_CHUNK / Math.max(1, size)))
  const result = emptySvd<Floats>(source, type)
  const starts = Array.from({ length: Math.ceil(count / step) }, (_, i) => i * step)
  return {
    verb: 'svd',
    program: 'svd',
    modules: DECOMPOSITIONS,
    chunks: starts.map((first) => (): SvdChunk => {
      const many = Math.min(step, count - first)
      const part = partOf(source, first * size, many * size, [many, rows, columns])
      return { source: part, wide: type === Float64Array }
    }),
    take: (chunk, part) => mergeSvd(result, part as Svd, starts[chunk]!),
    finish: () => result,
    exclusive: size > LASTING
  }
}

export function svdProgram({ source, wide }: SvdChunk): Steps {
  return once(() => decompose<Floats>(source, wide ? Float64Array : Float32Array))
}

interface GramChunk {
  readonly source: Source
  readonly settings: GramSettings
  readonly first: number
}

export function gramPlan(rows: TensorLike, options?: GramOptions): Plan<Gram> {
  const { source, settings, first } = prepareGram(rows, options)
  const whole = openParts({ ...settings, first, nodes: [], runs: [] })
  const runs = cutBlocks(source.shape[0]!, settings.dim, first)
  return {
    verb: 'gram',
    program: 'gram',
    // Rows of a sketch are decomposed.
    modules: settings.directions === undefined ? PRODUCTS : DECOMPOSITIONS,
    chunks: runs.map((run) => (): GramChunk => {
      return { source: rowsFrom(source, run.first, run.count), settings, first: first + run.first }
    }),
    take: (_, parts) => whole.unite(parts as GramParts),
    finish: () => whole
  }
}

/** Cuts rows, of which the first has this place in the whole table, where nodes of the tree over its blocks end: each run becomes one. */
function cutBlocks(rows: number, width: number, first: number): Run[] {
  let step = BLOCK
  while (2 * step * width <= CHUNK) step *= 2
  const runs: Run[] = []
  for (let row = 0; row < rows;) {
    const count = Math.min(step - ((first + row) % step), rows - row)
    runs.push({ first: row, count })
    row += count
  }
  return runs
}

export function gramProgram({ source, settings, first }: GramChunk): Steps {
  return once(() => gramOfRows(source, settings, first).parts())
}
