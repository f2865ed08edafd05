import { logSoftmax, softmax } from '../../build/index.js'
import { check, gigabytes, interleave, milliseconds, normal, times } from '../harness.mjs'

const ROWS = 256
const CLASSES = 32000

function plain(x) {
  const out = new Float32Array(x.length)
  for (let base = 0; base < x.length; base += CLASSES) {
    let top = -Infinity
    for (let i = base; i < base + CLASSES; i++) if (x[i] > top) top = x[i]
    let sum = 0
    for (let i = base; i < base + CLASSES; i++) sum += out[i] = Math.exp(x[i] - top)
    for (let i = base; i < base + CLASSES; i++) out[i] /= sum
  }
  return out
}

export async function run(report) {
  const logits = { data: normal(ROWS * CLASSES), shape: [ROWS, CLASSES] }
  const expected = plain(logits.data)
  const { data } = softmax(logits)
  check(
    expected.every((value, i) => Math.abs(value - data[i]) <= 1e-6 * value),
    'softmax'
  )
  const ms = await interleave(
    {
      'plain loop': () => plain(logits.data),
      softmax: () => softmax(logits),
      logSoftmax: () => logSoftmax(logits)
    },
    { rounds: 7 }
  )
  report(
    'softmax: [256, 32000], fresh arrays',
    ['', 'time', 'f32 bytes', 'against plain JS'],
    Object.entries(ms).map(([name, time]) => [
      name,
      milliseconds(time),
      gigabytes(4 * ROWS * CLASSES, time),
      times(ms['plain loop'], time)
    ])
  )
}
