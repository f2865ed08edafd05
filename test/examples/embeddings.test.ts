import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync, cpSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createIndex, fitCodec, openIndex, readVectors } from '../../src/embeddings/index.js'
import type { Tensor } from '../../src/index.js'
import { removeFolder } from '../conformance/project.mjs'
import { chromium as browser } from '../conformance/targets/browsers.mjs'
import { start, textOf } from '../conformance/targets/children.mjs'
import { processes } from '../conformance/targets/processes.mjs'
import { cloudflare, install, workerd } from '../serverless/platforms.mjs'
import { normals } from '../support/random.js'

/** Set where nothing may be skipped: continuous integration. */
const all = Boolean(process.env.ALL_RUNTIMES)

/** Glosses that the demo has, f16. */
const GLOSSES = 'demo/data/glosses.npy'

let project: string
let vectors: Tensor
const cleanups: (() => unknown)[] = []
const defer = (cleanup: () => unknown) => cleanups.push(cleanup)
const example = (name: string): string => join(project, 'examples', name)

beforeAll(async () => {
  project = install()
  vectors = (await readVectors(example(GLOSSES))).vectors
})
afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup()
  await removeFolder(project)
})

const row = (data: Float32Array, i: number): Float32Array => data.subarray(384 * i, 384 * (i + 1))

/** The ids of the k rows of the greatest inner product, less those left out. */
function nearest(query: Float32Array, k: number, leftOut?: number): number[] {
  const { data, shape } = vectors
  const scores = Array.from({ length: shape[0]! }, (_, i) => row(data, i).reduce((sum, x, j) => sum + x * query[j]!, 0))
  const order = [...scores.keys()].filter((i) => i !== leftOut).sort((a, b) => scores[b]! - scores[a]! || a - b)
  return order.slice(0, k)
}

