import { describe, expect, it } from 'vitest'
import { crossEntropy, distillationLoss, klDivergence } from '../../src/index.js'
import { lossOracle, softmaxOracle } from '../oracle/distill.js'
import { expectSameBits } from '../support/bits.js'
import { greatest, randomRows } from '../support/losses.js'
import { f32 } from '../support/vectors.js'

describe('what these losses are not', () => {
  const data = randomRows(8, 6, 21)
  const shape = [8, 6]
  const student = { data: data.student, shape }
  const teacher = { data: data.teacher, shape }
  const softened = f32(
    Array.from({ length: 8 }, (_, b) => softmaxOracle(data.teacher.subarray(6 * b, 6 * b + 6), 1)).flat()
  )

  it('no double softmax: equal logits give 0, where a softmax of the teacher beforehand would not', () => {
    for (const temperature of [1, 2, 20]) {
      const { loss, gradient } = klDivergence(teacher, { teacher, temperature, reduction: 'none' })
      expect([...loss]).toEqual(new Array(8).fill(0))
      expect(greatest(gradient.data)).toBe(0)
      const setting = { alpha: 1, reduction: 'batchMean', temperature, temperatureSquared: true } as const
      const doubled = lossOracle({ ...data, ...setting, student: data.teacher, teacher: softened })
      expect(doubled.loss).toBeGreaterThan(0.5)
    }
  })

  it('no double softmax in the cross entropy: a certain and right answer costs nothing', () => {
    const { loss } = crossEntropy([[1000, 0, 0]], { labels: [0] })
    expect(loss).toBe(0)
    // With probabilities for logits it would stay above log(1 + 2 / e) = 0.55.
    const doubled = lossOracle({
      student: [1, 0, 0],
      labels: [0],
      rows: 1,
      classes: 3,
      temperature: 1,
      alpha: 0,
      reduction: 'sum',
      temperatureSquared: false
    })
    expect(doubled.loss).toBeGreaterThan(0.55)
  })

  it('no missing minus: the losses are not negative', () => {
    for (let seed = 0; seed < 50; seed++) {
      const random = randomRows(4, 1 + (seed % 9), seed, 5)
      const given = { ...random, shape: [4, random.classes] }
      const logits = { data: given.student, shape: given.shape }
      const target = { data: given.teacher, shape: given.shape }
      for (const loss of klDivergence(logits, { teacher: target, reduction: 'none' }).loss) {
        expect(loss).toBeGreaterThanOrEqual(0)
      }
      for (const loss of crossEntropy(logits, { labels: random.labels, reduction: 'none' }).loss) {
        expect(loss).toBeGreaterThanOrEqual(0)
      }
    }
    expect(crossEntropy([[0, 0]], { labels: [0] }).loss).toBeCloseTo(Math.LN2, 12)
    expect(crossEntropy([[3, 0]], { labels: [1] }).loss).toBeGreaterThan(crossEntropy([[3, 0]], { labels: [0] }).loss)
  })

  it('no missing minus: the losses fall along the negative gradient and rise along it', () => {
    const at = (logits: Float32Array<ArrayBuffer>): { loss: number; gradient: Float32Array }[] => {
      const moved = { data: logits, shape }
      return [
        klDivergence(moved, { teacher, temperature: 2 }),
        crossEntropy(moved, { labels: data.labels }),
        distillationLoss(moved, { teacher, labels: data.labels, temperature: 2, alpha: 0.7 })
      ].map(({ loss, gradient }) => ({ loss, gradient: gradient.data }))
    }
    at(data.student).forEach(({ loss, gradient }, k) => {
      const down = at(data.student.map((z, i) => z - 0.5 * gradient[i]))[k].loss
      const up = at(data.student.map((z, i) => z + 0.5 * gradient[i]))[k].loss
      expect(down).toBeLessThan(loss)
      expect(up).toBeGreaterThan(loss)
    })
  })

  it("'mean' divides the divergence by rows * classes, 'batchMean' by rows", () => {
    const loss = (reduction: 'mean' | 'batchMean' | 'sum'): number => klDivergence(student, { teacher, reduction }).loss
    expect(loss('batchMean')).toBeCloseTo(loss('sum') / 8, 12)
    expect(loss('mean')).toBeCloseTo(loss('sum') / 48, 12)
    expect(loss('mean')).not.toBeCloseTo(loss('batchMean'), 3)
    expect(klDivergence(student, { teacher }).loss).toBe(loss('batchMean'))
    const perRow = klDivergence(student, { teacher, reduction: 'none' }).loss
    expect(perRow.length).toBe(8)
    expect(perRow.reduce((total, x) => total + x, 0)).toBeCloseTo(loss('sum'), 12)
  })

  it("'mean' divides the cross entropy by rows, as 'batchMean' does", () => {
    const of = (reduction: 'mean' | 'batchMean' | 'sum'): number =>
      crossEntropy(student, { labels: data.labels, reduction }).loss
    expect(of('mean')).toBe(of('batchMean'))
    expect(of('mean')).toBeCloseTo(of('sum') / 8, 12)
    // In one loss the two terms are divided each in its own way.
    const both = distillationLoss(student, { teacher, labels: data.labels, alpha: 0.25, reduction: 'mean' }).loss
    const kl = klDivergence(student, { teacher, reduction: 'mean' }).loss
    expect(both).toBeCloseTo(0.25 * kl + 0.75 * of('mean'), 12)
  })

  it('the temperature softens only the divergence', () => {
    const labels = data.labels
    const cold = distillationLoss(student, { teacher, labels, alpha: 0, temperature: 1 })
    const warm = distillationLoss(student, { teacher, labels, alpha: 0, temperature: 9 })
    expect(warm.loss).toBe(cold.loss)
    expectSameBits(warm.gradient.data, cold.gradient.data)
    const plain = klDivergence(student, { teacher, temperature: 3 }).loss
    expect(distillationLoss(student, { teacher, alpha: 1, temperature: 3 }).loss).toBeCloseTo(9 * plain, 12)
    const bare = distillationLoss(student, { teacher, alpha: 1, temperature: 3, temperatureSquared: false }).loss
    expect(bare).toBeCloseTo(plain, 12)
  })

  it('the divergence is of the student from the teacher, not the other way round', () => {
    // KL(p || q) with p = (1/2, 1/2) of the teacher and q = (3/4, 1/4) of the student.
    const q = [[Math.log(3), 0]]
    const p = [[0, 0]]
    const forward = klDivergence(q, { teacher: p }).loss
    const backward = klDivergence(p, { teacher: q }).loss
    expect(forward).toBeCloseTo(0.5 * Math.log(4 / 3), 7)
    expect(backward).toBeCloseTo(0.75 * Math.log(1.5) + 0.25 * Math.log(0.5), 7)
  })
})

