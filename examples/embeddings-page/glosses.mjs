// The glosses, searched by words and by meaning. Nothing here needs a page: tests and workers run it, too.
import { createIndex, openCodec } from 'tersor/embeddings'

/** Rows that stand for the words of a query: the best matches by text. */
const SEEDS = 32

const wordsOf = (text) => text.toLowerCase().match(/[a-z][a-z'-]+/g) ?? []

/** @param {{ codec: Uint8Array, codes: Uint8Array, texts: string }} files */
export function openGlosses({ codec: codecBytes, codes, texts }) {
  const codec = openCodec(codecBytes)
  const size = codes.length / codec.bytesPerVector
  const rowOf = (id) => codes.subarray(id * codec.bytesPerVector, (id + 1) * codec.bytesPerVector)
  const index = createIndex(codec)
  index.addCodes({ data: codes, shape: [size, codec.bytesPerVector] })

  // A line is "words<tab>gloss".
  const glosses = texts.split('\n').map((line) => line.split('\t'))
  /** word -> rows that have it */
  const rows = new Map()
  for (const [id, gloss] of glosses.entries()) {
    for (const word of new Set(wordsOf(gloss.join(' ')))) {
      if (!rows.has(word)) rows.set(word, [])
      rows.get(word).push(id)
    }
  }

  /** The k rows nearest to a vector. */
  function near(vector, k) {
    const { ids, scores } = index.search(vector, { k })
    return Array.from(ids.data, (id, i) => ({
      id,
      score: scores.data[i],
      words: glosses[id][0],
      gloss: glosses[id][1]
    }))
  }

  /** The vector of a row, as its code has it. */
  const vectorOf = (id) => codec.decode(rowOf(id)).data

  /** The vector of words: the mean of the rows that have most of them, rare ones first. undefined where none has any. */
  function embed(text) {
    const weights = new Map()
    for (const word of new Set(wordsOf(text))) {
      const having = rows.get(word) ?? []
      const weight = Math.log(size / having.length)
      for (const id of having) weights.set(id, (weights.get(id) ?? 0) + weight)
    }
    if (!weights.size) return undefined
    const seeds = [...weights].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, SEEDS)
    const sum = new Float32Array(codec.dimensions)
    for (const [id, weight] of seeds) {
      const vector = vectorOf(id)
      for (let i = 0; i < sum.length; i++) sum[i] += weight * vector[i]
    }
    return sum
  }

  return {
    size,
    /** Rows by the meaning of a text. */
    search(text, k = 10) {
      const vector = embed(text)
      return vector ? near(vector, k) : []
    },
    /** Other rows that mean much the same as row `id`. */
    like(id, k = 10) {
      const others = near(vectorOf(id), k + 1).filter((found) => found.id !== id)
      return others.slice(0, k)
    }
  }
}
