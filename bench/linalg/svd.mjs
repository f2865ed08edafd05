import { execFileSync } from 'node:child_process'
import { SingularValueDecomposition } from 'ml-matrix'
import { SVD } from 'svd-js'
import { svd } from '../../build/index.js'
import { asked, check, interleave, milliseconds, normal, times } from '../harness.mjs'
import { limits } from '../limits.mjs'

/** Shape, and what is asked: least gain over the libraries, most of gesdd's time. */
const CASES = [
  { shape: [64, 64] },
  { shape: [128, 128], gesdd: 1.8 },
  { shape: [256, 256], svdJs: 6, mlMatrix: 8, gesdd: 3 },
  { shape: [512, 512], gesdd: 3.2 },
  { shape: [512, 128] },
  { shape: [1024, 256], mlMatrix: 20, gesdd: 2.2 }
]

/** Operations of a bidiagonalisation that starts from a QR, with both factors (Golub and Van Loan, figure 8.6.1, R-SVD). */
const flops = (m, n) => 6 * m * n * n + 20 * n ** 3

/** Python's numpy, where it is: its medians in ms. */
function gesdd(shapes) {
  for (const python of ['python3', '/usr/bin/python3']) {
    try {
      const script = new URL('gesdd.py', import.meta.url).pathname
      return JSON.parse(
        execFileSync(python, [script, JSON.stringify(shapes), '7'], {
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'ignore']
        })
      )
    } catch {
      // Another Python may have it.
    }
  }
  return undefined
}

export async function run(report) {
  const peak = (await limits()).f64
  const before = gesdd(CASES.map(({ shape }) => shape))
  const rows = []
  const ours = []
  for (const { shape, svdJs, mlMatrix } of CASES) {
    const [m, n] = shape
    const data = Float64Array.from(normal(m * n, m + n))
    const matrix = { data, shape }
    const nested = Array.from({ length: m }, (_, i) => [...data.subarray(i * n, (i + 1) * n)])
    const result = svd(matrix)
    const theirs = [...SVD(nested).q].sort((a, b) => b - a)
    check(
      theirs.every((s, i) => Math.abs(s - result.s.data[i]) < 1e-12 * theirs[0]),
      `singular values of ${m}x${n}`
    )
    const ms = await interleave(
      {
        svd: () => svd(matrix),
        'svd-js': () => SVD(nested),
        'ml-matrix': () => new SingularValueDecomposition(nested, { autoTranspose: true })
      },
      { rounds: n >= 512 ? 3 : 15, warmup: n >= 256 ? 3 : 20 }
    )
    ours.push(ms.svd)
    const gain = (name, least) => {
      const text = `${milliseconds(ms[name])}, ${times(ms[name], ms.svd)}`
      return least ? asked(text, ms[name] >= least * ms.svd, `${least}x`) : text
    }
    rows.push([
      `${m}x${n}`,
      milliseconds(ms.svd),
      `${(flops(m, n) / ms.svd / 1e4 / peak).toFixed(0)}%`,
      gain('svd-js', svdJs),
      gain('ml-matrix', mlMatrix),
      result.sweeps
    ])
  }
  // The machine may have drifted meanwhile: the better of two runs counts, for gesdd.
  const after = before && gesdd(CASES.map(({ shape }) => shape))
  rows.forEach((row, i) => {
    const { shape, gesdd: most } = CASES[i]
    if (!before) return row.push('no numpy here')
    const theirs = Math.min(before.ms[i], after.ms[i])
    const text = `${milliseconds(theirs)}, ${(ours[i] / theirs).toFixed(2)}x its time`
    row.push(most ? asked(text, ours[i] <= most * theirs, `${most}x, ${shape.join('x')}`) : text)
  })
  report(
    `svd: f64 with U and V; share: textbook operations (6 m n^2 + 20 n^3) against the peak of ${peak.toFixed(1)} GF/s f64` +
      (before ? `; gesdd: numpy ${before.numpy}, one thread` : ''),
    ['', 'svd', 'share', 'svd-js 1.1', 'ml-matrix 6', 'sweeps', 'gesdd'],
    rows
  )
}
