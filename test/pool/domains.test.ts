import { afterAll, afterEach, describe, expect, expectTypeOf, it, vi } from 'vitest'
import {
  approximating,
  createPool,
  createPoolOf,
  decomposing,
  distilling,
  multiplying,
  pruning,
  quantizing,
  solving,
  type Domain,
  type Pool,
  type PoolControl,
  type PoolOptions
} from '../../src/pool/index.js'
import {
  checkResult,
  CHUNK,
  expectRejection,
  expectSame,
  logits,
  numbers,
  onPool,
  onThisThread,
  type Call,
  type Verb
} from '../support/pool.js'
import { EVERY } from '../support/poolCalls.js'
import { FRESH } from '../support/poolTransfers.js'
import { countWorkers } from '../support/workers.js'

const census = countWorkers()
const WORKER = new URL('../../build/worker.js', import.meta.url)

const DOMAINS: readonly { domain: Domain; verbs: Verb[] }[] = [
  { domain: quantizing, verbs: ['quantize', 'dequantize', 'fakeQuantize'] },
  { domain: pruning, verbs: ['prune', 'applyMask'] },
  { domain: distilling, verbs: ['softmax', 'logSoftmax', 'distillationLoss', 'klDivergence', 'crossEntropy'] },
  { domain: multiplying, verbs: ['gram', 'matmul', 'compare'] },
  { domain: decomposing, verbs: ['qr', 'cholesky', 'svd', 'truncatedSvd'] },
  { domain: solving, verbs: ['solveTriangular', 'ridge', 'procrustes'] },
  { domain: approximating, verbs: ['lowRank', 'lowRankPlan', 'reconstruct'] }
]

const table = { data: numbers(3001 * 200, 4), shape: [3001, 200] }
const large = numbers(3 * CHUNK + 5, 1)

/** Calls of several chunks, some of which have to agree. */
const LARGE: readonly Call[] = [
  { verb: 'quantize', args: [large], options: { format: 'int8' } },
  { verb: 'fakeQuantize', args: [table], options: { format: 'uint4', axis: 0, symmetric: false } },
  { verb: 'prune', args: [large], options: { sparsity: 0.7 } },
  { verb: 'softmax', args: [logits([900, 700], 3)] },
  { verb: 'compare', args: [large, large.map((x) => x / 2)] },
  { verb: 'gram', args: [table], options: { center: true } },
  { verb: 'matmul', args: [table, table], options: { transposeA: true } }
]

const namesOf = (pool: PoolControl): string[] =>
  Object.keys(pool).filter((name) => !['threads', 'init', 'close'].includes(name))

const open: PoolControl[] = []

/** A pool of one domain. It is given as one of all, to call its verbs by name. */
function poolOf(domain: Domain, options: PoolOptions = { threads: 2 }): Pool {
  const pool = createPoolOf([domain], options)
  open.push(pool)
  return pool as Pool
}

afterEach(() => Promise.all(open.splice(0).map((pool) => pool.close())))

describe.each(DOMAINS)('a pool of $domain.name', ({ domain, verbs }) => {
  const calls = [...EVERY, ...LARGE].filter(({ verb }) => verbs.includes(verb))

  it('has its verbs and no others', () => {
    expect(namesOf(poolOf(domain)).sort()).toEqual([...verbs].sort())
  })

  it.each([
    ['with its own script', { threads: 2 }],
    ['with one thread', { threads: 1 }],
    ['with the script that is served', { threads: 2, workerUrl: WORKER }]
  ])('gives the bytes of the verbs alone, %s', async (_, options) => {
    const { started } = census
    const pool = poolOf(domain, options)
    expect(calls.length).toBeGreaterThanOrEqual(verbs.length)
    for (const call of calls) await checkResult([pool], call)
    expect(census.started).toBeGreaterThan(started)
  })

  it('takes arrays that are handed over', async () => {
    const pool = poolOf(domain)
    for (const [name, fresh] of Object.entries(FRESH)) {
      if (!verbs.includes(fresh().call.verb)) continue
      const { call, arrays } = fresh()
      const running = onPool(pool, call, { transfer: true })
      expect(arrays.map(({ buffer }) => buffer.byteLength)).toEqual(arrays.map(() => 0))
      expectSame(await running, onThisThread(fresh().call), name)
    }
  })
})

