export type Reduction = 'none' | 'mean' | 'batchMean' | 'sum'

export interface LossInput {
  student: ArrayLike<number>
  teacher?: ArrayLike<number> | undefined
  labels?: ArrayLike<number> | undefined
  rows: number
  classes: number
  temperature: number
  alpha: number
  reduction: Reduction
  temperatureSquared: boolean
}

export interface Loss {
  loss: number | Float64Array
  gradient: Float64Array
}

/** (z - max) / T, whose greatest entry is 0, so that no exponential overflows. */
function shifted(row: ArrayLike<number>, temperature: number): number[] {
  const logits = Array.from(row)
  const max = logits.reduce((greatest, z) => Math.max(greatest, z), -Infinity)
  if (logits.length > 0 && !Number.isFinite(max)) throw new RangeError('a row needs a finite greatest logit')
  return logits.map((z) => (z - max) / temperature)
}

const sum = (list: readonly number[]): number => list.reduce((total, x) => total + x, 0)

export function softmaxOracle(row: ArrayLike<number>, temperature: number): number[] {
  const exponentials = shifted(row, temperature).map(Math.exp)
  const total = sum(exponentials)
  return exponentials.map((e) => e / total)
}

export function logSoftmaxOracle(row: ArrayLike<number>, temperature: number): number[] {
  const z = shifted(row, temperature)
  const logTotal = Math.log(sum(z.map(Math.exp)))
  return z.map((x) => x - logTotal)
}

function rowOf(logits: ArrayLike<number>, row: number, classes: number): number[] {
  return Array.from({ length: classes }, (_, c) => logits[row * classes + c])
}

/**
 * alpha [T^2] KL + (1 - alpha) CE. KL alone is alpha = 1, CE alone is alpha = 0: a term of weight 0 is not computed, so
 * its input may be missing and an infinite loss in it does not turn into 0 * Infinity.
 */
export function lossOracle(input: LossInput): Loss {
  const { student, teacher, labels, rows, classes, temperature, alpha, reduction, temperatureSquared } = input
  const klWeight = alpha * (temperatureSquared ? temperature * temperature : 1)
  const ceWeight = 1 - alpha
  // PyTorch's KLDivLoss('mean') divides by every element, its CrossEntropyLoss('mean') by the rows.
  const averaged = reduction === 'mean' || reduction === 'batchMean'
  const klDivisor = reduction === 'mean' ? rows * classes : averaged ? rows : 1
  const ceDivisor = averaged ? rows : 1

  const perRow = new Float64Array(rows)
  const gradient = new Float64Array(rows * classes)
  for (let b = 0; b < rows; b++) {
    const s = rowOf(student, b, classes)
    if (alpha !== 0) {
      if (teacher === undefined) throw new TypeError('teacher')
      const t = rowOf(teacher, b, classes)
      const p = softmaxOracle(t, temperature)
      const q = softmaxOracle(s, temperature)
      const logP = logSoftmaxOracle(t, temperature)
      const logQ = logSoftmaxOracle(s, temperature)
      let kl = 0
      for (let c = 0; c < classes; c++) {
        if (p[c] !== 0) kl += p[c] * (logP[c] - logQ[c])
        gradient[b * classes + c] += (klWeight * (q[c] - p[c])) / temperature / klDivisor
      }
      perRow[b] += (klWeight * kl) / klDivisor
    }
    if (alpha !== 1) {
      if (labels === undefined) throw new TypeError('labels')
      const y = labels[b]
      if (!(Number.isInteger(y) && y >= 0 && y < classes)) throw new RangeError(`label ${b}`)
      const q = softmaxOracle(s, 1)
      perRow[b] += (ceWeight * -logSoftmaxOracle(s, 1)[y]) / ceDivisor
      for (let c = 0; c < classes; c++) gradient[b * classes + c] += (ceWeight * (q[c] - (c === y ? 1 : 0))) / ceDivisor
    }
  }
  // The mean over no rows is NaN, as it is in PyTorch.
  if (averaged && rows === 0) return { loss: NaN, gradient }
  return { loss: reduction === 'none' ? perRow : sum(Array.from(perRow)), gradient }
}
