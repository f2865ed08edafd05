import { describe, expect, it } from 'vitest'
import {
  cholesky,
  compare,
  crossEntropy,
  dequantize,
  distillationLoss,
  fakeQuantize,
  klDivergence,
  logSoftmax,
  lowRank,
  lowRankPlan,
  procrustes,
  prune,
  qr,
  quantize,
  ridge,
  softmax,
  solveTriangular
} from '../../src/index.js'
import { expectError, wrong } from '../support/errors.js'
import { quantizedIntegers } from '../support/quantize.js'
import { sizeOf } from '../support/shapes.js'

describe('options', () => {
  const x = [1, 2, 3, 4]
  const q = quantizedIntegers(Float32Array.from(x), [4], { format: 'uint8' })
  const kl = { teacher: x }
  const ce = { labels: [0] }
  const full = { teacher: x, labels: [0] }

  it.each([
    ['quantize', (o: object) => quantize(x, wrong({ format: 'int8', ...o })), ['axis', 'group', 'symmetric', 'scales']],
    ['fakeQuantize', (o: object) => fakeQuantize(x, wrong({ format: 'int8', ...o })), ['axis', 'zeroPoints']],
    ['dequantize', (o: object) => dequantize(wrong({ ...q, ...o })), ['codes', 'scales', 'shape', 'zeroPoints']],
    ['prune', (o: object) => prune(x, wrong({ sparsity: 0.5, ...o })), ['sparsity', 'pattern', 'scope']],
    ['softmax', (o: object) => softmax(x, wrong(o)), ['temperature']],
    ['logSoftmax', (o: object) => logSoftmax(x, wrong(o)), ['temperature']],
    [
      'klDivergence',
      (o: object) => klDivergence(x, wrong({ ...kl, ...o })),
      ['teacher', 'temperature', 'temperatureSquared']
    ],
    ['crossEntropy', (o: object) => crossEntropy(x, wrong({ ...ce, ...o })), ['labels', 'reduction', 'out']],
    [
      'distillationLoss',
      (o: object) => distillationLoss(x, wrong({ ...full, ...o })),
      ['alpha', 'labels', 'temperature']
    ],
    [
      'lowRank',
      (o: object) => lowRank([x], wrong({ rank: 1, ...o })),
      ['rank', 'energy', 'maxRelativeError', 'residual']
    ],
    ['lowRankPlan', (o: object) => lowRankPlan([[x]], wrong({ bytes: 100, ...o })), ['bytes', 'quantize', 'weights']],
    ['qr', (o: object) => qr([x], wrong(o)), ['pivot']],
    ['cholesky', (o: object) => cholesky([[1]], wrong(o)), ['pivot', 'tolerance']],
    ['solveTriangular', (o: object) => solveTriangular([[1]], [1], wrong(o)), ['upper', 'transpose', 'unitDiagonal']],
    ['ridge', (o: object) => ridge([[1], [2]], [1, 2], wrong(o)), ['lambda', 'intercept', 'sampleWeights']],
    ['procrustes', (o: object) => procrustes([x], [x], wrong(o)), ['scale', 'center', 'rotationOnly']]
  ] as const)('%s: an unknown option is named, with the known ones', (verb, call, known) => {
    expectError(() => call({ formt: 1 }), TypeError, `${verb}: unknown option "formt"`, ...known)
    expectError(() => call({ Temperature: 1 }), TypeError, `${verb}: unknown option "Temperature"`, ...known)
    expect(() => call({})).not.toThrow()
  })

  it.each([
    ['quantize', (o: unknown) => quantize(x, wrong(o))],
    ['fakeQuantize', (o: unknown) => fakeQuantize(x, wrong(o))],
    ['prune', (o: unknown) => prune(x, wrong(o))],
    ['softmax', (o: unknown) => softmax(x, wrong(o === undefined ? null : o))],
    ['klDivergence', (o: unknown) => klDivergence(x, wrong(o))],
    ['crossEntropy', (o: unknown) => crossEntropy(x, wrong(o))],
    ['distillationLoss', (o: unknown) => distillationLoss(x, wrong(o))],
    ['dequantize', (o: unknown) => dequantize(wrong(o))],
    ['lowRank', (o: unknown) => lowRank([x], wrong(o))]
  ] as const)('%s: no options', (verb, call) => {
    for (const value of [undefined, null, 'int8', 5, true]) {
      expectError(() => call(value), TypeError, `${verb}: `, /expected an object with /)
    }
  })

  describe('out', () => {
    it('quantize', () => {
      const call = (format: 'int8' | 'uint4' | 'float16', out: unknown) => (): unknown =>
        quantize(x, { format, out: wrong(out) })
      for (const out of [null, 'x', 5]) {
        expectError(call('int8', out), TypeError, 'quantize: "out" expected an earlier result')
      }
      expectError(
        call('int8', { codes: new Uint8Array(4) }),
        TypeError,
        'quantize: "out.codes" expected a Int8Array(4)'
      )
      expectError(call('int8', { codes: new Int8Array(5) }), RangeError, 'quantize: "out.codes" expected length 4')
      expectError(call('uint4', { codes: new Uint8Array(4) }), RangeError, 'quantize: "out.codes" expected length 2')
      expectError(call('float16', { codes: new Uint8Array(4) }), TypeError, 'quantize: "out.codes"', 'Uint16Array')
      expectError(call('int8', { scales: new Float32Array(2) }), RangeError, 'quantize: "out.scales" expected length 1')
      expectError(call('int8', { scales: [1] }), TypeError, 'quantize: "out.scales" expected a Float32Array(1)')
      expectError(
        call('uint4', { zeroPoints: new Int8Array(1) }),
        TypeError,
        'quantize: "out.zeroPoints"',
        'Uint8Array'
      )
    })

    it('fakeQuantize has none', () => {
      const call = (): unknown => fakeQuantize(x, wrong({ format: 'int8', out: q }))
      expectError(call, TypeError, 'fakeQuantize: unknown option "out"')
    })

    it('dequantize and the losses', () => {
      for (const [verb, call] of [
        ['dequantize', (out: unknown) => dequantize(q, { out: wrong(out) })],
        ['klDivergence', (out: unknown) => klDivergence(x, { ...kl, out: wrong(out) })],
        ['crossEntropy', (out: unknown) => crossEntropy(x, { ...ce, out: wrong(out) })],
        ['distillationLoss', (out: unknown) => distillationLoss(x, { ...full, out: wrong(out) })]
      ] as const) {
        expectError(() => call(new Float64Array(4)), TypeError, `${verb}: "out" expected a Float32Array(4)`)
        expectError(() => call([0, 0, 0, 0]), TypeError, `${verb}: "out" expected a Float32Array(4)`)
        expectError(() => call(new Float32Array(5)), RangeError, `${verb}: "out" expected length 4, got 5`)
      }
      expectError(() => dequantize(q, wrong({ into: 1 })), TypeError, 'dequantize: unknown option "into"', 'out')
    })
  })

  it('compare wants equal shapes', () => {
    for (const [a, b] of [
      [[4], [5]],
      [[4], [2, 2]],
      [
        [2, 3],
        [3, 2]
      ],
      [[1], []]
    ]) {
      const call = (): unknown =>
        compare({ data: new Float32Array(sizeOf(a)), shape: a }, { data: new Float32Array(sizeOf(b)), shape: b })
      const message = `compare: "other" expected shape [${a.join(', ')}] as the reference's, got [${b.join(', ')}]`
      expectError(call, RangeError, message)
    }
  })
})
