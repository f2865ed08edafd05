// Top-10 of 19,500 x 384 against a plain loop over a typed array, one query at a time, with the recall that comes with it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createIndex, fileVectors, fitCodec } from '../../build/embeddings.js'
import { encodeNpy } from '../../build/model.js'
import { asked, check, interleave, milliseconds } from '../harness.mjs'
import { plainSearch, recallOf, rowOf, tableNamed } from '../tables.mjs'

const K = 10
/** Queries of one round. */
const ROUND = 25

/** What is compared: codec, originals that rescore, candidates for each result; and what recall and speed are asked of it. */
const CASES = [
  {
    name: '1 bit, 256 centroids, 2x by float32',
    options: { bits: 1, centroids: 256 },
    originals: 'float32',
    oversampling: 2,
    goal: [0.96, 100]
  },
  {
    name: '1 bit, 256 centroids, 3x by int8',
    options: { bits: 1, centroids: 256 },
    originals: 'int8',
    oversampling: 3
  },
  {
    name: '1 bit, 256 centroids, 3x by float32',
    options: { bits: 1, centroids: 256 },
    originals: 'float32',
    oversampling: 3
  },
  {
    name: '1 bit, 256 centroids, 5x by float32',
    options: { bits: 1, centroids: 256 },
    originals: 'float32',
    oversampling: 5,
    goal: [0.99, 75]
  },
  { name: '1 bit, 256 centroids, codes alone', options: { bits: 1, centroids: 256 } },
  { name: '2 bits, 256 centroids, codes alone', options: { bits: 2, centroids: 256 } },
  {
    name: '2 bits, 256 centroids, 3x by float32',
    options: { bits: 2, centroids: 256 },
    originals: 'float32',
    oversampling: 3
  },
  { name: '4 bits, 256 centroids, codes alone', options: { bits: 4, centroids: 256 } },
  { name: 'int8, codes alone', options: { method: 'int8' }, goal: [0.97, 25] },
  { name: 'int8, per dimension, codes alone', options: { method: 'int8', axis: 'dimension' } },
  { name: 'float32, exact', options: { method: 'float32' } }
]

export async function run(report) {
  const table = tableNamed('glosses')
  if (!table) return
  const { rows, queries } = table
  const truth = Array.from({ length: queries.shape[0] }, (_, q) => plainSearch(rows, rowOf(queries, q), K))
  const indices = CASES.map(({ options, originals }) => {
    const index = createIndex(fitCodec(rows, options), originals ? { originals } : {})
    index.add(rows)
    return index
  })
  const recalls = CASES.map(({ oversampling }, i) =>
    recallOf(truth, indices[i].search(queries, oversampling ? { k: K, oversampling } : { k: K }).ids)
  )
  check(recalls.at(-1) > 0.999, 'float32 finds what the plain loop finds')
  let next = 0
  const some = (search) => () => {
    for (let i = 0; i < ROUND; i++) search(rowOf(queries, next++ % queries.shape[0]))
  }
  const plain = 'plain loop'
  const ms = await interleave(
    {
      [plain]: some((query) => plainSearch(rows, query, K)),
      ...Object.fromEntries(
        CASES.map(({ name, oversampling }, i) => {
          const settings = oversampling ? { k: K, oversampling } : { k: K }
          return [name, some((query) => indices[i].search(query, settings))]
        })
      )
    },
    { rounds: 9 }
  )
  const line = (name, bytes, recall, goal) => {
    const speed = ms[plain] / ms[name]
    const [least, most] = goal ?? []
    const isReached = goal && recall >= least && speed >= most
    const text = `${speed.toFixed(1)}x`
    return [
      name,
      bytes,
      recall.toFixed(4),
      milliseconds(ms[name] / ROUND),
      goal ? asked(text, isReached, `recall ${least} at ${most}x`) : text
    ]
  }
  report(
    `top-10 of ${rows.shape.join(' x ')}, one query at a time`,
    ['', 'bytes of a code', 'recall@10', 'a query', 'against the plain loop'],
    [
      line(plain, 1536, 1),
      ...CASES.map(({ name, goal }, i) => line(name, indices[i].codec.bytesPerVector, recalls[i], goal))
    ]
  )
  await fromFile(report, table)
}

/** The same with originals that stay in a file: all queries at once, whose candidates are read together. */
async function fromFile(report, { rows, queries }) {
  const folder = mkdtempSync(join(tmpdir(), 'search-'))
  try {
    const path = join(folder, 'rows.npy')
    writeFileSync(path, encodeNpy(rows))
    const index = createIndex(fitCodec(rows, { bits: 1, centroids: 256 }))
    index.add(rows)
    const rescore = fileVectors(path)
    const ms = await interleave({ file: () => index.searchAsync(queries, { k: K, rescore }) }, { rounds: 5 })
    report(
      '3x rescored by a file, all queries at once',
      ['', 'a query'],
      [[`${queries.shape[0]} queries`, milliseconds(ms.file / queries.shape[0])]]
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
