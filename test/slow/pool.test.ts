import { describe, expect, it } from 'vitest'
import { prune, quantize } from '../../src/index.js'
import { CHUNK, checkCall, checkResult, expectSame, numbers, poolFor, somePools, tied } from '../support/pool.js'
import { randomCall } from '../support/poolCalls.js'
import { CHUNKED_CUTS } from '../support/poolCuts.js'
import { fuzz } from '../support/poolFuzz.js'
import { GRIDS, nameOf } from '../support/quantize.js'
import { sizeOf } from '../support/shapes.js'

describe('every cut in every grid on every number of threads', () => {
  const pools = somePools([1, 2, 3, 5, 8])

  it.each(CHUNKED_CUTS.map((cut, i) => ({ name: nameOf(cut), cut, i })))('$name', async ({ cut, i }) => {
    const { shape, axis, group } = cut
    const tensor = { data: numbers(sizeOf(shape), i), shape }
    for (const grid of GRIDS) {
      const options = { ...grid, axis, group }
      await checkResult(pools, { verb: 'quantize', args: [tensor], options })
      await checkResult(pools, { verb: 'dequantize', args: [quantize(tensor, options)] })
      await checkResult(pools, { verb: 'fakeQuantize', args: [tensor], options })
    }
  })

  it('patterns of great blocks', async () => {
    for (const pattern of ['1000:1023', '1:1024', '5:1000']) {
      await checkResult(pools, { verb: 'prune', args: [tied(2 * CHUNK + 999, 1)], options: { pattern } })
    }
  })
})

describe('random calls', () => {
  const pools = somePools([1, 3, 4])

  it('2000 small ones', async () => {
    for (let seed = 0; seed < 2000; seed++) await checkCall(pools, randomCall(seed, 4000), `seed ${seed}`)
  })

  it('500 of several chunks', async () => {
    for (let seed = 0; seed < 500; seed++) await checkCall(pools, randomCall(seed, 4 * CHUNK), `seed ${seed}`)
  })
})

describe('random calls at once, with aborts and transfers', () => {
  it.each(Array.from({ length: 12 }, (_, seed) => seed))('seed %i', async (seed) => {
    const pool = poolFor({ threads: 1 + (seed % 4) })
    await fuzz(pool, 100 + seed, 200, 300_000)
    await pool.close()
  })
})

it('memory does not grow with aborted calls', async () => {
  const pool = poolFor({ threads: 2 })
  const data = numbers(1_400_000, 1)
  const matrix = { data: numbers(490_000, 2), shape: [700, 700] }
  const round = async (): Promise<void> => {
    for (let i = 0; i < 50; i++) {
      const controller = new AbortController()
      const { signal } = controller
      const running = [pool.svd(matrix, { signal }), pool.prune(data, { sparsity: 0.5, signal })]
      setTimeout(() => controller.abort(), i % 20)
      await Promise.allSettled(running)
    }
    expectSame(await pool.quantize(data, { format: 'int8' }), quantize(data, { format: 'int8' }))
  }
  for (let i = 0; i < 2; i++) await round()
  const before = process.memoryUsage().rss
  for (let i = 0; i < 3; i++) await round()
  expect(process.memoryUsage().rss - before).toBeLessThan(250e6)
})

it('tensors of hundreds of chunks', async () => {
  const length = 100_000_003
  const data = Float32Array.from({ length }, (_, i) => ((i * 40503) % 65521) - 32760)
  const pool = poolFor({ threads: 4 })
  expectSame(await pool.quantize(data, { format: 'int4', group: 64 }), quantize(data, { format: 'int4', group: 64 }))
  expectSame(await pool.prune(data, { sparsity: 0.7 }), prune(data, { sparsity: 0.7 }))
})
