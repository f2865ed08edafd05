// Every public operation over seeded inputs. Runs unchanged on every runtime: no host Math beyond integer arithmetic.
// A row gives whatever an operation returns; its bytes are hashed. Rows bear the names of the exports.

import { embeddingOperations } from './embeddings.mjs'
import { diagonal, numbers, tensor } from './inputs.mjs'
import { poolOperations } from './pool.mjs'

const INTEGERS = ['int8', 'uint8', 'int4', 'uint4']
const HALVES = ['float16', 'bfloat16']
const SHAPES = [
  { shape: [0] },
  { shape: [1] },
  { shape: [17] },
  { shape: [3, 33], axis: 0 },
  { shape: [3, 33], axis: 1 },
  { shape: [5, 7, 3], axis: 1 },
  { shape: [7, 100], group: 32 },
  { shape: [9, 50], axis: 1, group: 7 },
  { shape: [70001] },
  { shape: [3, 40001], axis: 0, group: 640 }
]

function each(visit) {
  const results = []
  for (const format of INTEGERS) {
    for (const symmetric of [true, false]) {
      for (const { shape, ...layout } of SHAPES)
        results.push(visit(tensor(shape, 7, 3), { format, symmetric, ...layout }))
    }
  }
  for (const format of HALVES) for (const { shape } of SHAPES) results.push(visit(tensor(shape, 9, 1e-3), { format }))
  return results
}

/** Inputs of every class that is read, scalars and empty ones. */
const INPUTS = [
  { data: Float32Array.of(2.5), shape: [] },
  { data: new Float32Array(0), shape: [0, 4] },
  { data: Int8Array.of(-128, 5, 127), shape: [3] },
  { data: Uint16Array.of(0, 9, 65535), shape: [3] },
  { data: Uint16Array.of(0x3c00, 0x0001, 0xfbff), shape: [3], dtype: 'float16' },
  { data: Uint16Array.of(0x3f80, 0x0001, 0xc120), shape: [3], dtype: 'bfloat16' },
  { data: Float64Array.of(1 / 3, -1e-300, 7e30), shape: [3] },
  [
    [1, 2],
    [3, -4]
  ]
]

/** NaN of several patterns, which engines may change on their way. */
const NANS16 = Uint16Array.of(0x7e01, 0xfe00, 0x7fff, 0xffc1, 0x7c01, 0x7f81, 0x7c00, 0xfc00)
const nans32 = () => new Float32Array(Uint32Array.of(0x7fc00001, 0xffc00000, 0x7fa00000, 0xff812345, 0x3f800000).buffer)

const uglyValues = Float32Array.of(0, -0, 1e-45, -1e-38, 65504, 65519, 65520, 3e38, -3.4e38, 0.5, 1.5, 2.5, -0.5)

