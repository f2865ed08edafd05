import { createGram, gram, openGram } from '../../build/index.js'
import { check, interleave, milliseconds, normal, times } from '../harness.mjs'

const ROWS = 5120
const DIM = 384
const PARTS = 5

/** The lower triangle in f64, row after row of the table. */
function plainGram(data, rows, dim, center) {
  const mean = new Float64Array(dim)
  if (center) {
    for (let r = 0; r < rows; r++) for (let j = 0; j < dim; j++) mean[j] += data[r * dim + j]
    for (let j = 0; j < dim; j++) mean[j] /= rows
  }
  const out = new Float64Array(dim * dim)
  const row = new Float64Array(dim)
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < dim; j++) row[j] = data[r * dim + j] - mean[j]
    for (let i = 0; i < dim; i++) {
      const x = row[i]
      const at = i * dim
      for (let j = 0; j <= i; j++) out[at + j] += x * row[j]
    }
  }
  return out
}

export async function run(report, peak) {
  const table = { data: normal(ROWS * DIM, 5).map((x) => x + 0.5), shape: [ROWS, DIM] }
  const parts = Array.from({ length: PARTS }, (_, i) => {
    const size = ROWS / PARTS
    return { data: table.data.subarray(i * size * DIM, (i + 1) * size * DIM), shape: [size, DIM] }
  })
  const inParts = () => {
    const whole = createGram(DIM)
    for (const part of parts) whole.add(part)
    return whole
  }
  for (const center of [false, true]) {
    const ours = gram(table, { center }).matrix().data
    const plain = plainGram(table.data, ROWS, DIM, center)
    check(
      plain.every((x, at) => Math.floor(at / DIM) < at % DIM || Math.abs(x - ours[at]) < 1e-9 * ROWS),
      `matrix, center ${center}`
    )
  }
  const whole = gram(table, { center: true })
  const bytes = whole.toBytes()
  check(openGram(bytes).count === ROWS && inParts().count === ROWS, 'rows')
  const ms = await interleave(
    {
      'plain loops': () => plainGram(table.data, ROWS, DIM, false),
      gram: () => gram(table),
      'createGram, 5 parts': inParts,
      'plain loops, centred': () => plainGram(table.data, ROWS, DIM, true),
      'gram, centred': () => gram(table, { center: true }),
      'pca, 64 components': () => openGram(bytes).pca({ rank: 64 })
    },
    { rounds: 5 }
  )
  const products = ROWS * DIM * (DIM + 1)
  const base = (name) => (name.includes('centred') ? 'plain loops, centred' : 'plain loops')
  report(
    `gram: ${ROWS} x ${DIM} f32, moments in f64`,
    ['', 'time', 'against plain loops', 'f64 rate', 'of the peak'],
    Object.entries(ms).map(([name, time]) =>
      name.startsWith('pca')
        ? [name, milliseconds(time), '', '', '']
        : [
            name,
            milliseconds(time),
            times(ms[base(name)], time),
            `${(products / time / 1e6).toFixed(1)} GFlop/s`,
            `${Math.round(products / time / 1e4 / peak.f64)}%`
          ]
    )
  )

  const wide = { data: normal(1024 * 5000, 6), shape: [1024, 5000] }
  const sketch = await interleave(
    { 256: () => gram(wide), 64: () => gram(wide, { directions: 64 }) },
    { rounds: 3, warmup: 1 }
  )
  report(
    'gram: 1024 x 5000 f32, sketches',
    ['directions', 'time', 'rows a second'],
    Object.entries(sketch).map(([directions, time]) => [directions, milliseconds(time), Math.round(1024e3 / time)])
  )
}
