import { expect, it } from 'vitest'
import { openRabitq } from '../../src/embeddings/codec/methods/rabitq.js'
import { dot } from '../oracle/embeddings/codec/scalars.js'
import { coderOf, factorOf, rowOf, rowsFrom, type Rows } from '../support/quantizers.js'
import { normal, normals, seeded } from '../support/random.js'

const DIMENSION = 64
const ROWS = 20_000
const QUERIES = 50

function unit({ data, dimensions, count }: Rows): Rows {
  for (let i = 0; i < count; i++) {
    const row = data.subarray(i * dimensions, (i + 1) * dimensions)
    const length = Math.sqrt(dot(row, row))
    row.forEach((x, j) => (row[j] = x / length))
  }
  return { data, dimensions, count }
}

it.each([1, 2, 4])(
  '%d bits: unbiased over a million pairs, and 99.9% of them within the bound',
  { timeout: 120_000 },
  (bits) => {
    const centroid = { data: new Float32Array(DIMENSION), shape: [DIMENSION] }
    const epsilon = 3.3
    const parameters = { seed: 1, bits, fast: true, bound: true, epsilon }
    const quantizer = openRabitq(DIMENSION, 'dot', parameters, { centre: centroid })
    const coder = coderOf(quantizer)
    const rows = unit(rowsFrom(normals(ROWS * DIMENSION, bits), DIMENSION))
    const codes = coder.encode(rows.data.slice())
    const decoded = coder.decode(codes)
    const random = seeded(bits + 100)
    const noise = Float32Array.from({ length: 1 << 20 }, () => normal(random))
    let sum = 0
    let squares = 0
    let inside = 0
    let narrow = 0
    let unrelated = 0
    const q = new Float64Array(DIMENSION)
    for (let i = 0; i < ROWS; i++) {
      const x = rowOf(rows, i)
      const y = decoded.subarray(i * DIMENSION, (i + 1) * DIMENSION)
      const width = epsilon * factorOf(codes, quantizer, i, 2)
      for (let k = 0; k < QUERIES; k++) {
        // Every other query is near the row: an estimate that is too small would show.
        const near = k % 2
        const from = Math.floor(random() * (noise.length - DIMENSION))
        for (let j = 0; j < DIMENSION; j++) q[j] = near * x[j]! + 0.1 * noise[from + j]!
        const error = dot(q, y) - dot(q, x)
        const length = Math.sqrt(dot(q, q))
        sum += error
        squares += error * error
        if (Math.abs(error) <= width * length) inside++
        unrelated += 1 - near
        if (!near && Math.abs(error) <= (1.9 / epsilon) * width * length) narrow++
      }
    }
    const pairs = ROWS * QUERIES
    expect(Math.abs(sum / pairs)).toBeLessThan(4 * Math.sqrt(squares / pairs / pairs))
    expect(inside / pairs).toBeGreaterThanOrEqual(0.999)
    // The paper's constant, 1.9 standard deviations of about a normal distribution, for queries that have nothing to do with the row.
    expect(narrow / unrelated).toBeGreaterThan(0.93)
    expect(narrow / unrelated).toBeLessThan(0.96)
  }
)
