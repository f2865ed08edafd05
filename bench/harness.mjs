// Timing side by side: everything that is compared runs in turn, A B A B …, after warm-up, and medians are compared.
// A machine's speed drifts; ratios of one run do not.

/** Runs each case once (checking it), then warm-up rounds, then `rounds` counted rounds; returns medians in ms by name. */
export async function interleave(cases, { rounds = 9, warmup = 2, settle = 10 } = {}) {
  const names = Object.keys(cases)
  const times = Object.fromEntries(names.map((name) => [name, []]))
  for (let round = -warmup; round < rounds; round++) {
    for (const name of names) {
      const start = performance.now()
      const result = cases[name]()
      if (result instanceof Promise) await result
      const elapsed = performance.now() - start
      if (round >= 0) times[name].push(elapsed)
    }
    // Optimised code is compiled on other threads: give it time to arrive before the counted rounds.
    if (round < 0) await new Promise((resolve) => setTimeout(resolve, settle))
  }
  return Object.fromEntries(names.map((name) => [name, median(times[name])]))
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[sorted.length >> 1]
}

/** Throws unless `holds`: a bench that computes something else measures nothing. */
export function check(holds, message) {
  if (!holds) throw new Error(`the bench's result is wrong: ${message}`)
}

/** A figure beside the one that is asked for. */
export const asked = (text, holds, limit) => `${text} (${holds ? 'asked' : 'MISSED'}: ${limit})`

/** Seeded uniform numbers in [0, 1). */
export function random(seed = 1) {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

/** Roughly normal, from twelve uniform numbers. */
export function normal(length, seed = 1) {
  const next = random(seed)
  return Float32Array.from({ length }, () => {
    let sum = -6
    for (let i = 0; i < 12; i++) sum += next()
    return sum
  })
}

/** Fast filling for big arrays: a normal block, repeated with a drifting scale. */
export function tiled(length, seed = 1) {
  const block = normal(65537, seed)
  const out = new Float32Array(length)
  for (let i = 0; i < length; i++) out[i] = block[i % 65537] * (1 + (i >>> 16) * 1e-4)
  return out
}

export const gigabytes = (bytes, ms) => `${(bytes / ms / 1e6).toFixed(2)} GB/s`
export const times = (base, ms) => `${(base / ms).toFixed(2)}x`
export const milliseconds = (ms) => `${ms < 10 ? ms.toFixed(2) : ms.toFixed(1)} ms`
