import { Matrix } from 'ml-matrix'
import { matmul } from '../../build/index.js'
import { asked, check, interleave, milliseconds, normal, tiled, times } from '../harness.mjs'
import { peakLoops } from '../limits.mjs'

const random = (shape, seed, Type = Float32Array) => {
  const length = shape.reduce((product, n) => product * n, 1)
  return { data: Type.from(length < 65536 ? normal(length, seed) : tiled(length, seed)), shape }
}

/** Rows of a times rows of b, which are read and written as they stand. */
function plain(c, a, b, m, k, n) {
  c.fill(0)
  for (let i = 0; i < m; i++) {
    for (let p = 0; p < k; p++) {
      const x = a[i * k + p]
      for (let j = 0; j < n; j++) c[i * n + j] += x * b[p * n + j]
    }
  }
}

const CASES = [
  { name: '256 x 256 x 256', a: [256, 256], b: [256, 256] },
  { name: '512 x 512 x 512', a: [512, 512], b: [512, 512], least: 0.85 },
  { name: 'a transposed', a: [512, 512], b: [512, 512], options: { transposeA: true } },
  { name: 'b transposed', a: [512, 512], b: [512, 512], options: { transposeB: true } },
  { name: '1024 x 1024 x 1024', a: [1024, 1024], b: [1024, 1024] },
  { name: '20000 x 384 x 64', a: [20000, 384], b: [384, 64] },
  { name: '64 times 64 x 64 x 64', a: [64, 64, 64], b: [64, 64, 64] },
  { name: '1 x 768 by 20000 rows of 768', a: [1, 768], b: [20000, 768], options: { transposeB: true } },
  { name: '512 x 512 x 512, f64', a: [512, 512], b: [512, 512], Type: Float64Array },
  { name: '1024 x 1024 x 1024, f64', a: [1024, 1024], b: [1024, 1024], Type: Float64Array }
]

export async function run(report) {
  const peaks = await peakLoops()
  const rows = []
  for (const { name, a: left, b: right, options, least, Type = Float32Array } of CASES) {
    const [a, b] = [random(left, 1, Type), random(right, 2, Type)]
    const { data: out } = matmul(a, b, options)
    const flops = (2 * out.length * a.data.length) / (a.data.length / left.at(options?.transposeA ? -2 : -1))
    const peak = Type === Float32Array ? peaks.f32 : peaks.f64
    const ms = await interleave(
      { peak: peak.run, given: () => matmul(a, b, { ...options, out }), fresh: () => matmul(a, b, options) },
      { rounds: flops > 1e9 ? 9 : 25, warmup: 4 }
    )
    const rate = flops / ms.given / 1e6
    const share = rate / (peak.flops / ms.peak / 1e6)
    const percent = `${(100 * share).toFixed(0)}%`
    rows.push([
      name,
      milliseconds(ms.given),
      milliseconds(ms.fresh),
      `${rate.toFixed(1)} GFlop/s`,
      least ? asked(percent, share >= least, '85%') : percent
    ])
  }
  report('matmul: f32 where nothing else is said', ['', 'out given', 'fresh', 'rate', 'of the peak beside it'], rows)
  await against(report)
}

/** A plain loop over typed arrays and ml-matrix, on the same matrices. */
async function against(report) {
  const rows = []
  for (const [n, Type] of [
    [64, Float32Array],
    [512, Float32Array],
    [512, Float64Array]
  ]) {
    const [a, b] = [random([n, n], 1, Type), random([n, n], 2, Type)]
    const out = new Type(n * n)
    const expected = new Type(n * n)
    plain(expected, a.data, b.data, n, n, n)
    matmul(a, b, { out })
    check(
      out.every((x, i) => Math.abs(x - expected[i]) < 1e-5 * n),
      `${n} x ${n}`
    )
    const nested = ({ data }) => Array.from({ length: n }, (_, i) => [...data.subarray(i * n, (i + 1) * n)])
    const [x, y] = [new Matrix(nested(a)), new Matrix(nested(b))]
    const ms = await interleave(
      {
        matmul: () => matmul(a, b, { out }),
        plain: () => plain(expected, a.data, b.data, n, n, n),
        'ml-matrix': () => x.mmul(y)
      },
      { rounds: n > 100 ? 3 : 15, warmup: 2 }
    )
    rows.push([
      `${n} x ${n} x ${n}${Type === Float64Array ? ', f64' : ''}`,
      milliseconds(ms.matmul),
      milliseconds(ms.plain),
      times(ms.plain, ms.matmul),
      milliseconds(ms['ml-matrix']),
      times(ms['ml-matrix'], ms.matmul)
    ])
  }
  report('matmul, out given', ['', 'matmul', 'plain loop', 'ratio', 'ml-matrix (f64)', 'ratio'], rows)
}
