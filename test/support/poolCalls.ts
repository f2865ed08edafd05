import { lowRank, quantize } from '../../src/index.js'
import type { LowRankOptions, QuantizeOptions, TensorLike } from '../../src/index.js'
import { labelsFor, numbers, tied, type Call } from './pool.js'
import { FLOAT_FORMATS, GRIDS } from './quantize.js'
import { index, seeded } from './random.js'
import { sizeOf } from './shapes.js'

type Random = () => number

const pick = <T>(random: Random, list: readonly T[]): T => list[index(random, list.length)]!

/** Up to four dimensions, of about `most` elements or far fewer; seldom none. */
function randomShape(random: Random, most: number, least = 0): number[] {
  const dimensions = least + index(random, 5 - least)
  let rest = Math.max(1, Math.floor(most * random() ** 2))
  const shape = Array.from({ length: dimensions }, (_, i) => {
    const n = i === dimensions - 1 ? rest : 1 + Math.floor((rest ** random() - 1) * 1.2)
    rest = Math.max(1, Math.floor(rest / n))
    return n
  })
  if (dimensions && random() < 0.03) shape[index(random, dimensions)] = 0
  for (let i = dimensions - 1; i > 0; i--) {
    const j = index(random, i + 1)
    ;[shape[i], shape[j]] = [shape[j]!, shape[i]!]
  }
  return shape
}

/** Finite, or, one time in ten, with something that is not, anywhere. */
function randomData(
  random: Random,
  length: number,
  bad: boolean
): Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer> {
  const seed = index(random, 2 ** 31)
  const data = random() < 0.3 ? tied(length, seed) : numbers(length, seed)
  if (bad && length && random() < 0.1) {
    for (let k = 1 + index(random, 3); k > 0; k--)
      data[index(random, length)] = pick(random, [NaN, Infinity, -Infinity])
  }
  return random() < 0.15 ? Float64Array.from(data) : data
}

export function randomTensor(random: Random, shape: number[], bad = true): TensorLike & { shape: number[] } {
  return { data: randomData(random, sizeOf(shape), bad), shape }
}

function randomQuantization(random: Random, shape: readonly number[]): QuantizeOptions {
  if (random() < 0.15) return { format: pick(random, FLOAT_FORMATS) }
  const options: QuantizeOptions = { ...pick(random, GRIDS) }
  if (shape.length && random() < 0.6) options.axis = index(random, 2 * shape.length) - shape.length
  if (random() < 0.5) options.group = 1 + Math.floor(sizeOf(shape) ** random())
  if (options.group !== undefined && sizeOf(shape) > 100_000) options.group += 7
  return options
}

/** What `lowRank` takes beside its target, for a matrix of n columns. */
function randomExtras(random: Random, n: number): LowRankOptions {
  const tensor = randomTensor(random, [1 + index(random, 30), n])
  return {
    quantize: pick(random, [undefined, undefined, 'int8', { format: 'int4', group: 3 }, 'float16']),
    residual: pick(random, [undefined, undefined, 'int4', 'bfloat16']),
    activations: pick(random, [undefined, undefined, tensor])
  }
}

const VERBS = [
  'quantize',
  'quantize',
  'dequantize',
  'fakeQuantize',
  'prune',
  'prune',
  'applyMask',
  'softmax',
  'logSoftmax',
  'distillationLoss',
  'klDivergence',
  'crossEntropy',
  'qr',
  'cholesky',
  'solveTriangular',
  'ridge',
  'procrustes',
  'svd',
  'truncatedSvd',
  'lowRank',
  'lowRank',
  'lowRankPlan',
  'reconstruct',
  'gram',
  'matmul',
  'compare'
] as const

