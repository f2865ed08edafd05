import { execFile } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { temporaryFolder, type Run } from '../support/cli.js'

const folder = temporaryFolder()
const POOL = new URL('../../build/pool.js', import.meta.url).href
const MAIN = new URL('../../build/index.js', import.meta.url).href
const deno = fileURLToPath(new URL('../conformance/node_modules/.bin/deno', import.meta.url))

const LIMIT = 15_000

/** Runs to its end, which has to come by itself. */
function run(command: string, args: readonly string[]): Promise<Run> {
  return new Promise((resolve) => {
    const child = execFile(command, args, { timeout: LIMIT, killSignal: 'SIGKILL' }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode, signal: child.signalCode, stdout, stderr })
    )
  })
}

const PREFACE = `
import { createPool } from ${JSON.stringify(POOL)}
import { quantize, prune } from ${JSON.stringify(MAIN)}
const data = Float32Array.from({ length: 1_000_003 }, (_, i) => ((i * 7919) % 2003) - 1001)
const matrix = { data: Float32Array.from({ length: 160_000 }, (_, i) => Math.sin(i * i)), shape: [400, 400] }
const same = (a, b) => a.length === b.length && a.every((x, i) => x === b[i])
`

let scripts = 0

function write(text: string): string {
  const path = join(folder, `script${++scripts}.mjs`)
  writeFileSync(path, PREFACE + text)
  return path
}

const onNode = (text: string): Promise<Run> =>
  run(process.execPath, ['--unhandled-rejections=strict', '--trace-warnings', write(text)])

const onDeno = (text: string): Promise<Run> =>
  run(deno, ['run', '--no-config', '--no-lock', '--no-prompt', write(text)])

const ended = (stdout: string): Run => ({ code: 0, signal: null, stdout: `${stdout}\n`, stderr: '' })

const SCRIPTS: readonly [name: string, text: string, stdout: string][] = [
  [
    'work, then close',
    `
    const pool = createPool({ threads: 2 })
    const { codes } = await pool.quantize(data, { format: 'int8' })
    console.log(same(codes, quantize(data, { format: 'int8' }).codes))
    await pool.close()`,
    'true'
  ],
  [
    'close in the middle of work',
    `
    const pool = createPool({ threads: 2 })
    const running = [pool.svd(matrix), pool.svd(matrix), pool.prune(data, { sparsity: 0.5 }), pool.svd(matrix)]
    const outcomes = Promise.allSettled(running)
    setTimeout(() => pool.close(), 60)
    console.log((await outcomes).map(({ status, reason }) => status + ' ' + /clos/.test(reason?.message)).join())`,
    'rejected true,rejected true,rejected true,rejected true'
  ],
  [
    'close at once',
    `
    const pool = createPool({ threads: 2 })
    const starting = pool.init().then(() => 'there', () => 'not there')
    await pool.close()
    console.log(typeof await starting)`,
    'string'
  ],
  [
    'an abort of a long call, then close',
    `
    const pool = createPool({ threads: 2 })
    const controller = new AbortController()
    const running = pool.svd(matrix, { signal: controller.signal })
    setTimeout(() => controller.abort('enough'), 100)
    console.log(await running.catch((reason) => reason))
    const { values } = await pool.prune(data, { sparsity: 0.5, transfer: false })
    console.log(same(values.data, prune(data, { sparsity: 0.5 }).values.data))
    await pool.close()`,
    'enough\ntrue'
  ],
  [
    'bad data and options',
    `
    const pool = createPool({ threads: 2 })
    data[900_000] = NaN
    const errors = [pool.quantize(data, { format: 'int8' }), pool.quantize(data, {}), pool.svd(5)].map((promise) => promise.catch(({ name }) => name))
    console.log((await Promise.all(errors)).join())
    await pool.close()`,
    'RangeError,TypeError,TypeError'
  ],
  [
    'transfer and shared memory',
    `
    const pool = createPool({ threads: 3 })
    const shared = new Float32Array(new SharedArrayBuffer(data.byteLength))
    shared.set(data)
    const expected = quantize(data, { format: 'uint4', symmetric: false, group: 99 }).codes
    const running = pool.quantize(data, { format: 'uint4', symmetric: false, group: 99, transfer: true })
    const again = pool.quantize(shared, { format: 'uint4', symmetric: false, group: 99, transfer: true })
    console.log(data.length, shared.length, same((await running).codes, expected), same((await again).codes, expected))
    await pool.close()`,
    '0 1000003 true true'
  ]
]

