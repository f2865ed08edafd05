import type { Source } from '../core/tensor.js'
import { BLOCK, MergeTree, rowsOf, type Placed } from './mergeTree.js'
import { copyRun, keepRows, rowsFrom, sourceOf, withRun, type RowRun } from './rows.js'

/** What is known of rows: how it comes from a block, and how that of two neighbours becomes one. */
export interface NodeKind<N> {
  /** of (rows, dim), up to a block of rows */
  leaf(rows: Source): N
  /** with `overwrite`, left's arrays may become those of the result */
  merge(left: N, right: N, overwrite?: boolean): N
}

/** Rows [first, end) of the whole table. */
export interface RowRange {
  readonly first: number
  readonly end: number
}

/** What blocks hold, as data: complete nodes, and the rows of blocks that lack others. */
export interface BlockParts<N> {
  readonly nodes: readonly Placed<N>[]
  readonly runs: readonly RowRun[]
}

/**
 * Rows of a table, as a tree over its blocks; rows wait as they are until their block is complete. What is held depends on the rows and their places
 * alone. Never changed: what is added makes new blocks, which use up the room in the arrays of the old ones.
 */
export class Blocks<N> {
  constructor(
    private readonly kind: NodeKind<N>,
    private readonly dim: number,
    private readonly tree = new MergeTree<N>((left, right) => kind.merge(left, right)),
    /** runs of incomplete blocks by their number */
    private readonly loose: ReadonlyMap<number, readonly RowRun[]> = new Map()
  ) {}

  /** With the rows of a source, of which the first has this place in the table; none of them may be here. */
  withRows(source: Source, first: number): Blocks<N> {
    const rows = source.shape[0]!
    const starts: number[] = []
    for (let row = 0; row < rows; row += BLOCK - ((first + row) % BLOCK)) starts.push(row)
    const runs: RowRun[] = []
    // What is made here nobody else has seen.
    let own = new MergeTree<N>((left, right) => this.kind.merge(left, right, true))
    starts.forEach((row, i) => {
      const part = rowsFrom(source, row, (starts[i + 1] ?? rows) - row)
      const place = first + row
      if (part.shape[0] < BLOCK) runs.push(keepRows(part, place))
      else own = own.with({ level: 0, index: place / BLOCK, node: this.kind.leaf(part) })
    })
    return this.withParts({ nodes: own.nodes(), runs })
  }

  /** With what others hold; none of it may be here. */
  withParts({ nodes, runs }: BlockParts<N>): Blocks<N> {
    const withNodes = nodes.reduce<Blocks<N>>((blocks, node) => blocks.withNode(node), this)
    return runs.reduce<Blocks<N>>((blocks, run) => blocks.withRun(run), withNodes)
  }

  /** What is held; rows in arrays of their own. */
  parts(): BlockParts<N> {
    return { nodes: this.tree.nodes(), runs: this.runs().map((run) => copyRun(run, this.dim)) }
  }

  /** Rows that are here, in order; ranges do not touch. */
  ranges(): RowRange[] {
    return rangesOf({ nodes: this.tree.nodes(), runs: this.runs() })
  }

  /** All that is held as one node, in the order of the rows; undefined where there is nothing. */
  fold(): N | undefined {
    const pieces = [
      ...this.tree.nodes().map((placed) => ({ first: rowsOf(placed)[0], node: () => placed.node })),
      ...this.runs().map((run) => ({ first: run.first, node: () => this.kind.leaf(sourceOf(run, this.dim)) }))
    ].sort((a, b) => a.first - b.first)
    let whole: N | undefined
    pieces.forEach(({ node }, i) => {
      whole = i === 0 ? node() : this.kind.merge(whole!, node(), i > 1)
    })
    return whole
  }

  private withNode(node: Placed<N>): Blocks<N> {
    return new Blocks(this.kind, this.dim, this.tree.with(node), this.loose)
  }

  private withRun(run: RowRun): Blocks<N> {
    const block = Math.floor(run.first / BLOCK)
    const runs = withRun(this.loose.get(block) ?? [], run, this.dim)
    const loose = new Map(this.loose)
    if (runs[0]!.count < BLOCK) {
      loose.set(block, runs)
      return new Blocks(this.kind, this.dim, this.tree, loose)
    }
    loose.delete(block)
    const node = this.kind.leaf(sourceOf(runs[0]!, this.dim))
    return new Blocks(this.kind, this.dim, this.tree.with({ level: 0, index: block, node }), loose)
  }

  private runs(): RowRun[] {
    return [...this.loose.values()].flat().sort((a, b) => a.first - b.first)
  }
}

function rangeOf(part: RowRun | { readonly level: number; readonly index: number }): RowRange {
  const [first, count] = 'level' in part ? rowsOf(part) : [part.first, part.count]
  return { first, end: first + count }
}

/** The rows that parts hold; ranges that touch become one. Where parts overlap, a range begins before the end of the last. */
export function rangesOf({ nodes, runs }: BlockParts<unknown>): RowRange[] {
  const all: RowRange[] = []
  for (const range of [...nodes.map(rangeOf), ...runs.map(rangeOf)].sort((a, b) => a.first - b.first)) {
    const last = all.at(-1)
    if (last?.end === range.first) all.splice(-1, 1, { first: last.first, end: range.end })
    else all.push(range)
  }
  return all
}

/** The first rows that are in both, of ranges in order. */
export function overlapOf(a: readonly RowRange[], b: readonly RowRange[]): RowRange | undefined {
  const all = [...a, ...b].sort((p, q) => p.first - q.first)
  for (let i = 1; i < all.length; i++) {
    const [before, range] = [all[i - 1]!, all[i]!]
    if (range.first < before.end) return { first: range.first, end: Math.min(before.end, range.end) }
  }
  return undefined
}
