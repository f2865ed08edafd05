import { expect } from 'vitest'
import { crossEntropy, distillationLoss, klDivergence } from '../../src/index.js'
import type { Reduction } from '../../src/index.js'
import { lossOracle } from '../oracle/distill.js'
import type { LossInput } from '../oracle/distill.js'
import { index, normals, seeded } from './random.js'

export const REDUCTIONS: readonly Reduction[] = ['none', 'mean', 'batchMean', 'sum']

export const numbers = (loss: number | ArrayLike<number>): number[] =>
  typeof loss === 'number' ? [loss] : Array.from(loss)

/** The largest finite magnitude. */
export const greatest = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((most, x) => (Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most), 0)

/** Rows of logits with the labels that belong to them. */
export interface LabelledLogits {
  student: Float32Array<ArrayBuffer>
  teacher: Float32Array<ArrayBuffer>
  labels: number[]
  rows: number
  classes: number
}

export function randomRows(rows: number, classes: number, seed: number, factor = 3): LabelledLogits {
  const random = seeded(seed)
  return {
    student: normals(rows * classes, seed + 1, factor),
    teacher: normals(rows * classes, seed + 2, factor),
    labels: Array.from({ length: rows }, () => index(random, classes)),
    rows,
    classes
  }
}

export interface LossSetting {
  temperature: number
  alpha: number
  reduction: Reduction
  temperatureSquared: boolean
}

/** The loss and its gradient within the errors that are stated: 1e-13 (1 + |z| / T), for the divergence times its factor. */
export function checkLoss(data: LabelledLogits, setting: LossSetting): void {
  const { student, teacher, labels, rows, classes } = data
  const { temperature, alpha, reduction, temperatureSquared } = setting
  const shape = [rows, classes]
  const logits = { data: student, shape }
  const common = { reduction } as { reduction: 'sum' }
  const soft = { teacher: { data: teacher, shape }, temperature, temperatureSquared }
  const results = [distillationLoss(logits, { ...soft, labels, alpha, ...common })]
  if (alpha === 1) results.push(klDivergence(logits, { ...soft, ...common }))
  if (alpha === 0) results.push(crossEntropy(logits, { labels, ...common }))
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
