import { partOf, type Source, type TensorLike } from '../../core/tensor.js'
import { TILE } from '../../core/tiles.js'
import { compareTiles, finishComparison, prepareComparison, type Comparison } from '../../linalg/compare.js'
import { cutRows } from '../chunks.js'
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
