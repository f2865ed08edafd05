import { describe, expect, it } from 'vitest'
import { quantize } from '../../src/index.js'
import { createPool } from '../../src/pool/index.js'
import { expectError, wrong } from '../support/errors.js'
import { checkError, expectRejection, onPool, poolFor, somePools, type Call } from '../support/pool.js'
import { EVERY } from '../support/poolCalls.js'

const pools = somePools([1, 3])

const small = Float32Array.of(1, -2, 3, 4)
const matrix = { data: Float32Array.of(1, 2, 3, 4, 5, 6), shape: [2, 3] }
const mask = { bits: Uint8Array.of(5), shape: [4] }
const quantized = quantize(small, { format: 'int8' })
const one = new Float64Array(1)
const halves = quantize(small, { format: 'float16' })

const WRONG: readonly [string, Call][] = [
  ['quantize nothing', { verb: 'quantize', args: [] }],
  ['quantize no options', { verb: 'quantize', args: [small] }],
  ['quantize null options', { verb: 'quantize', args: [small], options: null }],
  ['quantize text for options', { verb: 'quantize', args: [small], options: 'int8' }],
  ['quantize no format', { verb: 'quantize', args: [small], options: {} }],
  ['quantize unknown format', { verb: 'quantize', args: [small], options: { format: 'int3' } }],
  ['quantize unknown option', { verb: 'quantize', args: [small], options: { format: 'int8', axes: 1 } }],
  ['quantize axis', { verb: 'quantize', args: [small], options: { format: 'int8', axis: 1 } }],
  ['quantize group', { verb: 'quantize', args: [small], options: { format: 'int8', group: 0 } }],
  ['quantize symmetric', { verb: 'quantize', args: [small], options: { format: 'int8', symmetric: 1 } }],
  ['quantize scales', { verb: 'quantize', args: [small], options: { format: 'int8', scales: [1, 2] } }],
  ['quantize scale 0', { verb: 'quantize', args: [small], options: { format: 'int8', scales: [0] } }],
  ['quantize zero points', { verb: 'quantize', args: [small], options: { format: 'int8', zeroPoints: [0] } }],
  ['quantize half with axis', { verb: 'quantize', args: [small], options: { format: 'float16', axis: 0 } }],
  ['quantize out', { verb: 'quantize', args: [small], options: { format: 'int8', out: 5 } }],
  [
    'quantize out of another length',
    { verb: 'quantize', args: [small], options: { format: 'int8', out: quantize([1], { format: 'int8' }) } }
  ],
  ['quantize out of another format', { verb: 'quantize', args: [small], options: { format: 'uint8', out: quantized } }],
  ['quantize text', { verb: 'quantize', args: ['1234'], options: { format: 'int8' } }],
  ['quantize BigInt64Array', { verb: 'quantize', args: [BigInt64Array.of(1n)], options: { format: 'int8' } }],
  ['quantize another length', { verb: 'quantize', args: [{ data: small, shape: [5] }], options: { format: 'int8' } }],
  ['quantize ragged', { verb: 'quantize', args: [[[1, 2], [3]]], options: { format: 'int8' } }],
  ['quantize complex', { verb: 'quantize', args: [{ data: small, dtype: 'complex64' }], options: { format: 'int8' } }],
  ['fakeQuantize out', { verb: 'fakeQuantize', args: [small], options: { format: 'int8', out: quantized } }],
  ['fakeQuantize unknown', { verb: 'fakeQuantize', args: [small], options: { format: 'int8', foo: 1 } }],
  ['dequantize nothing', { verb: 'dequantize', args: [undefined] }],
  ['dequantize unknown field', { verb: 'dequantize', args: [{ ...quantized, foo: 1 }] }],
  ['dequantize unknown option', { verb: 'dequantize', args: [quantized], options: { foo: 1 } }],
  ['dequantize out', { verb: 'dequantize', args: [quantized], options: { out: new Float32Array(5) } }],
  ['dequantize out of f64', { verb: 'dequantize', args: [quantized], options: { out: new Float64Array(4) } }],
  ['dequantize codes', { verb: 'dequantize', args: [{ ...quantized, codes: new Uint8Array(4) }] }],
  ['dequantize too few codes', { verb: 'dequantize', args: [{ ...halves, codes: new Uint16Array(3) }] }],
  ['dequantize scale', { verb: 'dequantize', args: [{ ...quantized, scales: Float32Array.of(NaN) }] }],
  ['dequantize shape', { verb: 'dequantize', args: [{ ...quantized, shape: [-4] }] }],
  [
    'dequantize zero points',
    { verb: 'dequantize', args: [{ ...quantized, format: 'uint8', codes: new Uint8Array(4) }] }
  ],
  ['prune neither', { verb: 'prune', args: [small], options: {} }],
  ['prune both', { verb: 'prune', args: [small], options: { sparsity: 0.5, pattern: '2:4' } }],
  ['prune no options', { verb: 'prune', args: [small] }],
  ['prune unknown', { verb: 'prune', args: [small], options: { sparsity: 0.5, amount: 1 } }],
  ['prune sparsity', { verb: 'prune', args: [small], options: { sparsity: 1.5 } }],
  ['prune sparsity NaN', { verb: 'prune', args: [small], options: { sparsity: NaN } }],
  ['prune pattern', { verb: 'prune', args: [small], options: { pattern: '4:2' } }],
  ['prune global pattern', { verb: 'prune', args: [small], options: { pattern: '2:4', scope: 'global' } }],
  ['prune scope', { verb: 'prune', args: [small], options: { sparsity: 0.5, scope: 'all' } }],
  ['prune out for many', { verb: 'prune', args: [[small, small]], options: { sparsity: 0.5, out: {} } }],
  [
    'prune out',
    { verb: 'prune', args: [small], options: { sparsity: 0.5, out: { values: { data: new Float32Array(3) } } } }
  ],
  ['prune no tensor', { verb: 'prune', args: [7], options: { sparsity: 0.5 } }],
  ['prune no tensor in a list', { verb: 'prune', args: [[small, 'a']], options: { sparsity: 0.5 } }],
  ['prune no tensor in a record', { verb: 'prune', args: [{ a: small, b: null }], options: { sparsity: 0.5 } }],
  ['applyMask no mask', { verb: 'applyMask', args: [small] }],
  ['applyMask shape', { verb: 'applyMask', args: [small, { ...mask, shape: [2, 2] }] }],
  ['applyMask bytes', { verb: 'applyMask', args: [small, { ...mask, bits: new Uint8Array(2) }] }],
  ['softmax scalar', { verb: 'softmax', args: [{ data: [1], shape: [] }] }],
  ['softmax temperature', { verb: 'softmax', args: [small], options: { temperature: 0 } }],
  ['softmax unknown', { verb: 'softmax', args: [small], options: { axis: 0 } }],
  ['softmax null options', { verb: 'softmax', args: [small], options: null }],
  ['logSoftmax classes', { verb: 'logSoftmax', args: [{ data: [], shape: [3, 0] }] }],
  ['logSoftmax unknown', { verb: 'logSoftmax', args: [small], options: { dim: 1 } }],
  ['distillationLoss nothing', { verb: 'distillationLoss', args: [] }],
  ['distillationLoss no options', { verb: 'distillationLoss', args: [matrix] }],
  ['distillationLoss all in one', { verb: 'distillationLoss', args: [{ student: matrix, teacher: matrix }] }],
  ['distillationLoss two tensors', { verb: 'distillationLoss', args: [matrix, matrix, { labels: [0, 1] }] }],
  ['klDivergence two arrays', { verb: 'klDivergence', args: [small, small] }],
  ['klDivergence no teacher', { verb: 'klDivergence', args: [matrix], options: {} }],
  ['crossEntropy an array of labels', { verb: 'crossEntropy', args: [matrix, [0, 1]] }],
  ['crossEntropy no labels', { verb: 'crossEntropy', args: [matrix], options: {} }],
  ['distillationLoss no teacher', { verb: 'distillationLoss', args: [matrix], options: { labels: [0, 1] } }],
  ['distillationLoss no labels', { verb: 'distillationLoss', args: [matrix], options: { teacher: matrix } }],
  [
    'distillationLoss alpha',
    { verb: 'distillationLoss', args: [matrix], options: { teacher: matrix, labels: [0, 1], alpha: 2 } }
  ],
  ['distillationLoss unknown', { verb: 'distillationLoss', args: [matrix], options: { teacher: matrix, beta: 2 } }],
  [
    'distillationLoss out',
    {
      verb: 'distillationLoss',
      args: [matrix],
      options: { teacher: matrix, labels: [0, 1], out: new Float32Array(5) }
    }
  ],
  ['klDivergence shapes', { verb: 'klDivergence', args: [matrix], options: { teacher: small } }],
  [
    'klDivergence temperature',
    { verb: 'klDivergence', args: [matrix], options: { teacher: matrix, temperature: 1e31 } }
  ],
  [
    'klDivergence reduction',
    { verb: 'klDivergence', args: [matrix], options: { teacher: matrix, reduction: 'batchmean' } }
  ],
  ['klDivergence labels', { verb: 'klDivergence', args: [matrix], options: { teacher: matrix, labels: [0, 1] } }],
  ['crossEntropy labels', { verb: 'crossEntropy', args: [matrix], options: { labels: [0] } }],
  ['crossEntropy label', { verb: 'crossEntropy', args: [matrix], options: { labels: [0, 3] } }],
  ['crossEntropy unknown', { verb: 'crossEntropy', args: [matrix], options: { labels: [0, 1], student: matrix } }],
  ['qr vector', { verb: 'qr', args: [small] }],
  ['qr unknown', { verb: 'qr', args: [matrix], options: { pivots: true } }],
  ['cholesky not square', { verb: 'cholesky', args: [matrix] }],
  ['cholesky not definite', { verb: 'cholesky', args: [{ data: [1, 2, 2, 1], shape: [2, 2] }] }],
  ['cholesky tolerance', { verb: 'cholesky', args: [matrix], options: { tolerance: 1 } }],
  ['solveTriangular shapes', { verb: 'solveTriangular', args: [[[1]], [1, 2]] }],
  ['solveTriangular zero', { verb: 'solveTriangular', args: [[[0]], [1]] }],
  ['ridge shapes', { verb: 'ridge', args: [matrix, small] }],
  ['ridge dependent', { verb: 'ridge', args: [matrix, [1, 2]] }],
  ['ridge sample weights', { verb: 'ridge', args: [matrix, [1, 2]], options: { lambda: 1, sampleWeights: [1, -1] } }],
  ['procrustes shapes', { verb: 'procrustes', args: [matrix, small] }],
  ['procrustes nothing', { verb: 'procrustes', args: [matrix] }],
  ['svd vector', { verb: 'svd', args: [small] }],
  ['svd nothing', { verb: 'svd', args: [undefined] }],
  ['lowRank none', { verb: 'lowRank', args: [matrix], options: {} }],
  ['lowRank two', { verb: 'lowRank', args: [matrix], options: { rank: 1, energy: 0.5 } }],
  ['lowRank rank', { verb: 'lowRank', args: [matrix], options: { rank: 3 } }],
  ['lowRank no options', { verb: 'lowRank', args: [matrix] }],
  ['lowRank unknown', { verb: 'lowRank', args: [matrix], options: { rank: 1, k: 1 } }],
  ['lowRank empty', { verb: 'lowRank', args: [{ data: [], shape: [0, 3] }], options: { rank: 1 } }],
  ['lowRank out of reach', { verb: 'lowRank', args: [matrix], options: { maxRelativeError: 0 } }],
  ['matmul shapes', { verb: 'matmul', args: [matrix, matrix] }],
  ['matmul vector', { verb: 'matmul', args: [matrix, small] }],
  [
    'matmul leading',
    {
      verb: 'matmul',
      args: [
        [[[1]], [[2]]],
        [[[1]], [[2]], [[3]]]
      ]
    }
  ],
  ['matmul unknown', { verb: 'matmul', args: [matrix, matrix], options: { transpose: true } }],
  ['matmul flag', { verb: 'matmul', args: [matrix, matrix], options: { transposeB: 'yes' } }],
  ['matmul null options', { verb: 'matmul', args: [matrix, matrix], options: null }],
  ['matmul out', { verb: 'matmul', args: [matrix, matrix], options: { transposeB: true, out: new Float32Array(5) } }],
  ['matmul own memory', { verb: 'matmul', args: [[[1]], { data: one, shape: [1, 1] }], options: { out: one } }],
  ['compare shapes', { verb: 'compare', args: [small, matrix] }],
  ['compare nothing', { verb: 'compare', args: [small, undefined] }]
]

