// k-means, and product quantisation: fitting, encoding, the scan of bytes by tables.
import { fitCodec } from '../../build/embeddings.js'
import { asked, check, interleave, milliseconds, normal, tiled } from '../harness.mjs'
import { kernelsOver } from '../kernels.mjs'

const [ROWS, DIMENSION] = [19500, 384]

/** Of rows x centroids x dimension: one round of assigning, in GFlop/s. */
async function assigning(report, peak) {
  const rows = []
  for (const [d, k] of [
    [384, 256],
    [384, 1024],
    [8, 256],
    [4, 16]
  ]) {
    const count = 4096
    const { memory, kernels, alloc } = kernelsOver(400)
    const [x, c] = [alloc(4 * count * d), alloc(4 * k * d)]
    new Float32Array(memory.buffer, x, count * d).set(tiled(count * d, 1))
    new Float32Array(memory.buffer, c, k * d).set(normal(k * d, 2))
    const [panels, halves, shift] = [alloc(4 * k * d), alloc(4 * k), alloc(4 * d)]
    kernels.packCentroidsF32(panels, halves, shift, c, k, d, alloc(124))
    const [numbers, work] = [alloc(2 * count), alloc(32 * (d + 2))]
    const run = () => kernels.nearestF32(numbers, 2, 1, x, count, d, d, panels, halves, shift, k, work)
    check(run() > 0, 'nothing was assigned')
    const ms = await interleave({ run }, { rounds: 15, warmup: 4 })
    const rate = (2 * count * k * d) / ms.run / 1e6
    rows.push([
      `${d} dimensions, ${k} centroids`,
      `${rate.toFixed(1)} GFlop/s`,
      `${((100 * rate) / peak.f32).toFixed(0)}%`
    ])
  }
  report('the nearest centroid', ['', 'rate', 'of the peak'], rows)
}

async function lookups(report) {
  const rows = []
  for (const bytes of [48, 96, 192]) {
    const count = Math.floor(2 ** 18 / bytes / 32)
    const { memory, kernels, alloc } = kernelsOver(64)
    const [blocks, tables] = [alloc(32 * bytes * count), alloc(2048 * bytes)]
    const [scores, sums] = [alloc(128 * count), alloc(8192)]
    let state = 1
    const codes = new Uint8Array(memory.buffer, blocks, 32 * bytes * count)
    for (let i = 0; i < codes.length; i++) codes[i] = (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 24
    new Float32Array(memory.buffer, tables, 512 * bytes).fill(0.5)
    const ms = await interleave(
      {
        plain: () => kernels.scanLookup(scores, blocks, 32 * bytes, count, tables, bytes),
        unit: () => kernels.scanLookupUnit(scores, blocks, 32 * bytes, count, tables, bytes, sums)
      },
      { rounds: 25, warmup: 5 }
    )
    const speed = (time) => `${((32 * count) / time / 1e3).toFixed(1)} million/s`
    rows.push([`${bytes} bytes`, speed(ms.plain), speed(ms.unit)])
  }
  report('rows by tables of 256 numbers', ['', 'sums', 'over the length'], rows)
}

export async function run(report, peak) {
  await assigning(report, peak)
  await lookups(report)
  const rows = { data: tiled(ROWS * DIMENSION, 3), shape: [ROWS, DIMENSION] }
  const table = []
  for (const [name, options, limit] of [
    ['pq, 48 bytes', { method: 'pq', bits: 8, subspaces: 48 }, 5000],
    ['pq, 96 x 4 bits', { method: 'pq', bits: 4, subspaces: 96 }],
    ['opq, 48 bytes, 10 rounds', { method: 'opq', bits: 8, subspaces: 48 }],
    ['residual, 8 stages', { method: 'residual', stages: 8 }]
  ]) {
    const start = performance.now()
    const codec = fitCodec(rows, { ...options, seed: 1 })
    const fit = performance.now() - start
    const ms = await interleave({ encode: () => codec.encode(rows) }, { rounds: 3, warmup: 1 })
    const rate = `${(ROWS / ms.encode).toFixed(0)} thousand/s`
    table.push([name, limit ? asked(milliseconds(fit), fit <= limit, `${limit} ms`) : milliseconds(fit), rate])
  }
  report(`${ROWS} x ${DIMENSION}`, ['', 'fit', 'encode'], table)
}