/** A call of any verb with any options, on tensors of up to `most` elements together; some of them fail. */
export function randomCall(seed: number, most: number): Call {
  const random = seeded(seed)
  const verb = pick(random, VERBS)
  switch (verb) {
    case 'quantize':
    case 'fakeQuantize': {
      const shape = randomShape(random, most)
      return { verb, args: [randomTensor(random, shape)], options: randomQuantization(random, shape) }
    }
    case 'dequantize': {
      const shape = randomShape(random, most)
      return { verb, args: [quantize(randomTensor(random, shape, false), randomQuantization(random, shape))] }
    }
    case 'prune': {
      const options =
        random() < 0.4
          ? { pattern: pick(random, ['2:4', '1:2', '4:8', '3:7', '1:33']) }
          : { sparsity: random(), scope: pick(random, ['layer', 'global'] as const) }
      if (random() < 0.5) return { verb, args: [randomTensor(random, randomShape(random, most))], options }
      const count = index(random, 6)
      const tensors = Array.from({ length: count }, () => randomTensor(random, randomShape(random, most / 4)))
      return { verb, args: [tensors], options }
    }
    case 'applyMask': {
      const shape = randomShape(random, most)
      const bits = Uint8Array.from({ length: Math.ceil(sizeOf(shape) / 8) }, () => index(random, 256))
      return { verb, args: [randomTensor(random, shape), { bits, shape }] }
    }
    case 'softmax':
    case 'logSoftmax': {
      const options = random() < 0.5 ? undefined : { temperature: 4 * random() + 0.01 }
      return { verb, args: [randomTensor(random, randomShape(random, most, 1))], options }
    }
    case 'distillationLoss':
    case 'klDivergence':
    case 'crossEntropy': {
      const shape = randomShape(random, most / 2, 1)
      const reduction = pick(random, ['none', 'mean', 'batchMean', 'sum', undefined] as const)
      const temperature = random() < 0.5 ? undefined : 4 * random() + 0.01
      const labels = labelsFor(sizeOf(shape.slice(0, -1)), shape.at(-1)!, seed)
      const student = randomTensor(random, shape)
      if (verb === 'crossEntropy') return { verb, args: [student], options: { labels, reduction } }
      const teacher = randomTensor(random, shape)
      if (verb === 'klDivergence') return { verb, args: [student], options: { teacher, temperature, reduction } }
      const alpha = pick(random, [0, 1, 0.5, 0.9, undefined])
      return { verb, args: [student], options: { teacher, labels, temperature, reduction, alpha } }
    }
    case 'qr':
    case 'cholesky': {
      const n = index(random, 40)
      // Few of them are symmetric; a diagonal matrix is.
      const diagonal = Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) ? 0 : random() - 0.02))
      const matrix = verb === 'qr' ? randomTensor(random, [index(random, 40), n]) : { data: diagonal, shape: [n, n] }
      return { verb, args: [matrix], options: pick(random, [undefined, {}, { pivot: true }]) }
    }
    case 'solveTriangular':
    case 'ridge':
    case 'procrustes': {
      const [m, n] = [1 + index(random, 40), 1 + index(random, 30)]
      const flag = (): boolean => random() < 0.5
      if (verb === 'solveTriangular') {
        const args = [randomTensor(random, [n, n]), randomTensor(random, pick(random, [[n], [n, 3]]))]
        return { verb, args, options: { upper: flag(), transpose: flag(), unitDiagonal: flag() } }
      }
      if (verb === 'procrustes') {
        const args = [randomTensor(random, [m, n]), randomTensor(random, [m, n])]
        return { verb, args, options: { scale: flag(), center: flag(), rotationOnly: flag() } }
      }
      const sampleWeights = flag() ? undefined : Float32Array.from({ length: m }, () => random() - 0.002)
      const args = [randomTensor(random, [m, n]), randomTensor(random, pick(random, [[m], [m, 2]]))]
      return { verb, args, options: { lambda: pick(random, [0, 1e-9, 1]), intercept: flag(), sampleWeights } }
    }
    case 'svd':
    case 'truncatedSvd':
    case 'lowRank': {
      const matrix = randomTensor(random, [1 + index(random, 40), 1 + index(random, 40)])
      if (verb === 'svd') return { verb, args: [matrix] }
      const target = pick(random, [{ rank: 1 }, { energy: random() }, { maxRelativeError: 0.05 + 0.9 * random() }])
      if (verb === 'truncatedSvd') return { verb, args: [matrix], options: target }
      return { verb, args: [matrix], options: { ...target, ...randomExtras(random, matrix.shape[1]!) } }
    }
    case 'lowRankPlan': {
      const matrices = Array.from({ length: index(random, 4) }, () =>
        randomTensor(random, [1 + index(random, 20), 1 + index(random, 20)])
      )
      const args = random() < 0.5 ? [matrices] : [Object.fromEntries(matrices.map((one, i) => [`m${i}`, one]))]
      return { verb, args, options: { bytes: 1 + index(random, 3000), quantize: pick(random, [undefined, 'int8']) } }
    }
    case 'reconstruct': {
      const matrix = randomTensor(random, [1 + index(random, 40), 1 + index(random, 40)], false)
      const options = { rank: 1, residual: pick(random, [undefined, 'int4' as const]) }
      return { verb, args: [lowRank(matrix, { ...options, quantize: pick(random, [undefined, 'int8' as const]) })] }
    }
    case 'gram': {
      const dim = 1 + index(random, 12)
      const rows = randomTensor(random, [Math.floor((most * random() ** 2) / dim), dim])
      const options = { center: random() < 0.5, first: Math.floor(5000 * random() ** 2) }
      return {
        verb,
        args: [rows],
        options: random() < 0.2 ? { ...options, directions: 1 + index(random, dim) } : options
      }
    }
    case 'matmul': {
      const side = (): number => 1 + Math.floor(Math.cbrt(most) ** (0.3 + random()))
      const [m, k, n] = [side(), side(), side()]
      const lead = pick(random, [[], [], [3], [1], [2, 1]])
      const [transposeA, transposeB] = [random() < 0.4, random() < 0.4]
      const a = randomTensor(random, [...lead, ...(transposeA ? [k, m] : [m, k])])
      const b = randomTensor(random, [...(random() < 0.5 ? lead : []), ...(transposeB ? [n, k] : [k, n])])
      return { verb, args: [a, b], options: { transposeA, transposeB } }
    }
    case 'compare': {
      const shape = randomShape(random, most)
      return { verb, args: [randomTensor(random, shape), randomTensor(random, shape)] }
    }
  }
}

