import { expect } from 'vitest'
import type { Pool } from '../../src/pool/index.js'
import { attempt, expectSameOutcome, onPool, onThisThread, settle, type Call, type Outcome } from './pool.js'
import { randomCall } from './poolCalls.js'
import { normals } from './random.js'
import { index, seeded } from './random.js'

const isArrayOfItsOwn = (value: unknown): boolean => {
  if (ArrayBuffer.isView(value)) return true
  return typeof value === 'object' && value !== null && Object.values(value).some(isArrayOfItsOwn)
}

/** A copy of a call with arrays of its own, each in a buffer of its own. */
function copied(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) return (value as Uint8Array).slice()
  if (Array.isArray(value)) return value.map(copied)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copied(inner)]))
}

/**
 * Random calls at once, of which some are aborted at random times and some transfer their arrays: what is not aborted is as on this thread.
 *
 * @returns how many were aborted
 */
export async function fuzz(pool: Pool, seed: number, count: number, most: number): Promise<number> {
  const random = seeded(seed)
  const plan = Array.from({ length: count }, (_, i) => {
    const call: Call =
      random() < 0.05
        ? { verb: 'svd', args: [{ data: normals(22_500, i), shape: [150, 150] }] }
        : randomCall(index(random, 2 ** 31), most)
    const abortAfter = random() < 0.3 ? Math.floor(120 * random() ** 2) : undefined
    const transfer = random() < 0.2 && isArrayOfItsOwn([call.args, call.options])
    return { call, abortAfter, transfer, delay: random() < 0.5 ? 0 : index(random, 40), reason: `call ${i}` }
  })
  const running = plan.map(async ({ call, abortAfter, transfer, delay, reason }): Promise<Outcome> => {
    if (delay) await new Promise((resolve) => setTimeout(resolve, delay))
    const given = copied(call) as Call
    if (abortAfter === undefined) return settle(onPool(pool, given, transfer ? { transfer } : undefined))
    const controller = new AbortController()
    const settled = settle(onPool(pool, given, { signal: controller.signal, transfer }))
    if (abortAfter === 0) controller.abort(reason)
    else setTimeout(() => controller.abort(reason), abortAfter)
    return settled
  })
  const outcomes = await Promise.all(running)
  let aborted = 0
  outcomes.forEach((outcome, i) => {
    const { call, abortAfter, reason } = plan[i]!
    if (abortAfter !== undefined && 'error' in outcome && (outcome.error as unknown) === reason) aborted++
    else
      expectSameOutcome(
        outcome,
        attempt(() => onThisThread(call)),
        `${reason} of seed ${seed}`
      )
  })
  expect(aborted).toBeLessThanOrEqual(plan.filter(({ abortAfter }) => abortAfter !== undefined).length)
  return aborted
}
