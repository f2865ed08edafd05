import { lowRank, quantize } from '../../src/index.js'
import { CHUNK, labelsFor, logits, numbers, type Call } from './pool.js'
import { normals64 } from './random.js'

/** Elements of the arrays that are cut: two chunks. */
export const FRESH_LENGTH = CHUNK + 52
const length = FRESH_LENGTH
const shape = [4, length / 4]
const bits = new Uint8Array(Math.ceil(length / 8)).fill(0x5a)
bits[bits.length - 1]! &= 15

/** Calls on fresh arrays, which are listed too. */
export interface Fresh {
  call: Call
  arrays: ArrayBufferView[]
}

const one =
  (seed: number, make: (data: Float32Array<ArrayBuffer>) => Call): (() => Fresh) =>
  () => {
    const data = numbers(length, seed)
    return { call: make(data), arrays: [data] }
  }

/** Calls on arrays that may be handed over, by what they show. */
export const FRESH: Readonly<Record<string, () => Fresh>> = {
  quantize: one(1, (data) => ({ verb: 'quantize', args: [{ data, shape }], options: { format: 'int4', axis: 0 } })),
  'quantize, halves': one(2, (data) => ({ verb: 'quantize', args: [data], options: { format: 'float16' } })),
  'quantize, asymmetric': one(3, (data) => ({
    verb: 'quantize',
    args: [data],
    options: { format: 'uint8', symmetric: false }
  })),
  fakeQuantize: one(4, (data) => ({ verb: 'fakeQuantize', args: [data], options: { format: 'int8', group: 100 } })),
  prune: one(5, (data) => ({ verb: 'prune', args: [data], options: { sparsity: 0.5 } })),
  'prune, a pattern': one(6, (data) => ({ verb: 'prune', args: [{ data, shape }], options: { pattern: '2:4' } })),
  'prune, many': () => {
    const arrays = [numbers(length, 7), normals64(100, 7)]
    return {
      call: { verb: 'prune', args: [{ a: arrays[0], b: arrays[1] }], options: { sparsity: 0.5, scope: 'global' } },
      arrays
    }
  },
  softmax: one(8, (data) => ({ verb: 'softmax', args: [{ data, shape }] })),
  logSoftmax: one(9, (data) => ({ verb: 'logSoftmax', args: [{ data, shape }], options: { temperature: 2 } })),
  klDivergence: () => {
    const [student, teacher] = [logits(shape, 10), logits(shape, 11)]
    return {
      call: { verb: 'klDivergence', args: [student], options: { teacher } },
      arrays: [student.data, teacher.data]
    }
  },
  crossEntropy: () => {
    const student = logits(shape, 12)
    const labels = labelsFor(4, length / 4, 1)
    return {
      call: { verb: 'crossEntropy', args: [student], options: { labels, reduction: 'none' } },
      arrays: [student.data, labels]
    }
  },
  distillationLoss: () => {
    const [student, teacher] = [logits(shape, 13), logits(shape, 14)]
    const labels = labelsFor(4, length / 4, 1)
    return {
      call: { verb: 'distillationLoss', args: [student], options: { teacher, labels } },
      arrays: [student.data, teacher.data, labels]
    }
  },
  qr: () => {
    const data = numbers(900, 31)
    return { call: { verb: 'qr', args: [{ data, shape: [30, 30] }], options: { pivot: true } }, arrays: [data] }
  },
  cholesky: () => {
    const data = normals64(400, 32).map((x, i) => (i % 21 ? 0 : x * x + 1))
    return { call: { verb: 'cholesky', args: [{ data, shape: [20, 20] }] }, arrays: [data] }
  },
  solveTriangular: () => {
    const arrays = [numbers(400, 33).map((x, i) => (i % 21 ? x : 9)), normals64(60, 34)]
    const args = [
      { data: arrays[0], shape: [20, 20] },
      { data: arrays[1], shape: [20, 3] }
    ]
    return { call: { verb: 'solveTriangular', args }, arrays }
  },
  ridge: () => {
    const arrays = [numbers(900, 35), normals64(60, 36), numbers(30, 37).map((x) => x * x)]
    const args = [
      { data: arrays[0], shape: [30, 30] },
      { data: arrays[1], shape: [30, 2] }
    ]
    return { call: { verb: 'ridge', args, options: { lambda: 2, sampleWeights: arrays[2] } }, arrays }
  },
  procrustes: () => {
    const arrays = [numbers(90, 38), normals64(90, 39)]
    const args = arrays.map((data) => ({ data, shape: [30, 3] }))
    return { call: { verb: 'procrustes', args, options: { center: true } }, arrays }
  },
  svd: () => {
    const data = normals64(900, 15)
    return { call: { verb: 'svd', args: [{ data, shape: [30, 30] }] }, arrays: [data] }
  },
  lowRank: () => {
    const data = numbers(900, 16)
    return { call: { verb: 'lowRank', args: [{ data, shape: [30, 30] }], options: { rank: 2 } }, arrays: [data] }
  },
  'lowRank for inputs': () => {
    const [data, inputs] = [numbers(900, 21), numbers(600, 22)]
    const options = { rank: 2, quantize: 'int8', activations: { data: inputs, shape: [20, 30] } }
    return { call: { verb: 'lowRank', args: [{ data, shape: [30, 30] }], options }, arrays: [data, inputs] }
  },
  lowRankPlan: () => {
    const arrays = [numbers(900, 23), normals64(600, 24)]
    const args = [{ a: { data: arrays[0], shape: [30, 30] }, b: { data: arrays[1], shape: [20, 30] } }]
    return { call: { verb: 'lowRankPlan', args, options: { bytes: 4000 } }, arrays }
  },
  reconstruct: () => {
    const { u, v, residual } = lowRank({ data: numbers(900, 25), shape: [30, 30] }, { rank: 2, residual: 'int4' })
    return { call: { verb: 'reconstruct', args: [{ u, v, residual }] }, arrays: [u.data, v.data, residual!.codes] }
  },
  compare: () => {
    const arrays = [numbers(length, 17), normals64(length, 18)]
    return { call: { verb: 'compare', args: arrays }, arrays }
  },
  matmul: () => {
    const arrays = [numbers(300 * 400, 21), numbers(400 * 700, 22)]
    const [a, b] = arrays.map((data, i) => ({ data, shape: i ? [400, 700] : [400, 300] }))
    return { call: { verb: 'matmul', args: [a, b], options: { transposeA: true } }, arrays }
  },
  dequantize: () => {
    const quantized = quantize(numbers(length, 19), { format: 'int8' })
    return { call: { verb: 'dequantize', args: [quantized] }, arrays: [quantized.codes] }
  },
  applyMask: one(20, (data) => ({ verb: 'applyMask', args: [data, { bits: bits.slice(), shape: [length] }] }))
}
