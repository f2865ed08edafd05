import { Matrix, solve } from 'ml-matrix'
import { procrustes, ridge } from '../../build/index.js'
import { check, interleave, milliseconds, normal, times } from '../harness.mjs'

const SHAPES = [
  [1000, 64, 8],
  [20000, 128, 16],
  [10000, 384, 64]
]

/** The normal equations, as one writes them. */
function plain(x, y, lambda) {
  const xt = x.transpose()
  const gram = xt.mmul(x)
  for (let i = 0; i < gram.rows; i++) gram.set(i, i, gram.get(i, i) + lambda)
  return solve(gram, xt.mmul(y))
}

export async function run(report, peak) {
  const rows = []
  for (const [m, n, p] of SHAPES) {
    const [x, y] = [
      { data: normal(m * n, 1), shape: [m, n] },
      { data: normal(m * p, 2), shape: [m, p] }
    ]
    const [a, b] = [x, y].map(({ data, shape }) => Matrix.from1DArray(...shape, data))
    const options = { lambda: 1, intercept: false }
    const expected = plain(a, b, 1)
    check(
      ridge(x, y, options).weights.data.every((w, i) => Math.abs(w - expected.get(Math.floor(i / p), i % p)) < 1e-6),
      `weights of ${m}x${n}`
    )
    const z = { data: normal(m * n, 3), shape: [m, n] }
    const ms = await interleave(
      { ridge: () => ridge(x, y, options), plain: () => plain(a, b, 1), procrustes: () => procrustes(x, z) },
      { rounds: 3, warmup: 1 }
    )
    // Half a Gram matrix, and four products with the targets.
    const speed = (m * n * (n + 8 * p)) / ms.ridge / 1e6
    rows.push([
      `${m}x${n}, ${p} targets`,
      `${milliseconds(ms.ridge)}, ${speed.toFixed(1)} GF/s, ${((100 * speed) / peak.f64).toFixed(0)}%`,
      milliseconds(ms.plain),
      times(ms.plain, ms.ridge),
      milliseconds(ms.procrustes)
    ])
  }
  report(
    `ridge: f32 samples, refined once, and its share of the peak of ${peak.f64.toFixed(1)} GF/s; procrustes of n columns`,
    ['', 'ridge', "ml-matrix 6's normal equations", 'against them', 'procrustes'],
    rows
  )
}
