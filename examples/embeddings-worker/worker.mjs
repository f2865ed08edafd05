// Searches an index that lies beside the Worker, a static asset, within the 128 MB of an isolate.
import { openIndex } from 'tersor/embeddings'

/** Most results, and most bytes of a body. */
const MOST = 100
const LIMIT = 2 ** 20

/** What the caller can mend. */
class Refusal extends Error {
  constructor(status, message) {
    super(message)
    this.status = status
  }
}

/** The index, opened by the first request of an isolate and kept for those that follow. */
let opening

async function load(assets) {
  const response = await assets.fetch('https://assets.local/vectors.index')
  if (!response.ok) throw new Error(`vectors.index cannot be loaded: ${response.status}`)
  return openIndex(await response.arrayBuffer())
}

function opened(assets) {
  opening ??= load(assets).catch((error) => {
    opening = undefined
    throw error
  })
  return opening
}

async function readJson(request) {
  if (Number(request.headers.get('content-length') ?? LIMIT + 1) > LIMIT) {
    throw new Refusal(413, `expected a body of at most ${LIMIT} bytes, its length said`)
  }
  try {
    return await request.json()
  } catch (error) {
    throw new Refusal(400, `expected JSON: ${error.message}`)
  }
}

/** { vector: [...] }, or what an embedding API answers, { data: [{ embedding: [...] }] }; with { k } beside it. */
async function search(request, assets) {
  const { k = 10, ...query } = (await readJson(request)) ?? {}
  if (!Number.isInteger(k) || k < 1 || k > MOST)
    throw new Refusal(400, `"k" expected a whole number from 1 to ${MOST}, got ${k}`)
  const index = await opened(assets)
  const { ids, scores, counts } = index.search(query, { k })
  const results = Array.from(counts, (count, row) =>
    Array.from({ length: count }, (_, i) => ({ id: ids.data[row * k + i], score: scores.data[row * k + i] }))
  )
  return Response.json({ results })
}

export default {
  async fetch(request, { ASSETS }) {
    try {
      if (request.method === 'POST') return await search(request, ASSETS)
      if (request.method !== 'GET') throw new Refusal(405, `expected GET or POST, got ${request.method}`)
      const { size, bytes, codec } = await opened(ASSETS)
      return Response.json({ size, bytes, method: codec.method, bits: codec.bits, dimensions: codec.dimensions })
    } catch (error) {
      // Of the library: what was sent is no vector, or one of another dimension.
      const status = error.status ?? (['TypeError', 'RangeError'].includes(error?.name) ? 400 : undefined)
      if (!status) throw error
      return Response.json({ error: error.message }, { status })
    }
  }
}