describe('the gradient is the derivative', () => {
  const data = randomRows(2, 5, 31, 2)

  it.each([
    { alpha: 1, temperature: 1, temperatureSquared: false },
    { alpha: 1, temperature: 4, temperatureSquared: true },
    { alpha: 0, temperature: 1, temperatureSquared: false },
    { alpha: 0.4, temperature: 2, temperatureSquared: true },
    { alpha: 0.6, temperature: 0.5, temperatureSquared: false }
  ])('central differences, %o', (setting) => {
    for (const reduction of ['mean', 'batchMean', 'sum'] as const) {
      const { gradient } = distillationLoss(
        { data: data.student, shape: [2, 5] },
        { teacher: { data: data.teacher, shape: [2, 5] }, labels: data.labels, reduction, ...setting }
      )
      const at = (i: number, by: number): number => {
        const student = Float64Array.from(data.student)
        student[i] += by
        return lossOracle({ ...data, ...setting, student, reduction }).loss as number
      }
      gradient.data.forEach((g, i) => {
        const h = 1e-4
        // h^2 / 6 of the third derivative, which is below 1 / T^3 times the factor, and the rounding of both losses.
        expect(Math.abs((at(i, h) - at(i, -h)) / (2 * h) - g)).toBeLessThan(1e-7)
      })
    }
  })

  it("with 'none' each row has its own, that of 'sum'", () => {
    const student = { data: data.student, shape: [2, 5] }
    const teacher = { data: data.teacher, shape: [2, 5] }
    const none = klDivergence(student, { teacher, reduction: 'none' })
    expectSameBits(none.gradient.data, klDivergence(student, { teacher, reduction: 'sum' }).gradient.data)
  })

  it('sums to 0 over the classes', () => {
    const wide = randomRows(20, 30, 5)
    const { gradient } = distillationLoss(
      { data: wide.student, shape: [20, 30] },
      { teacher: { data: wide.teacher, shape: [20, 30] }, labels: wide.labels, reduction: 'sum' }
    )
    for (let b = 0; b < 20; b++) {
      const total = gradient.data.subarray(30 * b, 30 * b + 30).reduce((sum, g) => sum + g, 0)
      expect(Math.abs(total)).toBeLessThan(1e-6)
    }
  })
})
