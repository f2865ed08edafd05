import {
  compare,
  crossEntropy,
  distillationLoss,
  fakeQuantize,
  klDivergence,
  logSoftmax,
  lowRank,
  lowRankPlan,
  procrustes,
  matmul,
  prune,
  qr,
  quantize,
  reconstruct,
  ridge,
  softmax,
  svd
} from '../../src/index.js'
import type { TensorLike } from '../../src/index.js'
import { sizeOf } from './shapes.js'

interface Verb {
  verb: string
  /** of the argument that `run` fills in */
  name: string
  run: (tensor: TensorLike) => unknown
  matrix?: boolean
  /** -Infinity is a masked class */
  masks?: boolean
}

const sizeOfTensor = (tensor: TensorLike): number => {
  const { data = tensor, shape, dims } = tensor as { data?: Float32Array; shape?: number[]; dims?: number[] }
  return shape || dims ? sizeOf(shape ?? dims ?? []) : (data as Float32Array).length
}

const shapeOf = (tensor: TensorLike): number[] => (tensor as { shape?: number[] }).shape ?? [sizeOfTensor(tensor)]

/** A good tensor of the same shape. */
const like = (tensor: TensorLike): TensorLike => {
  const shape = shapeOf(tensor)
  return { data: new Float32Array(sizeOf(shape)), shape }
}

const rowsOf = (tensor: TensorLike): number[] => {
  const shape = shapeOf(tensor)
  return new Array<number>(sizeOf(shape) / (shape[shape.length - 1] || 1)).fill(0)
}

export const READERS: readonly Verb[] = [
  { verb: 'quantize', name: 'tensor', run: (tensor) => quantize(tensor, { format: 'int8' }) },
  { verb: 'quantize', name: 'tensor', run: (tensor) => quantize(tensor, { format: 'uint4', symmetric: false }) },
  { verb: 'quantize', name: 'tensor', run: (tensor) => quantize(tensor, { format: 'int4', group: 3 }) },
  { verb: 'quantize', name: 'tensor', run: (tensor) => quantize(tensor, { format: 'float16' }) },
  { verb: 'quantize', name: 'tensor', run: (tensor) => quantize(tensor, { format: 'bfloat16' }) },
  { verb: 'fakeQuantize', name: 'tensor', run: (tensor) => fakeQuantize(tensor, { format: 'uint8' }) },
  { verb: 'fakeQuantize', name: 'tensor', run: (tensor) => fakeQuantize(tensor, { format: 'float16' }) },
  { verb: 'fakeQuantize', name: 'tensor', run: (tensor) => fakeQuantize(tensor, { format: 'bfloat16' }) },
  { verb: 'prune', name: 'tensor', run: (tensor) => prune(tensor, { sparsity: 0.5 }) },
  { verb: 'prune', name: 'tensor', run: (tensor) => prune(tensor, { sparsity: 0 }) },
  { verb: 'prune', name: 'tensor', run: (tensor) => prune(tensor, { pattern: '2:4' }) },
  { verb: 'prune', name: 'tensor', run: (tensor) => prune(tensor, { pattern: '1:3' }) },
  { verb: 'compare', name: 'reference', run: (tensor) => compare(tensor, like(tensor)) },
  { verb: 'compare', name: 'other', run: (tensor) => compare(like(tensor), tensor) },
  {
    verb: 'matmul',
    name: 'a',
    run: (tensor) => matmul(tensor, like(tensor), { transposeB: true }),
    matrix: true
  },
  {
    verb: 'matmul',
    name: 'b',
    run: (tensor) => matmul(like(tensor), tensor, { transposeB: true }),
    matrix: true
  },
  { verb: 'svd', name: 'matrix', run: svd, matrix: true },
  { verb: 'qr', name: 'matrix', run: (tensor) => qr(tensor), matrix: true },
  { verb: 'qr', name: 'matrix', run: (tensor) => qr(tensor, { pivot: true }), matrix: true },
  { verb: 'procrustes', name: 'a', run: (tensor) => procrustes(tensor, like(tensor)), matrix: true },
  { verb: 'ridge', name: 'x', run: (tensor) => ridge(tensor, like(tensor), { lambda: 1 }), matrix: true },
  { verb: 'lowRank', name: 'matrix', run: (tensor) => lowRank(tensor, { rank: 1 }), matrix: true },
  {
    verb: 'lowRank',
    name: 'matrix',
    run: (tensor) => lowRank(tensor, { rank: 1, quantize: 'int8', residual: 'int4' }),
    matrix: true
  },
  { verb: 'lowRankPlan', name: 'tensor', run: (tensor) => lowRankPlan({ tensor }, { bytes: 1e9 }), matrix: true },
  {
    verb: 'reconstruct',
    name: 'u',
    run: (tensor) => reconstruct({ u: tensor, v: like(tensor) }),
    matrix: true
  },
  { verb: 'softmax', name: 'logits', run: (tensor) => softmax(tensor), masks: true },
  { verb: 'logSoftmax', name: 'logits', run: (tensor) => logSoftmax(tensor), masks: true },
  {
    verb: 'klDivergence',
    name: 'student',
    run: (tensor) => klDivergence(tensor, { teacher: like(tensor) }),
    masks: true
  },
  {
    verb: 'klDivergence',
    name: 'teacher',
    run: (tensor) => klDivergence(like(tensor), { teacher: tensor }),
    masks: true
  },
  {
    verb: 'crossEntropy',
    name: 'logits',
    run: (tensor) => crossEntropy(tensor, { labels: rowsOf(tensor) }),
    masks: true
  },
  {
    verb: 'distillationLoss',
    name: 'student',
    run: (tensor) => distillationLoss(tensor, { teacher: like(tensor), labels: rowsOf(tensor) }),
    masks: true
  },
  {
    verb: 'distillationLoss',
    name: 'teacher',
    run: (tensor) => distillationLoss(like(tensor), { teacher: tensor, labels: rowsOf(tensor) }),
    masks: true
  }
]
