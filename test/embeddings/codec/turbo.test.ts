import { describe, expect, it } from 'vitest'
import { partsOf } from '../../../src/embeddings/codec/codec.js'
import { createEngine, frame } from '../../../src/embeddings/codingEngine.js'
import { blockBytes, clearBlocks, placeRows } from '../../../src/embeddings/scan/blocks.js'
import { scanBlocks } from '../../../src/embeddings/scan/scan.js'
import { fitCodec, type Codec } from '../../../src/embeddings/index.js'
import { centroidsOf } from '../../../src/embeddings/codec/methods/centroids.js'
import {
  codeOracle,
  coordinatesOracle,
  factorsOracle,
  readRow,
  scoreOracle,
  type TurboSettings
} from '../../oracle/embeddings/codec/turbo.js'
import { rotateOracle } from '../../oracle/embeddings/codec/rotation.js'
import { normals } from '../../support/random.js'
import type { Table } from '../../support/tables.js'

type Rows = Table<Float32Array<ArrayBuffer>>

const tableOf = (rows: number, dim: number, seed: number, offset = 0): Rows => ({
  data: normals(rows * dim, seed).map((x, i) => x + offset * Math.sin(i % dim)),
  shape: [rows, dim]
})

/** A codec's tables, as the oracle takes them. */
function settingsOf(codec: Codec): { settings: TurboSettings; centroid: (number: number) => Float32Array } {
  const { quantizer } = partsOf('test', codec)
  const { mean, offsets, scales, calibration } = quantizer.tables
  const d = quantizer.dimensions
  const all = centroidsOf(d, { count: codec.centroids, tables: { mean, offsets, scales } as never })
  return {
    settings: {
      bits: codec.bits,
      seed: codec.seed,
      l2: codec.metric === 'l2',
      mean: mean!.data,
      ...(calibration
        ? { calibration: { factors: calibration.data.subarray(0, d), shifts: calibration.data.subarray(d) } }
        : {})
    },
    centroid: (number) => all.subarray(number * d, (number + 1) * d)
  }
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}

const unit = (row: Float32Array): Float32Array => {
  const length = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0))
  return length ? row.map((x) => x / length) : row
}

function checkRows(codec: Codec, { data, shape }: Rows): void {
  const [count, d] = shape
  const { data: bytes } = codec.encode({ data, shape })
  const { settings, centroid } = settingsOf(codec)
  for (let i = 0; i < count; i++) {
    const given = data.subarray(i * d, (i + 1) * d)
    const row = codec.metric === 'cosine' ? unit(given) : given
    const got = readRow(
      bytes.subarray(i * codec.bytesPerVector, (i + 1) * codec.bytesPerVector),
      d,
      codec.bits,
      codec.centroids
    )
    const c = centroid(got.centroid)
    const { coordinates, square } = coordinatesOracle(row, c, settings)
    coordinates.forEach((x, j) => {
      const { code, margin } = codeOracle(codec.bits, x)
      if (square > 1e-8 && margin > 3e-4) expect(got.codes[j], `row ${i}, code ${j} of ${x}`).toBe(code)
    })
    const { scale, bias } = factorsOracle(row, c, got.codes, settings)
    const size = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0))
    expect(Math.abs(got.scale - scale), `scale of row ${i}`).toBeLessThanOrEqual(3e-6 * scale + 1e-7 * size)
    const far = Math.sqrt(c.reduce((sum, x) => sum + x * x, 0))
    expect(Math.abs(got.bias - bias), `bias of row ${i}`).toBeLessThanOrEqual(2e-6 * (size + far) ** 2)
  }
}

const DIMENSIONS = [1, 2, 3, 7, 8, 15, 63, 64, 65, 100, 300, 384, 1000, 1536]

describe.each([1, 2, 3, 4, 8])('turbo of %i bits', (bits) => {
  it.each(DIMENSIONS)('writes what its definition says, %i dimensions', (d) => {
    const rows = tableOf(6, d, d, 0.5)
    for (const metric of ['cosine', 'dot', 'l2'] as const) checkRows(fitCodec(rows, { bits, metric, seed: d }), rows)
  })

  it.each([3, 65])('also with centroids and calibrated, %i dimensions', (d) => {
    const rows = tableOf(320, d, d, 0.5)
    for (const options of [{ centroids: 5 }, { calibrate: true }, { centroids: 300, calibrate: true }]) {
      for (const metric of ['cosine', 'l2'] as const) {
        checkRows(fitCodec(rows, { bits, metric, ...options }), { data: rows.data.slice(0, 20 * d), shape: [20, d] })
      }
    }
  })
})

