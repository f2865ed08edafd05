import { dequantize, lowRank, lowRankPlan, quantize, reconstruct, svd } from '../../build/index.js'
import { asked, check, interleave, milliseconds, normal } from '../harness.mjs'

/** u diag(1 / j) v of normal u and v: singular values that fall, as those of weights. */
function weights(m, n, seed) {
  const k = Math.min(m, n)
  const [u, v] = [normal(m * k, seed), normal(n * k, seed + 1)]
  for (let i = 0; i < u.length; i++) u[i] /= 1 + (i % k)
  return reconstruct({ u: { data: u, shape: [m, k] }, v: { data: v, shape: [n, k] } })
}

export async function run(report) {
  const shape = [512, 384]
  const matrix = weights(...shape, 1)
  const activations = { data: normal(2000 * 384, 3), shape: [2000, 384] }
  for (let i = 0; i < activations.data.length; i++) activations.data[i] /= 1 + (i % 384) / 16
  const cases = {
    'rank 64': { rank: 64 },
    'for 2000 inputs': { rank: 64, activations },
    'int8 factors': { rank: 64, quantize: 'int8' },
    'int4 factors': { rank: 64, quantize: 'int4' },
    'rank 8 + int4 residual': { rank: 8, residual: 'int4' },
    'int8, int4 residual': { rank: 8, quantize: 'int8', residual: 'int4' }
  }
  const calls = Object.fromEntries(
    Object.entries(cases).map(([name, options]) => [name, () => lowRank(matrix, options)])
  )
  const ms = await interleave({ svd: () => svd(matrix), ...calls }, { rounds: 3, warmup: 1 })
  const rows = Object.keys(cases).map((name) => {
    const { relativeError } = calls[name]()
    return [name, milliseconds(ms[name]), (ms[name] / ms.svd).toFixed(2), relativeError.toFixed(5)]
  })
  report(`lowRank of ${shape.join('x')}, f32`, ['', 'time', 'of svd', 'relative error'], rows)

  // What rounding adds, each factor alone and both together; int4 alone and with eight ranks.
  const rounding = ['int8', 'int4'].map((format) => {
    const best = lowRank(matrix, { rank: 64 })
    const errorOf = (result) => {
      const { data } = reconstruct(result)
      let [noise, signal] = [0, 0]
      data.forEach((x, i) => {
        noise += (x - matrix.data[i]) ** 2
        signal += matrix.data[i] ** 2
      })
      return Math.sqrt(noise / signal)
    }
    const each = errorOf({ u: quantize(best.u, { format, axis: 1 }), v: quantize(best.v, { format, axis: 1 }) })
    const together = lowRank(matrix, { rank: 64, quantize: format })
    check(Math.abs(errorOf(together) - together.relativeError) < 1e-6, `error of ${format} factors`)
    const holds = together.relativeError < each
    return [
      format,
      best.relativeError.toFixed(5),
      each.toFixed(5),
      asked(together.relativeError.toFixed(5), holds, 'less')
    ]
  })
  report(
    'rank 64 with factors in codes, a scale a rank: relative error',
    ['', 'f32', 'each alone', 'together'],
    rounding
  )

  const many = Object.fromEntries(
    Array.from({ length: 12 }, (_, i) => [`layer ${i}`, weights(96 + 16 * i, 128, i + 10)])
  )
  const whole = Object.values(many).reduce((sum, { data }) => sum + data.byteLength, 0)
  const { u, v } = lowRank(matrix, { rank: 64 })
  const residual = quantize(matrix, { format: 'int8', axis: 0 })
  const rest = await interleave(
    {
      plan: () => lowRankPlan(many, { bytes: whole / 4 }),
      svd: () => Object.values(many).forEach((one) => svd(one)),
      reconstruct: () => reconstruct({ u, v }),
      'with a residual': () => reconstruct({ u, v, residual }),
      dequantize: () => dequantize(residual)
    },
    { rounds: 3, warmup: 1 }
  )
  report(
    'lowRankPlan of 12 matrices; reconstruct of 512x384, rank 64',
    ['', 'time'],
    Object.entries(rest).map(([name, time]) => [name, milliseconds(time)])
  )
}
