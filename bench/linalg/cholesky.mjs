import { CholeskyDecomposition, Matrix } from 'ml-matrix'
import { cholesky, solveTriangular } from '../../build/index.js'
import { check, interleave, milliseconds, normal, times } from '../harness.mjs'

/** Beyond this size the other takes many seconds. */
const COMPARED = 512

const SIZES = [64, 256, 512, 1000]

/** Symmetric, with a diagonal that outweighs the rest. */
function definite(n) {
  const data = Float64Array.from(normal(n * n, n))
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) data[j * n + i] = data[i * n + j]
    data[i * (n + 1)] += 3 * n
  }
  return data
}

export async function run(report, peak) {
  const factors = []
  const solutions = []
  for (const n of SIZES) {
    const data = definite(n)
    const matrix = { data, shape: [n, n] }
    const { l } = cholesky(matrix)
    const b = { data: Float64Array.from(normal(n * n, n + 1)), shape: [n, n] }
    const both = () => solveTriangular(l, solveTriangular(l, b), { transpose: true })
    const cases = {
      cholesky: () => cholesky(matrix),
      pivoted: () => cholesky(matrix, { pivot: true }),
      solve: both,
      one: () => solveTriangular(l, b.data.subarray(0, n))
    }
    if (n <= COMPARED) {
      const [theirs, plain] = [data, b.data].map((entries) => Matrix.from1DArray(n, n, entries))
      const other = new CholeskyDecomposition(theirs)
      const near = (ours, matrix, most) =>
        ours.every((x, i) => Math.abs(x - matrix.get(Math.floor(i / n), i % n)) < most)
      check(near(l.data, other.lowerTriangularMatrix, 1e-11 * l.data[0]), `factor of ${n}`)
      check(near(both().data, other.solve(plain), 1e-12), `solution of ${n}`)
      cases['ml-matrix'] = () => new CholeskyDecomposition(theirs)
      cases['ml-matrix solve'] = () => other.solve(plain)
    }
    const ms = await interleave(cases, { rounds: n > 300 ? 3 : 7, warmup: 2 })
    const against = (name, own) => (ms[name] ? [milliseconds(ms[name]), times(ms[name], ms[own])] : ['', ''])
    const rate = (name, flops) => {
      const speed = flops / ms[name] / 1e6
      return `${milliseconds(ms[name])}, ${speed.toFixed(1)} GF/s, ${((100 * speed) / peak.f64).toFixed(0)}%`
    }
    factors.push([n, rate('cholesky', n ** 3 / 3), rate('pivoted', n ** 3 / 3), ...against('ml-matrix', 'cholesky')])
    solutions.push([n, rate('solve', 2 * n ** 3), ...against('ml-matrix solve', 'solve'), rate('one', n ** 2)])
  }
  const share = `share of the peak of ${peak.f64.toFixed(1)} GF/s`
  report(`cholesky: f64, ${share}`, ['', 'cholesky', 'with pivots', 'ml-matrix 6', 'cholesky against it'], factors)
  report(
    `solveTriangular: f64, L and LT of n right sides, or one right side; ${share}`,
    ['', 'n right sides', 'ml-matrix 6', 'against it', 'one'],
    solutions
  )
}
