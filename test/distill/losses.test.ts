import { describe, expect, it } from 'vitest'
import { crossEntropy, distillationLoss, klDivergence } from '../../src/index.js'
import type { Reduction, TensorLike } from '../../src/index.js'
import { lossOracle, softmaxOracle } from '../oracle/distill.js'
import type { LossInput } from '../oracle/distill.js'
import { float16Bits } from '../oracle/quantize.js'
import { expectSameBits } from '../support/bits.js'
import { index, normals, seeded } from '../support/random.js'
import { distillVectors, f32 } from '../support/vectors.js'

const REDUCTIONS: readonly Reduction[] = ['none', 'mean', 'batchMean', 'sum']

const numbers = (loss: number | ArrayLike<number>): number[] => (typeof loss === 'number' ? [loss] : Array.from(loss))

const greatest = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((most, x) => (Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most), 0)

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
          ? klDivergence({ student, teacher, ...rest })
          : operation === 'crossEntropy'
            ? crossEntropy({ logits: student, labels, reduction: rest.reduction })
            : distillationLoss({ student, teacher, labels, alpha, ...rest })
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
    const given = { student: { data: f32(student), shape }, teacher: { data: f32(teacher), shape }, temperature: 2 }
    expect(klDivergence(given).loss).toBeCloseTo(0.0540463, 7)
    expect(klDivergence({ ...given, temperatureSquared: true }).loss).toBeCloseTo(0.2161851, 7)
    expect(klDivergence({ ...given, reduction: 'mean' }).loss).toBeCloseTo(0.0180154, 7)
  })
})

interface Row {
  student: Float32Array<ArrayBuffer>
  teacher: Float32Array<ArrayBuffer>
  labels: number[]
  rows: number
  classes: number
}

function randomRows(rows: number, classes: number, seed: number, factor = 3): Row {
  const random = seeded(seed)
  return {
    student: normals(rows * classes, seed + 1, factor),
    teacher: normals(rows * classes, seed + 2, factor),
    labels: Array.from({ length: rows }, () => index(random, classes)),
    rows,
    classes
  }
}

interface Setting {
  temperature: number
  alpha: number
  reduction: Reduction
  temperatureSquared: boolean
}

/** The loss and its gradient within the errors that are stated: 1e-13 (1 + |z| / T), for the divergence times its factor. */
function check(data: Row, setting: Setting): void {
  const { student, teacher, labels, rows, classes } = data
  const { temperature, alpha, reduction, temperatureSquared } = setting
  const shape = [rows, classes]
  const logits = { data: student, shape }
  const common = { reduction } as { reduction: 'sum' }
  const soft = { student: logits, teacher: { data: teacher, shape }, temperature, temperatureSquared }
  const results = [distillationLoss({ ...soft, labels, alpha, ...common })]
  if (alpha === 1) results.push(klDivergence({ ...soft, ...common }))
  if (alpha === 0) results.push(crossEntropy({ logits, labels, ...common }))
  const expected = lossOracle({ ...data, ...setting } satisfies LossInput)
  const z = Math.max(greatest(student), greatest(teacher))
  const unit =
    1e-13 * (alpha * (temperatureSquared ? temperature ** 2 : 1) * (1 + z / temperature) + (1 - alpha) * (1 + z))
  const lossBound = unit * (reduction === 'sum' ? rows : 1)
  for (const { loss, gradient } of results) {
    const name = `${rows} rows of ${classes}, ${JSON.stringify(setting)}`
    const exact = numbers(expected.loss)
    expect(numbers(loss).length).toBe(exact.length)
    numbers(loss).forEach((x, i) => {
      if (x !== exact[i]) expect(Math.abs(x - exact[i]), `loss ${i} of ${name}`).toBeLessThanOrEqual(lossBound)
    })
    let worst = 0
    expected.gradient.forEach((g, i) => {
      const excess = Math.abs(gradient.data[i] - g) - 2 ** -24 * Math.abs(g) - unit * Math.max(1, 1 / temperature)
      // Written so that NaN counts as an error.
      if (!(excess <= worst)) worst = excess
    })
    expect(worst, `gradient beyond its error, ${name}`).toBe(0)
  }
}

