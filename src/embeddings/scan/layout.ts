/**
 * The room of scans: codes in blocks, and how a query scores them. It knows no method.
 *
 * Read in this order: this file (what a row of codes is); blocks (32 rows in the order that kernels read); query (what
 * a scan needs of one); scan (sums and scores); select (the best of many). kernelCalls names the arguments of wide
 * kernels. May import core, and vectors.
 */
/** What scores codes: a family of kernels, each with a way of its own to lay out 32 rows. */
export type Scan =
  /** 1 to 4 bits a code, or 4 bits a sub-space: a table of 16 entries for each nibble */
  | 'tables'
  /** 5 to 8 bits a code on a uniform grid: products with an int8 query */
  | 'bytes'
  /** one bit a coordinate against one bit: Hamming distance */
  | 'signs'
  /** 8 bits a sub-space: a table of 256 entries for each */
  | 'lookup'
  | 'half'
  | 'float'

/**
 * How a row of codes looks: the codes, `factors` little-endian f32 (scale, bias, third), the centroid's number.
 * Rows stand one after the other without padding.
 */
export interface RowLayout {
  readonly scan: Scan
  /** bits of one code */
  readonly bits: number
  /** codes of a row: coordinates or sub-spaces */
  readonly count: number
  /**
   * bytes of a row's codes: planes of 4, 2 and 1 bits (3 bits: 2 and 1; 5: 4 and 1), each of `count` codes from the
   * lowest bit of a byte up
   */
  readonly codeBytes: number
  /** 0: the score is what the codes say; 2: times scale, plus bias; 3: and a third */
  readonly factors: 0 | 2 | 3
  /** bytes of 8 bits are codes as they are, not less 128 */
  readonly unsigned?: boolean | undefined
  /** the third factor: an offset, times the query's `multiplier`, or the half width of a bound, times its `bound` */
  readonly third?: 'offset' | 'error'
  /** bytes of the centroid's number: 0 where there is one centroid */
  readonly centroidBytes: 0 | 1 | 2
}

/** Rows of a block, in which a scan keeps them. */
export const BLOCK_ROWS = 32

/** Bits of the planes that codes of so many bits are kept in. */
export function planesOf(bits: number): number[] {
  return bits === 8 ? [8] : [4, 2, 1].filter((plane) => bits & plane)
}

/** Bytes of a row's codes. */
export function codeBytesOf(bits: number, count: number): number {
  return planesOf(bits).reduce((sum, plane) => sum + Math.ceil((plane * count) / 8), 0)
}

/** Bytes of a row. */
export function rowBytes({ codeBytes, factors, centroidBytes }: RowLayout): number {
  return codeBytes + 4 * factors + centroidBytes
}
