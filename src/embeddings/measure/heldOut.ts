import { defaultEngine, frame } from '../codingEngine.js'

/** Random numbers that are drawn at once. */
const CHUNK = 65536

/**
 * `count` of the rows 0 … rows - 1, ascending, without replacement: the same for a seed and a stream, whatever else is
 * drawn.
 */
export function sampleRows(rows: number, count: number, seed: number, stream = 0): Uint32Array<ArrayBuffer> {
  if (count >= rows) return Uint32Array.from({ length: rows }, (_, row) => row)
  // The rows of the least numbers: a row's number depends on itself alone, and no two of 2^53 are expected to be equal.
  const numbers = new Float64Array(rows)
  frame(defaultEngine(), (memory, kernels) => {
    const at = memory.alloc(8 * Math.min(rows, CHUNK))
    for (let first = 0; first < rows; first += CHUNK) {
      const length = Math.min(CHUNK, rows - first)
      kernels.randomUniforms(at, length, 1, seed, STREAM + stream, first)
      numbers.set(memory.f64(at, length), first)
    }
  })
  const last = numbers.slice().sort()[count - 1]!
  const sample = new Uint32Array(count)
  let next = 0
  for (let row = 0; row < rows && next < count; row++) if (numbers[row]! <= last) sample[next++] = row
  return sample
}

/** Apart from the streams that rotations and k-means draw from. */
const STREAM = 1000
