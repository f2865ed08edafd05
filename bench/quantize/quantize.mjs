import { dequantize, fakeQuantize, quantize } from '../../build/index.js'
import { check, gigabytes, interleave, tiled, times } from '../harness.mjs'

const ROWS = 8192
const COLUMNS = 1536
const BYTES = 4 * ROWS * COLUMNS

/** The definition, as one writes it with typed arrays: int8, symmetric, a scale for each row. */
function plainRows(x, rows, columns, codes = new Int8Array(rows * columns)) {
  const scales = new Float32Array(rows)
  for (let r = 0; r < rows; r++) {
    const base = r * columns
    let absmax = 0
    for (let i = base; i < base + columns; i++) absmax = Math.max(absmax, Math.abs(x[i]))
    scales[r] = absmax > 0 ? absmax / 127 : 1
    const inverse = Math.fround(1 / scales[r])
    for (let i = base; i < base + columns; i++) codes[i] = roundHalfEven(Math.fround(x[i] * inverse))
  }
  return { codes, scales }
}

function roundHalfEven(x) {
  const rounded = Math.round(x)
  return rounded - x === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded
}

function plainDequantize(codes, scales, rows, columns, out = new Float32Array(rows * columns)) {
  for (let r = 0; r < rows; r++) {
    const scale = scales[r]
    for (let i = r * columns; i < (r + 1) * columns; i++) out[i] = codes[i] * scale
  }
  return out
}

function same(a, b) {
  return a.length === b.length && a.every((value, i) => Object.is(value, b[i]) || value === b[i])
}

export async function run(report) {
  const x = tiled(ROWS * COLUMNS)
  const tensor = { data: x, shape: [ROWS, COLUMNS] }
  const copy = new Float32Array(x.length)
  const q = quantize(tensor, { format: 'int8', axis: 0 })
  const plain = plainRows(x, ROWS, COLUMNS)
  check(same(q.codes, plain.codes) && same(q.scales, plain.scales), 'int8 rows')
  const back = dequantize(q)
  check(same(back.data, plainDequantize(plain.codes, plain.scales, ROWS, COLUMNS)), 'dequantised rows')
  const group = { format: 'int4', group: 32, symmetric: false }
  const q4 = quantize(tensor, group)
  const half = quantize(tensor, { format: 'float16' })
  const columns = { format: 'int8', axis: 1 }

  const int8 = { format: 'int8', axis: 0 }

  // Fresh memory costs as much as the work, on either side: arrays given are compared with arrays given.
  const given = await interleave({
    memcpy: () => copy.set(x),
    'plain loop, int8 rows': () => plainRows(x, ROWS, COLUMNS, plain.codes),
    'quantize int8 rows': () => quantize(tensor, { ...int8, out: q }),
    'quantize int4 group 32, asymmetric': () => quantize(tensor, { ...group, out: q4 }),
    'quantize float16': () => quantize(tensor, { format: 'float16', out: half }),
    'plain loop, dequantize': () => plainDequantize(q.codes, q.scales, ROWS, COLUMNS, copy),
    'dequantize int8 rows': () => dequantize(q, { out: back.data }),
    'dequantize int4 group 32': () => dequantize(q4, { out: back.data }),
    'dequantize float16': () => dequantize(half, { out: back.data })
  })
  table(report, 'quantize: 50 MB of f32, arrays in, written to arrays given', given)

  const fresh = await interleave({
    'copy to a fresh array': () => x.slice(),
    'plain loop, int8 rows': () => plainRows(x, ROWS, COLUMNS),
    'quantize int8 rows': () => quantize(tensor, int8),
    'quantize int8 whole': () => quantize(tensor, { format: 'int8' }),
    'quantize int8 columns': () => quantize(tensor, columns),
    'quantize uint8 rows, asymmetric': () => quantize(tensor, { format: 'uint8', axis: 0, symmetric: false }),
    'quantize int4 group 32, asymmetric': () => quantize(tensor, group),
    'quantize float16': () => quantize(tensor, { format: 'float16' }),
    'fakeQuantize int8 rows': () => fakeQuantize(tensor, int8),
    'plain loop, dequantize': () => plainDequantize(q.codes, q.scales, ROWS, COLUMNS),
    'dequantize int8 rows': () => dequantize(q),
    'dequantize int4 group 32': () => dequantize(q4),
    'dequantize float16': () => dequantize(half)
  })
  table(report, 'the same, fresh arrays out', fresh)
}

function table(report, title, ms) {
  const [first, copied] = Object.entries(ms)[0]
  const rows = Object.entries(ms).map(([name, time]) => {
    const against = name.includes('dequantize') ? ms['plain loop, dequantize'] : ms['plain loop, int8 rows']
    return [name, gigabytes(BYTES, time), times(copied, time), name === first ? '' : times(against, time)]
  })
  report(title, ['', 'f32 bytes', `of ${first}`, 'of its plain loop'], rows)
}
