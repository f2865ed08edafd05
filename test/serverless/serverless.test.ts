import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compressModel, decompressModel, encodeNpy, encodeSafetensors, openModel } from '../../src/model/index.js'
import type { Recipe } from '../../src/model/index.js'
import { quantize } from '../../src/index.js'
import { removeFolder } from '../conformance/project.mjs'
import { readRaw } from '../support/models.js'
import { normals } from '../support/random.js'
import { install, platforms } from './platforms.mjs'

/** Set where nothing may be skipped: continuous integration. */
const all = Boolean(process.env.ALL_RUNTIMES)

interface Sent {
  method?: string
  path?: string
  type?: string
  body?: string | Uint8Array | ReadableStream
  base64?: boolean
}

interface Answer {
  status: number
  headers: Record<string, string>
  bytes: Buffer
}

interface Platform {
  send(request: Sent): Promise<Answer>
  announce(request: { type: string; length: number }): Promise<Answer>
  peak(): number | undefined
}

const FILE = 'application/octet-stream'
const JSON_TYPE = 'application/json'

const npyOf = (data: Float32Array<ArrayBuffer>, columns: number): Uint8Array<ArrayBuffer> =>
  encodeNpy({ shape: [data.length / columns, columns], data })

/** Rows as an API answers them: the shortest text of each number. */
function rowsOf(data: Float32Array, columns: number): number[][] {
  return Array.from({ length: data.length / columns }, (_, i) => [...data.subarray(i * columns, (i + 1) * columns)])
}

function snrOf(original: Float32Array, restored: Float32Array): number {
  let signal = 0
  let noise = 0
  for (const [i, x] of original.entries()) {
    signal += x * x
    noise += (x - restored[i]!) ** 2
  }
  return 10 * Math.log10(signal / noise)
}

async function restore(bytes: Uint8Array): Promise<Float32Array> {
  const { bytes: plain } = await decompressModel(await openModel(bytes), { format: 'safetensors' })
  const [array] = readRaw(plain!).arrays.values()
  return new Float32Array(array!.bytes.slice().buffer)
}

const columns = 384
const batch = normals(2000 * columns, 1)
const few = batch.subarray(0, 200 * columns)
const asNpy = npyOf(batch, columns)
const halves = encodeSafetensors([
  { name: 'vectors', dtype: 'F16', shape: [2000, columns], data: quantize(batch, { format: 'float16' }).codes }
])
const int8: Recipe = { quantize: { format: 'int8', axis: 0 } }

interface Batch {
  sent: Sent
  original: Float32Array
  /** the same for the library itself */
  file: Uint8Array
  recipe: Recipe
  /** dB that are left at least */
  least: number
}

const whole = (sent: Sent, recipe: Recipe, least: number): Batch => ({
  sent: { type: FILE, body: asNpy, ...sent },
  original: batch,
  file: asNpy,
  recipe,
  least
})
const part = (type: string, body: unknown): Batch => ({
  sent: { type, body: JSON.stringify(body) },
  original: few,
  file: encodeSafetensors([{ name: 'vectors', shape: [200, columns], data: few }]),
  recipe: int8,
  least: 40
})

const requests: Record<string, Batch> = {
  '2,000 x 384 as .npy': whole({}, int8, 40),
  'without a content type': whole({ type: undefined }, int8, 40),
  'in groups of 64': whole({ path: '/?group=64' }, { quantize: { format: 'int8', axis: 0, group: 64 } }, 43),
  'as int4': whole({ path: '/?format=int4' }, { quantize: { format: 'int4', group: 32, symmetric: false } }, 20),
  'as int4 in groups of 8': whole(
    { path: '/?format=int4&group=8' },
    { quantize: { format: 'int4', group: 8, symmetric: false } },
    23
  ),
  'as float16': whole({ path: '/?format=float16' }, { quantize: { format: 'float16' } }, 70),
  'float16 as .safetensors': { ...whole({ body: halves }, int8, 40), file: halves },
  'vectors as JSON': part(`${JSON_TYPE}; charset=utf-8`, { vectors: rowsOf(few, columns) }),
  'JSON of an embedding API': part(JSON_TYPE, {
    object: 'list',
    data: rowsOf(few, columns).map((embedding, index) => ({ object: 'embedding', index, embedding })),
    model: 'text-embedding'
  })
}