describe('random rows against f64', () => {
  const settings: Setting[] = REDUCTIONS.flatMap((reduction, i) =>
    [0, 0.3, 1].map((alpha, k) => ({
      reduction,
      alpha,
      temperature: [1, 2, 0.5, 20][(i + k) % 4],
      temperatureSquared: (i + k) % 2 === 0
    }))
  )

  it.each(settings)('1 to 40 classes: $reduction, alpha $alpha, temperature $temperature', (setting) => {
    for (let classes = 1; classes <= 40; classes++) check(randomRows(3, classes, classes), setting)
  })

  it.each([255, 1000, 32000])('%i classes', (classes) => {
    for (const setting of settings.filter((_, i) => i % 2 === 0)) check(randomRows(2, classes, classes), setting)
  })

  it('many rows, and rows of more than a tile', () => {
    check(randomRows(200, 500, 1), { reduction: 'none', alpha: 0.5, temperature: 2, temperatureSquared: true })
    check(randomRows(40000, 2, 1), { reduction: 'none', alpha: 0.5, temperature: 1, temperatureSquared: true })
    check(randomRows(2, 40001, 1), { reduction: 'none', alpha: 0.5, temperature: 3, temperatureSquared: false })
  })

  it('+-1e4', () => {
    for (const setting of settings) {
      for (const classes of [2, 5, 33]) check(randomRows(4, classes, classes, 4000), setting)
      const data = { ...randomRows(2, 3, 1), student: f32([1e4, -1e4, 0, -1e4, 1e4, 1]), labels: [1, 0] }
      check(data, setting)
      check({ ...data, teacher: f32([-1e4, 1e4, 5, -1e4, 1e4, 1]) }, setting)
    }
  })

  it('a student next to its teacher', () => {
    for (const distance of [1e-2, 1e-4, 1e-6]) {
      const data = randomRows(4, 50, 3)
      const step = normals(200, 4, distance)
      data.student = data.teacher.map((z, i) => z + step[i])
      for (const temperature of [1, 4]) {
        check(data, { reduction: 'batchMean', alpha: 1, temperature, temperatureSquared: false })
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
      for (const alpha of [0, 0.5, 1]) check({ ...base, student, teacher }, { ...setting, reduction, alpha })
    }
    const { loss, gradient } = klDivergence({
      student: { data: student, shape: [2, 5] },
      teacher: { data: teacher, shape: [2, 5] }
    })
    expect(loss).toBeGreaterThan(0)
    expect(loss).toBeLessThan(Infinity)
    for (const i of [1, 3, 7]) expect(gradient.data[i]).toBe(0)
  })

  it('only in the teacher leave a finite loss', () => {
    const student = normals(10, 1)
    for (const reduction of REDUCTIONS) {
      for (const alpha of [0.5, 1]) check({ ...base, student, teacher }, { ...setting, reduction, alpha })
    }
  })

  it('only in the student make the loss of their row Infinity, and leave the gradient finite', () => {
    const student = f32([inner, 0, 1, 0, 0, 1, 2, 3, 4, 5])
    const data = { ...base, student, labels: [1, 4] }
    for (const reduction of REDUCTIONS) {
      for (const alpha of [0.5, 1]) check({ ...data, teacher }, { ...setting, reduction, alpha })
    }
    const { loss, gradient } = klDivergence({
      student: { data: student, shape: [2, 5] },
      teacher: { data: teacher, shape: [2, 5] },
      reduction: 'none'
    })
    expect(loss[0]).toBe(Infinity)
    expect(loss[1]).toBeLessThan(10)
    for (const g of gradient.data) expect(Number.isFinite(g)).toBe(true)
    expect(gradient.data[0]).toBeLessThan(0)
  })

  it('at the label make the cross entropy Infinity', () => {
    const { loss, gradient } = crossEntropy({ logits: [[0, inner, 1]], labels: [1] })
    expect(loss).toBe(Infinity)
    expect(gradient.data[1]).toBe(-1)
    expect(crossEntropy({ logits: [[0, inner, 1]], labels: [0] }).loss).toBeCloseTo(Math.log(1 + Math.E), 12)
  })

  it('weigh nothing in a term that is not computed', () => {
    // 0 * Infinity would be NaN.
    const student = [[0, inner, 1]]
    const other = [[1, 1, 1]]
    expect(distillationLoss({ student, teacher: other, labels: [1], alpha: 1 }).loss).toBe(Infinity)
    expect(distillationLoss({ student, teacher: [[1, inner, 1]], labels: [1], alpha: 1 }).loss).toBeLessThan(1)
    expect(distillationLoss({ student, teacher: other, labels: [0], alpha: 0 }).loss).toBeLessThan(2)
  })
})

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
      const { loss, gradient } = klDivergence({ student: teacher, teacher, temperature, reduction: 'none' })
      expect([...loss]).toEqual(new Array(8).fill(0))
      expect(greatest(gradient.data)).toBe(0)
      const setting = { alpha: 1, reduction: 'batchMean', temperature, temperatureSquared: true } as const
      const doubled = lossOracle({ ...data, ...setting, student: data.teacher, teacher: softened })
      expect(doubled.loss).toBeGreaterThan(0.5)
    }
  })

  it('no double softmax in the cross entropy: a certain and right answer costs nothing', () => {
    const { loss } = crossEntropy({ logits: [[1000, 0, 0]], labels: [0] })
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
      for (const loss of klDivergence({ student: logits, teacher: target, reduction: 'none' }).loss) {
        expect(loss).toBeGreaterThanOrEqual(0)
      }
      for (const loss of crossEntropy({ logits, labels: random.labels, reduction: 'none' }).loss) {
        expect(loss).toBeGreaterThanOrEqual(0)
      }
    }
    expect(crossEntropy({ logits: [[0, 0]], labels: [0] }).loss).toBeCloseTo(Math.LN2, 12)
    expect(crossEntropy({ logits: [[3, 0]], labels: [1] }).loss).toBeGreaterThan(
      crossEntropy({ logits: [[3, 0]], labels: [0] }).loss
    )
  })

  it('no missing minus: the losses fall along the negative gradient and rise along it', () => {
    const at = (logits: Float32Array<ArrayBuffer>): { loss: number; gradient: Float32Array }[] => {
      const moved = { data: logits, shape }
      return [
        klDivergence({ student: moved, teacher, temperature: 2 }),
        crossEntropy({ logits: moved, labels: data.labels }),
        distillationLoss({ student: moved, teacher, labels: data.labels, temperature: 2, alpha: 0.7 })
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
    const loss = (reduction: 'mean' | 'batchMean' | 'sum'): number => klDivergence({ student, teacher, reduction }).loss
    expect(loss('batchMean')).toBeCloseTo(loss('sum') / 8, 12)
    expect(loss('mean')).toBeCloseTo(loss('sum') / 48, 12)
    expect(loss('mean')).not.toBeCloseTo(loss('batchMean'), 3)
    expect(klDivergence({ student, teacher }).loss).toBe(loss('batchMean'))
    const perRow = klDivergence({ student, teacher, reduction: 'none' }).loss
    expect(perRow.length).toBe(8)
    expect(perRow.reduce((total, x) => total + x, 0)).toBeCloseTo(loss('sum'), 12)
  })

  it("'mean' divides the cross entropy by rows, as 'batchMean' does", () => {
    const of = (reduction: 'mean' | 'batchMean' | 'sum'): number =>
      crossEntropy({ logits: student, labels: data.labels, reduction }).loss
    expect(of('mean')).toBe(of('batchMean'))
    expect(of('mean')).toBeCloseTo(of('sum') / 8, 12)
    // In one loss the two terms are divided each in its own way.
    const both = distillationLoss({ student, teacher, labels: data.labels, alpha: 0.25, reduction: 'mean' }).loss
    const kl = klDivergence({ student, teacher, reduction: 'mean' }).loss
    expect(both).toBeCloseTo(0.25 * kl + 0.75 * of('mean'), 12)
  })

  it('the temperature softens only the divergence', () => {
    const labels = data.labels
    const cold = distillationLoss({ student, teacher, labels, alpha: 0, temperature: 1 })
    const warm = distillationLoss({ student, teacher, labels, alpha: 0, temperature: 9 })
    expect(warm.loss).toBe(cold.loss)
    expectSameBits(warm.gradient.data, cold.gradient.data)
    const plain = klDivergence({ student, teacher, temperature: 3 }).loss
    expect(distillationLoss({ student, teacher, alpha: 1, temperature: 3 }).loss).toBeCloseTo(9 * plain, 12)
    const bare = distillationLoss({ student, teacher, alpha: 1, temperature: 3, temperatureSquared: false }).loss
    expect(bare).toBeCloseTo(plain, 12)
  })

  it('the divergence is of the student from the teacher, not the other way round', () => {
    // KL(p || q) with p = (1/2, 1/2) of the teacher and q = (3/4, 1/4) of the student.
    const q = [[Math.log(3), 0]]
    const p = [[0, 0]]
    const forward = klDivergence({ student: q, teacher: p }).loss
    const backward = klDivergence({ student: p, teacher: q }).loss
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
      const { gradient } = distillationLoss({
        student: { data: data.student, shape: [2, 5] },
        teacher: { data: data.teacher, shape: [2, 5] },
        labels: data.labels,
        reduction,
        ...setting
      })
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
    const given = { student: { data: data.student, shape: [2, 5] }, teacher: { data: data.teacher, shape: [2, 5] } }
    const none = klDivergence({ ...given, reduction: 'none' })
    expectSameBits(none.gradient.data, klDivergence({ ...given, reduction: 'sum' }).gradient.data)
  })

  it('sums to 0 over the classes', () => {
    const wide = randomRows(20, 30, 5)
    const { gradient } = distillationLoss({
      student: { data: wide.student, shape: [20, 30] },
      teacher: { data: wide.teacher, shape: [20, 30] },
      labels: wide.labels,
      reduction: 'sum'
    })
    for (let b = 0; b < 20; b++) {
      const total = gradient.data.subarray(30 * b, 30 * b + 30).reduce((sum, g) => sum + g, 0)
      expect(Math.abs(total)).toBeLessThan(1e-6)
    }
  })
})

