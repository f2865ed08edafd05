import fc from 'fast-check'
import { it } from 'vitest'
import { CHUNK, checkCall, somePools } from '../support/pool.js'
import { randomCall } from '../support/poolCalls.js'

const pools = somePools()

it('any call of any verb, small', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 }), (seed) =>
      checkCall(pools, randomCall(seed, 3000), `seed ${seed}`)
    ),
    { seed: 5, numRuns: 400 }
  )
})

it('any call of any verb, over chunks', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 }), (seed) =>
      checkCall(pools, randomCall(seed, 2.5 * CHUNK), `seed ${seed}`)
    ),
    { seed: 6, numRuns: 60, endOnFailure: true }
  )
})
