// The operations of tersor/embeddings over seeded inputs; rows as in rows.mjs.

import { numbers } from './inputs.mjs'

/** Rows around a few centroids, so that there is something to find; of different lengths. */
function clustered(rows, dimensions, seed) {
  const centroids = numbers(8 * dimensions, seed)
  const noise = numbers(rows * dimensions, seed + 1, 0.75)
  const data = noise.map((x, i) => x + centroids[(Math.floor(i / dimensions) % 8) * dimensions + (i % dimensions)])
  return { data, shape: [rows, dimensions] }
}

const METHODS = [
  ...[1, 2, 3, 4, 8].map((bits) => ({ method: 'turbo', bits })),
  { method: 'turbo', bits: 2, centroids: 16 },
  { method: 'turbo', bits: 4, calibrate: true },
  ...[1, 3, 6].map((bits) => ({ method: 'rabitq', bits })),
  ...[1, 4, 7].map((bits) => ({ method: 'osq', bits })),
  { method: 'int8' },
  { method: 'int8', axis: 'dimension' },
  { method: 'int8', compat: 'sentence-transformers' },
  { method: 'binary' },
  { method: 'binary', rotate: true },
  { method: 'float16' },
  { method: 'float32' },
  { method: 'pq', bits: 8, subspaces: 12 },
  { method: 'pq', bits: 4, subspaces: 20 },
  { method: 'opq', bits: 4, subspaces: 10 },
  { method: 'residual', bytes: 4 },
  { method: 'turbo', bits: 3, truncate: 50 },
  { method: 'turbo', bits: 1, pca: 33 }
]
const METRICS = ['cosine', 'dot', 'l2']
const WIDTHS = [1, 2, 3, 7, 8, 63, 64, 65, 96, 100, 300]

/** Every operation by its name: a function that gives what is hashed. */
export function embeddingOperations(embeddings) {
  const { createCodecFit, createIndex, fitCodec } = embeddings
  const sample = clustered(600, 100, 3)
  const rows = clustered(130, 100, 3)
  const queries = clustered(5, 100, 3)
  const each = (visit) => METRICS.flatMap((metric) => METHODS.map((options) => visit({ ...options, metric })))
  const indexOf = (options, settings) => {
    const index = createIndex(fitCodec(sample, options), settings)
    index.add(rows)
    return index
  }
  const found = (index, options) => {
    const { ids, scores, counts } = index.search(queries, { k: 7, ...options })
    return [index.size, ids, scores, counts]
  }
  const timeless = ({ encodePerSecond, queriesPerSecond, ...rest }) => [rest, encodePerSecond > 0, queriesPerSecond > 0]

  return {
    fitCodec: () => [
      ...each((options) => {
        const codec = fitCodec(sample, options)
        const codes = codec.encode(rows)
        return [codec.bytesPerVector, codec.tableBytes, codec.toBytes(), codes, codec.decode(codes)]
      }),
      ...WIDTHS.map((width) => {
        const table = clustered(70, width, width)
        const codec = fitCodec(table, { bits: 2 })
        const codes = codec.encode(table)
        return [codes, codec.decode(codes)]
      })
    ],
    createCodecFit: () => {
      const first = createCodecFit(100, { keep: 64, centroids: 4 }).add({
        data: sample.data.subarray(0, 20000),
        shape: [200, 100]
      })
      const second = createCodecFit(100, { keep: 64, centroids: 4, first: 200 }).add({
        data: sample.data.subarray(20000),
        shape: [400, 100]
      })
      return first.merge(second).fit().toBytes()
    },
    openCodec: () => each((options) => embeddings.openCodec(fitCodec(sample, options).toBytes()).encode(queries)),
    createIndex: () => [
      ...each((options) => found(indexOf(options))),
      found(indexOf({ bits: 1 }, { originals: 'int8' }), { oversampling: 4 }),
      found(indexOf({ bits: 1, metric: 'l2' }, { originals: 'float16' }), { filter: (id) => id % 3 > 0 }),
      found(indexOf({ method: 'rabitq', bits: 2 }, { originals: 'float32' })),
      found(indexOf({ bits: 4 }, { lists: 6, seed: 2 }), { probes: 3 }),
      found(indexOf({ bits: 2 }), { filter: Uint8Array.of(255, 3, 0, 17), k: 40 })
    ],
    openIndex: () => {
      const index = indexOf({ bits: 2 }, { originals: 'float16', lists: 3 })
      index.remove([3, 5, 129])
      const bytes = index.toBytes()
      return [bytes, found(embeddings.openIndex(bytes), { probes: 3 })]
    },
    fileVectors: async () => {
      const index = indexOf({ bits: 1 })
      const file = embeddings.fileVectors(npy(rows))
      const { ids, scores } = await index.searchAsync(queries, { k: 5, rescore: file })
      return [ids, scores]
    },
    evaluate: () =>
      [{ bits: 2 }, { method: 'int8', metric: 'l2' }].map((options) =>
        timeless(embeddings.evaluate(fitCodec(sample, options), rows, { queries: 20, k: 5 }))
      ),
    chooseCodec: () => {
      const { codec, settings, oversampling, recall, interval, table } = embeddings.chooseCodec(sample, {
        recall: 0.6,
        methods: ['turbo', 'int8', 'binary'],
        k: 5
      })
      return [codec.toBytes(), settings, oversampling, recall, interval, table]
    },
    paretoPlot: () =>
      embeddings.paretoPlot([
        { label: 'a', bytesPerVector: 8, recall: 0.5, interval: [0.4, 0.6] },
        { label: 'b', bytesPerVector: 100, recall: 0.95, interval: [0.9, 0.97] }
      ]),
    readVectors: async () => [
      await embeddings.readVectors('[[1, 2, 3], [4.5, -5, 1e-3]]'),
      await embeddings.readVectors('id,embedding\n7,"[0.5,1]"\n9,"[2,-0.25]"\n'),
      await embeddings.readVectors(npy(queries))
    ],
    exportVectors: () => [
      ...['pgvector/vector', 'pgvector/halfvec', 'pgvector/bit', 'redis/float16'].map((to) =>
        embeddings.exportVectors(queries, { to })
      ),
      ...['sqlite-vec/int8', 'qdrant/uint8'].map((to) => embeddings.exportVectors(queries, { to, scale: 60 }))
    ]
  }
}

/** The bytes of a .npy file of f32, without the encoder under test. */
function npy({ data, shape }) {
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(', ')}), }`
  const text = header.padEnd(117) + '\n'
  const bytes = new Uint8Array(10 + 118 + data.byteLength)
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 118, 0])
  bytes.set(new TextEncoder().encode(text), 10)
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 128)
  return bytes
}