describe('codes of normal numbers, 768 dimensions', () => {
  const d = 768
  const count = 600
  const rows = tableOf(count, d, 7)

  it.each([
    [1, 0.36338, 0.57],
    [2, 0.11748, 0.134],
    [3, 0.03455, 0.0358],
    [4, 0.0095, 0.0095],
    [8, 8.7686e-5, 8.77e-5]
  ])('of %i bits have the distortion and the variance of products that theory gives', (bits, distortion, variance) => {
    // Products err by those of the query less the centroid with what is lost: the mean of rows of unit length is nearly 0.
    const codec = fitCodec(rows, { bits, centroids: 1 })
    const { data: codes } = codec.encode(rows)
    const { data: decoded } = codec.decode({ data: codes, shape: [count, codec.bytesPerVector] })
    let lost = 0
    let all = 0
    for (let i = 0; i < count; i++) {
      const row = unit(rows.data.subarray(i * d, (i + 1) * d))
      row.forEach((x, j) => (lost += (x - decoded[i * d + j]) ** 2))
      all += 1
    }
    expect(Math.abs(lost / all / distortion - 1)).toBeLessThan(bits === 8 ? 0.02 : 0.01)

    const { settings, centroid } = settingsOf(codec)
    const queries = tableOf(24, d, 8)
    let squares = 0
    let sum = 0
    for (let q = 0; q < 24; q++) {
      const query = unit(queries.data.subarray(q * d, (q + 1) * d))
      const turned = rotateOracle(query, codec.seed)
      for (let i = 0; i < count; i++) {
        const row = unit(rows.data.subarray(i * d, (i + 1) * d))
        const parts = readRow(codes.subarray(i * codec.bytesPerVector, (i + 1) * codec.bytesPerVector), d, bits, 1)
        const error = scoreOracle(turned, query, centroid(0), parts, settings) - dot(query, row)
        squares += error * error
        sum += error
      }
    }
    const n = 24 * count
    expect(Math.abs(((squares / n) * d) / variance - 1)).toBeLessThan(0.05)
    expect(Math.abs(sum / n)).toBeLessThan(4 * Math.sqrt(squares / n / n))
  })
})

describe('a query of turbo', () => {
  it.each([1, 2, 3, 4, 8])('scores codes of %i bits as the definition says', (bits) => {
    for (const d of [7, 100, 384]) {
      for (const metric of ['cosine', 'dot', 'l2'] as const) {
        for (const options of [{}, { centroids: 5 }, { centroids: 300 }, { calibrate: true }]) {
          const rows = tableOf(310, d, d, 0.5)
          const codec = fitCodec(rows, { bits, metric, centroids: 1, ...options })
          const { settings, centroid } = settingsOf(codec)
          const { front, quantizer } = partsOf('test', codec)
          const { data: codes } = codec.encode(rows)
          const query = tableOf(1, d, 1000 + d)
          const engine = createEngine()
          const scores = frame(engine, (memory) => {
            const loaded = quantizer.load(engine)
            const { layout } = quantizer
            const blocks = memory.alloc(10 * blockBytes(layout))
            const at = memory.alloc(codes.length)
            const row = memory.alloc(4 * d)
            const to = memory.alloc(1280)
            memory.u8(at, codes.length).set(codes)
            clearBlocks(engine, layout, blocks, 10)
            placeRows(engine, layout, blocks, 0, at, 310)
            front.load(engine).apply(row, { name: 'query', data: query.data, shape: [1, d], size: d }, 0, 1)
            scanBlocks(engine, layout, loaded.query(row), to, blocks, 10)
            return memory.f32(to, 310).slice()
          })
          const given = metric === 'cosine' ? unit(query.data) : query.data
          const origin = metric === 'l2' ? settings.mean : new Float32Array(d)
          const turned = rotateOracle(
            Float64Array.from(given, (x, j) => x - origin[j]),
            codec.seed
          )
          const factor = metric === 'l2' ? 2 : 1
          for (let i = 0; i < 310; i++) {
            const bytes = codes.subarray(i * codec.bytesPerVector, (i + 1) * codec.bytesPerVector)
            const parts = readRow(bytes, d, bits, codec.centroids)
            const expected = scoreOracle(turned, given, centroid(parts.centroid), parts, settings)
            // Tables of bytes: some steps of 1/255 of the greatest share that a code has in the score, for each four of them.
            const most = turned.reduce((top, x) => Math.max(top, Math.abs(x)), 0)
            const step = bits === 8 ? (4 * most) / 255 : ((bits < 3 ? 4 : 1) * 5.6 * most) / 255
            const slack = factor * parts.scale * step * Math.sqrt(d) * 4 + 1e-5 * (1 + Math.abs(expected))
            expect(Math.abs(scores[i] - expected), `${metric}, ${d}, row ${i}`).toBeLessThan(slack)
          }
        }
      }
    }
  })
})
