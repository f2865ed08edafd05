import { rangeError, typeError } from '../core/errors.js'
import { checkBoolean, checkInteger, checkOptions, show } from '../core/check.js'
import { readTensor, type Source, type Tensor, type TensorLike } from '../core/tensor.js'
import { RowTree, overlapOf, type TreeParts, type RowRange } from './rowTree.js'
import { openInput, saveFile, type FileInput } from '../files/openInput.js'
import { joinPieces } from '../files/pieces.js'
import type { BlobLike } from '../files/source.js'
import { decodeGram, gramPieces } from './gramFile.js'
import type { GramKind, GramParts, GramSettings } from './gramKind.js'
import { readMatrix } from './matrix.js'
import { momentsKind } from './moments.js'
import { checkPca, principal, type Pca, type PcaOptions } from './pca.js'
import { checkRows } from './rows.js'
import { sketchKind } from './sketch.js'

export interface GramOptions {
  /** moments about the mean of the rows; default false: about zero */
  center?: boolean
  /** where this part's first row stands in the whole table; default 0 */
  first?: number
  /**
   * a sketch of so many rows in place of the whole matrix, 1 .. dimensions; default: none up to 4096 dimensions, 256
   * beyond
   */
  directions?: number
}

/**
 * Second moments of the rows of a table, or of a part of one. Parts merge to those of the whole, with the same bytes
 * however the table was cut.
 */
export interface Gram {
  readonly dimensions: number
  readonly center: boolean
  /** rows that are here */
  readonly count: number
  /** where the first of them stands in the whole table */
  readonly first: number
  /** rows of the sketch; undefined where the whole matrix is kept */
  readonly directions: number | undefined
  /**
   * Adds rows (r, dimensions), or one (dimensions), behind the last that is here.
   *
   * @throws RangeError for rows of another width, NaN, Infinity, or f64 of 2^480 and beyond (row of the whole table and
   * column are named); nothing is added then
   */
  add(rows: TensorLike): this
  /**
   * Takes in what another part holds, which stays as it is.
   *
   * @throws TypeError for what is no Gram; RangeError for one of other dimensions, centring or directions, and where
   * both have a row
   */
  merge(other: Gram): this
  /**
   * X^T X (dimensions, dimensions) of the rows X, less their mean with `center`.
   *
   * @throws RangeError where there are no rows, where rows between them are missing (they are named), and for a sketch
   */
  matrix(): Tensor<Float64Array<ArrayBuffer>>
  /**
   * The mean of the rows (dimensions). Throws RangeError where there are no rows, or where rows between them are
   * missing.
   */
  mean(): Tensor<Float64Array<ArrayBuffer>>
  /**
   * Principal components: by rank or by share of the sum of squares.
   *
   * Method: Cholesky's factor of the matrix with pivots, then `svd` of it; of a sketch, `svd` of its rows.
   * Error: s to s_1^2 / s 2^-52 dimensions at worst, and to each column's own scale; with the sketch's `bound`,
   * docs/numerics.md. What comes of numbers below about 1e-154, whose squares vanish, may be 0; a result beyond its
   * type is Infinity, as `svd` has it.
   *
   * @throws TypeError where not exactly one of rank and energy is given; RangeError for a rank outside 1 .. dimensions
   * (of a sketch: directions), an energy that a sketch has not kept, and as `matrix`
   */
  pca(options: PcaOptions): Pca
  /** All of it as the bytes of a safetensors file (docs/formats.md), for `openGram`. */
  toBytes(): Uint8Array<ArrayBuffer>
  /**
   * Writes these bytes to a file (Node, Deno, Bun), whole or not at all.
   *
   * @throws TypeError for a path that is no string
   * @throws the runtime's own error where it cannot be written
   */
  save(path: string): void
}

/** Beyond it, the whole matrix would take 64 MiB for each node. */
const MOST_EXACT = 4096
const DIRECTIONS = 256

/**
 * Second moments of a table, row by row, in parts, or both: X^T X, its mean, its principal components.
 *
 * Shapes: rows (r, dimensions); up to 4096 dimensions the whole matrix is kept, beyond, or with `directions`, a sketch.
 * Defaults: not centred, from row 0 on.
 * Method: moments of leaves of 1024 rows, by their index in the whole table, are merged in a binary tree. The bytes do
 * not depend on how rows come in, which part they are in, or the order of merges. Rows of a block that is not complete
 * wait as they are. With `center`, T. F. Chan, G. H. Golub and R. J. LeVeque, The American Statistician 37, 1983;
 * sketches by Frequent Directions (E. Liberty, KDD 2013; M. Ghashami et al., arXiv 1501.01711). Memory: 4 dimensions
 * (dimensions + 1) bytes (a sketch: 8 dimensions directions) for each of at most log2(n / 1024) nodes. A part from the
 * middle of a table takes twice as many nodes, and up to 1024 rows at either end.
 * Error: products of f32 are exact, sums in f64: (270 + 4 log2(n / 1024)) 2^-53 of the sum of magnitudes. Squares below
 * the normal numbers of f64, of numbers below about 1e-154, lose digits, and vanish below 1e-162: rescale such data. A
 * sketch is at most `bound` below, in any direction.
 *
 * @throws TypeError for an unknown option; RangeError for a dimension that is no whole number above 0, a first row that
 * is none, directions outside 1 .. dimensions
 */
