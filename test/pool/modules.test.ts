import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { fingerprint } from '#fingerprint'
import type { Pool, PoolOptions } from '../../src/pool/index.js'
import { temporaryFolder } from '../support/cli.js'
import { checkResult, expectSame, onPool, onThisThread, settle, type Call } from '../support/pool.js'
import { countWorkers } from '../support/workers.js'

const folder = temporaryFolder()
const census = countWorkers()
const WORKER = new URL('../../build/worker.js', import.meta.url)

const pruned: Call = { verb: 'prune', args: [[1, -2, 3, 4]], options: { sparsity: 0.5 } }
const quantized: Call = { verb: 'quantize', args: [[1, -2, 3, 4]], options: { format: 'int8' } }

const open: Pool[] = []

/** A pool of two domains, of a package in which nothing is compiled yet. */
async function freshPool(options: PoolOptions = {}): Promise<Pool> {
  vi.resetModules()
  const { createPoolOf, pruning, quantizing } = await import('../../src/pool/index.js')
  const pool = createPoolOf([pruning, quantizing], { threads: 1, ...options }) as unknown as Pool
  open.push(pool)
  return pool
}

afterEach(async () => {
  vi.restoreAllMocks()
  vi.doUnmock('#kernels/prune-masks')
  vi.resetModules()
  await Promise.all(open.splice(0).map((pool) => pool.close()))
})

async function expectError(pool: Pool, call: Call, code: string, message: RegExp): Promise<void> {
  const outcome = await settle(onPool(pool, call))
  expect(outcome).toHaveProperty('error.code', code)
  if ('error' in outcome) expect(outcome.error.message).toMatch(message)
}

/** The kernels of pruning, changed. */
async function withKernels(change: object): Promise<void> {
  const { kernels } = await vi.importActual<{ kernels: object }>('#kernels/prune-masks')
  vi.doMock('#kernels/prune-masks', () => ({ kernels: { ...kernels, ...change } }))
}

/** The worker's script behind some lines. */
function scriptBehind(lines: string): URL {
  const before = join(folder, `before${Math.random()}.mjs`)
  writeFileSync(before, lines)
  const path = join(folder, `worker${Math.random()}.mjs`)
  writeFileSync(path, `import ${JSON.stringify(pathToFileURL(before).href)}\nimport ${JSON.stringify(WORKER.href)}\n`)
  return pathToFileURL(path)
}

describe('a module that the runtime refuses names its domain, and the pool goes on', () => {
  it.each([
    [
      'a policy',
      'forbidden',
      new EvalError('Wasm code generation disallowed by embedder'),
      /may not compile its kernels of prune-masks /
    ],
    [
      'memory',
      'unsupported-runtime',
      new RangeError('Out of memory'),
      /refuses tersor's kernels of prune-masks: Out of memory/
    ]
  ])('%s', async (_, code, cause, message) => {
    const pool = await freshPool()
    expectSame(await onPool(pool, quantized), onThisThread(quantized))
    const { started } = census
    const refused = vi.spyOn(WebAssembly, 'Module').mockImplementation(function () {
      throw cause
    })
    await expectError(pool, pruned, code, message)
    await expectError(pool, pruned, code, message)
    expectSame(await onPool(pool, quantized), onThisThread(quantized))
    refused.mockRestore()
    expectSame(await onPool(pool, pruned), onThisThread(pruned))
    expect(census.started).toBe(started)
  })

  it('init rejects with it as well', async () => {
    const pool = await freshPool()
    const cause = new EvalError('Wasm code generation disallowed by embedder')
    const compile = vi.spyOn(WebAssembly, 'compile').mockRejectedValue(cause)
    const make = vi.spyOn(WebAssembly, 'Module').mockImplementation(function () {
      throw cause
    })
    await expect(pool.init()).rejects.toThrow(expect.objectContaining({ code: 'forbidden' }))
    await expect(pool.init()).rejects.toThrow(/kernels of prune-masks /)
    compile.mockRestore()
    make.mockRestore()
    await pool.init()
    await checkResult([pool], pruned)
  })

  it('in the worker', async () => {
    const workerUrl = scriptBehind(`
const { Instance } = WebAssembly
let refused = false
WebAssembly.Instance = function (module, imports) {
  const own = WebAssembly.Module.exports(module).some(({ name }) => name === 'maskMagnitudes')
  if (!refused && own) {
    refused = true
    throw new RangeError('Out of memory')
  }
  return new Instance(module, imports)
}`)
    const pool = await freshPool({ workerUrl })
    await expectError(
      pool,
      pruned,
      'unsupported-runtime',
      /^a worker of the pool refuses tersor's kernels of prune-masks: Out of memory; give it more memory$/
    )
    for (const call of [quantized, pruned]) expectSame(await onPool(pool, call), onThisThread(call))
    expect(census.alive).toBe(1)
  })

  it('as a message', async () => {
    // What no thread can be given, as modules are in some runtimes.
    await withKernels({ module: () => 'no module' })
    const pool = await freshPool()
    for (const turn of [1, 2]) {
      await expectError(
        pool,
        pruned,
        'unsupported-runtime',
        /^prune: the kernels of prune-masks cannot be handed to a worker: .*clone/
      )
      expectSame(await onPool(pool, quantized), onThisThread(quantized), `turn ${turn}`)
    }
    expect(census.alive).toBe(1)
  })

  it('a module that a worker did not get', async () => {
    const workerUrl = scriptBehind(`
import { parentPort } from 'node:worker_threads'
const { on } = parentPort
parentPort.on = (event, listen) =>
  on.call(parentPort, event, (message) => message.kind === 'kernels' && message.name === 'prune-masks' || listen(message))`)
    const pool = await freshPool({ workerUrl })
    await expectError(
      pool,
      pruned,
      'unsupported-runtime',
      /^a worker of the pool did not get tersor's kernels of prune-masks$/
    )
    expectSame(await onPool(pool, quantized), onThisThread(quantized))
  })
})

describe('a module that is damaged names its domain, and the pool goes on', () => {
  it('at a call, and at init', async () => {
    await withKernels({ sum: 1 })
    const pool = await freshPool()
    await expectError(pool, pruned, 'damaged-module', /kernels of prune-masks are damaged/)
    expectSame(await onPool(pool, quantized), onThisThread(quantized))
    await expect(pool.init()).rejects.toThrow(/kernels of prune-masks are damaged/)
    expectSame(await onPool(pool, quantized), onThisThread(quantized))
  })
})

describe('a script of another build', () => {
  it('is refused by a pool of some domains, at every call', { timeout: 10_000 }, async () => {
    const path = join(folder, 'other.mjs')
    const answer = { kind: 'ready', fingerprint: fingerprint.replace(/./, (c) => (c === '0' ? '1' : '0')) }
    writeFileSync(
      path,
      `import { parentPort } from 'node:worker_threads'
parentPort.on('message', () => parentPort.postMessage(${JSON.stringify(answer)}))`
    )
    const pool = await freshPool({ workerUrl: pathToFileURL(path) })
    for (const call of [quantized, pruned, quantized]) {
      await expectError(pool, call, 'worker-lost', /^createPoolOf: .*its script is of another version of tersor/)
    }
  })
})
