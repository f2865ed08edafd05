import { createCodecFit, fitCodec, openCodec } from '../../build/embeddings.js'
import { asked, check, interleave, milliseconds, normal, times } from '../harness.mjs'

/** Levels of Lloyd and Max, the positive half. */
const LEVELS = {
  1: [0.7979],
  2: [0.4528, 1.5104],
  4: [0.1284, 0.388, 0.6568, 0.9423, 1.2562, 1.618, 2.069, 2.7326]
}

/** A plain loop over numbers that are rotated already: the nearest level of each, packed, and the row's scale. */
function plainEncode(data, rows, d, bits) {
  const levels = LEVELS[bits]
  const half = levels.length
  const bytes = (bits * d) / 8
  const out = new Uint8Array(rows * (bytes + 4))
  const view = new DataView(out.buffer)
  for (let r = 0; r < rows; r++) {
    const at = r * d
    let square = 0
    for (let i = 0; i < d; i++) square += data[at + i] * data[at + i]
    const unit = Math.sqrt(d / square)
    let product = 0
    for (let i = 0; i < d; i++) {
      const x = Math.abs(data[at + i]) * unit
      let k = 0
      while (k + 1 < half && x > (levels[k] + levels[k + 1]) / 2) k++
      product += x * levels[k]
      const code = data[at + i] < 0 ? half - 1 - k : half + k
      out[r * (bytes + 4) + ((i * bits) >> 3)] |= code << ((i * bits) & 7)
    }
    view.setFloat32(r * (bytes + 4) + bytes, square / product, true)
  }
  return out
}

export async function run(report) {
  for (const [d, rows, asks] of [
    [384, 16384, 1e6],
    [1536, 4096, 250e3]
  ]) {
    const table = { data: normal(rows * d, d), shape: [rows, d] }
    const codecs = Object.fromEntries([1, 2, 3, 4, 8].map((bits) => [bits, fitCodec(table, { bits, centroids: 1 })]))
    const clusters = fitCodec(table, { bits: 2, centroids: 64 })
    const first = codecs[2].encode(table).data
    const again = openCodec(codecs[2].toBytes()).encode(table).data
    check(
      first.every((byte, i) => byte === again[i]),
      'a codec that was saved'
    )
    const cases = {}
    for (const bits of [1, 2, 4])
      cases[`plain loop, rotated before, ${bits} bits`] = () => plainEncode(table.data, rows, d, bits)
    for (const bits of [1, 2, 3, 4, 8]) cases[`turbo, ${bits} bits`] = () => codecs[bits].encode(table)
    cases['turbo, 2 bits, 64 centroids'] = () => clusters.encode(table)
    const codes = codecs[2].encode(table)
    cases['decode, 2 bits'] = () => codecs[2].decode(codes)
    const ms = await interleave(cases, { rounds: 7, settle: 30 })
    report(
      `encode: ${rows} x ${d}, for the cosine`,
      ['', 'time', 'vectors a second', 'against the plain loop'],
      Object.entries(ms).map(([name, time]) => {
        const rate = (1000 * rows) / time
        const bits = /(\d) bits/.exec(name)[1]
        const plain = ms[`plain loop, rotated before, ${bits} bits`]
        const isAsked = /^turbo, [1-4] bits$/.test(name)
        const text = `${Math.round(rate / 1000)} k`
        return [
          name,
          milliseconds(time),
          isAsked ? asked(text, rate >= asks, `${asks / 1000} k`) : text,
          plain && name.startsWith('turbo') ? times(plain, time) : ''
        ]
      })
    )
  }

  const table = { data: normal(8192 * 384, 9), shape: [8192, 384] }
  const fits = await interleave(
    {
      'fitCodec, one centroid': () => fitCodec(table, { centroids: 1 }),
      'createCodecFit, 8 parts': () => {
        const fit = createCodecFit(384, { centroids: 1 })
        for (let i = 0; i < 8; i++) {
          fit.add({ data: table.data.subarray(i * 1024 * 384, (i + 1) * 1024 * 384), shape: [1024, 384] })
        }
        return fit.fit()
      },
      'fitCodec, 64 centroids': () => fitCodec(table, { centroids: 64 })
    },
    { rounds: 3, warmup: 1 }
  )
  report(
    'fit: 8192 x 384',
    ['', 'time'],
    Object.entries(fits).map(([name, time]) => [name, milliseconds(time)])
  )
}
