import { getEventListeners, setMaxListeners } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { quantize } from '../../src/index.js'
import { createPool } from '../../src/pool/index.js'
import type { Pool } from '../../src/pool/index.js'
import {
  CHUNK,
  checkResult,
  expectSame,
  numbers,
  onPool,
  onThisThread,
  poolFor,
  settle,
  type Call
} from '../support/pool.js'
import { EVERY } from '../support/poolCalls.js'
import { normals } from '../support/random.js'

const data = numbers(5 * CHUNK + 77, 1)

/** A product of several chunks. */
const square = { data: normals(800 * 800, 2), shape: [800, 800] }

/** Takes one thread seconds. */
const long = { data: normals(700 * 700, 1), shape: [700, 700] }

/** A promise to reject, and how long after `abort` it did. */
async function rejection(running: Promise<unknown>, abort: () => void): Promise<{ reason: unknown; after: number }> {
  const settled = settle(running)
  const start = performance.now()
  abort()
  const outcome = await settled
  const after = performance.now() - start
  if (!('error' in outcome)) expect.fail('an aborted call was fulfilled')
  return { reason: outcome.error, after }
}

const stillRight = (pool: Pool): Promise<void> =>
  checkResult([pool], { verb: 'quantize', args: [numbers(2 * CHUNK + 9, 4)], options: { format: 'uint4', group: 100 } })