const small = Float32Array.of(1, -2, 3, 4)
const matrix = { data: Float32Array.of(1, 2, 3, 4, 5, 6), shape: [2, 3] }
const square = { data: Float32Array.of(4, 2, 2, 5), shape: [2, 2] }

/** A small call of each verb that succeeds. */
export const EVERY: readonly Call[] = [
  { verb: 'quantize', args: [small], options: { format: 'int8' } },
  { verb: 'dequantize', args: [quantize(small, { format: 'int8' })], options: {} },
  { verb: 'fakeQuantize', args: [small], options: { format: 'int8' } },
  { verb: 'prune', args: [small], options: { sparsity: 0.5 } },
  { verb: 'applyMask', args: [small, { bits: Uint8Array.of(5), shape: [4] }], options: {} },
  { verb: 'softmax', args: [small], options: {} },
  { verb: 'logSoftmax', args: [small], options: {} },
  { verb: 'distillationLoss', args: [matrix], options: { teacher: matrix, labels: [0, 1] } },
  { verb: 'klDivergence', args: [matrix], options: { teacher: matrix } },
  { verb: 'crossEntropy', args: [matrix], options: { labels: [0, 1] } },
  { verb: 'qr', args: [matrix], options: { pivot: true } },
  { verb: 'cholesky', args: [square], options: {} },
  { verb: 'solveTriangular', args: [square, small.subarray(0, 2)], options: { upper: true } },
  { verb: 'ridge', args: [matrix, small.subarray(0, 2)], options: { lambda: 1 } },
  { verb: 'procrustes', args: [matrix, matrix], options: { scale: true } },
  { verb: 'svd', args: [matrix], options: {} },
  { verb: 'truncatedSvd', args: [matrix], options: { rank: 1 } },
  { verb: 'lowRank', args: [matrix], options: { rank: 1 } },
  { verb: 'lowRankPlan', args: [[matrix]], options: { bytes: 24 } },
  { verb: 'reconstruct', args: [lowRank(matrix, { rank: 1, quantize: 'int8' })], options: {} },
  { verb: 'gram', args: [matrix], options: {} },
  { verb: 'matmul', args: [matrix, matrix], options: { transposeB: true } },
  { verb: 'compare', args: [small, small], options: {} }
]
