/** Widths of so many sub-spaces: the first ones one wider where the dimension does not divide. */
export function widthsOracle(dimensions: number, subspaces: number): number[] {
  const widths = new Array<number>(subspaces).fill(Math.floor(dimensions / subspaces))
  for (let i = 0; i < dimensions % subspaces; i++) widths[i]++
  return widths
}

/** Number m of a row's codes: a byte, or a nibble, the low one first. */
export function numberAt(row: Uint8Array, bits: number, m: number): number {
  return bits === 8 ? row[m] : (row[m >> 1] >> (4 * (m % 2))) & 15
}

/** The row that numbers stand for; codebooks: (2^bits, width) of one sub-space after the other. */
export function productRow(
  row: Uint8Array,
  codebooks: ArrayLike<number>,
  dimensions: number,
  subspaces: number,
  bits: number
): number[] {
  const out: number[] = []
  let at = 0
  widthsOracle(dimensions, subspaces).forEach((width, m) => {
    const number = numberAt(row, bits, m)
    for (let j = 0; j < width; j++) out.push(codebooks[at + number * width + j])
    at += 2 ** bits * width
  })
  return out
}

/** The least squared distance that any numbers give a row, sub-space by sub-space. */
export function leastProductError(
  row: ArrayLike<number>,
  codebooks: ArrayLike<number>,
  subspaces: number,
  bits: number
): number {
  let [at, start, total] = [0, 0, 0]
  for (const width of widthsOracle(row.length, subspaces)) {
    let least = Infinity
    for (let number = 0; number < 2 ** bits; number++) {
      let sum = 0
      for (let j = 0; j < width; j++) sum += (row[start + j] - codebooks[at + number * width + j]) ** 2
      least = Math.min(least, sum)
    }
    total += least
    at += 2 ** bits * width
    start += width
  }
  return total
}

/** The sum of a row's codewords; codewords: (stages, 256, dimension). */
export function residualRow(
  row: Uint8Array,
  codewords: ArrayLike<number>,
  dimensions: number,
  stages: number
): number[] {
  return Array.from({ length: dimensions }, (_, j) => {
    let sum = 0
    for (let stage = 0; stage < stages; stage++) sum += codewords[(256 * stage + row[stage]) * dimensions + j]
    return sum
  })
}

/** A row's numbers, each of the codeword nearest to what is left. */
export function greedyCodes(
  row: ArrayLike<number>,
  codewords: ArrayLike<number>,
  stages: number
): { codes: number[]; margin: number } {
  const d = row.length
  const left = Array.from(row)
  let margin = Infinity
  const codes = Array.from({ length: stages }, (_, stage) => {
    const distances = Array.from({ length: 256 }, (_, i) =>
      left.reduce((sum, x, j) => sum + (x - codewords[(256 * stage + i) * d + j]) ** 2, 0)
    )
    const least = Math.min(...distances)
    const number = distances.indexOf(least)
    const scale = left.reduce((sum, x) => sum + x * x, 0) + least
    distances.forEach((x, i) => {
      if (i !== number) margin = Math.min(margin, (x - least) / scale)
    })
    for (let j = 0; j < d; j++) left[j] -= codewords[(256 * stage + number) * d + j]
    return number
  })
  return { codes, margin }
}

export const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, x, i) => sum + x * b[i], 0)

export const distance = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, x, i) => sum + (x - b[i]) ** 2, 0)
