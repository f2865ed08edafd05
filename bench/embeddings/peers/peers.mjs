// node peers.mjs: recall, size and speed of other libraries and of ours, on the same vectors in one run.
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createIndex, fitCodec, readVectors } from '../../../build/embeddings.js'
import { check, interleave } from '../../harness.mjs'

const DATA = fileURLToPath(new URL('../../../../shared/data/glosses-embeddings-20000x384.npy', import.meta.url))
const QUERIES = 500
const K = 10
/** Queries of one timed round: the plain loop answers some hundred a second. */
const TIMED = 20

if (!existsSync(DATA)) {
  console.log(`the glosses are not beside the project (${DATA}): nothing is measured`)
  process.exit(0)
}

const { vectors } = await readVectors(DATA)
const d = vectors.shape[1]
const count = vectors.shape[0] - QUERIES
const base = vectors.data.slice(0, count * d)
const queries = vectors.data.slice(count * d)
const row = (data, i) => data.subarray(i * d, (i + 1) * d)

/** The k rows of the greatest inner product, in a plain loop; on unit vectors also those of the greatest cosine and the least distance. */
function plain(query) {
  const scores = new Float64Array(K).fill(-Infinity)
  const ids = new Int32Array(K).fill(-1)
  for (let i = 0; i < count; i++) {
    let score = 0
    for (let j = 0, at = i * d; j < d; j++, at++) score += query[j] * base[at]
    if (score <= scores[K - 1]) continue
    let place = K - 1
    for (; place > 0 && scores[place - 1] < score; place--) {
      scores[place] = scores[place - 1]
      ids[place] = ids[place - 1]
    }
    scores[place] = score
    ids[place] = i
  }
  return ids
}

const truth = Array.from({ length: QUERIES }, (_, i) => new Set(plain(row(queries, i))))

function recallOf(search) {
  let found = 0
  for (const [i, right] of truth.entries())
    for (const id of search(row(queries, i))) found += right.has(Number(id)) ? 1 : 0
  return found / (QUERIES * K)
}

const folder = mkdtempSync(join(tmpdir(), 'peers-'))
const perVector = (bytes) => bytes / count

/** Each makes an index and says how it is searched. @type {Record<string, () => Promise<{ bytes: () => number, search: (query: Float32Array) => Iterable<number> }>>} */
const cases = {}

/** Ours. `fit` is not part of encoding: it is done once for many batches. */
const codecs = new Map()
function ours(name, options, index, search) {
  const key = JSON.stringify(options)
  if (!codecs.has(key)) codecs.set(key, fitCodec({ data: base, shape: [count, d] }, options))
  cases[name] = async () => {
    const made = createIndex(codecs.get(key), index)
    made.add({ data: base, shape: [count, d] })
    return {
      bytes: () => perVector(made.toBytes().length),
      search: (query) => made.search(query, { k: K, ...search }).ids.data
    }
  }
}

ours('tersor, 1 bit, one centroid', { bits: 1, centroids: 1 })
ours('tersor, 1 bit', { bits: 1 })
ours('tersor, 1 bit, 5x rescored by int8', { bits: 1 }, { originals: 'int8' }, { oversampling: 5 })
ours('tersor, 2 bits', { bits: 2 })
ours('tersor, 2 bits, 3x rescored by int8', { bits: 2 }, { originals: 'int8' }, { oversampling: 3 })
ours('tersor, 2 bits, 3x rescored by float32', { bits: 2 }, { originals: 'float32' }, { oversampling: 3 })
ours('tersor, 4 bits', { bits: 4 })
ours('tersor, int8', { method: 'int8' })

async function rabitq() {
  const { initSync, RabitqIndex } = await import('@ruvector/rabitq-wasm')
  const wasm = new URL('ruvector_rabitq_wasm_bg.wasm', import.meta.resolve('@ruvector/rabitq-wasm'))
  initSync({ module: readFileSync(wasm) })
  for (const rerank of [1, 5, 20]) {
    cases[`rabitq-wasm, 1 bit, rerank x${rerank}`] = async () => {
      const index = RabitqIndex.build(base, d, 42n, rerank)
      const search = (query) =>
        index.search(query, K).map((hit) => {
          const { id } = hit
          hit.free()
          return id
        })
      // It keeps the f32 that it reranks by.
      return { bytes: () => d / 8 + 4 * d, search }
    }
  }
}