export function operations(tersor, model) {
  const { quantize, dequantize, fakeQuantize } = tersor
  const student = tensor([9, 37], 11, 8)
  const teacher = tensor([9, 37], 12, 8)
  // Beside the mild logits a set with masked and far ones, whose losses would hide the last digits of the others.
  const far = { student: tensor([9, 37], 13, 8), teacher: tensor([9, 37], 14, 8) }
  far.student.data[3] = far.teacher.data[3] = -Infinity
  far.student.data[40] = 1e4
  far.teacher.data[41] = -1e4
  const pairs = [{ student, teacher }, far]
  const labels = Int32Array.from({ length: 9 }, (_, i) => (i * 5 + 1) % 37)
  const matrices = [tensor([6, 6], 1), tensor([40, 12], 2), tensor([7, 30], 3), tensor([5, 1], 4), tensor([4, 4], 5, 0)]
  const alike = {
    matrix: () => ({ data: Float64Array.from({ length: 144 }, (_, i) => (i % 13 ? 1 : 3)), shape: [12, 12] })
  }
  const codings = ['int8', 'float16', { format: 'int4', axis: 0 }, { format: 'uint4', group: 5, symmetric: false }]
  const doubles = { data: Float64Array.from(numbers(90, 6)), shape: [9, 10] }
  const table = tensor([2300, 7], 8, 5)
  const gramOptions = [{}, { center: true }, { directions: 3, center: true }]
  const all = (gram) => [
    gram.directions ? [] : gram.matrix(),
    gram.mean(),
    gram.pca({ rank: 3, dtype: 'float64' }),
    gram.toBytes()
  ]
  const files = () =>
    model.encodeSafetensors(
      [
        { name: 'a.weight', ...tensor([12, 30], 21) },
        { name: 'b.weight', ...tensor([8, 4, 3, 3], 22) },
        { name: 'bias', ...tensor([12], 23) },
        { name: 'half', dtype: 'F16', shape: [3, 5], data: quantize(tensor([15], 24), { format: 'float16' }).codes },
        { name: 'nans', dtype: 'F16', shape: [8], data: NANS16 },
        { name: 'count', shape: [], data: BigInt64Array.of(42n) }
      ],
      { note: 'conformance' }
    )
  const recipes = [
    { quantize: { format: 'int8', axis: 0 } },
    { quantize: { format: 'int4', group: 8, symmetric: false }, prune: { sparsity: 0.5 } },
    { prune: { sparsity: 0.7, scope: 'global' } },
    { lowRank: { energy: 0.8 }, quantize: { format: 'int8', axis: 0 } },
    { quantize: { format: 'bfloat16' } }
  ]
  const reductions = ['none', 'mean', 'batchMean', 'sum']
  const open = async () => model.openModel(files())
  const compressed = async () => (await model.compressModel(await open(), recipes[1])).bytes

  return {
    init: () => tersor.init().then(() => 'started'),
    quantize: () => [
      each(quantize),
      INTEGERS.map((format) => quantize(uglyValues, { format })),
      HALVES.map((format) => quantize(uglyValues, { format })),
      INPUTS.map((input) => quantize(input, { format: 'int8', symmetric: false })),
      INPUTS.slice(0, -2).map((input) => quantize(input, { format: 'bfloat16' }))
    ],
    dequantize: () => [
      each((x, options) => dequantize(quantize(x, options))),
      HALVES.map((format) => dequantize({ format, shape: [8], codes: NANS16 }))
    ],
    fakeQuantize: () => [
      each(fakeQuantize),
      fakeQuantize(tensor([300], 5, 40), { format: 'int4', scales: [2] }),
      fakeQuantize(tensor([300], 5, 40), { format: 'uint8', symmetric: false, scales: [0.2], zeroPoints: [100] })
    ],
    prune: () => [
      [0, 0.3, 0.5, 0.999, 1].map((sparsity) => tersor.prune(tensor([70001], 3), { sparsity })),
      tersor.prune({ data: numbers(1200000, 4), shape: [1200000] }, { sparsity: 0.8 }),
      tersor.prune({ data: numbers(1200000, 4).map((x) => (x > 0 ? 1 : 2)), shape: [1200000] }, { sparsity: 0.7 }),
      tersor.prune([tensor([50], 5), tensor([70], 6, 2)], { sparsity: 0.5, scope: 'global' }),
      INPUTS.map((input) => tersor.prune(input, { sparsity: 0.5 })),
      tersor.prune([], { sparsity: 0.5 }),
      ['2:4', '1:3', '4:8'].map((pattern) => tersor.prune(tensor([5, 37], 7), { pattern }))
    ],
    applyMask: () => [
      tersor.applyMask(tensor([1001], 8), tersor.prune(tensor([1001], 9), { sparsity: 0.4 }).mask),
      tersor.applyMask(nans32(), { bits: Uint8Array.of(0b11011), shape: [5] })
    ],
    softmax: () => [
      pairs.flatMap(({ student }) => [1, 0.5, 20].map((temperature) => tersor.softmax(student, { temperature }))),
      tersor.softmax({ data: new Float32Array(0), shape: [0, 5] }),
      tersor.softmax(INPUTS[4])
    ],
    logSoftmax: () =>
      pairs.flatMap(({ student }) => [1, 0.5, 20].map((temperature) => tersor.logSoftmax(student, { temperature }))),
    klDivergence: () =>
      pairs.flatMap(({ student, teacher }) =>
        reductions.map((reduction) => tersor.klDivergence(student, { teacher, temperature: 3, reduction }))
      ),
    crossEntropy: () =>
      pairs.flatMap(({ student }) =>
        reductions.map((reduction) => tersor.crossEntropy(student, { labels, reduction }))
      ),
    distillationLoss: () =>
      pairs.flatMap(({ student, teacher }) =>
        [1, 2, 3, 4, 8].flatMap((temperature) =>
          [0, 0.3, 1].map((alpha) =>
            tersor.distillationLoss(student, { teacher, labels, temperature, alpha, reduction: 'none' })
          )
        )
      ),
    qr: () => [
      [...matrices, doubles, tensor([0, 3], 1), tensor([200, 170], 5)].flatMap((matrix) => [
        tersor.qr(matrix),
        tersor.qr(matrix, { pivot: true })
      ]),
      tersor.qr(graded(50, 30), { pivot: true })
    ],
    cholesky: () => [
      [1, 5, 70, 200].map((n) => tersor.cholesky(diagonal(n))),
      [1, 5, 70, 200].map((n) => tersor.cholesky(diagonal(n), { pivot: true, tolerance: n }))
    ],
    solveTriangular: () =>
      [1, 5, 70, 200].flatMap((n) =>
        [{}, { upper: true }, { transpose: true }, { upper: true, transpose: true, unitDiagonal: n < 9 }].flatMap(
          (options) => [1, 9].map((p) => tersor.solveTriangular(diagonal(n), tensor([n, p], 3), options))
        )
      ),
    ridge: () => [
      [
        {},
        { lambda: 0.1 },
        { intercept: false },
        { lambda: 2, sampleWeights: tensor([2300], 9).data.map((x) => x * x) }
      ].map((options) => tersor.ridge(table, tensor([2300, 3], 10), options)),
      tersor.ridge(graded(200, 12), tensor([200], 11), { intercept: false }),
      tersor.ridge(doubles, doubles, { lambda: 1 })
    ],
    procrustes: () =>
      [{}, { scale: true }, { center: true, rotationOnly: true }, { scale: true, center: true }].flatMap((options) => [
        tersor.procrustes(table, tensor([2300, 7], 12), options),
        tersor.procrustes(doubles, tensor([9, 10], 13), options)
      ]),
    svd: () => [
      [...matrices, doubles, tensor([0, 3], 1), tensor([3, 0], 1)].map((matrix) => tersor.svd(matrix)),
      tersor.svd(tensor([3, 40, 60], 2), { dtype: 'float64' }),
      tersor.svd(graded(50, 30))
    ],
    truncatedSvd: () => {
      const tall = tensor([530, 60], 25)
      const wide = { data: Float64Array.from(numbers(66 * 300, 26)), shape: [66, 300] }
      const rows = function* () {
        for (const [from, to] of [
          [0, 100],
          [100, 103],
          [103, 530]
        ]) {
          yield { data: tall.data.slice(60 * from, 60 * to), shape: [to - from, 60] }
        }
      }
      return [
        [tall, wide, ...matrices, doubles].map((matrix) => tersor.truncatedSvd(matrix, { rank: 1 })),
        [tall, wide].flatMap((matrix) =>
          [
            { rank: 20 },
            { rank: 4, method: 'krylov', seed: 7 },
            { energy: 0.5 },
            { energy: 0.99999 },
            { maxRelativeError: 1e-8 }
          ].map((options) => tersor.truncatedSvd(matrix, options))
        ),
        tersor.truncatedSvd({ rows }, { rank: 9 })
      ]
    },
    lowRank: () => [
      matrices.map((matrix) => tersor.lowRank(matrix, { energy: 0.9 })),
      tersor.lowRank(doubles, { rank: 3 }),
      tersor.lowRank(doubles, { maxRelativeError: 0.3 }),
      // For inputs: more than columns, fewer, as a Gram matrix.
      [
        tensor([40, 12], 41),
        tensor([5, 12], 42, 3),
        { data: Float64Array.from(numbers(240, 43)), shape: [20, 12] }
      ].map((activations) => tersor.lowRank(matrices[1], { rank: 8, activations })),
      tersor.lowRank(matrices[1], { energy: 0.7, gram: alike }),
      codings.map((quantize) => tersor.lowRank(matrices[1], { rank: 6, quantize })),
      codings.map((residual) => tersor.lowRank(matrices[2], { rank: 3, residual })),
      tersor.lowRank(matrices[1], { maxRelativeError: 0.2, quantize: 'int8', residual: 'int4', gram: alike })
    ],
    reconstruct: () => [
      tersor.reconstruct({ u: tensor([31, 300], 44), v: tensor([17, 300], 45), residual: tensor([31, 17], 46) }),
      tersor.reconstruct(tersor.lowRank(doubles, { rank: 4, residual: 'int8' })),
      codings.map((quantize) =>
        tersor.reconstruct(tersor.lowRank(matrices[2], { rank: 3, quantize, residual: quantize }))
      )
    ],
    lowRankPlan: () => [
      [450, 900, 2000, 5000].map((bytes) => tersor.lowRankPlan(matrices.slice(0, 4), { bytes })),
      tersor.lowRankPlan({ a: matrices[1], b: doubles }, { bytes: 200, quantize: 'int4', weights: { a: 0.3, b: 2 } })
    ],
    gram: () => gramOptions.map((options) => all(tersor.gram(table, options))),
    createGram: () =>
      gramOptions.map((options) => {
        const parts = [0, 1000, 1500].map((first, i) => {
          const end = [1000, 1500, 2300][i]
          const part = { data: table.data.subarray(7 * first, 7 * end), shape: [end - first, 7] }
          return tersor.createGram(7, { ...options, first }).add(part)
        })
        return all(
          parts[1]
            .merge(parts[2])
            .merge(parts[0])
            .add(Float64Array.from(numbers(7, 9)))
        )
      }),
    openGram: () => gramOptions.map((options) => all(tersor.openGram(tersor.gram(table, options).toBytes()))),
    matmul: () => [
      [1, 7, 300].flatMap((k) => [1, 5, 8, 33].map((n) => tersor.matmul(tensor([9, k], k), tensor([k, n], n)))),
      [false, true].flatMap((transposeA) =>
        [false, true].map((transposeB) =>
          tersor.matmul(
            tensor(transposeA ? [530, 40] : [40, 530], 51),
            { data: Float64Array.from(numbers(530 * 21, 52)), shape: transposeB ? [21, 530] : [530, 21] },
            { transposeA, transposeB }
          )
        )
      ),
      tersor.matmul(tensor([300, 1100], 53), tensor([1100, 530], 54)),
      tersor.matmul(tensor([3, 1, 6, 5], 55), tensor([4, 5, 7], 56)),
      tersor.matmul(tensor([40, 3, 2], 57), tensor([2, 3], 58)),
      tersor.matmul(tensor([5, 0], 1), tensor([0, 3], 1)),
      tersor.matmul({ data: uglyValues, shape: [13, 1] }, { data: uglyValues.subarray(0, 4), shape: [1, 4] })
    ],
    compare: () => [
      tersor.compare(tensor([70001], 1), tensor([70001], 2)),
      tersor.compare(doubles, tensor([9, 10], 7)),
      tersor.compare(INPUTS[1], INPUTS[1])
    ],
    encodeNpy: () =>
      [tensor([3, 5], 1), doubles, { data: Int8Array.of(1, -2), shape: [2] }].map((x) => model.encodeNpy(x)),
    encodeSafetensors: () => files(),
    openTensors: async () => {
      const file = await model.openTensors(files())
      return [file.metadata, file.tensors, await Promise.all(file.tensors.map(({ name }) => file.read(name)))]
    },
    openModel: async () => {
      const opened = await model.openModel(await compressed())
      return [opened.tensors, await Promise.all(opened.tensors.map(({ name }) => opened.read(name)))]
    },
    compressModel: async () => {
      const results = []
      for (const recipe of recipes) results.push(await model.compressModel(await open(), recipe))
      return results
    },
    decompressModel: async () => model.decompressModel(await model.openModel(await compressed())),
    diffModels: async () => model.diffModels(await open(), await model.openModel(await compressed()))
  }
}

