import { crossEntropy, distillationLoss, klDivergence } from '../../build/index.js'
import { check, interleave, milliseconds, normal, random, times } from '../harness.mjs'

const ROWS = 256
const CLASSES = 32000

// Operations for each logit in the kernels, counted in assembly/distill and assembly/common/exp.ts (24 in an exponential).
const DIVERGENCE_FLOPS = 60
const ENTROPY_FLOPS = 29
const SQUARED_FLOPS = 5

/** alpha T^2 KL + (1 - alpha) CE and its gradient, from the definition, with typed arrays and Math.exp. */
function plain(student, teacher, labels, temperature, alpha, gradient = new Float32Array(student.length)) {
  const p = new Float64Array(CLASSES)
  const q = new Float64Array(CLASSES)
  const hard = new Float64Array(CLASSES)
  let loss = 0
  for (let row = 0; row < ROWS; row++) {
    const base = row * CLASSES
    let studentTop = -Infinity
    let teacherTop = -Infinity
    for (let i = base; i < base + CLASSES; i++) {
      if (student[i] > studentTop) studentTop = student[i]
      if (teacher[i] > teacherTop) teacherTop = teacher[i]
    }
    let pSum = 0
    let qSum = 0
    let hardSum = 0
    let cross = 0
    for (let c = 0; c < CLASSES; c++) {
      const t = (teacher[base + c] - teacherTop) / temperature
      const s = (student[base + c] - studentTop) / temperature
      p[c] = Math.exp(t)
      q[c] = Math.exp(s)
      pSum += p[c]
      qSum += q[c]
      cross += p[c] * (t - s)
      if (alpha < 1) {
        hard[c] = Math.exp(student[base + c] - studentTop)
        hardSum += hard[c]
      }
    }
    const soft = cross / pSum + Math.log(qSum) - Math.log(pSum)
    loss += alpha * temperature * temperature * soft
    if (alpha < 1) loss += (1 - alpha) * (Math.log(hardSum) - (student[base + labels[row]] - studentTop))
    for (let c = 0; c < CLASSES; c++) {
      let g = alpha * temperature * (q[c] / qSum - p[c] / pSum)
      if (alpha < 1) g += (1 - alpha) * (hard[c] / hardSum - (c === labels[row] ? 1 : 0))
      gradient[base + c] = g / ROWS
    }
  }
  return { loss: loss / ROWS, gradient }
}

export async function run(report, peak) {
  const shape = [ROWS, CLASSES]
  const student = { data: normal(ROWS * CLASSES, 1).map((x) => 3 * x), shape }
  const teacher = { data: normal(ROWS * CLASSES, 2).map((x) => 3 * x), shape }
  const next = random(3)
  const labels = Int32Array.from({ length: ROWS }, () => Math.floor(next() * CLASSES))
  const both = { teacher, labels, temperature: 4, alpha: 0.9 }
  const soft = { teacher, temperature: 4, alpha: 1 }
  const result = distillationLoss(student, both)
  const expected = plain(student.data, teacher.data, labels, 4, 0.9)
  check(Math.abs(result.loss / expected.loss - 1) < 1e-9, 'loss')
  check(
    expected.gradient.every((value, i) => Math.abs(value - result.gradient.data[i]) <= 1e-6 * Math.abs(value)),
    'gradient'
  )
  const out = result.gradient.data
  const mine = expected.gradient
  const ms = await interleave(
    {
      'plain loop, KL + CE': () => plain(student.data, teacher.data, labels, 4, 0.9),
      'distillationLoss alpha .9': () => distillationLoss(student, both),
      'plain loop, KL': () => plain(student.data, teacher.data, labels, 4, 1),
      'distillationLoss alpha 1': () => distillationLoss(student, soft),
      'plain loop, KL + CE, array given': () => plain(student.data, teacher.data, labels, 4, 0.9, mine),
      'distillationLoss alpha .9, array given': () => distillationLoss(student, { ...both, out }),
      'plain loop, KL, array given': () => plain(student.data, teacher.data, labels, 4, 1, mine),
      'klDivergence, array given': () => klDivergence(student, { teacher, temperature: 4, out }),
      'crossEntropy, array given': () => crossEntropy(student, { labels, out })
    },
    { rounds: 5 }
  )
  report(
    'losses and gradients: [256, 32000], temperature 4',
    ['', 'time', 'against its plain loop', 'f64 rate', 'of the peak'],
    Object.entries(ms).map(([name, time]) => {
      const given = name.endsWith('given') ? ', array given' : ''
      const kind = name.startsWith('crossEntropy') ? 'CE' : name.includes('.9') || name.includes('CE') ? 'both' : 'KL'
      const base = ms[`plain loop, ${kind === 'both' ? 'KL + CE' : 'KL'}${given}`]
      if (name.startsWith('plain')) return [name, milliseconds(time), times(base, time), '', '']
      // At temperature 4 the student's own softmax comes from squaring.
      const flops = { KL: DIVERGENCE_FLOPS, CE: ENTROPY_FLOPS, both: DIVERGENCE_FLOPS + SQUARED_FLOPS }[kind]
      const rate = (flops * ROWS * CLASSES) / time / 1e6
      const ratio = kind === 'CE' ? '' : times(base, time)
      return [name, milliseconds(time), ratio, `${rate.toFixed(1)} GFlop/s`, `${((100 * rate) / peak.f64).toFixed(0)}%`]
    })
  )
}
