// npm start [-- vectors.npy [store.sqlite]]: puts vectors into a database, opens it again, searches, and prints what that takes.
import { rmSync, statSync } from 'node:fs'
import { readVectors } from 'tersor/embeddings'
import { createStore, openStore } from './store.mjs'

const [source = new URL('../demo/data/glosses.npy', import.meta.url).pathname, path = 'store.sqlite'] =
  process.argv.slice(2)
rmSync(path, { force: true })
const { vectors } = await readVectors(source)
const [count, dimensions] = vectors.shape
const texts = Array.from({ length: count }, (_, i) => `row ${i}`)

const store = createStore(path, vectors)
store.add(texts, vectors)
store.close()

const start = performance.now()
const opened = openStore(path)
const found = opened.search(vectors.data.subarray(0, dimensions), 5)
console.log(
  `${opened.size} vectors of ${dimensions}: ${vectors.data.byteLength} bytes as f32, ${statSync(path).size} in ${path}`
)
console.log(
  `opened and searched in ${(performance.now() - start).toFixed(0)} ms: ${found.map(({ text, score }) => `${text} (${score.toFixed(3)})`).join(', ')}`
)
opened.close()
