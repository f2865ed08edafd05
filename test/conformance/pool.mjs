// The verbs of a pool over inputs of several chunks, for several numbers of threads: each row holds the bytes that the verbs themselves give.
import { diagonal, tensor } from './inputs.mjs'

const THREADS = [1, 2, 3, 8]

/** Calls whose work is cut along each kind of layout, with what chunks agree on. */
export function calls(verbs) {
  const x = tensor([600_011], 31, 4)
  const rows = tensor([3_001, 200], 32, 2)
  const deep = tensor([300, 7, 301], 33)
  const student = tensor([900, 700], 34, 6)
  const teacher = tensor([900, 700], 35, 6)
  const labels = Int32Array.from({ length: 900 }, (_, i) => (i * 7) % 700)
  const few = { data: x.data.map((value) => Math.round(value)), shape: x.shape }
  const formats = [
    [x, { format: 'int8' }],
    [x, { format: 'uint4', symmetric: false }],
    [x, { format: 'int4', group: 31 }],
    [rows, { format: 'int4', axis: 0, symmetric: false }],
    [rows, { format: 'int8', axis: 1 }],
    [deep, { format: 'uint8', axis: 1, symmetric: false }],
    [deep, { format: 'int4', axis: 1, group: 64 }],
    [x, { format: 'float16' }]
  ]
  return [
    ...formats.map(
      ([input, options]) =>
        () =>
          verbs.quantize(input, options)
    ),
    ...formats.map(
      ([input, options]) =>
        async () =>
          verbs.dequantize(await verbs.quantize(input, options))
    ),
    ...formats.map(
      ([input, options]) =>
        () =>
          verbs.fakeQuantize(input, options)
    ),
    () => verbs.prune(x, { sparsity: 0.7 }),
    () => verbs.prune(few, { sparsity: 0.4 }),
    () => verbs.prune([few, rows], { sparsity: 0.5, scope: 'global' }),
    () => verbs.prune(rows, { pattern: '2:4' }),
    async () => verbs.applyMask(rows, (await verbs.prune(rows, { sparsity: 0.3 })).mask),
    () => verbs.softmax(student, { temperature: 2 }),
    () => verbs.logSoftmax(student),
    ...['none', 'mean', 'batchMean'].map(
      (reduction) => () => verbs.distillationLoss(student, { teacher, labels, temperature: 3, reduction })
    ),
    () => verbs.klDivergence(student, { teacher, temperature: 4 }),
    () => verbs.crossEntropy(student, { labels }),
    () => verbs.quantize(x, { format: 'int4', symmetric: false, scales: [0.4], zeroPoints: [1] }),
    // A Gram is compared by its bytes.
    async () => (await verbs.gram(rows, { center: true, first: 700 })).toBytes(),
    async () => (await verbs.gram(student, { directions: 5 })).toBytes(),
    () => verbs.matmul(rows, tensor([700, 200], 40), { transposeB: true }),
    () => verbs.matmul(tensor([300, 20, 30], 41), tensor([300, 30, 25], 42)),
    () => verbs.matmul(tensor([600, 400], 43), tensor([600, 700], 44), { transposeA: true }),
    () => verbs.compare(x, few),
    () => verbs.qr(tensor([70, 40], 41)),
    () => verbs.cholesky(diagonal(50)),
    () => verbs.solveTriangular(diagonal(40), tensor([40, 9], 42)),
    () => verbs.ridge(tensor([300, 20], 43), tensor([300, 3], 44), { lambda: 0.5 }),
    () => verbs.procrustes(tensor([90, 12], 45), tensor([90, 12], 46), { scale: true, center: true }),
    () => verbs.svd(tensor([30, 20], 36)),
    () => verbs.svd(tensor([40, 20, 30], 39)),
    () => verbs.truncatedSvd(tensor([700, 40], 40), { rank: 5 }),
    () => verbs.lowRank(tensor([40, 25], 37), { rank: 5 }),
    () => verbs.lowRankPlan([tensor([40, 25], 37), tensor([9, 60], 38)], { bytes: 2000 }),
    async () => verbs.reconstruct(await verbs.lowRank(tensor([40, 25], 37), { rank: 5, quantize: 'int8' }))
  ]
}

/** Calls whose arrays are read in place, or handed over. */
async function inPlace(pool) {
  const x = tensor([600_011], 38)
  // Browsers have shared memory in isolated pages alone.
  const shared = globalThis.SharedArrayBuffer ? new Float32Array(new SharedArrayBuffer(x.data.byteLength)) : x.data
  shared.set(x.data)
  return [
    await pool.quantize({ data: shared, shape: x.shape }, { format: 'int8' }),
    await pool.prune(x.data.slice(), { sparsity: 0.5, transfer: true }),
    await pool.softmax({ data: x.data.slice(), shape: x.shape }, { transfer: true })
  ]
}

/** The verbs, which know nothing of `transfer`. */
function withoutTransfer({ quantize, prune, softmax }) {
  return {
    quantize,
    prune: (input, { sparsity }) => prune(input, { sparsity }),
    softmax: (input) => softmax(input)
  }
}

const all = (verbs) => Promise.all(calls(verbs).map((call) => call()))

export function poolOperations(tersor, { createPool, createPoolOf, ...others }) {
  const domains = Object.values(others).filter((value) => typeof value === 'object')
  const inPool = (options) => async () => {
    const pool = createPool(options)
    try {
      return [await all(pool), await inPlace(pool)]
    } finally {
      await pool.close()
    }
  }
  /** Each verb on a pool that has its domain alone. */
  const inPools = async () => {
    const pools = domains.map((domain) => createPoolOf([domain], { threads: 1 }))
    try {
      const verbs = Object.assign({}, ...pools)
      return [await all(verbs), await inPlace(verbs)]
    } finally {
      await Promise.all(pools.map((pool) => pool.close()))
    }
  }
  return {
    'createPool: the verbs alone': async () => [await all(tersor), await inPlace(withoutTransfer(tersor))],
    createPool: inPool(),
    ...Object.fromEntries(THREADS.map((threads) => [`createPool: ${threads} threads`, inPool({ threads })])),
    createPoolOf: inPools
  }
}
