import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CHUNK, checkCall, poolFor, somePools } from '../support/pool.js'
import { randomCall } from '../support/poolCalls.js'
import { fuzz } from '../support/poolFuzz.js'

const pools = somePools()

it('any call of any verb, small', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 }), (seed) =>
      checkCall(pools, randomCall(seed, 3000), `seed ${seed}`)
    ),
    { seed: 5, numRuns: 200 }
  )
})

it('any call of any verb, over chunks', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 }), (seed) =>
      checkCall(pools, randomCall(seed, 2.5 * CHUNK), `seed ${seed}`)
    ),
    { seed: 6, numRuns: 15, endOnFailure: true }
  )
})

describe('random calls at once, with aborts and transfers', () => {
  it.each([1, 3])('200 on %i threads', { timeout: 30_000 }, async (threads) => {
    const pool = poolFor({ threads })
    const aborted = await fuzz(pool, threads, 200, 20_000)
    expect(aborted).toBeGreaterThan(0)
  })

  it('20 of several chunks on 3 threads', { timeout: 30_000 }, async () => {
    await fuzz(poolFor({ threads: 3 }), 9, 20, 600_000)
  })
})
