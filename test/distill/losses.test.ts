import { describe, expect, it } from 'vitest'
import { crossEntropy, distillationLoss, klDivergence } from '../../src/index.js'
import { checkLoss, numbers, randomRows, REDUCTIONS, type LossSetting } from '../support/losses.js'
import { normals } from '../support/random.js'
import { distillVectors, f32 } from '../support/vectors.js'

describe('golden values of PyTorch', () => {
  /** 1e-6 relative; the floor is for what is 0 or the rest of a cancellation, in units of the factor of the term. */
  function expectClose(actual: ArrayLike<number>, expected: readonly number[], floor: number): void {
    expect(actual.length).toBe(expected.length)
    expected.forEach((x, i) => {
      if (x === actual[i]) return
      expect(Math.abs(actual[i] - x), `entry ${i}: ${actual[i]}`).toBeLessThanOrEqual(1e-6 * Math.abs(x) + floor)
    })
  }

  it.each(distillVectors.cases.map((golden, i) => ({ i, golden })))(
    'case $i: $golden.operation of $golden.input, $golden.reduction',
    ({ golden }) => {
      const { operation, temperature, alpha, reduction, temperatureSquared, input } = golden
      const { rows, classes, labels, ...logits } = distillVectors.inputs[input]
      const shape = [rows, classes]
      const student = { data: f32(logits.student), shape }
      const teacher = { data: f32(logits.teacher), shape }
      const rest = { temperature, reduction, temperatureSquared } as { reduction: 'sum' }
      const { loss, gradient } =
        operation === 'klDivergence'
          ? klDivergence(student, { teacher, ...rest })
          : operation === 'crossEntropy'
            ? crossEntropy(student, { labels, reduction: rest.reduction })
            : distillationLoss(student, { teacher, labels, alpha, ...rest })
      const factor = temperatureSquared ? (temperature ?? 1) ** 2 : 1
      expect(typeof loss === 'number').toBe(reduction !== 'none')
      expect(gradient.shape).toEqual(shape)
      expect(gradient.data).toBeInstanceOf(Float32Array)
      expectClose(numbers(loss), [golden.loss].flat(), 1e-14 * Math.max(factor, 1))
      expectClose(gradient.data, golden.gradient, 1e-14 * Math.max(factor, 1))
    }
  )

  it('the documented losses', () => {
    const { rows, classes, student, teacher } = distillVectors.inputs.documented
    const shape = [rows, classes]
    const logits = { data: f32(student), shape }
    const given = { teacher: { data: f32(teacher), shape }, temperature: 2 }
    expect(klDivergence(logits, given).loss).toBeCloseTo(0.0540463, 7)
    expect(klDivergence(logits, { ...given, temperatureSquared: true }).loss).toBeCloseTo(0.2161851, 7)
    expect(klDivergence(logits, { ...given, reduction: 'mean' }).loss).toBeCloseTo(0.0180154, 7)
  })
})

it('the examples in the docstrings', () => {
  const student = [
    [2, 1, 0],
    [0, 1, 3]
  ]
  const teacher = [
    [3, 1, 0],
    [0, 0, 4]
  ]
  const labels = [0, 2]
  expect(klDivergence(student, { teacher, temperature: 2 }).loss).toBeCloseTo(0.0476, 4)
  expect(crossEntropy(student, { labels }).loss).toBeCloseTo(0.2887, 4)
  expect(distillationLoss(student, { teacher, labels, temperature: 2, alpha: 0.9 }).loss).toBeCloseTo(0.2003, 4)
})

