import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createPool } from '../../src/pool/index.js'
import type { Pool } from '../../src/pool/index.js'
import { temporaryFolder } from '../support/cli.js'
import {
  checkResult,
  CHUNK,
  expectRejection,
  expectSame,
  logits,
  numbers,
  onPool,
  onThisThread,
  settle,
  type Call
} from '../support/pool.js'
import { EVERY } from '../support/poolCalls.js'

const folder = temporaryFolder()
const WORKER = new URL('../../build/worker.js', import.meta.url)

let scripts = 0

/** The address of a module with this text. */
function script(text: string): URL {
  const path = join(folder, `worker${++scripts}.mjs`)
  writeFileSync(path, text)
  return pathToFileURL(path)
}

const open: Pool[] = []

/** A pool that is closed after its test, also where that hangs. */
function poolOf(workerUrl: URL | string, threads = 1): Pool {
  const pool = createPool({ threads, workerUrl })
  open.push(pool)
  return pool
}

afterEach(async () => {
  vi.useRealTimers()
  await Promise.all(open.splice(0).map((pool) => pool.close()))
})

const large = numbers(3 * CHUNK + 5, 1)
const quantization: Call = { verb: 'quantize', args: [large], options: { format: 'int8' } }
const quantized = onThisThread(quantization)

const BROKEN: readonly [string, () => URL][] = [
  ['throws at load', () => script(`throw new Error('no such luck')`)],
  ['throws something that is no error', () => script(`throw 'text'`)],
  ['is no JavaScript', () => script('this is not {')],
  ['imports what is not there', () => script(`import './nowhere.mjs'`)],
  ['exits at once', () => script('process.exit()')],
  ['exits with a code', () => script('process.exit(3)')],
  ['rejects', () => script(`await Promise.reject(new Error('no such luck'))`)],
  ['does not exist', () => pathToFileURL(join(folder, 'nowhere.mjs'))]
]

describe.each(BROKEN)('a worker script that %s', (_, make) => {
  it('every call rejects and says so', { timeout: 10_000 }, async () => {
    const pool = poolOf(make(), 2)
    await expectRejection(pool.init(), Error, /worker/)
    const outcomes = await Promise.all([...EVERY, quantization].map((call) => settle(onPool(pool, call))))
    for (const outcome of outcomes) {
      if (!('error' in outcome)) expect.fail('fulfilled')
      expect(outcome.error).toBeInstanceOf(Error)
      expect(outcome.error.message).toMatch(/worker/)
    }
    await expectRejection(pool.softmax([1, 2]), Error, /worker/)
  })

  it('close does not hang', { timeout: 10_000 }, async () => {
    const pool = poolOf(make(), 3)
    const running = settle(onPool(pool, quantization))
    await pool.close()
    expect(await running).toHaveProperty('error')
  })
})

it('an error at load is said with its cause', { timeout: 10_000 }, async () => {
  await expectRejection(
    poolOf(script(`throw new Error('no such luck')`)).softmax([1, 2]),
    Error,
    'no such luck',
    'worker'
  )
})

it('what was to be transferred to a script that fails', { timeout: 10_000 }, async () => {
  const pool = poolOf(script(`throw new Error('no such luck')`))
  await expectRejection(pool.quantize(numbers(100, 1), { format: 'int8', transfer: true }), Error, /worker/)
})

describe('a worker script that answers nothing', () => {
  const SILENT = `import { parentPort } from 'node:worker_threads'; parentPort.on('message', () => {})`

  it('rejects after 15 s', { timeout: 10_000 }, async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const pool = poolOf(script(SILENT), 2)
    let settled = false
    const running = settle(onPool(pool, quantization)).finally(() => (settled = true))
    await vi.advanceTimersByTimeAsync(14_000)
    expect(settled).toBe(false)
    await vi.advanceTimersByTimeAsync(2_000)
    const outcome = await running
    expect('error' in outcome && outcome.error.message).toMatch(/worker/)
  })

  it('can be aborted and closed', { timeout: 10_000 }, async () => {
    const pool = poolOf(script(SILENT), 2)
    const controller = new AbortController()
    const aborted = settle(onPool(pool, quantization, { signal: controller.signal }))
    const closed = settle(onPool(pool, quantization))
    controller.abort('no')
    expect(await aborted).toEqual({ error: 'no' })
    await pool.close()
    const outcome = await closed
    expect('error' in outcome && outcome.error.message).toMatch(/clos/)
  })
})

