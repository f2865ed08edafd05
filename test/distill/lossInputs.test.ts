import { describe, expect, it } from 'vitest'
import { crossEntropy, distillationLoss, klDivergence } from '../../src/index.js'
import type { TensorLike } from '../../src/index.js'
import { float16Bits } from '../oracle/quantize.js'
import { expectSameBits } from '../support/bits.js'
import { expectError } from '../support/errors.js'
import { randomRows } from '../support/losses.js'
import { f32 } from '../support/vectors.js'

describe('shapes and kinds of input', () => {
  const student = [0.5, -1, 2, 0, 3, -2.5]
  const teacher = [1, 0.25, -2, 0.75, 0, 1]
  const shape = [2, 3]
  const labels = [2, 0]
  const expected = distillationLoss({ data: f32(student), shape }, { teacher: { data: f32(teacher), shape }, labels })

  it('f64, nested arrays, bit patterns, dims and views', () => {
    const kinds: ((values: number[]) => TensorLike)[] = [
      (values) => ({ data: Float64Array.from(values), shape }),
      (values) => [values.slice(0, 3), values.slice(3)],
      (values) => ({ data: Uint16Array.from(values, float16Bits), dims: shape, type: 'float16' }),
      (values) => ({ data: f32([7, 7, ...values, 7]).subarray(2, 8), dims: shape })
    ]
    for (const first of kinds) {
      for (const second of kinds) {
        const { loss, gradient } = distillationLoss(first(student), { teacher: second(teacher), labels })
        expect(loss).toBe(expected.loss)
        expectSameBits(gradient.data, expected.gradient.data)
      }
    }
  })

  it('labels of every class', () => {
    const logits = { data: f32(student), shape }
    const { loss } = crossEntropy(logits, { labels })
    const kinds = [
      Int32Array.from(labels),
      Uint8Array.from(labels),
      Float64Array.from(labels),
      BigInt64Array.from(labels, BigInt),
      labels.map(BigInt)
    ]
    for (const kind of kinds) expect(crossEntropy(logits, { labels: kind }).loss).toBe(loss)
  })

  it('leading dimensions are rows', () => {
    const data = randomRows(12, 4, 8)
    const losses = [
      [12, 4],
      [3, 4, 4],
      [2, 1, 6, 4]
    ].map((dims) =>
      distillationLoss(
        { data: data.student, shape: dims },
        { teacher: { data: data.teacher, shape: dims }, labels: data.labels, reduction: 'none' }
      )
    )
    for (const { loss, gradient } of losses) {
      expectSameBits(loss, losses[0].loss)
      expectSameBits(gradient.data, losses[0].gradient.data)
    }
    expect(losses[1].gradient.shape).toEqual([3, 4, 4])
    // One dimension is one row.
    const single = klDivergence(data.student.subarray(0, 4), { teacher: data.teacher.subarray(0, 4) })
    const row = klDivergence([Array.from(data.student.subarray(0, 4))], {
      teacher: [Array.from(data.teacher.subarray(0, 4))]
    })
    expect(single.loss).toBe(row.loss)
    expect(single.gradient.shape).toEqual([4])
  })

  it('one class has no choice', () => {
    const one = { data: f32([3, -2]), shape: [2, 1] }
    const { loss, gradient } = distillationLoss(one, { teacher: { data: f32([0, 9]), shape: [2, 1] }, labels: [0, 0] })
    expect(loss).toBe(0)
    expect([...gradient.data].map(Math.abs)).toEqual([0, 0])
  })

  it('no rows: a sum of nothing is 0, a mean of nothing is NaN', () => {
    const none = { data: new Float32Array(0), shape: [0, 3] }
    const given = { teacher: none, labels: [] }
    expect(distillationLoss(none, { ...given, reduction: 'sum' }).loss).toBe(0)
    expect(distillationLoss(none, { ...given, reduction: 'none' }).loss.length).toBe(0)
    expect(distillationLoss(none, { ...given, reduction: 'batchMean' }).loss).toBeNaN()
    expect(distillationLoss(none, { ...given, reduction: 'mean' }).loss).toBeNaN()
  })

  it('teacher or labels may be left out where they have no weight', () => {
    const logits = { data: f32(student), shape }
    const target = { data: f32(teacher), shape }
    const hard = distillationLoss(logits, { labels, alpha: 0 })
    expect(hard.loss).toBe(crossEntropy(logits, { labels }).loss)
    const soft = distillationLoss(logits, { teacher: target, alpha: 1 })
    expect(soft.loss).toBe(klDivergence(logits, { teacher: target, temperatureSquared: true }).loss)
  })

  it('a temperature whose square is no number of f64 is refused', () => {
    const logits = { data: f32(student), shape }
    const target = { data: f32(teacher), shape }
    const cold = { teacher: target, temperature: 1e-170, temperatureSquared: true }
    expect(() => klDivergence(logits, cold)).toThrow(
      /klDivergence: "temperature" expected a number in \[1e-30, 1e\+30\], got 1e-170/
    )
  })

  it('the gradient may be written to an array of the caller', () => {
    const out = new Float32Array(6)
    const again = distillationLoss(
      { data: f32(student), shape },
      { teacher: { data: f32(teacher), shape }, labels, out }
    )
    expect(again.gradient.data).toBe(out)
    expectSameBits(out, expected.gradient.data)
  })

  it('input is not changed', () => {
    const logits = f32(student)
    const target = f32(teacher)
    distillationLoss({ data: logits, shape }, { teacher: { data: target, shape }, labels })
    expectSameBits(logits, f32(student))
    expectSameBits(target, f32(teacher))
    expect(labels).toEqual([2, 0])
  })
})