describe('random rows against f64', () => {
  const settings: LossSetting[] = REDUCTIONS.flatMap((reduction, i) =>
    [0, 0.3, 1].map((alpha, k) => ({
      reduction,
      alpha,
      temperature: [1, 2, 0.5, 20][(i + k) % 4],
      temperatureSquared: (i + k) % 2 === 0
    }))
  )

  it.each(settings)('1 to 40 classes: $reduction, alpha $alpha, temperature $temperature', (setting) => {
    for (let classes = 1; classes <= 40; classes++) checkLoss(randomRows(3, classes, classes), setting)
  })

  it.each([255, 1000, 32000])('%i classes', (classes) => {
    for (const setting of settings.filter((_, i) => i % 2 === 0)) checkLoss(randomRows(2, classes, classes), setting)
  })

  it('many rows, and rows of more than a tile', () => {
    checkLoss(randomRows(200, 500, 1), { reduction: 'none', alpha: 0.5, temperature: 2, temperatureSquared: true })
    checkLoss(randomRows(40000, 2, 1), { reduction: 'none', alpha: 0.5, temperature: 1, temperatureSquared: true })
    checkLoss(randomRows(2, 40001, 1), { reduction: 'none', alpha: 0.5, temperature: 3, temperatureSquared: false })
  })

  it('+-1e4', () => {
    for (const setting of settings) {
      for (const classes of [2, 5, 33]) checkLoss(randomRows(4, classes, classes, 4000), setting)
      const data = { ...randomRows(2, 3, 1), student: f32([1e4, -1e4, 0, -1e4, 1e4, 1]), labels: [1, 0] }
      checkLoss(data, setting)
      checkLoss({ ...data, teacher: f32([-1e4, 1e4, 5, -1e4, 1e4, 1]) }, setting)
    }
  })

  it('a student next to its teacher', () => {
    for (const distance of [1e-2, 1e-4, 1e-6]) {
      const data = randomRows(4, 50, 3)
      const step = normals(200, 4, distance)
      data.student = data.teacher.map((z, i) => z + step[i])
      for (const temperature of [1, 4]) {
        checkLoss(data, { reduction: 'batchMean', alpha: 1, temperature, temperatureSquared: false })
      }
    }
  })
})

describe('masked classes', () => {
  const base = { rows: 2, classes: 5, labels: [0, 4] }
  const inner = -Infinity
  const teacher = f32([1, inner, 0.5, inner, -1, 0, 2, inner, 1, 3])
  const setting = { temperature: 2, temperatureSquared: true } as const

  it('in both leave a finite loss', () => {
    const student = f32([0, inner, 2, inner, -1, 1, 2, inner, 0, 1])
    for (const reduction of REDUCTIONS) {
      for (const alpha of [0, 0.5, 1]) checkLoss({ ...base, student, teacher }, { ...setting, reduction, alpha })
    }
    const { loss, gradient } = klDivergence(
      { data: student, shape: [2, 5] },
      { teacher: { data: teacher, shape: [2, 5] } }
    )
    expect(loss).toBeGreaterThan(0)
    expect(loss).toBeLessThan(Infinity)
    for (const i of [1, 3, 7]) expect(gradient.data[i]).toBe(0)
  })

  it('only in the teacher leave a finite loss', () => {
    const student = normals(10, 1)
    for (const reduction of REDUCTIONS) {
      for (const alpha of [0.5, 1]) checkLoss({ ...base, student, teacher }, { ...setting, reduction, alpha })
    }
  })

  it('only in the student make the loss of their row Infinity, and leave the gradient finite', () => {
    const student = f32([inner, 0, 1, 0, 0, 1, 2, 3, 4, 5])
    const data = { ...base, student, labels: [1, 4] }
    for (const reduction of REDUCTIONS) {
      for (const alpha of [0.5, 1]) checkLoss({ ...data, teacher }, { ...setting, reduction, alpha })
    }
    const { loss, gradient } = klDivergence(
      { data: student, shape: [2, 5] },
      { teacher: { data: teacher, shape: [2, 5] }, reduction: 'none' }
    )
    expect(loss[0]).toBe(Infinity)
    expect(loss[1]).toBeLessThan(10)
    for (const g of gradient.data) expect(Number.isFinite(g)).toBe(true)
    expect(gradient.data[0]).toBeLessThan(0)
  })

  it('at the label make the cross entropy Infinity', () => {
    const { loss, gradient } = crossEntropy([[0, inner, 1]], { labels: [1] })
    expect(loss).toBe(Infinity)
    expect(gradient.data[1]).toBe(-1)
    expect(crossEntropy([[0, inner, 1]], { labels: [0] }).loss).toBeCloseTo(Math.log(1 + Math.E), 12)
  })

  it('weigh nothing in a term that is not computed', () => {
    // 0 * Infinity would be NaN.
    const student = [[0, inner, 1]]
    const other = [[1, 1, 1]]
    expect(distillationLoss(student, { teacher: other, labels: [1], alpha: 1 }).loss).toBe(Infinity)
    expect(distillationLoss(student, { teacher: [[1, inner, 1]], labels: [1], alpha: 1 }).loss).toBeLessThan(1)
    expect(distillationLoss(student, { teacher: other, labels: [0], alpha: 0 }).loss).toBeLessThan(2)
  })
})