/** The real worker, which ends at its message number `at`, unless the flag is there already. Both listen before a message can come. */
function mortal(at: number, end: string): { url: URL; flag: string } {
  const flag = join(folder, `flag${scripts}`)
  const ending = script(`
import { existsSync, writeFileSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
let messages = 0
if (!existsSync(${JSON.stringify(flag)})) {
  parentPort.on('message', () => {
    if (++messages !== ${at}) return
    writeFileSync(${JSON.stringify(flag)}, '')
    ${end}
  })
}`)
  return { url: script(`import ${JSON.stringify(ending.href)}; import ${JSON.stringify(WORKER.href)}`), flag }
}

const ENDS = ['process.exit()', `throw new Error('a stroke')`, `Promise.reject(new Error('a stroke'))`]

describe.each(ENDS)('a worker that dies: %s', (end) => {
  it.each([1, 2, 4])('at message %i: one call rejects, the next succeeds', { timeout: 10_000 }, async (at) => {
    const { url, flag } = mortal(at, end)
    const pool = poolOf(url)
    let rejected = 0
    for (let i = 0; i < 3; i++) {
      const outcome = await settle(onPool(pool, quantization))
      if ('error' in outcome) {
        rejected++
        expect(outcome.error.message).toMatch(/worker/)
        // The first message starts the worker, the others are work.
        expect(outcome.error.message).toMatch(at === 1 ? /createPool|quantize/ : /quantize/)
      } else expectSame(outcome.value, quantized)
    }
    expect(existsSync(flag)).toBe(true)
    expect(rejected).toBeLessThanOrEqual(1)
    await checkResult([pool], quantization)
  })
})

it('calls on other threads are not disturbed by one that dies', { timeout: 20_000 }, async () => {
  const { url } = mortal(3, 'process.exit()')
  const pool = poolOf(url, 3)
  const student = logits([500, 1000], 1)
  const calls: Call[] = Array.from({ length: 12 }, (_, i) =>
    i % 2 ? { verb: 'softmax', args: [student] } : quantization
  )
  const outcomes = await Promise.all(calls.map((call) => settle(onPool(pool, call))))
  outcomes.forEach((outcome, i) => {
    if ('error' in outcome) expect(outcome.error.message).toMatch(/worker/)
    else expectSame(outcome.value, onThisThread(calls[i]!))
  })
  for (const call of calls.slice(0, 4)) await checkResult([pool], call)
})

describe('a worker url', () => {
  it.each([
    ['a URL', WORKER],
    ['text', WORKER.href]
  ])('as %s', async (_, url) => {
    const pool = poolOf(url, 2)
    await pool.init()
    await checkResult([pool], quantization)
    for (const call of EVERY) await checkResult([pool], call)
  })

  it('as a path that nothing can resolve', { timeout: 10_000 }, async () => {
    await expectRejection(poolOf('nowhere/worker.js').softmax([1, 2]), Error, /worker/)
  })

  it('as a path of this machine: works or says what it wants', { timeout: 10_000 }, async () => {
    let pool: Pool
    try {
      pool = poolOf(fileURLToPath(WORKER))
    } catch (error) {
      expect((error as Error).message).toMatch(/workerUrl/)
      return
    }
    const outcome = await settle(onPool(pool, quantization))
    if ('error' in outcome) expect(outcome.error.message).toMatch(/worker/)
    else expectSame(outcome.value, onThisThread(quantization))
  })
})
