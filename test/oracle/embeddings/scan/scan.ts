/** Plain twins of the scans over packed codes. Rows of codes are read bit by bit; sums are f64, in order. */

export interface RowShape {
  readonly scan: string
  readonly bits: number
  readonly count: number
  readonly codeBytes: number
  readonly factors: number
  readonly centroidBytes: number
}

/** Code i of a row: its planes of 4, 2 and 1 bits hold the code's bits from the lowest up, each plane from the lowest bit of a byte up. */
export function codeAt(row: Uint8Array, { bits, count }: RowShape, i: number): number {
  let code = 0
  let shift = 0
  let start = 0
  for (const plane of [8, 4, 2, 1]) {
    if (!(bits & plane)) continue
    let value = 0
    for (let b = 0; b < plane; b++) {
      const at = plane * i + b
      value |= ((row[start + (at >> 3)]! >> (at & 7)) & 1) << b
    }
    code |= value << shift
    shift += plane
    start += Math.ceil((plane * count) / 8)
  }
  return code
}

function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  return sign * (exponent ? (1024 + fraction) * 2 ** (exponent - 25) : fraction * 2 ** -24)
}

/** What a coordinate of a row stands for: a level, a signed byte, a float. */
export function valueAt(row: Uint8Array, shape: RowShape, i: number, levels?: ArrayLike<number>): number {
  const view = new DataView(row.buffer, row.byteOffset)
  if (shape.scan === 'float') return view.getFloat32(4 * i, true)
  if (shape.scan === 'half') return half(view.getUint16(2 * i, true))
  const code = codeAt(row, shape, i)
  if (levels) return levels[code]!
  return shape.bits === 8 ? (code ^ 128) - 128 : code
}

export function productOracle(
  row: Uint8Array,
  shape: RowShape,
  q: ArrayLike<number>,
  levels?: ArrayLike<number>
): number {
  let sum = 0
  for (let i = 0; i < shape.count; i++) sum += q[i]! * valueAt(row, shape, i, levels)
  return sum
}

export function squaredOracle(row: Uint8Array, shape: RowShape, q: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < shape.count; i++) sum -= (q[i]! - valueAt(row, shape, i)) ** 2
  return sum
}

export function hammingOracle(row: Uint8Array, query: Uint8Array, shape: RowShape): number {
  let distance = 0
  for (let i = 0; i < shape.count; i++) distance += codeAt(row, shape, i) === codeAt(query, shape, i) ? 0 : 1
  return distance
}

/** Sum of tables[i][code i]; tables: (count, 2^bits) */
export function lookupOracle(row: Uint8Array, shape: RowShape, tables: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < shape.count; i++) sum += tables[(i << shape.bits) + codeAt(row, shape, i)]!
  return sum
}

/** From the product to the score, by the factors behind the codes. */
export function scoreOracle(
  row: Uint8Array,
  shape: RowShape,
  product: number,
  { multiplier = 0, constant = 0, terms = undefined as ArrayLike<number> | undefined } = {}
): number {
  const view = new DataView(row.buffer, row.byteOffset)
  const factor = (k: number): number => view.getFloat32(shape.codeBytes + 4 * k, true)
  let score = product
  if (shape.factors) score = score * factor(0) + factor(1)
  if (shape.factors === 3) score += factor(2) * multiplier
  score += constant
  const at = shape.codeBytes + 4 * shape.factors
  if (terms && shape.centroidBytes) score += terms[shape.centroidBytes === 1 ? row[at]! : view.getUint16(at, true)]!
  return score
}

/** The k best of (score, id), by score from the greatest, then by id from the least. */
export function bestOracle(
  entries: readonly { score: number; id: number }[],
  k: number
): { score: number; id: number }[] {
  return [...entries].sort((a, b) => b.score - a.score || a.id - b.id).slice(0, k)
}