describe('embeddings-migrate', () => {
  it('turns a JSON store into an index, and says what it takes', async () => {
    const [count] = vectors.shape as [number]
    const store = Array.from({ length: count }, (_, i) => ({
      id: `doc-${i}`,
      text: `gloss ${i}`,
      embedding: Array.from(row(vectors.data, i))
    }))
    const source = join(project, 'store.json')
    const folder = join(project, 'migrated')
    writeFileSync(source, JSON.stringify(store))
    const said = execFileSync(process.execPath, ['migrate.mjs', source, folder], {
      cwd: example('embeddings-migrate')
    }).toString()

    const size = (path: string): number => statSync(path).size
    const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(2)} MB`
    const [index, records] = [join(folder, 'vectors.index'), join(folder, 'records.json')]
    expect(said).toContain(`${count} vectors of 384`)
    expect(said).toContain(`on disk    ${megabytes(size(source))} -> ${megabytes(size(index) + size(records))}`)
    expect(size(source)).toBeGreaterThan(25 * (size(index) + size(records)))
    expect(Number(/recall@10 {2}(\S+)/.exec(said)?.[1])).toBeGreaterThan(0.75)
    expect(said).toContain('nearest to the first: {"id":"doc-0","text":"gloss 0"}')

    expect(JSON.parse(readFileSync(records, 'utf8'))[7]).toEqual({ id: 'doc-7', text: 'gloss 7' })
    const opened = openIndex(readFileSync(index))
    expect(opened.size).toBe(count)
    expect(opened.search(row(vectors.data, 7), { k: 1 }).ids.data[0]).toBe(7)
  })

  it('says how it is used', () => {
    const run = () =>
      execFileSync(process.execPath, ['migrate.mjs'], { cwd: example('embeddings-migrate'), stdio: 'pipe' })
    expect(run).toThrow('usage: node migrate.mjs store.json')
  })
})

describe('embeddings-sqlite', () => {
  const [major, minor] = process.versions.node.split('.').map(Number) as [number, number]
  const hosts = processes as { name: string; found?: string }[]
  const own = major > 22 || (major === 22 && minor >= 13) ? process.execPath : undefined
  const node = own ?? hosts.find(({ name, found }) => found && /^Node 2[2-9]$/.test(name))?.found
  if (!node && !all)
    console.log('no Node has node:sqlite (npm ci in test/conformance): the example embeddings-sqlite is skipped')

  it.skipIf(!node && !all)('keeps codes and texts in a database', () => {
    expect(node, 'a Node with node:sqlite is not installed, and ALL_RUNTIMES is set').toBeTruthy()
    const folder = example('embeddings-sqlite')
    cpSync(join(import.meta.dirname, 'sqlite.mjs'), join(folder, 'test.mjs'))
    const args = ['test.mjs', example(GLOSSES), join(project, 'store.sqlite')]
    const stdio = ['ignore', 'pipe', 'ignore'] as const
    const seen = JSON.parse(execFileSync(node!, args, { cwd: folder, stdio: [...stdio] }).toString())
    const [count] = vectors.shape as [number]
    expect(seen).toMatchObject({ half: 600, ids: [601, count], size: count - 1 })
    expect(seen.failure).toContain('expected a vector for each of 2 texts, got 1')
    expect(seen.first).toMatchObject({ id: 1, text: 'gloss 0' })
    // Opening it again changes nothing.
    expect(seen.again).toEqual(seen.found)
    const found = (seen.found as number[][]).map((ids, i) => {
      const right = nearest(row(vectors.data, i), 10, 600).map((place) => place + 1)
      return ids.filter((id) => right.includes(id)).length
    })
    expect(found.reduce((sum, n) => sum + n, 0) / (10 * found.length)).toBeGreaterThan(0.8)

    const said = execFileSync(node!, ['demo.mjs'], { cwd: folder, stdio: [...stdio] }).toString()
    expect(said).toMatch(/1000 vectors of 384: 1536000 bytes as f32, \d+ in store\.sqlite/)
    expect(said).toContain('row 0 (')
  })
})

describe('embeddings-page', () => {
  const found = browser as string | undefined
  if (!found && !all) console.log('no Chromium is installed: the example embeddings-page is skipped')

  interface Found {
    id: number
    score: number
    words: string
    gloss: string
  }

  /** The same search in Node. */
  async function openGlosses(): Promise<{
    search(text: string, k?: number): Found[]
    like(id: number, k?: number): Found[]
    size: number
  }> {
    const file = (name: string): Buffer => readFileSync(join(example('embeddings-page'), 'data', name))
    const module = await import(pathToFileURL(join(example('embeddings-page'), 'glosses.mjs')).href)
    return module.openGlosses({
      codec: new Uint8Array(file('glosses.codec')),
      codes: new Uint8Array(file('glosses.codes')),
      texts: gunzipSync(file('glosses.txt.gz')).toString()
    })
  }

  it('finds by meaning', async () => {
    const glosses = await openGlosses()
    expect(glosses.size).toBe(20_000)
    const words = (text: string) => glosses.search(text, 20).map((item) => `${item.words}: ${item.gloss}`)
    expect(
      words('disease of the heart').filter((text) => /heart|cardi|atri|coronary|circulat/.test(text)).length
    ).toBeGreaterThan(12)
    // Found by what they mean: the words themselves are not there.
    expect(words('happy').filter((text) => !/happy|happiness/.test(text)).length).toBeGreaterThan(3)
    expect(glosses.search('xyzzy')).toEqual([])
    expect(glosses.like(5).every(({ id }) => id !== 5)).toBe(true)
  })

  it.skipIf(!found && !all)('searches 20,000 glosses in under 3 MB', { timeout: 120_000 }, async () => {
    expect(found, 'no Chromium is installed, and ALL_RUNTIMES is set').toBeTruthy()
    const folder = example('embeddings-page')
    symlinkSync(join(project, 'node_modules'), join(folder, 'node_modules'))
    const env = { ...process.env, PORT: '0' }
    const server = start(defer, process.execPath, ['serve.mjs'], {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'inherit']
    })
    const address = (await Promise.race([textOf(server.child.stdout, true), server.failed])).trim()

    const launched = await chromium.launch({ executablePath: found!, args: ['--no-sandbox', '--disable-gpu'] })
    defer(() => launched.close())
    const page = await launched.newPage()
    const problems: string[] = []
    const sizes: Promise<number>[] = []
    page.on('pageerror', (error) => problems.push(error.message))
    page.on('response', (response) => sizes.push(response.body().then((body) => body.length)))
    await page.goto(address)
    await page.waitForSelector('#query:enabled', { timeout: 60_000 })
    expect(await page.textContent('#status')).toMatch(/^20000 glosses, 2\.\d\d MB in all, opened in \d+ ms$/)
    const loaded = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
    expect(loaded).toBeGreaterThan(1.5e6)
    expect(loaded).toBeLessThan(3e6)

    const glosses = await openGlosses()
    const shown = () =>
      page.$$eval('#results button', (buttons) =>
        buttons.map((button) => [Number(button.dataset.id), button.textContent] as const)
      )
    const expected = (items: Found[]) =>
      items.map(({ id, score, words, gloss }) => [id, `${words} ${gloss} ${score.toFixed(3)}`])
    for (const text of ['a small boat', 'disease of the heart', 'music']) {
      await page.fill('#query', text)
      expect(await shown()).toEqual(expected(glosses.search(text)))
      expect(await page.textContent('#status')).toMatch(/^10 of 20000 in [\d.]+ ms$/)
    }
    const [[first]] = (await shown()) as [[number, string]]
    await page.click('#results button')
    expect(await shown()).toEqual(expected(glosses.like(first)))
    await page.fill('#query', 'xyzzy')
    expect(await shown()).toEqual([])
    expect(problems).toEqual([])
  })

  it('has files of which nothing is left over', () => {
    expect(readdirSync(join(example('embeddings-page'), 'data')).sort()).toEqual([
      'README.md',
      'glosses.codec',
      'glosses.codes',
      'glosses.txt.gz'
    ])
  })
})

describe('embeddings-worker', () => {
  const found = workerd as string | undefined
  if (!found && !all)
    console.log('workerd is not installed (npm ci in test/conformance): the example embeddings-worker is skipped')

  const COPIES = 10
  const ROWS = 20_000

  it.skipIf(!found && !all)('searches 200,000 vectors within 128 MB', { timeout: 120_000 }, async () => {
    expect(found, 'workerd is not installed, and ALL_RUNTIMES is set').toBeTruthy()
    const data = normals(ROWS * 384, 5)
    const codec = fitCodec({ data, shape: [ROWS, 384] }, { bits: 2 })
    const codes = codec.encode({ data, shape: [ROWS, 384] })
    const index = createIndex(codec)
    for (let copy = 0; copy < COPIES; copy++) index.addCodes(codes)
    const folder = example('embeddings-worker')
    const assets = join(folder, 'assets')
    mkdirSync(assets)
    const bytes = index.toBytes()
    // What a static asset may have: 25 MiB.
    expect(bytes.length).toBeGreaterThan(20e6)
    expect(bytes.length).toBeLessThan(25 * 2 ** 20)
    writeFileSync(join(assets, 'vectors.index'), bytes)

    const platform = await cloudflare(found!, folder, defer, assets)
    const idle = platform.peak()
    const ask = async (body: unknown, method = 'POST', path = '/') => {
      const text = typeof body === 'string' ? body : JSON.stringify(body)
      const answer = await platform.send({
        method,
        path,
        type: method === 'POST' ? 'application/json' : undefined,
        body: method === 'POST' ? text : undefined
      })
      return { status: answer.status, json: JSON.parse(answer.bytes.toString()) }
    }
    expect(await ask(undefined, 'GET')).toMatchObject({
      status: 200,
      json: { size: COPIES * ROWS, bits: 2, dimensions: 384 }
    })

    const query = (i: number): number[] => Array.from(row(data, i))
    const same = (answer: { json: { results: { id: number; score: number }[][] } }, i: number, at = 0) => {
      const { ids, scores } = index.search(row(data, i), { k: 10 })
      const [found] = answer.json.results.slice(at)
      expect(found!.map(({ id }) => id)).toEqual([...ids.data])
      expect(found!.map(({ score }) => Math.fround(score))).toEqual([...scores.data])
      expect([...ids.data]).toEqual(Array.from({ length: 10 }, (_, copy) => i + copy * ROWS))
    }
    same(await ask({ vector: query(3) }), 3)
    same(await ask({ data: [0, 1].map((index) => ({ index, embedding: query(index + 8) })), model: 'x' }), 9, 1)
    expect((await ask({ vector: query(3), k: 3 })).json.results[0]).toHaveLength(3)
    for (let i = 0; i < 20; i++) same(await ask({ vector: query(i) }), i)

    const refused: [body: unknown, status: number, message: RegExp][] = [
      ['{"vector": [1,', 400, /expected JSON/],
      [{ vector: [1, 2] }, 400, /dimension 384, got 2/],
      [{ vector: query(0).map((x, i) => (i === 5 ? null : x)) }, 400, /expected a number at 5, got null/],
      [{ vector: query(0), k: 0 }, 400, /"k" expected a whole number from 1 to 100, got 0/],
      [{ text: 'boat' }, 400, /search: "queries" expected/],
      [null, 400, /search: "queries" expected/],
      [' '.repeat(2 ** 20 + 1), 413, /at most 1048576 bytes/]
    ]
    for (const [body, status, message] of refused) {
      expect(await ask(body)).toEqual({ status, json: { error: expect.stringMatching(message) } })
    }
    if (idle !== undefined) expect(platform.peak()! - idle).toBeLessThan(128e6)
  })
})
