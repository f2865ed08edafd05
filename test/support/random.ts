/** A generator of reproducible numbers in [0, 1) (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** About a standard normal: the sum of twelve uniform numbers less six. */
export function normal(random: () => number): number {
  let total = -6
  for (let i = 0; i < 12; i++) total += random()
  return total
}

export function normals(length: number, seed: number, factor = 1): Float32Array<ArrayBuffer> {
  const random = seeded(seed)
  return Float32Array.from({ length }, () => factor * normal(random))
}

export function normals64(length: number, seed: number, factor = 1): Float64Array<ArrayBuffer> {
  const random = seeded(seed)
  return Float64Array.from({ length }, () => factor * normal(random))
}

/** A whole number in [0, below). */
export function index(random: () => number, below: number): number {
  return Math.floor(random() * below)
}

export function shuffle<T extends { length: number; [index: number]: number }>(list: T, seed: number): T {
  const random = seeded(seed)
  for (let i = list.length - 1; i > 0; i--) {
    const j = index(random, i + 1)
    const kept = list[i]
    list[i] = list[j]
    list[j] = kept
  }
  return list
}
