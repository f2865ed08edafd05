import { compare } from '../../build/index.js'
import { check, gigabytes, interleave, tiled, times } from '../harness.mjs'

const N = 12_000_000

function plain(a, b) {
  let error = 0
  let signal = 0
  for (let i = 0; i < a.length; i++) {
    error += (a[i] - b[i]) ** 2
    signal += a[i] ** 2
  }
  return Math.sqrt(error / signal)
}

export async function run(report) {
  const a = tiled(N)
  const b = a.map((x) => x * 1.001)
  check(Math.abs(compare(a, b).relativeError / plain(a, b) - 1) < 1e-10, 'relative error')
  const ms = await interleave({ 'plain loop': () => plain(a, b), compare: () => compare(a, b) })
  report(
    'compare: 12 million f32 against 12 million',
    ['', 'bytes read', 'against plain JS'],
    Object.entries(ms).map(([name, time]) => [name, gigabytes(8 * N, time), times(ms['plain loop'], time)])
  )
}
