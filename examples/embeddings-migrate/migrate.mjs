// node migrate.mjs store.json [folder] [--bits 2]: turns a JSON store of number[] vectors into an index and records without vectors.
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createIndex, evaluate, fitCodec, openIndex, readVectors } from 'tersor/embeddings'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { bits: { type: 'string', default: '2' } }
})
const [source, folder = 'migrated'] = positionals
if (!source) {
  console.error('usage: node migrate.mjs store.json [folder] [--bits 2]')
  process.exit(2)
}

// JSON, JSON lines and CSV alike; ids, texts and whatever else a record has stay as they are.
const { vectors, records = [] } = await readVectors(source)
const [count, dimensions] = vectors.shape
const codec = fitCodec(vectors, { bits: Number(values.bits) })
const index = createIndex(codec)
// Rows are known by their place, as the records are.
index.add(vectors)

mkdirSync(folder, { recursive: true })
const paths = { index: join(folder, 'vectors.index'), records: join(folder, 'records.json') }
writeFileSync(paths.index, index.toBytes())
writeFileSync(paths.records, JSON.stringify(records))

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(2)} MB`
const before = statSync(source).size
const after = { index: statSync(paths.index).size, records: statSync(paths.records).size }
const heap = 8 * count * dimensions
const { recall } = evaluate(codec, vectors)
console.log(`${count} vectors of ${dimensions}`)
console.log(
  `on disk    ${megabytes(before)} -> ${megabytes(after.index + after.records)} (index ${megabytes(after.index)}, records ${megabytes(after.records)})`
)
console.log(`in memory  ${megabytes(heap)} as number[] -> ${megabytes(index.bytes)}`)
console.log(`recall@10  ${recall.toFixed(3)}`)

// What a program does from now on.
const opened = openIndex(readFileSync(paths.index))
const { ids } = opened.search(vectors.data.subarray(0, dimensions), { k: 3 })
console.log(
  `nearest to the first: ${Array.from(ids.data, (id) => JSON.stringify(records[id] ?? id).slice(0, 60)).join(', ')}`
)
