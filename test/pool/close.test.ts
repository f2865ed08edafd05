import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createPool } from '../../src/pool/index.js'
import { CHUNK, expectRejection, numbers, onPool, settle } from '../support/pool.js'
import { EVERY } from '../support/poolCalls.js'
import { countWorkers } from '../support/workers.js'

const census = countWorkers()

const small = Float32Array.of(1, -2, 3, 4)

describe('close', () => {
  const data = numbers(3 * CHUNK + 12, 9)

  it('ends calls that run, with words that say so; twice is once', async () => {
    const pool = createPool({ threads: 2 })
    const running = [
      pool.quantize(data, { format: 'int8' }),
      pool.prune(data, { sparsity: 0.5 }),
      pool.svd({ data: numbers(250_000, 1), shape: [500, 500] }),
      pool.svd({ data: numbers(250_000, 2), shape: [500, 500] }),
      pool.softmax(small)
    ]
    const rejections = running.map((promise) => expectRejection(promise, Error, /clos/))
    const closing = pool.close()
    await Promise.all([closing, pool.close(), ...rejections])
    await pool.close()
  })

  it('in the middle of work', async () => {
    const pool = createPool({ threads: 2 })
    await pool.init()
    let closing: Promise<void> | undefined
    const running = pool.quantize(data, { format: 'int8', onProgress: () => void (closing ??= pool.close()) })
    await expectRejection(running, Error, /clos/)
    await closing
  })

  it('a closed pool refuses every verb and init', async () => {
    const pool = createPool({ threads: 1 })
    await pool.close()
    for (const call of EVERY) await expectRejection(onPool(pool, call), Error, /clos/, call.verb)
    await expectRejection(pool.init(), Error, /clos/)
  })

  it('before, during and after init', async () => {
    const pool = createPool({ threads: 3 })
    const starting = settle(pool.init())
    const closing = pool.close()
    await starting
    await closing
    const other = createPool({ threads: 3 })
    await other.init()
    await other.init()
    await other.close()
    const untouched = createPool({ threads: 3 })
    await untouched.close()
  })

  it('leaves no worker', async () => {
    const pool = createPool({ threads: 4 })
    await pool.init()
    expect(census.alive).toBeGreaterThanOrEqual(4)
    const running = pool.svd({ data: numbers(250_000, 1), shape: [500, 500] })
    const rejection = expectRejection(running, Error, /clos/)
    await pool.close()
    await rejection
    await wait(100)
    expect(census.alive).toBe(0)
  })

  it('leaves none that init starts at the same time', async () => {
    for (let turns = 0; turns < 4; turns++) {
      const pool = createPool({ threads: 2 })
      const starting = settle(pool.init())
      for (let i = 0; i < turns; i++) await Promise.resolve()
      await pool.close()
      await starting
      await wait(100)
      expect(census.alive).toBe(0)
    }
  })
})
