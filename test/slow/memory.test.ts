import { expect, it } from 'vitest'
import { defaultEngine } from '../../src/quantize/engine.js'
import { createGram, dequantize, prune, quantize } from '../../src/index.js'

const GIB = 2 ** 30
const MIB = 2 ** 20

it('quantises a tensor of 1 GiB in no more than 64 MiB of linear memory', () => {
  const length = GIB / 4
  const data = new Float32Array(length)
  for (let i = 0; i < length; i++) data[i] = (i % 255) - 127
  const { memory } = defaultEngine()
  const before = memory.size
  const quantized = quantize(data, { format: 'int8' })
  expect(memory.size - before).toBeLessThanOrEqual(64 * MIB)
  // The greatest magnitude is 127, so the scale is 1 and the codes are the values, also beyond 2^31 bytes.
  expect(quantized.scales[0]).toBe(1)
  let wrong = 0
  for (let i = 0; i < length; i++) if (quantized.codes[i] !== data[i]) wrong++
  expect(wrong).toBe(0)
  const back = dequantize(quantized).data
  expect(memory.size - before).toBeLessThanOrEqual(64 * MIB)
  for (let i = 0; i < length; i++) if (back[i] !== data[i]) wrong++
  expect(wrong).toBe(0)
})

it('groups and prunes a tensor of 1 GiB in no more than 64 MiB of linear memory', () => {
  const length = GIB / 4
  const data = new Float32Array(length)
  for (let i = 0; i < length; i++) data[i] = (i % 1000) + 1
  const { memory } = defaultEngine()
  const before = memory.size
  const { scales } = quantize(data, { format: 'uint4', group: 128, symmetric: false })
  expect(memory.size - before).toBeLessThanOrEqual(64 * MIB)
  expect(scales.length).toBe(length / 128)
  const { values, sparsity } = prune(data, { sparsity: 0.5 })
  expect(memory.size - before).toBeLessThanOrEqual(64 * MIB)
  expect(sparsity).toBe(0.5)
  let kept = 0
  for (let i = 0; i < length; i++) if (values.data[i] !== 0) kept++
  expect(kept).toBe(length / 2)
})

it(
  'sums a table of 1 GiB, in calls of odd sizes, in no more than 64 MiB of linear memory',
  { timeout: 300_000 },
  () => {
    const dim = 256
    const rows = GIB / 4 / dim
    const data = new Float32Array(7001 * dim)
    for (let i = 0; i < data.length; i++) data[i] = ((i * 7) % 15) - 7
    const { memory } = defaultEngine()
    const before = memory.size
    const gram = createGram(dim)
    for (let row = 0; row < rows; row += 7001) {
      const count = Math.min(7001, rows - row)
      gram.add({ data: data.subarray(0, count * dim), shape: [count, dim] })
    }
    expect(memory.size - before).toBeLessThanOrEqual(64 * MIB)
    expect(gram.count).toBe(rows)
    // 1024 blocks are one node.
    expect(gram.toBytes().length).toBeLessThan(4 * dim * (dim + 1) + 8 * dim + 1024)
    // Sums of whole numbers are exact.
    const { data: matrix } = gram.matrix()
    for (const [i, j] of [
      [0, 0],
      [3, 200],
      [255, 254]
    ]) {
      let sum = 0
      for (let row = 0; row < rows; row++) {
        const at = (row % 7001) * dim
        sum += data[at + i]! * data[at + j]!
      }
      expect(matrix[i * dim + j]).toBe(sum)
    }
  }
)
