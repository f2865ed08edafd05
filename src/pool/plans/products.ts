import { MODULES as DECOMPOSITIONS } from '../../linalg/decompositionEngine.js'
import { MODULES as PRODUCTS } from '../../linalg/productEngine.js'
import { partOf, type Source, type TensorLike } from '../../core/tensor.js'
import { TILE } from '../../core/tiles.js'
import { compareTiles, finishComparison, prepareComparison, type Comparison } from '../../linalg/compare.js'
import { gramOfRows, openParts, prepareGram, type Gram, type GramOptions } from '../../linalg/gram.js'
import type { GramParts, GramSettings } from '../../linalg/gramKind.js'
import { LEAF } from '../../linalg/mergeTree.js'
import { rowsFrom } from '../../linalg/rows.js'
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

interface GramChunk {
  readonly source: Source
  readonly settings: GramSettings
  readonly first: number
}

export function gramPlan(rows: TensorLike, options?: GramOptions): Plan<Gram> {
  const { source, settings, first } = prepareGram(rows, options)
  const whole = openParts({ ...settings, first, nodes: [], runs: [] })
  const runs = cutLeaves(source.shape[0]!, settings.dimensions, first)
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

/**
 * Cuts rows where nodes of the tree over the table's blocks end, so that each run becomes one node. `first` is the
 * place of the first row in the whole table.
 */
function cutLeaves(rows: number, width: number, first: number): Run[] {
  let step = LEAF
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
