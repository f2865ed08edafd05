import type { Source } from '../core/tensor.js'
import { LEAF, MergeTree, rowsOf, type Placed } from './mergeTree.js'
import { copyRun, keepRows, rowsFrom, sourceOf, withRun, type RowRun } from './rows.js'

/** Knowledge of rows: how a leaf makes it, and how that of two neighbours becomes one. */
export interface NodeKind<N> {
  /** of (rows, dimensions), up to LEAF rows */
  leaf(rows: Source): N
  /** with `overwrite`, left's arrays may become those of the result */
  merge(left: N, right: N, overwrite?: boolean): N
}

/** Rows [first, end) of the whole table. */
export interface RowRange {
  readonly first: number
  readonly end: number
}

/** A tree as data: complete nodes, and the rows of leaves that lack others. */
export interface TreeParts<N> {
  readonly nodes: readonly Placed<N>[]
  readonly runs: readonly RowRun[]
}

/**
 * Rows of a table, as a tree over its leaves. Rows wait as they are until their leaf is complete, so that a tree
 * depends on the rows and their places alone. A tree is never changed. Adding makes a new tree, which uses up the room
 * in the arrays of the old one.
 */
export class RowTree<N> {
  constructor(
    private readonly kind: NodeKind<N>,
    private readonly dimensions: number,
    private readonly tree = new MergeTree<N>((left, right) => kind.merge(left, right)),
    /** runs of incomplete leaves by their number */
    private readonly loose: ReadonlyMap<number, readonly RowRun[]> = new Map()
  ) {}

  /** With the rows of a source, of which the first has this place in the table; none of them may be here. */
  withRows(source: Source, first: number): RowTree<N> {
    const rows = source.shape[0]!
    const starts: number[] = []
    for (let row = 0; row < rows; row += LEAF - ((first + row) % LEAF)) starts.push(row)
    const runs: RowRun[] = []
    // What is made here nobody else has seen.
    let own = new MergeTree<N>((left, right) => this.kind.merge(left, right, true))
    starts.forEach((row, i) => {
      const part = rowsFrom(source, row, (starts[i + 1] ?? rows) - row)
      const place = first + row
      if (part.shape[0] < LEAF) runs.push(keepRows(part, place))
      else own = own.with({ level: 0, index: place / LEAF, node: this.kind.leaf(part) })
    })
    return this.withParts({ nodes: own.nodes(), runs })
  }

  /** With what others hold; none of it may be here. */
  withParts({ nodes, runs }: TreeParts<N>): RowTree<N> {
    const withNodes = nodes.reduce<RowTree<N>>((tree, node) => tree.withNode(node), this)
    return runs.reduce<RowTree<N>>((tree, run) => tree.withRun(run), withNodes)
  }

  /** What is held; rows in arrays of their own. */
  parts(): TreeParts<N> {
    return { nodes: this.tree.nodes(), runs: this.runs().map((run) => copyRun(run, this.dimensions)) }
  }

  /** Rows that are here, in order; ranges do not touch. */
  ranges(): RowRange[] {
    return rangesOf({ nodes: this.tree.nodes(), runs: this.runs() })
  }

  /** All that is held as one node, in the order of the rows; undefined where there is nothing. */
  fold(): N | undefined {
    const pieces = [
      ...this.tree.nodes().map((placed) => ({ first: rowsOf(placed)[0], node: () => placed.node })),
      ...this.runs().map((run) => ({ first: run.first, node: () => this.kind.leaf(sourceOf(run, this.dimensions)) }))
    ].sort((a, b) => a.first - b.first)
    let whole: N | undefined
    pieces.forEach(({ node }, i) => {
      whole = i === 0 ? node() : this.kind.merge(whole!, node(), i > 1)
    })
    return whole
  }

  private withNode(node: Placed<N>): RowTree<N> {
    return new RowTree(this.kind, this.dimensions, this.tree.with(node), this.loose)
  }

  private withRun(run: RowRun): RowTree<N> {
    const leaf = Math.floor(run.first / LEAF)
    const runs = withRun(this.loose.get(leaf) ?? [], run, this.dimensions)
    const loose = new Map(this.loose)
    if (runs[0]!.count < LEAF) {
      loose.set(leaf, runs)
      return new RowTree(this.kind, this.dimensions, this.tree, loose)
    }
    loose.delete(leaf)
    const node = this.kind.leaf(sourceOf(runs[0]!, this.dimensions))
    return new RowTree(this.kind, this.dimensions, this.tree.with({ level: 0, index: leaf, node }), loose)
  }

  private runs(): RowRun[] {
    return [...this.loose.values()].flat().sort((a, b) => a.first - b.first)
  }
}

function rangeOf(part: RowRun | { readonly level: number; readonly index: number }): RowRange {
  const [first, count] = 'level' in part ? rowsOf(part) : [part.first, part.count]
  return { first, end: first + count }
}

/**
 * The rows that parts hold; ranges that touch become one. Where parts overlap, a range begins before the end of the
 * last.
 */
export function rangesOf({ nodes, runs }: TreeParts<unknown>): RowRange[] {
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
