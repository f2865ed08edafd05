import { describe, it } from 'vitest'
import { crossEntropy, distillationLoss, klDivergence, logSoftmax, softmax } from '../../src/index.js'
import { expectError, wrong } from '../support/errors.js'
import { sizeOf } from '../support/shapes.js'

describe('options', () => {
  const x = [1, 2, 3, 4]
  const kl = { teacher: x }
  const ce = { labels: [0] }
  const full = { teacher: x, labels: [0] }

  describe('losses and softmax', () => {
    it('temperature', () => {
      for (const [verb, call] of [
        ['softmax', (temperature: unknown) => softmax(x, wrong({ temperature }))],
        ['logSoftmax', (temperature: unknown) => logSoftmax(x, wrong({ temperature }))],
        ['klDivergence', (temperature: unknown) => klDivergence(x, wrong({ ...kl, temperature }))],
        ['distillationLoss', (temperature: unknown) => distillationLoss(x, wrong({ ...full, temperature }))]
      ] as const) {
        for (const temperature of [0, -1, NaN, Infinity, -0]) {
          const message = `${verb}: "temperature" expected a finite number above 0, got ${temperature}`
          expectError(() => call(temperature), RangeError, message)
        }
        for (const temperature of ['2', true]) {
          expectError(() => call(temperature), TypeError, `${verb}: "temperature" expected a number`)
        }
      }
    })

    it('alpha', () => {
      for (const alpha of [-0.1, 1.1, NaN, Infinity]) {
        const message = `distillationLoss: "alpha" expected a number in [0, 1], got ${alpha}`
        expectError(() => distillationLoss(x, { ...full, alpha }), RangeError, message)
      }
      expectError(() => distillationLoss(x, { ...full, alpha: wrong('0.5') }), TypeError, 'distillationLoss: "alpha"')
    })

    it('temperatureSquared and reduction', () => {
      expectError(
        () => klDivergence(x, { ...kl, temperatureSquared: wrong('yes') }),
        TypeError,
        'klDivergence: "temperatureSquared" expected true or false'
      )
      const reductions = ['none', 'mean', 'batchMean', 'sum']
      for (const [verb, call] of [
        ['klDivergence', (reduction: unknown) => klDivergence(x, { ...kl, reduction: wrong(reduction) })],
        ['crossEntropy', (reduction: unknown) => crossEntropy(x, { ...ce, reduction: wrong(reduction) })],
        ['distillationLoss', (reduction: unknown) => distillationLoss(x, { ...full, reduction: wrong(reduction) })]
      ] as const) {
        expectError(() => call('batchmean'), TypeError, `${verb}: "reduction"`, ...reductions, '"batchmean"')
        expectError(() => call(1), TypeError, `${verb}: "reduction"`)
      }
    })

    it('labels', () => {
      const logits = [
        [1, 2, 3],
        [1, 2, 3]
      ]
      for (const [verb, call] of [
        ['crossEntropy', (labels: unknown) => crossEntropy(logits, { labels: wrong(labels) })],
        ['distillationLoss', (labels: unknown) => distillationLoss(logits, { teacher: logits, labels: wrong(labels) })]
      ] as const) {
        for (const label of [-1, 3, 1.5, NaN, Infinity, 2 ** 32]) {
          const message = `${verb}: "labels" expected class numbers from 0 to 2, got ${label} at row 1`
          expectError(() => call([0, label]), RangeError, message)
        }
        expectError(() => call(BigInt64Array.of(0n, 3n)), RangeError, `${verb}: "labels"`, 'got 3 at row 1')
        for (const labels of [[0], [0, 1, 2], [], Int32Array.of(0, 0, 0)]) {
          expectError(() => call(labels), RangeError, `${verb}: "labels" expected 2`, `got ${labels.length}`)
        }
        for (const labels of [undefined, null, '01', 1]) {
          expectError(() => call(labels), TypeError, `${verb}: "labels" expected an array of 2 class numbers`)
        }
      }
    })

    it('a teacher of another shape, or none', () => {
      const student = { data: new Float32Array(6), shape: [2, 3] }
      for (const shape of [[3, 2], [6], [1, 2, 3], [2, 4]]) {
        const teacher = { data: new Float32Array(sizeOf(shape)), shape }
        const message = `"teacher" expected shape [2, 3] as the student's, got [${shape.join(', ')}]`
        expectError(() => klDivergence(student, { teacher }), RangeError, `klDivergence: ${message}`)
        const call = (): unknown => distillationLoss(student, { teacher, labels: [0, 0] })
        expectError(call, RangeError, `distillationLoss: ${message}`)
      }
      expectError(() => klDivergence(student, wrong({})), TypeError, 'klDivergence: "teacher" expected a tensor')
      const call = (): unknown => distillationLoss(student, { labels: [0, 0] })
      expectError(call, TypeError, 'distillationLoss: "teacher" expected a tensor')
    })

    it('logits without classes', () => {
      const scalar = { data: Float32Array.of(1), shape: [] }
      const empty = { data: new Float32Array(0), shape: [3, 0] }
      for (const tensor of [scalar, empty, []]) {
        expectError(() => softmax(tensor), RangeError, 'softmax: "logits" expected a last dimension of classes')
        expectError(() => crossEntropy(tensor, { labels: [] }), RangeError, 'crossEntropy: "logits"')
        expectError(() => klDivergence(tensor, { teacher: tensor }), RangeError, 'klDivergence: "student"')
      }
    })
  })
})
