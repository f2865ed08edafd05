// Seeded inputs, the same on every runtime: integer arithmetic alone.

/** Seeded numbers in [-1, 1), exact in f32. */
export function numbers(length, seed, scale = 1) {
  const out = new Float32Array(length)
  let state = seed >>> 0
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    out[i] = ((state >>> 8) / 8388608 - 1) * scale
  }
  return out
}

export const tensor = (shape, seed, scale) => ({
  data: numbers(
    shape.reduce((a, b) => a * b, 1),
    seed,
    scale
  ),
  shape
})