describe('the form of a call', () => {
  const logits = { data: f32([0.5, -1, 2, 0, 3, -2.5]), shape: [2, 3] }
  const nested = [
    [1, 0.25, -2],
    [0.75, 0, 1]
  ]
  const labels = [2, 0]
  type Loose = (...args: unknown[]) => unknown
  const FORMS = [
    ['distillationLoss', distillationLoss as Loose, 'student', 'distillationLoss(student, { teacher, labels })'],
    ['klDivergence', klDivergence as Loose, 'student', 'klDivergence(student, { teacher })'],
    ['crossEntropy', crossEntropy as Loose, 'logits', 'crossEntropy(logits, { labels })']
  ] as const

  describe.each(FORMS)('%s', (verb, call, first, form) => {
    it.each([
      ['a tensor', logits, 'an object with data, shape'],
      ['a tensor with dims', { data: logits.data, dims: [2, 3] }, 'an object with data, dims'],
      ['a typed array', logits.data, 'Float32Array(6)'],
      ['nested arrays', nested, '[[1, 0.25, -2], [0.75, 0, 1]]'],
      ['labels', labels, '[2, 0]'],
      ['64-bit labels', BigInt64Array.of(2n, 0n), 'BigInt64Array(2)'],
      ['nothing', undefined, 'undefined'],
      ['null', null, 'null'],
      ['a string', 'mean', '"mean"']
    ])('%s for options: an error that says the form', (_, second, got) => {
      const parts = [`${verb}: "options" expected an object with `, `, got ${got}; write ${form}`]
      expectError(() => call(logits, second), TypeError, ...parts)
      expectError(() => call(logits, second, { temperature: 2, labels }), TypeError, ...parts)
    })

    it('all in one object: an error that says the form', () => {
      const message = `${verb}: "${first}" expected a tensor, got an object with ${first}, teacher, labels; write ${form}`
      const all = { [first]: logits, teacher: nested, labels }
      expectError(() => call(all), TypeError, message)
      expectError(() => call(all, {}), TypeError, message)
    })

    it('the logits among the options are unknown there', () => {
      const own = verb === 'crossEntropy' ? { labels } : { teacher: nested }
      expectError(() => call(logits, { ...own, [first]: logits }), TypeError, `${verb}: unknown option "${first}"`)
    })
  })

  it('a teacher that is missing is named, with the way on', () => {
    const wanted = `"teacher" expected a tensor of logits in the student's shape, got undefined; write `
    const [both, soft] = [distillationLoss as Loose, klDivergence as Loose]
    for (const teacher of [{}, { teacher: undefined }]) {
      expectError(() => soft(logits, teacher), TypeError, `klDivergence: ${wanted}klDivergence(student, { teacher })`)
      expectError(
        () => both(logits, { ...teacher, labels }),
        TypeError,
        `distillationLoss: ${wanted}distillationLoss(student, { teacher, labels }), or leave teacher out with alpha 0`
      )
    }
  })

  it('labels that are missing are named, with the way on', () => {
    const wanted = '"labels" expected an array of 2 class numbers, got undefined; write '
    const [both, hard] = [distillationLoss as Loose, crossEntropy as Loose]
    for (const none of [{}, { labels: undefined }]) {
      expectError(() => hard(logits, none), TypeError, `crossEntropy: ${wanted}crossEntropy(logits, { labels })`)
      expectError(
        () => both(logits, { ...none, teacher: nested }),
        TypeError,
        `distillationLoss: ${wanted}distillationLoss(student, { teacher, labels }), or leave labels out with alpha 1`
      )
    }
  })
})
