import { signOracle } from '../../random.js'

/** Elements of a transform: all of d, a third of it, or the greatest power of two below. */
export function blockOracle(d: number): number {
  const powers = Array.from({ length: 14 }, (_, k) => 2 ** k)
  if (powers.includes(d)) return d
  if (powers.includes(d / 3) && (d < 16 || d >= 48)) return d / 3
  return powers.filter((p) => p < d).at(-1)!
}

/** The orthonormal Walsh-Hadamard transform; of 16 elements and more, indices (a, b) of 4 x 4 inside each 16 are swapped. */
function transform(x: Float64Array): void {
  const p = x.length
  for (let h = 1; h < p; h *= 2) {
    for (let i = 0; i < p; i++) {
      if (Math.floor(i / h) % 2) continue
      const [a, b] = [x[i], x[i + h]]
      x[i] = (a + b) * Math.SQRT1_2
      x[i + h] = (a - b) * Math.SQRT1_2
    }
  }
  if (p < 16) return
  const y = x.slice()
  for (let i = 0; i < p; i++) {
    const within = i % 16
    x[i] = y[i - within + 4 * (within % 4) + Math.floor(within / 4)]
  }
}

const known = new Map<string, number[]>()

/** The first signs of a stream, at least so many; kept, since 64-bit arithmetic is slow here. */
function signsOracle(seed: number, stream: number, count: number): number[] {
  const key = `${seed} ${stream}`
  const signs = known.get(key) ?? []
  for (let i = signs.length; i < count; i++) signs.push(signOracle(seed, stream, i))
  known.set(key, signs)
  return signs
}

/** R x in f64. */
export function rotateOracle(row: ArrayLike<number>, seed: number): Float64Array<ArrayBuffer> {
  const x = Float64Array.from(row)
  const d = x.length
  const p = blockOracle(d)
  let stream = 0x10000
  const signed = (part: Float64Array): Float64Array => {
    const signs = signsOracle(seed, stream, part.length)
    for (let i = 0; i < part.length; i++) part[i] *= signs[i]
    stream++
    return part
  }
  for (let round = 0; round < 2; round++) {
    if (d === p || d === 3 * p) {
      signed(x)
      for (let i = 0; i < d; i += p) transform(x.subarray(i, i + p))
      if (d === p) continue
      for (let i = 0; i < p; i++) {
        const share = (2 / 3) * (x[i] + x[i + p] + x[i + 2 * p])
        for (const j of [i, i + p, i + 2 * p]) x[j] -= share
      }
      continue
    }
    if (round === 1) {
      const half = Math.floor(d / 2)
      for (let i = 0, j = d - half; i < half; i++, j++) {
        const [a, b] = [x[i], x[j]]
        x[i] = (a + b) * Math.SQRT1_2
        x[j] = (a - b) * Math.SQRT1_2
      }
    }
    transform(signed(x.subarray(0, p)))
    transform(signed(x.subarray(d - p)))
  }
  return x
}
