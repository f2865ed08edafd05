/** Rows of a leaf, which begins at a multiple of them in the whole table. */
export const LEAF = 1024

/** A node of the tree: what is known of leaves [index 2^level, (index + 1) 2^level). */
export interface Placed<N> {
  readonly level: number
  readonly index: number
  readonly node: N
}

/** The first row of a node, and how many it stands for. */
export function rowsOf({ level, index }: { readonly level: number; readonly index: number }): [number, number] {
  const count = LEAF * 2 ** level
  return [index * count, count]
}

/**
 * A binary tree over the leaves of a table. It keeps the greatest nodes that are complete: siblings merge as soon as
 * both are there, left with right. So it depends on the leaves alone, not on their order, their number at a time, or
 * who counted them. Of n leaves in a row it keeps at most 2 log2 n nodes, log2 n from the first row on. Nodes are never
 * changed, so that trees can share them.
 */
export class MergeTree<N> {
  constructor(
    private readonly merge: (left: N, right: N) => N,
    /** nodes by level and index */
    private readonly levels: readonly ReadonlyMap<number, N>[] = []
  ) {}

  /** The tree with one node more, which must overlap none. */
  with(node: Placed<N>): MergeTree<N> {
    const levels = this.levels.map((nodes) => new Map(nodes))
    let { level, index, node: merged } = node
    for (;;) {
      while (levels.length <= level) levels.push(new Map())
      const isRight = index % 2 === 1
      const sibling = levels[level]!.get(isRight ? index - 1 : index + 1)
      if (sibling === undefined) break
      levels[level]!.delete(isRight ? index - 1 : index + 1)
      merged = isRight ? this.merge(sibling, merged) : this.merge(merged, sibling)
      index = Math.floor(index / 2)
      level++
    }
    levels[level]!.set(index, merged)
    return new MergeTree(this.merge, levels)
  }

  /** All nodes, in the order of their rows. */
  nodes(): Placed<N>[] {
    return this.levels
      .flatMap((nodes, level) => [...nodes].map(([index, node]) => ({ level, index, node })))
      .sort((a, b) => rowsOf(a)[0] - rowsOf(b)[0])
  }
}
