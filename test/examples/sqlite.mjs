// Runs beside the store of the example, on a Node that has node:sqlite; prints what it saw.
import { readVectors } from 'tersor/embeddings'
import { createStore, openStore } from './store.mjs'

const [source, path] = process.argv.slice(2)
const { vectors } = await readVectors(source)
const [count, dimensions] = vectors.shape
const part = (from, to) => ({
  data: vectors.data.subarray(from * dimensions, to * dimensions),
  shape: [to - from, dimensions]
})
const texts = Array.from({ length: count }, (_, i) => `gloss ${i}`)
const idsOf = (found) => found.map(({ id }) => id)

const store = createStore(path, vectors)
store.add(texts.slice(0, 600), part(0, 600))
store.close()

// Again, and more of them.
const opened = openStore(path)
const half = opened.size
const ids = opened.add(texts.slice(600), part(600, count))
let failure = ''
try {
  opened.add(['one', 'two'], part(0, 1))
} catch (error) {
  failure = error.message
}
opened.remove(ids[0])
const found = Array.from({ length: 100 }, (_, i) => idsOf(opened.search(part(i, i + 1).data)))
opened.close()

const last = openStore(path)
const again = Array.from({ length: 100 }, (_, i) => idsOf(last.search(part(i, i + 1).data)))
console.log(
  JSON.stringify({
    half,
    ids: [ids[0], ids.at(-1)],
    failure,
    size: last.size,
    found,
    again,
    first: last.search(part(0, 1).data, 1)[0]
  })
)
last.close()