describe('Node', () => {
  it.concurrent.each(SCRIPTS)('%s', { timeout: 2 * LIMIT }, async (_, text, stdout) => {
    expect(await onNode(text)).toEqual(ended(stdout))
  })

  const UNCLOSED: readonly [name: string, text: string, stdout: string][] = [
    [
      'a pool that did its work',
      `
      const pool = createPool({ threads: 3 })
      await pool.init()
      console.log((await pool.softmax([0, 0])).data.join())`,
      '0.5,0.5'
    ],
    [
      'a pool that was started',
      `createPool(); await createPool({ threads: 3 }).init(); console.log('started')`,
      'started'
    ],
    [
      'a call that was aborted',
      `
      const pool = createPool({ threads: 1 })
      const controller = new AbortController()
      pool.svd(matrix, { signal: controller.signal }).catch((reason) => console.log(reason))
      setTimeout(() => controller.abort('enough'), 100)`,
      'enough'
    ],
    [
      'a call that nobody waits for is done',
      `createPool({ threads: 2 }).prune(data, { sparsity: 0.5 }).then(({ sparsity }) => console.log(sparsity.toFixed(3)))`,
      '0.500'
    ]
  ]

  it.concurrent.each(UNCLOSED)('exits by itself: %s', { timeout: 2 * LIMIT }, async (_, text, stdout) => {
    expect(await onNode(text)).toEqual(ended(stdout))
  })

  it.concurrent(
    'a call that nobody catches ends the process as any rejection does',
    { timeout: 2 * LIMIT },
    async () => {
      const { code, stderr } = await onNode(`createPool({ threads: 1 }).quantize([NaN, 1], { format: 'int8' })`)
      expect(code).toBe(1)
      expect(stderr).toContain('index 0')
    }
  )

  it.concurrent('with code from the command line, and with options of Node', { timeout: 2 * LIMIT }, async () => {
    const text = `${PREFACE}
      console.log((await createPool({ threads: 2 }).softmax([0, 0])).data.join())`
    const options = ['--input-type=module', '--max-old-space-size=200']
    expect(await run(process.execPath, [...options, '--eval', text])).toEqual(ended('0.5,0.5'))
  })

  it.concurrent('from CommonJS', { timeout: 2 * LIMIT }, async () => {
    const text = `import(${JSON.stringify(POOL)}).then(async ({ createPool }) => console.log((await createPool({ threads: 2 }).softmax([0, 0])).data.join()))`
    expect(await run(process.execPath, ['--eval', text])).toEqual(ended('0.5,0.5'))
  })

  it.concurrent('inside a worker', { timeout: 2 * LIMIT }, async () => {
    const text = `
      import { Worker, isMainThread } from 'node:worker_threads'
      import { fileURLToPath } from 'node:url'
      if (isMainThread) new Worker(fileURLToPath(import.meta.url))
      else {
        const pool = createPool({ threads: 2 })
        const { codes } = await pool.quantize(data, { format: 'int8' })
        console.log(same(codes, quantize(data, { format: 'int8' }).codes))
      }`
    expect(await onNode(text)).toEqual(ended('true'))
  })
})

describe('Deno', () => {
  const found = existsSync(deno)
  if (!found) console.log('Deno is not installed: its processes are skipped')

  it.skipIf(!found).concurrent.each(SCRIPTS)('%s', { timeout: 2 * LIMIT }, async (_, text, stdout) => {
    expect(await onDeno(text)).toEqual(ended(stdout))
  })
})
