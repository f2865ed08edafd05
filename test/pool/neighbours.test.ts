import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../support/cli.js'
import { CHUNK, expectRejection, expectSame, numbers, onThisThread, poolFor } from '../support/pool.js'

const folder = temporaryFolder()
const worker = new URL('../../build/worker.js', import.meta.url).href

/** A worker script that does something of its own with messages before the real one hears them. */
function scriptThat(name: string, listener: string): URL {
  const first = join(folder, `${name}-first.mjs`)
  writeFileSync(
    first,
    `import { parentPort } from 'node:worker_threads'\nparentPort.on('message', (message) => { ${listener} })\n`
  )
  const script = join(folder, `${name}.mjs`)
  writeFileSync(script, `import ${JSON.stringify(pathToFileURL(first).href)}\nimport ${JSON.stringify(worker)}\n`)
  return pathToFileURL(script)
}

it('a worker that dies takes the call with it that it was at, and none that waited behind', async () => {
  const pool = poolFor({
    threads: 1,
    workerUrl: scriptThat('dies', "if (message.program === 'encodeHalf') process.exit(3)")
  })
  await pool.init()
  const fatal = expectRejection(
    pool.quantize([1, 2], { format: 'float16' }),
    Error,
    /^quantize: a worker of the pool died/
  )
  const behind = pool.softmax([[1, 2]])
  await fatal
  expectSame(await behind, onThisThread({ verb: 'softmax', args: [[[1, 2]]] }))
})

it('a worker script of another build is refused by name', async () => {
  const other = "if (message.kind === 'start') parentPort.postMessage({ kind: 'ready', fingerprint: 'other' })"
  const pool = poolFor({ threads: 1, workerUrl: scriptThat('other', other) })
  await expectRejection(pool.softmax([[1, 2]]), Error, /another version of tersor/, /workerUrl/)
})

it('thousands of small tensors go in few chunks', async () => {
  const pool = poolFor({ threads: 2 })
  const many = Array.from({ length: 3000 }, (_, i) => Float32Array.of(i % 7, -2, 3, (i % 5) - 2))
  const big = [...many.slice(0, 5), numbers(CHUNK + 9, 1), ...many.slice(5)]
  for (const [tensors, options] of [
    [big, { sparsity: 0.5 }],
    [big, { sparsity: 0.5, scope: 'global' }],
    [many, { pattern: '1:2' }]
  ] as const) {
    let total = 0
    const result = await pool.prune(tensors, { ...options, onProgress: (progress) => void (total = progress.total) })
    expectSame(result, onThisThread({ verb: 'prune', args: [tensors], options }))
    expect(total).toBeLessThan(40)
  }
})
