// Recall@10 against bytes, one row a codec, by the protocol of test/support/embeddings.ts: held-out queries, fitted on all other rows.
import { createIndex, fitCodec } from '../../build/embeddings.js'
import { check } from '../harness.mjs'
import { recallOf, tableNamed } from '../tables.mjs'

const CODECS = (dim, many) => [
  ...[1, 2, 3, 4, 8].map((bits) => ({ bits, centroids: 1 })),
  ...(many ? [1, 2, 3, 4].map((bits) => ({ bits, centroids: 256 })) : []),
  ...(many ? [1, 2, 4].map((bits) => ({ bits, centroids: 1024 })) : []),
  { bits: 2, centroids: 1, calibrate: true },
  ...[1, 2, 4].map((bits) => ({ method: 'rabitq', bits })),
  ...[1, 2, 4].map((bits) => ({ method: 'osq', bits })),
  { method: 'osq', bits: 1, rotate: true },
  { method: 'int8' },
  { method: 'int8', axis: 'dimension' },
  { method: 'binary' },
  { method: 'binary', rotate: true },
  { method: 'float16' },
  { bits: 4, centroids: 1, pca: dim / 2 },
  { bits: 4, centroids: 1, truncate: dim / 2 },
  ...(many
    ? [
        { method: 'pq', subspaces: dim / 8 },
        { method: 'opq', subspaces: dim / 8 }
      ]
    : [])
]

export async function run(report) {
  for (const name of ['ada', 'glosses']) {
    const table = tableNamed(name)
    if (!table) continue
    const { rows, queries } = table
    const [count, dim] = rows.shape
    const exact = createIndex(fitCodec(rows, { method: 'float32' }))
    exact.add(rows)
    const { ids } = exact.search(queries, { k: 10 })
    const truth = Array.from({ length: queries.shape[0] }, (_, q) => ids.data.slice(10 * q, 10 * q + 10))
    const lines = CODECS(dim, count > 10_000).map((options) => {
      let start = performance.now()
      const codec = fitCodec(rows, options)
      const fitting = performance.now() - start
      const index = createIndex(codec)
      start = performance.now()
      index.add(rows)
      const encoding = performance.now() - start
      const found = index.search(queries, { k: 100 }).ids
      const share = (within) => recallOf(truth, found, within).toFixed(3)
      check(recallOf(truth, found) > 0.2, `${JSON.stringify(options)} finds too little`)
      const { method, bits, bytesPerVector, tableBytes } = codec
      const rest = Object.entries(options).filter(([key]) => key !== 'method' && key !== 'bits')
      return [
        `${method} ${bits}${rest.map(([key, value]) => `, ${key} ${value}`).join('')}`,
        bytesPerVector,
        (bytesPerVector + tableBytes / count).toFixed(1),
        share(10),
        share(30),
        share(100),
        `${(fitting / 1000).toFixed(2)} s`,
        `${Math.round(count / encoding)}k/s`
      ]
    })
    report(
      `recall@10 of ${name}: ${count} x ${dim}, ${queries.shape[0]} queries; float32 takes ${4 * dim} bytes`,
      ['codec', 'bytes', 'with tables', 'recall', 'best 30 rescored', 'best 100 rescored', 'fitted', 'added'],
      lines
    )
  }
}
