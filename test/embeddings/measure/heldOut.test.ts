import { expect, it } from 'vitest'
import { sampleRows } from '../../../src/embeddings/measure/heldOut.js'

it('draws rows once each, ascending, the same for a seed', () => {
  const sample = sampleRows(1000, 100, 7)
  expect(sample).toHaveLength(100)
  expect(new Set(sample).size).toBe(100)
  expect(Array.from(sample)).toEqual(Array.from(sample).sort((a, b) => a - b))
  expect(sampleRows(1000, 100, 7)).toEqual(sample)
  expect(sampleRows(1000, 100, 8)).not.toEqual(sample)
  expect(sampleRows(1000, 100, 7, 1)).not.toEqual(sample)
  expect(Array.from(sampleRows(3, 5, 0))).toEqual([0, 1, 2])
  expect(Array.from(sampleRows(5, 0, 0))).toEqual([])
})

it('draws every row equally often', () => {
  const counts = new Uint32Array(20)
  for (let seed = 0; seed < 4000; seed++) for (const row of sampleRows(20, 5, seed)) counts[row]!++
  // Mean 1000, standard deviation 27.
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(130)
})

it('a larger sample holds a smaller one, over any number of rows', () => {
  const small = sampleRows(100_000, 1000, 3)
  const large = new Set(sampleRows(100_000, 2000, 3))
  expect(Array.from(small).every((row) => large.has(row))).toBe(true)
  expect(small.at(-1)).toBeGreaterThan(65_536)
})
