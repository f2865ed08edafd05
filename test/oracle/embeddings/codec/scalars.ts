/** Codes of residuals by their definitions, in f64. */

/** The codes of a row's planes: 4, 2 and 1 bits, the lowest first, from the lowest bit of a byte up; 8 bits: a signed byte, code - 128. */
export function codesOfPlanes(bytes: Uint8Array, count: number, bits: number): number[] {
  if (bits === 8) return Array.from(bytes.subarray(0, count), (byte) => byte ^ 128)
  const codes = new Array<number>(count).fill(0)
  let first = 0
  let shift = 0
  for (const plane of [4, 2, 1]) {
    if (!(bits & plane)) continue
    for (let i = 0; i < count; i++) {
      const bit = plane * i
      const value = (bytes[first + Math.floor(bit / 8)]! >> (bit % 8)) & (2 ** plane - 1)
      codes[i]! += value * 2 ** shift
    }
    first += Math.ceil((plane * count) / 8)
    shift += plane
  }
  return codes
}

export function dot(x: ArrayLike<number>, y: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!
  return sum
}

/** The greatest cosine of z and a vector +-(k + 1/2), k = min(floor(t |z|), most): all breakpoints of t, in order. */
export function bestCosine(z: ArrayLike<number>, bits: number): number {
  const most = 2 ** (bits - 1) - 1
  const points: { t: number; size: number; m: number }[] = []
  let s = 0
  for (let i = 0; i < z.length; i++) {
    const size = Math.abs(z[i]!)
    s += size / 2
    for (let m = 1; m <= most && size > 0; m++) points.push({ t: m / size, size, m })
  }
  points.sort((a, b) => a.t - b.t)
  let q = z.length / 4
  let best = (s * s) / q
  points.forEach(({ t, size, m }, i) => {
    s += size
    q += 2 * m
    if (points[i + 1]?.t !== t) best = Math.max(best, (s * s) / q)
  })
  return Math.sqrt(best / dot(z, z))
}

/** What Lucene's optimised scalar quantisation makes small: (1 - l) <x, e>^2 / |x|^2 + l |e|^2, l = .1. */
export function anisotropicLoss(x: ArrayLike<number>, decoded: ArrayLike<number>): number {
  const e = Array.from(x, (v, i) => v - decoded[i]!)
  return (0.9 * dot(x, e) ** 2) / dot(x, x) + 0.1 * dot(e, e)
}

const SPREADS = [0, 0.798, 1.493, 2.051, 2.514, 2.916, 3.278, 3.611, 3.922]

/** x by optimised scalar quantisation, decoded: an interval, its codes, the interval that is best for them, at most five times while the loss falls. */
export function osqDecoded(x: ArrayLike<number>, bits: number): number[] {
  const n = x.length
  const all = Array.from(x)
  const most = 2 ** bits - 1
  const mean = all.reduce((sum, v) => sum + v, 0) / n
  const deviation = Math.sqrt(Math.max(0, dot(x, x) / n - mean * mean))
  let a = Math.max(mean - SPREADS[bits]! * deviation, Math.min(...all))
  let b = Math.min(mean + SPREADS[bits]! * deviation, Math.max(...all))
  if (!(b > a)) return all
  const codesOn = (low: number, high: number): number[] =>
    all.map((v) => Math.round(Math.min(most, Math.max(0, ((v - low) / (high - low)) * most))))
  const valuesOf = (codes: number[], low: number, high: number): number[] =>
    codes.map((k) => low + ((high - low) * k) / most)
  let codes = codesOn(a, b)
  let loss = anisotropicLoss(x, valuesOf(codes, a, b))
  for (let round = 0; round < 5; round++) {
    const s = codes.map((k) => k / most)
    const rest = s.map((v) => 1 - v)
    const weight = 0.9 / dot(x, x)
    const [dax, dbx] = [dot(x, rest), dot(x, s)]
    const m0 = weight * dax * dax + 0.1 * dot(rest, rest)
    const m1 = weight * dax * dbx + 0.1 * dot(rest, s)
    const m2 = weight * dbx * dbx + 0.1 * dot(s, s)
    const det = m0 * m2 - m1 * m1
    if (det === 0) break
    const nextA = (m2 * dax - m1 * dbx) / det
    const nextB = (m0 * dbx - m1 * dax) / det
    const next = codesOn(nextA, nextB)
    const nextLoss = anisotropicLoss(x, valuesOf(next, nextA, nextB))
    if (nextLoss > loss || !(nextB > nextA)) break
    ;[a, b, codes, loss] = [nextA, nextB, next, nextLoss]
  }
  return valuesOf(codes, a, b)
}

/** Bits, 1 where above 0, as numpy.packbits has them: the first is a byte's highest. */
export function packedSigns(x: ArrayLike<number>): number[] {
  const bytes = new Array<number>(Math.ceil(x.length / 8)).fill(0)
  for (let i = 0; i < x.length; i++) if (x[i]! > 0) bytes[i >> 3]! += 2 ** (7 - (i % 8))
  return bytes
}