it.each(WRONG)('as the verb says it: %s', async (_, call) => {
  await checkError(pools, call)
})

it('verbs without options of their own know those of a run only', async () => {
  const [pool] = pools
  await expectRejection(pool!.svd(matrix, wrong({ rank: 1 })), TypeError, 'svd', '"rank"')
  await expectRejection(pool!.compare(small, small, wrong({ axis: 1 })), TypeError, 'compare', '"axis"')
  await expectRejection(pool!.applyMask(small, mask, wrong({ keep: 1 })), TypeError, 'applyMask', '"keep"')
  await expectRejection(pool!.dequantize(quantized, wrong(7)), TypeError, 'dequantize')
  await expectRejection(pool!.svd(matrix, wrong('x')), TypeError, 'svd')
})

describe.each(EVERY.map((call) => ({ verb: call.verb, call })))('options of the run: $verb', ({ verb, call }) => {
  it.each([
    ['signal', 5],
    ['signal', {}],
    ['signal', null],
    ['onProgress', 'x'],
    ['onProgress', {}],
    ['transfer', 1],
    ['transfer', 'yes']
  ])('%s: %j is refused', async (name, value) => {
    await expectRejection(onPool(pools[1]!, call, { [name]: value }), TypeError, verb, `"${name}"`)
  })

  it('undefined is as nothing', async () => {
    await onPool(pools[1]!, call, { signal: undefined, onProgress: undefined, transfer: undefined })
  })
})

describe('createPool', () => {
  it.each([
    [{ threads: 0 }, RangeError, '"threads"'],
    [{ threads: -1 }, RangeError, '"threads"'],
    [{ threads: 1.5 }, RangeError, '"threads"'],
    [{ threads: NaN }, RangeError, '"threads"'],
    [{ threads: Infinity }, RangeError, '"threads"'],
    [{ threads: '2' }, TypeError, '"threads"'],
    [{ workers: 2 }, TypeError, '"workers"'],
    [{ workerUrl: 5 }, TypeError, '"workerUrl"'],
    [null, TypeError, 'createPool'],
    [4, TypeError, 'createPool']
  ])('refuses %o', (options, type, part) => {
    expectError(() => createPool(wrong(options)), type, part)
  })

  it('tells how many threads it may have', () => {
    expect(poolFor({ threads: 5 }).threads).toBe(5)
    expect(poolFor({}).threads).toBeGreaterThanOrEqual(1)
    expect(poolFor({ threads: undefined, workerUrl: undefined }).threads).toBeGreaterThanOrEqual(1)
  })
})