describe('shapes and kinds of input', () => {
  const student = [0.5, -1, 2, 0, 3, -2.5]
  const teacher = [1, 0.25, -2, 0.75, 0, 1]
  const shape = [2, 3]
  const labels = [2, 0]
  const expected = distillationLoss({
    student: { data: f32(student), shape },
    teacher: { data: f32(teacher), shape },
    labels
  })

  it('f64, nested arrays, bit patterns, dims and views', () => {
    const kinds: ((values: number[]) => TensorLike)[] = [
      (values) => ({ data: Float64Array.from(values), shape }),
      (values) => [values.slice(0, 3), values.slice(3)],
      (values) => ({ data: Uint16Array.from(values, float16Bits), dims: shape, type: 'float16' }),
      (values) => ({ data: f32([7, 7, ...values, 7]).subarray(2, 8), dims: shape })
    ]
    for (const first of kinds) {
      for (const second of kinds) {
        const { loss, gradient } = distillationLoss({ student: first(student), teacher: second(teacher), labels })
        expect(loss).toBe(expected.loss)
        expectSameBits(gradient.data, expected.gradient.data)
      }
    }
  })

  it('labels of every class', () => {
    const logits = { data: f32(student), shape }
    const { loss } = crossEntropy({ logits, labels })
    const kinds = [
      Int32Array.from(labels),
      Uint8Array.from(labels),
      Float64Array.from(labels),
      BigInt64Array.from(labels, BigInt),
      labels.map(BigInt)
    ]
    for (const kind of kinds) expect(crossEntropy({ logits, labels: kind }).loss).toBe(loss)
  })

  it('leading dimensions are rows', () => {
    const data = randomRows(12, 4, 8)
    const losses = [
      [12, 4],
      [3, 4, 4],
      [2, 1, 6, 4]
    ].map((dims) =>
      distillationLoss({
        student: { data: data.student, shape: dims },
        teacher: { data: data.teacher, shape: dims },
        labels: data.labels,
        reduction: 'none'
      })
    )
    for (const { loss, gradient } of losses) {
      expectSameBits(loss, losses[0].loss)
      expectSameBits(gradient.data, losses[0].gradient.data)
    }
    expect(losses[1].gradient.shape).toEqual([3, 4, 4])
    // One dimension is one row.
    const single = klDivergence({ student: data.student.subarray(0, 4), teacher: data.teacher.subarray(0, 4) })
    const row = klDivergence({
      student: [Array.from(data.student.subarray(0, 4))],
      teacher: [Array.from(data.teacher.subarray(0, 4))]
    })
    expect(single.loss).toBe(row.loss)
    expect(single.gradient.shape).toEqual([4])
  })

  it('one class has no choice', () => {
    const one = { data: f32([3, -2]), shape: [2, 1] }
    const { loss, gradient } = distillationLoss({
      student: one,
      teacher: { data: f32([0, 9]), shape: [2, 1] },
      labels: [0, 0]
    })
    expect(loss).toBe(0)
    expect([...gradient.data].map(Math.abs)).toEqual([0, 0])
  })

  it('no rows: a sum of nothing is 0, a mean of nothing is NaN', () => {
    const none = { data: new Float32Array(0), shape: [0, 3] }
    const given = { student: none, teacher: none, labels: [] }
    expect(distillationLoss({ ...given, reduction: 'sum' }).loss).toBe(0)
    expect(distillationLoss({ ...given, reduction: 'none' }).loss.length).toBe(0)
    expect(distillationLoss({ ...given, reduction: 'batchMean' }).loss).toBeNaN()
    expect(distillationLoss({ ...given, reduction: 'mean' }).loss).toBeNaN()
  })

  it('teacher or labels may be left out where they have no weight', () => {
    const logits = { data: f32(student), shape }
    const target = { data: f32(teacher), shape }
    const hard = distillationLoss({ student: logits, labels, alpha: 0 })
    expect(hard.loss).toBe(crossEntropy({ logits, labels }).loss)
    const soft = distillationLoss({ student: logits, teacher: target, alpha: 1 })
    expect(soft.loss).toBe(klDivergence({ student: logits, teacher: target, temperatureSquared: true }).loss)
  })

  it('a temperature whose square is no number of f64 is refused', () => {
    const logits = { data: f32(student), shape }
    const target = { data: f32(teacher), shape }
    const cold = { student: logits, teacher: target, temperature: 1e-170, temperatureSquared: true }
    expect(() => klDivergence(cold)).toThrow(
      /klDivergence: "temperature" expected a number in \[1e-30, 1e\+30\], got 1e-170/
    )
  })

  it('the gradient may be written to an array of the caller', () => {
    const out = new Float32Array(6)
    const again = distillationLoss({
      student: { data: f32(student), shape },
      teacher: { data: f32(teacher), shape },
      labels,
      out
    })
    expect(again.gradient.data).toBe(out)
    expectSameBits(out, expected.gradient.data)
  })

  it('input is not changed', () => {
    const logits = f32(student)
    const target = f32(teacher)
    distillationLoss({ student: { data: logits, shape }, teacher: { data: target, shape }, labels })
    expectSameBits(logits, f32(student))
    expectSameBits(target, f32(teacher))
    expect(labels).toEqual([2, 0])
  })
})
