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

/** Symmetric, with a diagonal that outweighs the rest. */
export function diagonal(n, seed = 40) {
  const { data } = tensor([n * n], seed)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) data[j * n + i] = data[i * n + j]
    data[i * n + i] += 2 * n
  }
  return { data, shape: [n, n] }
}