async function usearch() {
  const { Index, exactSearch, MetricKind, ScalarKind } = (await import('usearch')).default
  const keys = BigUint64Array.from({ length: count }, (_, i) => BigInt(i))
  for (const quantization of [ScalarKind.I8, ScalarKind.F16]) {
    cases[`usearch, HNSW ${quantization}`] = async () => {
      const index = new Index({ dimensions: d, metric: MetricKind.Cos, quantization })
      index.add(keys, base, 1)
      const path = join(folder, `${quantization}.usearch`)
      const bytes = () => {
        index.save(path)
        return perVector(statSync(path).size)
      }
      return { bytes, search: (query) => index.search(query, K, 1).keys }
    }
  }
  cases['usearch, exact f32'] = async () => ({
    bytes: () => 4 * d,
    isEncoded: false,
    // A copy: a subarray is read from the beginning of its buffer.
    search: (query) => exactSearch(base, query.slice(), d, K, MetricKind.IP, 1).keys
  })
}

async function sqlite() {
  const { DatabaseSync } = await import('node:sqlite')
  const { getLoadablePath } = await import('sqlite-vec')
  const kinds = {
    int8: { column: `int8[${d}]`, value: "vec_quantize_int8(?, 'unit')" },
    bit: { column: `bit[${d}]`, value: 'vec_quantize_binary(?)' }
  }
  for (const [kind, { column, value }] of Object.entries(kinds)) {
    cases[`sqlite-vec, ${kind}`] = async () => {
      const path = join(folder, `${kind}.sqlite`)
      rmSync(path, { force: true })
      const db = new DatabaseSync(path, { allowExtension: true })
      db.loadExtension(getLoadablePath())
      db.exec(`create virtual table items using vec0(v ${column}); begin`)
      const insert = db.prepare(`insert into items(rowid, v) values (?, ${value})`)
      const bytes = (vector) => new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength)
      for (let i = 0; i < count; i++) insert.run(BigInt(i), bytes(row(base, i)))
      db.exec('commit')
      const select = db.prepare(`select rowid from items where v match ${value} and k = ${K}`)
      return {
        bytes: () => perVector(statSync(path).size),
        search: (query) => select.all(bytes(query)).map(({ rowid }) => rowid)
      }
    }
  }
}

for (const [name, add] of Object.entries({ '@ruvector/rabitq-wasm': rabitq, usearch, 'sqlite-vec': sqlite })) {
  try {
    await add()
  } catch (error) {
    console.log(`${name} cannot be loaded and is left out: ${error.message.split('\n')[0]}`)
  }
}

const rows = []
const timed = {
  'plain loop': () => {
    for (let i = 0; i < TIMED; i++) plain(row(queries, i))
  }
}
for (const [name, make] of Object.entries(cases)) {
  const start = performance.now()
  const { bytes, search, isEncoded = true } = await make()
  const seconds = (performance.now() - start) / 1000
  const recall = recallOf(search)
  check(recall > 0.3, `${name} finds next to nothing: ${recall}`)
  timed[name] = () => {
    for (let i = 0; i < TIMED; i++) search(row(queries, i))
  }
  rows.push({ name, bytes: bytes(), recall, encoded: isEncoded ? count / seconds : NaN })
}
const medians = await interleave(timed, { rounds: 5, warmup: 1 })
rmSync(folder, { recursive: true, force: true })

console.log(
  `Node ${process.version}, glosses ${count} x ${d}, one thread; plain loop: ${((1000 * TIMED) / medians['plain loop']).toFixed(0)} queries/s`
)
console.table(
  rows.map(({ name, bytes, recall, encoded }) => ({
    name,
    'bytes a vector': Math.round(bytes),
    'recall@10': recall.toFixed(3),
    'encoded/s': Number.isNaN(encoded) ? '-' : Math.round(encoded).toLocaleString('en'),
    'x plain loop': (medians['plain loop'] / medians[name]).toFixed(1)
  }))
)
