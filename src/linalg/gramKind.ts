import type { TreeParts, NodeKind } from './rowTree.js'

/** What tells Grams apart that cannot be merged. */
export interface GramSettings {
  readonly dimensions: number
  readonly center: boolean
  readonly directions: number | undefined
}

/** A Gram as data. */
export interface GramParts extends GramSettings, TreeParts<unknown> {
  readonly first: number
}

/** X with X^T X = factor factor^T, up to `bound` in the spectral norm. */
export interface Factor {
  /** (dimensions, columns), row-major */
  readonly data: Float64Array<ArrayBuffer>
  readonly columns: number
  /** the sum of all squares of the table */
  readonly squares: number
  /** for sketches */
  readonly bound?: number
}

/** An array of a node in a file. */
export interface NodeArray {
  readonly shape: readonly number[]
  readonly data: Float64Array<ArrayBuffer>
}

/** What a Gram is made of: nodes, and what is read off one. */
export interface GramKind<N> extends NodeKind<N> {
  mean(node: N): Float64Array<ArrayBuffer>
  /** the whole matrix (dimensions, dimensions), where it is kept */
  readonly matrix?: (node: N) => Float64Array<ArrayBuffer>
  factor(node: N): Factor
  /** the arrays of a node, by name */
  arrays(node: N): Record<string, NodeArray>
  /** the node of `count` rows with these arrays; undefined where their shapes or values are none of a node's */
  restore(count: number, arrays: Readonly<Record<string, NodeArray | undefined>>): N | undefined
}