export function createGram(dimensions: number, options: GramOptions = {}): Gram {
  const { first, ...settings } = checkSettings('createGram', dimensions, options)
  return new TreeGram(settings, first)
}

/**
 * The Gram of a table, `createGram(dimensions, options).add(rows)`.
 *
 * Shapes, options, method and error: as `createGram`; rows (r, dimensions).
 *
 * @throws TypeError and RangeError as `createGram` and its `add`; RangeError for rows that are no (r, dimensions)
 */
export function gram(rows: TensorLike, options: GramOptions = {}): Gram {
  const { source, settings, first } = prepareGram(rows, options)
  return gramOfRows(source, settings, first)
}

/**
 * Opens what `toBytes` or `save` gave: the same Gram, to go on with or to merge. Takes bytes, a Blob (a File is one; as
 * a promise), or the path of a file (Node, Deno, Bun).
 *
 * @throws TypeError for any other input
 * @throws FormatError for a file that is broken, of another kind, or by a later version
 * @throws the runtime's own error where a path or a Blob cannot be read
 */
export function openGram(input: FileInput): Gram
export function openGram(input: BlobLike): Promise<Gram>
export function openGram(input: FileInput | BlobLike): Gram | Promise<Gram> {
  return openInput('openGram', 'a Gram', input, (file) => {
    const bytes = new Uint8Array(file.size)
    file.read(bytes, 0)
    return openParts(decodeGram(bytes, kindOf))
  })
}

/** Reads and checks what `gram` is asked. */
export function prepareGram(
  rows: TensorLike,
  options: GramOptions = {}
): { source: Source; settings: GramSettings; first: number } {
  const source = readMatrix('gram', rows, 'rows')
  const dimensions = source.shape[1]!
  if (dimensions === 0)
    throw rangeError(`${source.name} expected rows with elements, got shape [${source.shape.join(', ')}]`)
  const { first, ...settings } = checkSettings('gram', dimensions, options)
  checkPlaces(source, first)
  return { source, settings, first }
}

/** The Gram of the rows of a source, of which the first has this place in the whole table. */
export function gramOfRows(source: Source, settings: GramSettings, first: number): TreeGram {
  return new TreeGram(settings, first).take(source)
}

/** A Gram from its data, which it keeps. */
export function openParts({ first, nodes, runs, ...settings }: GramParts): TreeGram {
  return new TreeGram(settings, first).unite({ nodes, runs })
}

function checkSettings(verb: string, dimensions: number, options: GramOptions): GramSettings & { first: number } {
  checkInteger(verb, 'dimensions', dimensions, 1, Infinity)
  checkOptions(verb, options, ['center', 'first', 'directions'])
  const { center = false, first = 0, directions } = options
  checkBoolean(verb, 'center', center)
  checkInteger(verb, 'first', first, 0, Number.MAX_SAFE_INTEGER)
  if (directions !== undefined) checkInteger(verb, 'directions', directions, 1, dimensions)
  return { dimensions, center, first, directions: directions ?? (dimensions > MOST_EXACT ? DIRECTIONS : undefined) }
}

function checkPlaces(source: Source, first: number): void {
  const most = Number.MAX_SAFE_INTEGER - first
  if (source.shape[0]! > most) {
    throw rangeError(`${source.name} expected at most ${most} rows from row ${first} on, got ${source.shape[0]}`)
  }
}

function kindOf({ dimensions, center, directions }: GramSettings): GramKind<unknown> {
  const kind = directions === undefined ? momentsKind(dimensions, center) : sketchKind(dimensions, center, directions)
  return kind as GramKind<unknown>
}

const rowsText = ({ first, end }: RowRange): string =>
  end - first === 1 ? `row ${first}` : `rows ${first} to ${end - 1}`

class TreeGram implements Gram {
  readonly dimensions: number
  readonly center: boolean
  readonly directions: number | undefined
  private readonly kind: GramKind<unknown>
  private tree: RowTree<unknown>
  private ranges: readonly RowRange[] = []
  private folded: unknown

