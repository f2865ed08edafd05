import { describe, expect, it } from 'vitest'
import { defaultEngine, frame } from '../../src/linalg/decompositionEngine.js'
import { signOracle, splitMix64, uniformOracle } from '../oracle/random.js'

const SEEDS = [0, 1, 42, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER]

const filled = (count: number, fill: (at: number) => void): number[] =>
  frame(defaultEngine(), (memory) => {
    const at = memory.alloc(8 * count)
    memory.f64(at, count).fill(0)
    fill(at)
    return [...memory.f64(at, count)]
  })

it('the twin is SplitMix64, by the numbers of its authors’ code', () => {
  expect([0, 1, 2, 3].map((i) => splitMix64(1234567n, i))).toEqual([
    6457827717110365317n,
    3203168211198807973n,
    9817491932198370423n,
    4593380528125082431n
  ])
})

describe.each(SEEDS)('seed %i', (seed) => {
  it.each([0, 1, 77])('stream %i', (stream) => {
    const { kernels } = defaultEngine()
    for (const first of [0, 1, 63, 64, 1000, 2 ** 40 + 5]) {
      const signs = filled(150, (at) => kernels.randomSigns(at, 150, seed, stream, first))
      expect(signs).toEqual(signs.map((_, i) => signOracle(seed, stream, first + i)))
      const uniform = filled(90, (at) => kernels.randomUniforms(at, 30, 3, seed, stream, first))
      expect(uniform).toEqual(uniform.map((_, i) => (i % 3 === 0 ? uniformOracle(seed, stream, first + i / 3) : 0)))
    }
  })
})

it('signs and numbers are balanced, and streams have nothing in common', () => {
  const { kernels } = defaultEngine()
  const count = 1 << 16
  const rows = [0, 1, 2].flatMap((stream) => [
    filled(count, (at) => kernels.randomSigns(at, count, 3, stream, 0)),
    filled(count, (at) => kernels.randomUniforms(at, count, 1, 3, stream, 0))
  ])
  const scale = [1, 1 / 3]
  rows.forEach((x, i) => {
    // Five standard deviations of sums of independent numbers.
    expect(Math.abs(x.reduce((sum, value) => sum + value, 0))).toBeLessThan(5 * Math.sqrt(scale[i % 2] * count))
    rows.slice(0, i).forEach((y, j) => {
      const dot = x.reduce((sum, value, k) => sum + value * y[k], 0)
      expect(Math.abs(dot)).toBeLessThan(5 * Math.sqrt(scale[i % 2] * scale[j % 2] * count))
    })
  })
})
