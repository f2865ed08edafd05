import { SVD } from 'svd-js'
import { lowRank, svd } from '../../build/index.js'
import { check, interleave, milliseconds, normal, times } from '../harness.mjs'

const SHAPES = [
  [64, 64],
  [128, 128],
  [256, 256],
  [512, 128],
  [1024, 256]
]

export async function run(report) {
  const rows = []
  for (const [m, n] of SHAPES) {
    const data = Float64Array.from(normal(m * n, m + n))
    const matrix = { data, shape: [m, n] }
    const nested = Array.from({ length: m }, (_, i) => [...data.subarray(i * n, (i + 1) * n)])
    const ours = svd(matrix)
    const theirs = [...SVD(nested).q].sort((a, b) => b - a)
    check(
      theirs.every((s, i) => Math.abs(s - ours.s.data[i]) < 1e-12 * theirs[0]),
      `singular values of ${m}x${n}`
    )
    const ms = await interleave(
      { svd: () => svd(matrix), 'svd-js': () => SVD(nested), lowRank: () => lowRank(matrix, { energy: 0.9 }) },
      { rounds: 7, warmup: 3 }
    )
    rows.push([
      `${m}x${n}`,
      milliseconds(ms.svd),
      milliseconds(ms['svd-js']),
      times(ms['svd-js'], ms.svd),
      milliseconds(ms.lowRank),
      ours.sweeps
    ])
  }
  report('svd: f64 with U and V, lowRank at energy .9', ['', 'svd', 'svd-js 1.1', 'ratio', 'lowRank', 'sweeps'], rows)
}