const withNaN = few.slice()
withNaN[1000] = NaN
const json = (value: unknown): Sent => ({ type: JSON_TYPE, body: JSON.stringify(value) })
const file = (body: Uint8Array, path?: string): Sent => ({ type: FILE, body, path })
const small = npyOf(few, columns)

const tensors = Array.from({ length: 2000 }, (_, i) => ({ name: `${i}`, shape: [1, 1], data: Float32Array.of(i) }))

const refused: Record<string, [request: Sent, status: number, message: RegExp]> = {
  'a file of another kind': [file(new TextEncoder().encode('PK\x03\x04 and some more')), 400, /zip archive/],
  'a file cut short': [file(small.subarray(0, 5000)), 400, /\.npy: expected .* bytes/],
  'NaN inside': [file(npyOf(withNaN, columns)), 400, /"data".*expected finite numbers, got NaN at index 1000/],
  'an empty body': [file(new Uint8Array(0)), 400, /expected a batch/],
  'no body': [{ type: FILE }, 400, /expected a batch/],
  'whole numbers': [file(encodeNpy({ shape: [2, 2], data: Int32Array.of(1, 2, 3, 4) })), 400, /\[n, d\]/],
  'one vector of one dimension': [file(encodeNpy({ shape: [4], data: new Float32Array(4) })), 400, /\[n, d\]/],
  'no vectors': [file(encodeNpy({ shape: [0, 4], data: new Float32Array(0) })), 400, /\[n, d\]/],
  'another format': [file(small, '/?format=int5'), 400, /"format" expected int8, int4 or float16, got "int5"/],
  'a group of nothing': [file(small, '/?group=0'), 400, /"group"/],
  'a group that is no number': [file(small, '/?group=many'), 400, /"group"/],
  'groups of float16': [file(small, '/?format=float16&group=32'), 400, /"group" does not apply to float16/],
  'an unknown parameter': [file(small, '/?bits=4'), 400, /unknown parameter "bits"; expected format, group/],
  'text that is not JSON': [{ type: JSON_TYPE, body: '{"vectors":[[1,2' }, 400, /JSON/],
  'JSON without vectors': [json({ embeddings: [[1]] }), 400, /expected \{ "vectors"/],
  'JSON null': [json(null), 400, /expected \{ "vectors"/],
  'an embedding as text': [json({ data: [{ embedding: 'AACAPw==' }] }), 400, /expected \{ "vectors"/],
  'vectors of two lengths': [json({ vectors: [[1, 2], [3]] }), 400, /expected 2 numbers .* vector 1/],
  'a long vector and many short ones': [
    json({ vectors: [Array(20_000).fill(0), ...Array(50_000).fill([])] }),
    400,
    /vector 1/
  ],
  'a vector that is text': [json({ vectors: [[1], '2'] }), 400, /vector 1/],
  'a vector with a hole': [json({ vectors: [[1, null]] }), 400, /vector 0/],
  'a number beyond float32': [json({ vectors: [[1, 1e39]] }), 400, /expected finite numbers, got Infinity at index 1/],
  'JSON of many arrays': [json({ vectors: Array(600_000).fill([]) }), 413, /expected JSON of fewer vectors/],
  'a file of many tensors': [file(encodeSafetensors(tensors)), 413, /expected a header of at most 65536 bytes/],
  'another content type': [{ type: 'text/csv', body: '1,2,3' }, 415, /application\/octet-stream or application\/json/],
  'another method': [{ method: 'PUT', type: FILE, body: small }, 405, /expected GET or POST, got PUT/]
}

let project: string
beforeAll(() => {
  project = install()
})
afterAll(() => removeFolder(project))

for (const { name, folder, found, limit, open } of platforms) {
  if (!found && !all) console.log(`${name} is not installed: the example ${folder} is skipped`)
  const title = found ? `on ${name}` : `on ${name} (not installed)`
  describe.skipIf(!found && !all)(title, { timeout: 120_000 }, () => {
    let platform: Platform
    const cleanups: (() => unknown)[] = []
    beforeAll(async () => {
      expect(found, `${name} is not installed, and ALL_RUNTIMES is set`).toBeTruthy()
      platform = await open(found, join(project, 'examples', folder), (cleanup: () => unknown) =>
        cleanups.push(cleanup)
      )
    }, 120_000)
    afterAll(() => Promise.all(cleanups.map((cleanup) => cleanup())))

    it('says how it is used', async () => {
      const { status, bytes } = await platform.send({ method: 'GET' })
      expect(status).toBe(200)
      expect(bytes.toString()).toContain(`at most ${limit} bytes`)
    })

    // Before the others: the peak is that of one request. float16 has the largest result.
    it('takes the largest batch within the memory of an isolate', async () => {
      const idle = platform.peak()
      const original = normals(Math.floor((limit - 128) / 4096) * 1024, 2)
      const body = npyOf(original, 1024)
      expect(body.length).toBeGreaterThan(0.99 * limit)
      const { status, bytes, headers } = await platform.send(file(body, '/?format=float16'))
      expect(status).toBe(200)
      expect(Number(headers['tersor-ratio'])).toBeGreaterThan(1.99)
      expect(snrOf(original, await restore(bytes))).toBeGreaterThan(70)
      if (idle !== undefined) expect(platform.peak()! - idle).toBeLessThan(128e6)
    })

    it('takes the largest JSON', async () => {
      const original = batch.subarray(0, Math.floor(limit / 7700) * columns)
      const body = JSON.stringify({ vectors: rowsOf(original, columns) })
      expect(body.length).toBeGreaterThan(0.85 * limit)
      const { status, bytes } = await platform.send({ type: JSON_TYPE, body })
      expect(status).toBe(200)
      expect(snrOf(original, await restore(bytes))).toBeGreaterThan(40)
    })

    it.each(Object.keys(requests))('compresses a batch, %s, to the bytes of the library', async (what) => {
      const { sent, original, file, recipe, least } = requests[what]!
      const { status, headers, bytes } = await platform.send(sent)
      expect(status, bytes.toString().slice(0, 200)).toBe(200)
      const { report, bytes: same } = await compressModel(await openModel(file), recipe)
      expect(bytes.equals(same!)).toBe(true)
      const snr = snrOf(original, await restore(bytes))
      expect(snr).toBeGreaterThan(least)
      expect(headers).toMatchObject({ 'content-type': FILE, 'tersor-ratio': report.ratio.toFixed(3) })
      // The error is of what was sent, which for float16 is rounded already.
      expect(Number(headers['tersor-snr'])).toBeCloseTo(snr, 1)
      expect(Number(headers['tersor-relative-error'])).toBeCloseTo(10 ** (-snr / 20), 3)
    })

    it.each(Object.keys(refused))('refuses %s', async (what) => {
      const [request, status, message] = refused[what]!
      const answer = await platform.send(request)
      expect(answer.status, answer.bytes.toString().slice(0, 200)).toBe(status)
      expect(answer.headers['content-type']).toMatch(JSON_TYPE)
      expect(JSON.parse(answer.bytes.toString())).toEqual({ error: expect.stringMatching(message) })
      if (status === 405) expect(answer.headers.allow).toBe('GET, HEAD, POST')
    })

    it.each([FILE, JSON_TYPE])('refuses a body of %s that is too large, and goes on', async (type) => {
      const answer = await platform.announce({ type, length: limit + 1 })
      expect(answer.status).toBe(413)
      expect(JSON.parse(answer.bytes.toString()).error).toContain(`at most ${limit} bytes`)
      expect((await platform.send(file(small))).status).toBe(200)
    })

    it('refuses JSON of short numbers that are too many', async () => {
      const body = `{"vectors":[[${'0,'.repeat(limit / 2 - 20)}0]]}`
      const answer = await platform.send({ type: JSON_TYPE, body })
      expect(answer.status).toBe(413)
      expect(JSON.parse(answer.bytes.toString()).error).toContain('expected JSON of fewer vectors')
    })

    // An event has its body whole.
    it.skipIf(folder === 'aws-lambda')('refuses one whose length is not said', async () => {
      const chunk = new Uint8Array(65536)
      let left = Math.ceil(limit / chunk.length) + 1
      const body = new ReadableStream({
        pull(controller) {
          if (left-- > 0) controller.enqueue(chunk)
          else controller.close()
        }
      })
      const answer = await platform.send({ type: FILE, body })
      expect(answer.status).toBe(413)
    })

    it.runIf(folder === 'aws-lambda')('takes text as base64 as well', async () => {
      const { sent } = requests['vectors as JSON']!
      const plain = await platform.send(sent)
      const encoded = await platform.send({ ...sent, base64: true })
      expect(encoded.status).toBe(200)
      expect(encoded.bytes.equals(plain.bytes)).toBe(true)
    })
  })
}
