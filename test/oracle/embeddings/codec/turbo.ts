import { rotateOracle } from './rotation.js'

/** Levels of Lloyd and Max, positive half, to 8 digits. */
const POSITIVE: Readonly<Record<number, readonly number[]>> = {
  1: [0.79788456],
  2: [0.45278003, 1.51041761],
  3: [0.24509418, 0.75600528, 1.34390928, 2.1519457],
  4: [0.12839503, 0.3880483, 0.65675912, 0.94234046, 1.2562312, 1.61804639, 2.06901723, 2.73258957]
}
const STEP = 0.0307623875

/** What codes stand for. */
export function levelOracle(bits: number, code: number): number {
  if (bits === 8) return (code - 127.5) * STEP
  const positive = POSITIVE[bits]
  const half = positive.length
  return code < half ? -positive[half - 1 - code] : positive[code - half]
}

/** How far x is from the nearest place where the code changes, and the code. */
export function codeOracle(bits: number, x: number): { code: number; margin: number } {
  if (bits === 8) {
    const at = x / STEP + 127.5
    const code = Math.max(0, Math.min(255, Math.round(at)))
    return { code, margin: STEP * Math.abs(Math.abs(at - Math.round(at)) - 0.5) }
  }
  const levels = Array.from({ length: 2 ** bits }, (_, code) => levelOracle(bits, code))
  let code = 0
  let margin = Infinity
  for (let i = 1; i < levels.length; i++) {
    const threshold = (levels[i] + levels[i - 1]) / 2
    if (x > threshold) code = i
    margin = Math.min(margin, Math.abs(x - threshold))
  }
  return { code, margin }
}

export interface RowOracle {
  codes: number[]
  scale: number
  bias: number
  centroid: number
}

/** A row of codes taken apart: planes of 4, 2 and 1 bits, the lowest bit of a byte first; 8 bits are signed bytes. */
export function readRow(bytes: Uint8Array, d: number, bits: number, centroids: number): RowOracle {
  const planes = bits === 8 ? [8] : [4, 2, 1].filter((plane) => Math.floor(bits / plane) % 2)
  const codes = Array.from({ length: d }, () => 0)
  let at = 0
  let weight = 1
  for (const plane of planes) {
    for (let i = 0; i < d; i++) {
      const first = i * plane
      const byte = bytes[at + Math.floor(first / 8)]
      codes[i] += weight * (Math.floor(byte / 2 ** (first % 8)) % 2 ** plane)
    }
    at += Math.ceil((plane * d) / 8)
    weight *= 2 ** plane
  }
  if (bits === 8) for (let i = 0; i < d; i++) codes[i] = (codes[i] + 128) % 256
  const view = new DataView(bytes.buffer, bytes.byteOffset + at)
  const centroid = centroids === 1 ? 0 : centroids <= 256 ? view.getUint8(8) : view.getUint16(8, true)
  return { codes, scale: view.getFloat32(0, true), bias: view.getFloat32(4, true), centroid }
}

export interface TurboSettings {
  bits: number
  seed: number
  l2: boolean
  /** 1 / factor and shift of each coordinate */
  calibration?: { factors: ArrayLike<number>; shifts: ArrayLike<number> }
  /** of the rows: distances are those of rows less it */
  mean: ArrayLike<number>
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}

/** What the rotated residual's coordinates are, as they are classified. */
export function coordinatesOracle(
  row: ArrayLike<number>,
  centroid: ArrayLike<number>,
  { seed, calibration }: TurboSettings
): { turned: Float64Array; square: number; coordinates: Float64Array } {
  const d = row.length
  const residual = Float64Array.from(row, (x, i) => x - centroid[i])
  const turned = rotateOracle(residual, seed)
  const square = dot(residual, residual)
  const coordinates = turned.map((t, i) => {
    const v = square > 0 ? t * Math.sqrt(d / square) : 0
    return calibration ? (v + calibration.shifts[i]) / calibration.factors[i] : v
  })
  return { turned, square, coordinates }
}

const levelsOracle = (codes: readonly number[], { bits, calibration }: TurboSettings): number[] =>
  codes.map((code, i) => {
    const level = levelOracle(bits, code)
    return calibration ? level * calibration.factors[i] - calibration.shifts[i] : level
  })

/** Scale and bias of a row that has these codes. */
export function factorsOracle(
  row: ArrayLike<number>,
  centroid: ArrayLike<number>,
  codes: readonly number[],
  settings: TurboSettings
): { scale: number; bias: number } {
  const { turned, square } = coordinatesOracle(row, centroid, settings)
  const levels = levelsOracle(codes, settings)
  const product = dot(turned, levels)
  let scale = square > 0 && product > 0 ? square / product : 0
  // Levels nearly at right angles to the row.
  if (settings.calibration && product > 0 && product < Math.sqrt(square * row.length) / 2) {
    scale = (4 * product) / row.length
  }
  const turnedCentroid = rotateOracle(
    Float64Array.from(centroid, (x, i) => (settings.l2 ? x - settings.mean[i] : x)),
    settings.seed
  )
  const shared = scale * dot(turnedCentroid, levels)
  return { scale, bias: settings.l2 ? -2 * shared - square : dot(turnedCentroid, turned) - shared }
}

/** The score of a query (unit length for the cosine) and a row; turned: of the query, for l2 less the mean. */
export function scoreOracle(
  turnedQuery: ArrayLike<number>,
  query: ArrayLike<number>,
  centroid: ArrayLike<number>,
  { codes, scale, bias }: Omit<RowOracle, 'centre'>,
  settings: TurboSettings
): number {
  const raw = dot(turnedQuery, levelsOracle(codes, settings))
  if (!settings.l2) return dot(query, centroid) + scale * raw + bias
  let apart = 0
  for (let i = 0; i < query.length; i++) apart += (query[i] - centroid[i]) ** 2
  return -apart + 2 * scale * raw + bias
}