describe('a pool of several domains', () => {
  const pool = createPoolOf([quantizing, pruning], { threads: 2 })
  afterAll(() => pool.close())

  it('has the verbs of each, for the compiler too', () => {
    type Own = Exclude<keyof typeof pool, keyof PoolControl>
    expectTypeOf<Own>().toEqualTypeOf<'quantize' | 'dequantize' | 'fakeQuantize' | 'prune' | 'applyMask'>()
    expectTypeOf(pool.prune).toEqualTypeOf<Pool['prune']>()
    // @ts-expect-error the pool lacks it
    expect(pool.softmax).toBeUndefined()
    expect(namesOf(pool).sort()).toEqual(['applyMask', 'dequantize', 'fakeQuantize', 'prune', 'quantize'])
  })

  it('of all has the verbs of createPool, for the compiler too', () => {
    const all = createPoolOf([quantizing, pruning, distilling, multiplying, decomposing, solving, approximating])
    expectTypeOf<keyof typeof all>().toEqualTypeOf<keyof Pool>()
    expectTypeOf(all.lowRank).toEqualTypeOf<Pool['lowRank']>()
    expect(namesOf(all)).toEqual(namesOf(createPool()))
  })

  it('does calls of each at once', async () => {
    const calls = LARGE.filter(({ verb }) => verb in pool)
    await Promise.all([...calls, ...calls].map((call) => checkResult([pool as unknown as Pool], call)))
  })

  it('names the function that made it', async () => {
    const closed = createPoolOf([distilling], { threads: 1 })
    await closed.close()
    await expectRejection(closed.softmax([1]), Error, /^softmax: the pool was closed; .* createPoolOf$/)
    const lost = poolOf(distilling, { threads: 1, workerUrl: 'nowhere/worker.js' })
    await expectRejection(lost.softmax([1]), Error, /^createPoolOf: the worker could not be started/)
  })
})

describe('the kernels of a pool', () => {
  afterEach(() => {
    vi.restoreAllMocks()
    vi.resetModules()
  })

  it.each([
    ['quantizing', 1],
    ['decomposing', 2]
  ] as const)('%s: init compiles its own alone', async (name, modules) => {
    vi.resetModules()
    const fresh = await import('../../src/pool/index.js')
    const compiled = vi.spyOn(WebAssembly, 'compile')
    const made = vi.spyOn(WebAssembly, 'Module')
    const pool = fresh.createPoolOf([fresh[name]], { threads: 1 })
    open.push(pool)
    expect(compiled).not.toHaveBeenCalled()
    await pool.init()
    expect(compiled).toHaveBeenCalledTimes(modules)
    expect(made).not.toHaveBeenCalled()
  })
})

describe('domains that are none', () => {
  const createAny = createPoolOf as (domains: unknown, options?: unknown) => PoolControl
  const wanted = '"domains" expected'

  it.each([
    [
      'nothing',
      undefined,
      'invalid-type',
      `${wanted} an array of domains of tersor/pool, such as quantizing, got undefined`
    ],
    ['a domain alone', quantizing, 'invalid-type', `${wanted} an array of domains`],
    ['options', { threads: 2 }, 'invalid-type', `${wanted} an array of domains`],
    [
      'an empty list',
      [],
      'invalid-value',
      `${wanted} one or more domains of tersor/pool, such as quantizing, got none`
    ],
    [
      'a name',
      ['quantizing'],
      'invalid-type',
      `${wanted} domains of tersor/pool, such as quantizing, got "quantizing" at index 0`
    ],
    ['a function', [quantizing, createPool], 'invalid-type', 'at index 1'],
    ['null', [quantizing, null], 'invalid-type', 'got null at index 1'],
    ['another object', [{ name: 'quantizing' }], 'invalid-type', 'at index 0'],
    // eslint-disable-next-line no-sparse-arrays
    ['a hole', [quantizing, , pruning], 'invalid-type', 'got undefined at index 1'],
    [
      'one domain twice',
      [quantizing, pruning, quantizing],
      'invalid-value',
      '"domains" has quantizing twice; name each domain once'
    ]
  ])('%s', (_, domains, code, message) => {
    const { started } = census
    const error = expect.objectContaining({
      name: 'TypeError',
      code,
      message: expect.stringContaining(message) as string
    })
    expect(() => createAny(domains)).toThrow(error)
    expect(() => createAny(domains)).toThrow(/^createPoolOf: /)
    expect(census.started).toBe(started)
  })

  it('options are checked as those of createPool', () => {
    expect(() => createAny([pruning], { thread: 2 })).toThrow(/^createPoolOf: unknown option "thread"/)
    expect(() => createAny([pruning], { threads: 0 })).toThrow(/^createPoolOf: "threads" expected/)
    expect(() => createAny([pruning], { workerUrl: 7 })).toThrow(/^createPoolOf: "workerUrl" expected/)
  })
})
