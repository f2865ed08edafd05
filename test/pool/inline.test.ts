import { describe, expect, it, vi } from 'vitest'
import { createPool, createPoolOf, decomposing, pruning, quantizing, type Pool } from '../../src/pool/index.js'
import {
  attempt,
  checkCall,
  checkResult,
  CHUNK,
  expectRejection,
  expectSame,
  expectSameOutcome,
  numbers,
  onPool,
  onThisThread,
  settle,
  type Call
} from '../support/pool.js'
import { EVERY, randomCall } from '../support/poolCalls.js'
import { countWorkers } from '../support/workers.js'

// As in a runtime without workers, whose build has no script for them.
vi.mock('#worker/runtime', () => ({ chunk: { id: '', text: '', needs: [] } }))

const census = countWorkers()
const pool = createPool({ threads: 7 })
const large = numbers(4 * CHUNK + 9, 1)
const halving: Call = { verb: 'prune', args: [large], options: { sparsity: 0.5 } }

describe('without workers', () => {
  it('has one thread, and starts none', async () => {
    expect(pool.threads).toBe(1)
    await pool.init()
    expect(census.started).toBe(0)
  })

  it.each(EVERY.map((call) => ({ verb: call.verb, call })))('$verb', ({ call }) => checkCall([pool], call))

  it('any call', async () => {
    for (let seed = 0; seed < 150; seed++) await checkCall([pool], randomCall(seed, 1000), `seed ${seed}`)
    for (let seed = 0; seed < 15; seed++) await checkCall([pool], randomCall(seed, 2 * CHUNK), `seed ${seed}`)
  })

  it('calls at once', async () => {
    const calls = [halving, ...EVERY, halving]
    expectSame(await Promise.all(calls.map((call) => onPool(pool, call))), calls.map(onThisThread))
  })

  it('bad numbers in several chunks', async () => {
    const bad = large.slice()
    for (const at of [3 * CHUNK, CHUNK + 1, CHUNK + 5]) bad[at] = NaN
    for (const call of [
      { verb: 'quantize', args: [bad], options: { format: 'int4' } },
      { verb: 'prune', args: [bad], options: { sparsity: 0.1 } },
      { verb: 'compare', args: [large, bad] }
    ] satisfies Call[]) {
      expectSameOutcome(
        await settle(onPool(pool, call)),
        attempt(() => onThisThread(call)),
        call.verb
      )
    }
  })

  it('signals, progress and transfer', async () => {
    const controller = new AbortController()
    const seen: number[] = []
    const onProgress = ({ done }: { done: number }): void => {
      if (seen.push(done) === 3) controller.abort('no')
    }
    expect(await settle(onPool(pool, halving, { signal: controller.signal, onProgress }))).toEqual({ error: 'no' })
    expect(seen).toEqual([1, 2, 3])
    const aborted = new AbortController()
    setTimeout(() => aborted.abort('timer'), 1)
    expect(await settle(onPool(pool, halving, { signal: aborted.signal }))).toEqual({ error: 'timer' })
    const moved = numbers(100, 1)
    const expected = onThisThread({ verb: 'quantize', args: [moved], options: { format: 'int8' } })
    const running = pool.quantize(moved, { format: 'int8', transfer: true })
    expect(moved.length).toBe(0)
    expectSame(await running, expected)
  })

  it('pools of some domains', async () => {
    const some = createPoolOf([quantizing, pruning, decomposing], { threads: 3 })
    expect(some.threads).toBe(1)
    await some.init()
    for (const call of [halving, ...EVERY].filter(({ verb }) => verb in some)) {
      await checkResult([some as unknown as Pool], call)
    }
    expect('softmax' in some).toBe(false)
    expect(census.started).toBe(0)
    await some.close()
  })

  it('close', async () => {
    const other = createPool()
    const running = expectRejection(onPool(other, halving), Error, /clos/)
    await other.close()
    await running
    await expectRejection(other.softmax([1]), Error, /clos/)
  })
})