describe('a signal that is aborted already', () => {
  it.each(EVERY.map((call) => ({ verb: call.verb, call })))('$verb', async ({ call }) => {
    const pool = poolFor({ threads: 2 })
    const reason = new Error('never mind')
    const signal = AbortSignal.abort(reason)
    const outcome = await settle(onPool(pool, call, { signal }))
    expect(outcome).toEqual({ error: reason })
    expect('error' in outcome && outcome.error).toBe(reason)
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('leaves what was to be transferred', async () => {
    const pool = poolFor({ threads: 1 })
    const tensor = numbers(100, 1)
    await settle(pool.quantize(tensor, { format: 'int8', transfer: true, signal: AbortSignal.abort() }))
    expect(tensor.length).toBe(100)
  })

  it('with any reason', async () => {
    const pool = poolFor({ threads: 1 })
    for (const reason of ['text', 0, null, { an: 'object' }]) {
      const outcome = await settle(pool.svd([[1]], { signal: AbortSignal.abort(reason) }))
      expect(outcome).toEqual({ error: reason })
    }
    const { error } = (await settle(pool.svd([[1]], { signal: AbortSignal.abort() }))) as { error: Error }
    expect(error.name).toBe('AbortError')
  })
})

describe.each([1, 3])('on %i threads', (threads) => {
  const pool = poolFor({ threads })

  it('in the middle of chunks', async () => {
    for (const call of [
      { verb: 'quantize', args: [data], options: { format: 'int8' } },
      { verb: 'prune', args: [data], options: { sparsity: 0.5 } },
      { verb: 'matmul', args: [square, square] },
      { verb: 'compare', args: [data, data] }
    ] satisfies Call[]) {
      for (const after of [1, 3]) {
        const controller = new AbortController()
        const reason = new Error(`after ${after}`)
        const seen: number[] = []
        const onProgress = ({ done }: { done: number }): void => {
          seen.push(done)
          if (seen.length === after) controller.abort(reason)
        }
        const outcome = await settle(onPool(pool, call, { signal: controller.signal, onProgress }))
        expect('error' in outcome && outcome.error).toBe(reason)
        await wait(5)
        expect(seen, 'calls of onProgress').toHaveLength(after)
        expect(getEventListeners(controller.signal, 'abort')).toEqual([])
      }
    }
    await stillRight(pool)
  })

  it('right after the call, and in the same turn', async () => {
    for (let i = 0; i < 8; i++) {
      const controller = new AbortController()
      const running = pool.fakeQuantize(data, { format: 'int8', signal: controller.signal })
      if (i % 2) await Promise.resolve()
      const { reason } = await rejection(running, () => controller.abort(i))
      expect(reason).toBe(i)
    }
    await stillRight(pool)
  })

  it('of a long svd: within 100 ms, and the pool works on', { retry: 2 }, async () => {
    await pool.init()
    const controller = new AbortController()
    const running = pool.svd(long, { signal: controller.signal })
    await wait(150)
    const { reason, after } = await rejection(running, () => controller.abort())
    expect(reason).toBe(controller.signal.reason)
    expect(getEventListeners(controller.signal, 'abort')).toEqual([])
    const start = performance.now()
    await stillRight(pool)
    expect(performance.now() - start, 'ms until the next call was done').toBeLessThan(1000)
    expect(after, 'ms from abort to rejection').toBeLessThan(100)
  })

  it('of as many long ones as there are threads, and of one that waits', async () => {
    const controllers = Array.from({ length: threads + 1 }, () => new AbortController())
    const running = controllers.map(({ signal }) => settle(pool.svd(long, { signal })))
    await wait(60)
    controllers.forEach((controller, i) => controller.abort(i))
    expect(await Promise.all(running)).toEqual(controllers.map((_, i) => ({ error: i })))
    await stillRight(pool)
  })

  it('of one call does not disturb others, also on a thread that is replaced', async () => {
    const controller = new AbortController()
    const calls: Call[] = [
      { verb: 'quantize', args: [data], options: { format: 'int4', group: 64 } },
      { verb: 'prune', args: [[data, numbers(9, 2)]], options: { sparsity: 0.4, scope: 'global' } },
      { verb: 'softmax', args: [{ data: numbers(600 * 1000, 3), shape: [600, 1000] }] },
      { verb: 'svd', args: [{ data: numbers(3600, 4), shape: [60, 60] }] },
      { verb: 'lowRank', args: [{ data: numbers(2400, 5), shape: [40, 60] }], options: { rank: 4 } },
      { verb: 'compare', args: [data, data.map((x) => x / 2)] }
    ]
    const expected = calls.map(onThisThread)
    const before = calls.slice(0, 3).map((call) => onPool(pool, call))
    const aborted = Array.from({ length: threads }, () => settle(pool.svd(long, { signal: controller.signal })))
    const after = calls.slice(3).map((call) => onPool(pool, call))
    await wait(50)
    controller.abort('enough')
    const between = onPool(pool, calls[0]!)
    expectSame(await Promise.all([...before, ...after]), expected)
    expectSame(await between, expected[0])
    expect(await Promise.all(aborted)).toEqual(aborted.map(() => ({ error: 'enough' })))
    await stillRight(pool)
  })
})

describe('a signal that is not aborted', () => {
  it('has no listeners left after a result or an error', async () => {
    const pool = poolFor({ threads: 2 })
    const { signal } = new AbortController()
    setMaxListeners(0, signal)
    await Promise.all(EVERY.map((call) => onPool(pool, call, { signal })))
    await settle(pool.quantize([NaN], { format: 'int8', signal }))
    await settle(pool.quantize(Float32Array.of(1, Infinity), { format: 'int8', signal }))
    await settle(pool.quantize([1], { format: 'int9' as 'int8', signal }))
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('has none after close', async () => {
    const pool = createPool({ threads: 1 })
    const { signal } = new AbortController()
    const running = settle(pool.svd(long, { signal }))
    await wait(30)
    await pool.close()
    await running
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('may be aborted once the result is there', async () => {
    const pool = poolFor({ threads: 1 })
    const controller = new AbortController()
    const result = await pool.quantize(data, { format: 'int8', signal: controller.signal })
    controller.abort()
    expectSame(result, quantize(data, { format: 'int8' }))
    await stillRight(pool)
  })
})

it('a signal for many calls', async () => {
  const pool = poolFor({ threads: 2 })
  const controller = new AbortController()
  const { signal } = controller
  setMaxListeners(0, signal)
  const running = Array.from({ length: 20 }, () => settle(pool.quantize(data, { format: 'int8', signal })))
  const other = pool.quantize(data, { format: 'int8' })
  await wait(3)
  controller.abort('all')
  for (const outcome of await Promise.all(running)) {
    if ('error' in outcome) expect(outcome.error).toBe('all')
    else expectSame(outcome.value, quantize(data, { format: 'int8' }))
  }
  expectSame(await other, quantize(data, { format: 'int8' }))
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

it('AbortSignal.timeout', async () => {
  const pool = poolFor({ threads: 1 })
  const { error } = (await settle(pool.svd(long, { signal: AbortSignal.timeout(80) }))) as { error: Error }
  expect(error.name).toBe('TimeoutError')
  await stillRight(pool)
})