/** Columns that span 2^100: the iteration that is not prepared. */
function graded(m, n) {
  const { data } = tensor([m, n], 12)
  return { data: Float64Array.from(data, (x, i) => x * 2 ** -((i % n) * 3.5 + (i % n) * 0.5)), shape: [m, n] }
}

/** Names that fields had when the hashes were made: a renaming changes no hash. */
const FIRST_NAMES = { centroids: 'centres', dimensions: 'dimension' }
const firstName = (key) => FIRST_NAMES[key] ?? key

/** All that a result holds, in order, as bytes: keys, numbers as f64, arrays as they are. */
function serialise(value, out) {
  if (ArrayBuffer.isView(value)) out.push(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))
  else if (typeof value === 'number') out.push(new Uint8Array(Float64Array.of(value).buffer))
  else if (value === null || typeof value !== 'object')
    out.push(new TextEncoder().encode(`${typeof value}:${String(value)};`))
  else if (Array.isArray(value)) for (const item of value) serialise(item, out)
  else {
    const fields = Object.entries(value).map(([key, field]) => [firstName(key), field])
    for (const [key, field] of fields.sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (field === undefined) continue
      out.push(new TextEncoder().encode(`${key}=`))
      serialise(field, out)
    }
  }
  return out
}

/** SHA-256 of all that a result holds. */
export async function hashOf(result) {
  const pieces = serialise(result, [])
  const whole = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0))
  let offset = 0
  for (const piece of pieces) {
    whole.set(piece, offset)
    offset += piece.length
  }
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', whole))
  return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** An entry of a domain has the very functions of `tersor`, and an `init` of its own. */
async function checkDomains(tersor, domains) {
  for (const [entry, { init, ...verbs }] of Object.entries(domains)) {
    const other = Object.keys(verbs).filter((name) => verbs[name] !== tersor[name])
    if (other.length) throw new Error(`tersor/${entry} has other functions than tersor: ${other.join(', ')}`)
    if (init === tersor.init) throw new Error(`tersor/${entry} starts what it does not need`)
    await init()
  }
}

/** table: operation to SHA-256 of all that it returns; times: milliseconds that it took, 0 where no clock goes */
export async function conformance({ tersor, embeddings, model, pool, domains }) {
  await checkDomains(tersor, domains)
  const table = {}
  const times = {}
  const now = () => globalThis.performance?.now() ?? 0
  for (const [name, run] of Object.entries({
    ...operations(tersor, model),
    ...embeddingOperations(embeddings),
    ...poolOperations(tersor, pool)
  })) {
    const start = now()
    const result = await run()
    times[name] = now() - start
    table[name] = await hashOf(result)
  }
  return { table, times }
}
