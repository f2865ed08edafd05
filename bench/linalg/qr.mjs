import { Matrix, QrDecomposition } from 'ml-matrix'
import { qr } from '../../build/index.js'
import { check, interleave, milliseconds, normal, times } from '../harness.mjs'

/** Beyond these columns the other takes many seconds. */
const COMPARED = 512

const SHAPES = [
  [64, 64],
  [256, 256],
  [512, 512],
  [1024, 256],
  [1000, 1000]
]

/** Operations of the factorisation, and as many again for Q of m rows and n columns. */
const flops = (m, n) => 2 * (2 * m * n * n - (2 / 3) * n ** 3)

export async function run(report, peak) {
  const rows = []
  for (const [m, n] of SHAPES) {
    const data = Float64Array.from(normal(m * n, m + n))
    const matrix = { data, shape: [m, n] }
    const cases = { qr: () => qr(matrix), pivoted: () => qr(matrix, { pivot: true }) }
    if (n <= COMPARED) {
      const theirs = Matrix.from1DArray(m, n, data)
      cases['ml-matrix'] = () => {
        const { orthogonalMatrix, upperTriangularMatrix } = new QrDecomposition(theirs)
        return [orthogonalMatrix, upperTriangularMatrix]
      }
      const [, r] = cases['ml-matrix']()
      const ours = qr(matrix).r.data
      check(
        ours.every((x, i) => Math.abs(Math.abs(r.get(Math.floor(i / n), i % n)) - Math.abs(x)) < 1e-10 * ours[0]),
        `r of ${m}x${n}`
      )
    }
    const ms = await interleave(cases, { rounds: n > 500 ? 3 : 7, warmup: 2 })
    const rate = (name) => {
      const speed = flops(m, n) / ms[name] / 1e6
      return `${milliseconds(ms[name])}, ${speed.toFixed(1)} GF/s, ${((100 * speed) / peak.f64).toFixed(0)}%`
    }
    const other = ms['ml-matrix']
    rows.push([
      `${m}x${n}`,
      rate('qr'),
      rate('pivoted'),
      other ? milliseconds(other) : '',
      other ? times(other, ms.qr) : ''
    ])
  }
  report(
    `qr: f64 with Q, and its share of the peak of ${peak.f64.toFixed(1)} GF/s`,
    ['', 'qr', 'with pivots', 'ml-matrix 6', 'qr against it'],
    rows
  )
}
