import { describe, expect, it } from 'vitest'
import { poolFor } from '../support/pool.js'
import { fuzz } from '../support/poolFuzz.js'

describe('random calls at once, with aborts and transfers', () => {
  it.each([1, 2, 3])('200 on %i threads', { timeout: 30_000 }, async (threads) => {
    const pool = poolFor({ threads })
    const aborted = await fuzz(pool, threads, 200, 20_000)
    expect(aborted).toBeGreaterThan(0)
  })

  it('40 of several chunks on 3 threads', { timeout: 30_000 }, async () => {
    await fuzz(poolFor({ threads: 3 }), 9, 40, 700_000)
  })
})