  constructor(
    settings: GramSettings,
    private readonly start: number
  ) {
    this.dimensions = settings.dimensions
    this.center = settings.center
    this.directions = settings.directions
    this.kind = kindOf(settings)
    this.tree = new RowTree(this.kind, this.dimensions)
  }

  get count(): number {
    return this.ranges.reduce((sum, { first, end }) => sum + (end - first), 0)
  }

  get first(): number {
    return this.ranges[0]?.first ?? this.start
  }

  add(rows: TensorLike): this {
    const given = readTensor('add', 'rows', rows)
    const { shape } = given
    if (shape.length < 1 || shape.length > 2 || shape.at(-1) !== this.dimensions) {
      throw rangeError(
        `${given.name} expected rows of width ${this.dimensions}, of shape (r, ${this.dimensions}) or (${this.dimensions}), got [${shape.join(', ')}]`
      )
    }
    const source = shape.length === 1 ? { ...given, shape: [1, this.dimensions] } : given
    checkPlaces(source, this.next)
    return this.take(source)
  }

  /** Adds the rows of a source (r, dimensions). */
  take(source: Source): this {
    if (source.size === 0) return this
    checkRows(source, this.next)
    return this.hold(this.tree.withRows(source, this.next))
  }

  merge(other: Gram): this {
    if (!(other instanceof TreeGram)) {
      throw typeError(`merge: "other" expected a Gram (of createGram, gram or openGram), got ${show(other)}`)
    }
    if (other.dimensions !== this.dimensions) {
      throw rangeError(
        `merge: "other" expected a Gram of ${this.dimensions} dimensions, got one of ${other.dimensions}`
      )
    }
    if (other.center !== this.center) {
      throw rangeError(`merge: "other" expected a Gram with center ${this.center}, got one with ${other.center}`)
    }
    if (other.directions !== this.directions) {
      const [wanted, got] = [this, other].map(({ directions }) => directions ?? 'none')
      throw rangeError(`merge: "other" expected a Gram with directions ${wanted}, got one with ${got}`)
    }
    const twice = overlapOf(this.ranges, other.ranges)
    if (twice) {
      throw rangeError(
        `merge: "other" has ${rowsText(twice)}, which are here already; give each part its own place by "first"`
      )
    }
    return this.unite(other.tree.parts())
  }

  /** Takes in parts that are not here. */
  unite(parts: TreeParts<unknown>): this {
    return this.hold(this.tree.withParts(parts))
  }

  matrix(): Tensor<Float64Array<ArrayBuffer>> {
    const { dimensions, kind } = this
    if (!kind.matrix) {
      throw rangeError(
        `matrix: expected a Gram that keeps the whole matrix (up to ${MOST_EXACT} dimensions, without "directions"), got a sketch of ` +
          `${this.directions} directions in ${dimensions} dimensions; use pca`
      )
    }
    return { data: kind.matrix(this.whole('matrix')), shape: [dimensions, dimensions] }
  }

  mean(): Tensor<Float64Array<ArrayBuffer>> {
    return { data: this.kind.mean(this.whole('mean')), shape: [this.dimensions] }
  }

  pca(options: PcaOptions): Pca {
    checkPca(options, this.directions ?? this.dimensions)
    const whole = this.whole('pca')
    const mean = this.center ? this.kind.mean(whole) : new Float64Array(this.dimensions)
    return principal(this.kind.factor(whole), mean, this.count, options)
  }

  toBytes(): Uint8Array<ArrayBuffer> {
    return joinPieces(gramPieces(this.parts(), this.kind))
  }

  save(path: string): void {
    saveFile(path, () => gramPieces(this.parts(), this.kind))
  }

  /** All of it as data; its nodes are shared. */
  parts(): GramParts {
    const { dimensions, center, directions, first } = this
    return { dimensions, center, directions, first, ...this.tree.parts() }
  }

  /** The place of the next row that is added. */
  private get next(): number {
    return this.ranges.at(-1)?.end ?? this.start
  }

  private hold(tree: RowTree<unknown>): this {
    this.tree = tree
    this.ranges = tree.ranges()
    this.folded = undefined
    return this
  }

  /** The node of all rows, for a result. */
  private whole(verb: string): unknown {
    const { ranges } = this
    if (ranges.length === 0) throw rangeError(`${verb}: expected a Gram with rows, got an empty one; add some first`)
    const gaps = ranges.slice(1).map(({ first }, i) => rowsText({ first: ranges[i]!.end, end: first }))
    if (gaps.length > 0) {
      const more = gaps.length > 3 ? ` and ${gaps.length - 3} more gaps` : ''
      throw rangeError(`${verb}: ${gaps.slice(0, 3).join(', ')}${more} missing; merge the parts that hold them first`)
    }
    return (this.folded ??= this.tree.fold())
  }
}
