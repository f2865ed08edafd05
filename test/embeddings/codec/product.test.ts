import { ENCODERS } from '../../../src/embeddings/codec/coding.js'
import { describe, expect, it } from 'vitest'
import { createEngine, frame } from '../../../src/embeddings/codingEngine.js'
import { rangeError } from '../../../src/core/errors.js'
import { blockBytes, blocksOf, clearBlocks, placeRows } from '../../../src/embeddings/scan/blocks.js'
import { opq } from '../../../src/embeddings/codec/fit/opq.js'
import { openOpq } from '../../../src/embeddings/codec/methods/opq.js'
import { pq } from '../../../src/embeddings/codec/fit/pq.js'
import { openPq } from '../../../src/embeddings/codec/methods/pq.js'
import { residual } from '../../../src/embeddings/codec/fit/residual.js'
import { openResidual } from '../../../src/embeddings/codec/methods/residual.js'
import type { Fitter } from '../../../src/embeddings/codec/fit/fitter.js'
import type { Metric, Quantizer } from '../../../src/embeddings/codec/quantizer.js'
import { scanBlocks } from '../../../src/embeddings/scan/scan.js'
import {
  distance,
  dot,
  greedyCodes,
  leastProductError,
  numberAt,
  productRow,
  residualRow
} from '../../oracle/embeddings/codec/product.js'
import { expectSameBits } from '../../support/bits.js'
import {
  coderOf,
  expectSteady,
  firstRows,
  fitted,
  front,
  METRICS,
  rowOf,
  rowsFrom,
  uglyRows
} from '../../support/quantizers.js'
import type { Rows } from '../../support/quantizers.js'
import { normals, seeded } from '../../support/random.js'

/** Scores of rows of codes by the scan of their blocks. */
function scan(quantizer: Quantizer, codes: Uint8Array, count: number, query: Float32Array): Float32Array {
  const engine = createEngine()
  const { layout } = quantizer
  const { memory } = engine
  const loaded = quantizer.load(engine, ENCODERS)
  return frame(engine, () => {
    const rows = memory.alloc(codes.length)
    memory.u8(rows, codes.length).set(codes)
    const many = blocksOf(count)
    const blocks = memory.alloc(many * blockBytes(layout))
    clearBlocks(engine, layout, blocks, many)
    placeRows(engine, layout, blocks, 0, rows, count)
    const q = memory.alloc(query.byteLength)
    memory.f32(q, query.length).set(query)
    const scores = memory.alloc(128 * many)
    scanBlocks(engine, layout, loaded.query(q), scores, blocks, many)
    return memory.f32(scores, count).slice()
  })
}

/** What a row scores that was decoded to x. */
function scoreOf(metric: Metric, q: ArrayLike<number>, x: ArrayLike<number>): number {
  if (metric === 'l2') return -distance(q, x)
  if (metric === 'dot') return dot(q, x)
  const square = dot(x, x)
  return square > 0 ? dot(q, x) / Math.sqrt(square) : 0
}

function expectScores(quantizer: Quantizer, rows: Rows, tolerance: number): void {
  const { metric } = quantizer
  const coder = coderOf(quantizer)
  const codes = coder.encode(rows.data.slice())
  const decoded = rowsFrom(coder.decode(codes), rows.dimensions)
  for (const query of [front(rowsFrom(normals(rows.dimensions, 77), rows.dimensions), metric).data, rowOf(rows, 0)]) {
    scan(quantizer, codes, rows.count, query).forEach((score, r) => {
      const x = rowOf(decoded, r)
      const scale = (Math.sqrt(dot(x, x)) + Math.sqrt(dot(query, query))) ** 2
      expect(Math.abs(score - scoreOf(metric, query, x)), `row ${r}`).toBeLessThan(tolerance * scale + 1e-12)
    })
  }
}

/** Rows with directions that matter more, turned so that no coordinate stands out. */
function slanted(count: number, d: number, seed: number): Rows {
  const random = normals(count * d, seed)
  const data = new Float32Array(count * d)
  for (let r = 0; r < count; r++) {
    const latent = Array.from({ length: d }, (_, j) => random[r * d + j] / (1 + j * j))
    for (let j = 0; j < d; j++) {
      data[r * d + j] = latent.reduce((sum, x, i) => sum + x * Math.cos((Math.PI * (j + 0.5) * i) / d), 0)
    }
  }
  return { data, count, dimensions: d }
}

const meanError = (quantizer: Quantizer, { data, count }: Rows): number => {
  const coder = coderOf(quantizer)
  return distance(data, coder.decode(coder.encode(data.slice()))) / count
}

describe.each([
  { d: 1, subspaces: 1 },
  { d: 7, subspaces: 3 },
  { d: 64, subspaces: 8 },
  { d: 65, subspaces: 9 },
  { d: 100, subspaces: 100 }
])('pq of $d dimensions in $subspaces', ({ d, subspaces }) => {
  it.each([4, 8])('%i bits: nearest numbers, and the rows and scores that they stand for', (bits) => {
    for (const metric of METRICS) {
      const rows = front(uglyRows(280, d, d + bits), metric)
      const quantizer = fitted(pq, rows, metric, { bits, subspaces })
      const books = quantizer.tables.codebooks!.data
      expect(books.length).toBe(2 ** bits * d)
      const coder = coderOf(quantizer)
      expect(coder.bytes).toBe(Math.ceil((bits * subspaces) / 8))
      const part = firstRows(rows, 37)
      const codes = coder.encode(part.data.slice())
      const decoded = rowsFrom(coder.decode(codes), d)
      for (let r = 0; r < 37; r++) {
        const expected = productRow(codes.subarray(r * coder.bytes), books, d, subspaces, bits)
        expectSameBits(rowOf(decoded, r).slice(), Float32Array.from(expected))
        const x = rowOf(part, r)
        const least = leastProductError(x, books, subspaces, bits)
        expect(distance(x, expected)).toBeLessThan(least * (1 + 1e-3) + 1e-6 * dot(x, x) + 1e-9)
      }
      expectSteady(pq, quantizer, part)
      // Of 4 bits the tables are rounded, and lengths are those that the numbers stand for.
      if (bits === 8) expectScores(quantizer, part, 3e-6)
    }
  })
})

describe('pq', () => {
  it('4 bits: scores by tables of bytes', () => {
    const [d, subspaces] = [96, 24]
    const rows = front(uglyRows(100, d, 3), 'dot')
    const quantizer = fitted(pq, rows, 'dot', { bits: 4, subspaces })
    expect(quantizer.layout).toMatchObject({ scan: 'tables', bits: 4, count: 24, codeBytes: 12, factors: 0 })
    const coder = coderOf(quantizer)
    const codes = coder.encode(rows.data.slice())
    const decoded = rowsFrom(coder.decode(codes), d)
    const query = normals(d, 5)
    const exact = Array.from({ length: 100 }, (_, r) => dot(query, rowOf(decoded, r)))
    const spread = Math.max(...exact) - Math.min(...exact)
    scan(quantizer, codes, 100, query).forEach((score, r) => {
      expect(Math.abs(score - exact[r])).toBeLessThan(0.02 * spread)
    })
  })

  it('finds few values again, and zero and constant rows', () => {
    const d = 6
    const random = seeded(8)
    const rows = rowsFrom(
      Float32Array.from({ length: 300 * d }, (_, i) => (i % d ? Math.floor(5 * random()) : 3)),
      d
    )
    rows.data.fill(0, 0, d)
    const coder = coderOf(fitted(pq, rows, 'dot', { bits: 8, subspaces: 3 }))
    expectSameBits(coder.decode(coder.encode(rows.data.slice())), rows.data)
    const zeros = rowsFrom(new Float32Array(20 * d), d)
    const none = coderOf(fitted(pq, zeros, 'cosine', { bits: 4, subspaces: 2 }))
    expectSameBits(none.decode(none.encode(zeros.data.slice())), zeros.data)
  })

  it('chooses 48 bytes for 384 dimensions', () => {
    const rows = front(uglyRows(260, 384, 1), 'cosine')
    for (const bits of [8, 4]) {
      const { layout } = fitted(pq, rows, 'cosine', { bits })
      expect(layout.codeBytes).toBe(48)
      expect(numberAt(new Uint8Array([0x5a, 7]), bits, 1)).toBe(bits === 8 ? 7 : 5)
    }
    const shape = { count: 260, dimensions: 384, metric: 'cosine' as const, total: 260 }
    const choices = pq.choices!(shape, { bits: 4 })
    expect(choices.length).toBe(384)
    expect(choices.find(({ bytes }) => bytes <= 48)).toEqual({ options: { bits: 4, subspaces: 96 }, bytes: 48 })
  })

  it('is the same for a seed, another for another', () => {
    const rows = front(uglyRows(300, 24, 2), 'dot')
    const books = (seed: number): Float32Array =>
      fitted(pq, rows, 'dot', { bits: 4, subspaces: 6 }, seed).tables.codebooks!.data as Float32Array
    expectSameBits(books(5), books(5))
    expect(books(5)).not.toEqual(books(6))
  })
})

describe('opq', () => {
  it.each([
    [1, 1],
    [13, 4],
    [40, 10]
  ])('%i dimensions in %i: a rotation, and scores of the rows that are decoded', (d, subspaces) => {
    for (const metric of METRICS) {
      const rows = front(uglyRows(300, d, d), metric)
      const quantizer = fitted(opq, rows, metric, { bits: 8, subspaces, rounds: 3 })
      const rotation = rowsFrom(quantizer.tables.rotation!.data as Float32Array, d)
      for (let i = 0; i < d; i++) {
        for (let j = 0; j <= i; j++) {
          expect(dot(rowOf(rotation, i), rowOf(rotation, j))).toBeCloseTo(i === j ? 1 : 0, 5)
        }
      }
      const part = firstRows(rows, 37)
      expectSteady(opq, quantizer, part)
      expectScores(quantizer, part, 1e-5)
    }
  })

  it('loses less than pq where directions differ, the less the more it turns', () => {
    const rows = slanted(800, 24, 4)
    const error = (kind: Fitter<{ bits?: number; rounds?: number }>, rounds?: number): number =>
      meanError(fitted(kind, rows, 'dot', rounds === undefined ? { bits: 4 } : { bits: 4, rounds }), rows)
    const [plain, fixed, turned] = [error(pq), error(opq, 0), error(opq, 10)]
    expect(turned).toBeLessThan(0.9 * fixed)
    expect(turned).toBeLessThan(plain)
  })
})

describe('residual', () => {
  it.each([1, 7, 65])('%i dimensions: greedy codes, rows and scores', (d) => {
    for (const metric of METRICS) {
      const rows = front(uglyRows(300, d, d + 3), metric)
      const quantizer = fitted(residual, rows, metric, { stages: 3, subspaces: 0 })
      const words = quantizer.tables.codewords!.data
      const origin = quantizer.tables.mean?.data
      const coder = coderOf(quantizer)
      expect(coder.bytes).toBe(metric === 'dot' ? 3 : 5)
      const part = firstRows(rows, 37)
      const codes = coder.encode(part.data.slice())
      const decoded = rowsFrom(coder.decode(codes), d)
      for (let r = 0; r < 37; r++) {
        const row = codes.subarray(r * coder.bytes, (r + 1) * coder.bytes)
        const given = rowOf(part, r).map((x, j) => x - (origin ? origin[j]! : 0))
        const { codes: expected, margin } = greedyCodes(given, words, 3)
        if (margin > 1e-4) expect([...row.subarray(0, 3)]).toEqual(expected)
        residualRow(row, words, d, 3).forEach((sum, j) => {
          const x = sum + (origin ? origin[j]! : 0)
          expect(Math.abs(rowOf(decoded, r)[j] - x)).toBeLessThan(
            1e-6 * (Math.abs(x) + Math.sqrt(dot(rowOf(part, r), rowOf(part, r)))) + 1e-9
          )
        })
      }
      expectSteady(residual, quantizer, part)
      if (metric === 'dot') expectScores(quantizer, part, 3e-6)
    }
  })

  it('scores by the squared length that the last two bytes stand for', () => {
    const d = 32
    for (const metric of ['cosine', 'l2'] as const) {
      const rows = front(rowsFrom(normals(400 * d, 6), d), metric)
      const quantizer = fitted(residual, rows, metric, { stages: 4, subspaces: 0 })
      const squares = quantizer.tables.squares!.data
      const coder = coderOf(quantizer)
      const codes = coder.encode(rows.data.slice())
      const decoded = rowsFrom(coder.decode(codes), d)
      const given = front(rowsFrom(normals(d, 7), d), metric).data
      const origin = quantizer.tables.mean?.data
      const query = given.map((value, j) => value - (origin ? origin[j]! : 0))
      scan(quantizer, codes, 400, given).forEach((score, r) => {
        const x = rowOf(decoded, r).map((value, j) => value - (origin ? origin[j]! : 0))
        const square = squares[codes[6 * r + 4]] + squares[256 + codes[6 * r + 5]]
        expect(Math.abs(square - dot(x, x))).toBeLessThan(2e-5 * squares[255])
        const product = dot(query, x)
        const expected = metric === 'l2' ? 2 * product - square - dot(query, query) : product / Math.sqrt(square)
        expect(Math.abs(score - expected)).toBeLessThan(1e-5 * (1 + Math.abs(expected)))
      })
    }
  })

  it.each([
    [1, 1],
    [13, 5],
    [64, 8]
  ])('%i dimensions, and %i parts of what is left', (d, subspaces) => {
    for (const metric of METRICS) {
      const rows = front(uglyRows(300, d, d + 4), metric)
      const quantizer = fitted(residual, rows, metric, { stages: 2, subspaces })
      const { codewords, codebooks } = quantizer.tables
      const origin = quantizer.tables.mean?.data ?? new Float32Array(d)
      const coder = coderOf(quantizer)
      expect(coder.bytes).toBe(2 + subspaces + (metric === 'dot' ? 0 : 2))
      const part = firstRows(rows, 37)
      const codes = coder.encode(part.data.slice())
      const decoded = rowsFrom(coder.decode(codes), d)
      for (let r = 0; r < 37; r++) {
        const row = codes.subarray(r * coder.bytes)
        const sum = residualRow(row, codewords!.data, d, 2)
        const parts = productRow(row.subarray(2), codebooks!.data, d, subspaces, 8)
        const x = rowOf(part, r).map((v, j) => v - origin[j])
        const left = x.map((v, j) => v - sum[j])
        const least = leastProductError(left, codebooks!.data, subspaces, 8)
        const size = dot(x, x) + dot(sum, sum)
        expect(distance(left, parts)).toBeLessThan(least * (1 + 1e-3) + 1e-6 * size + 1e-9)
        parts.forEach((y, j) => {
          expect(Math.abs(rowOf(decoded, r)[j] - origin[j] - sum[j] - y)).toBeLessThan(
            1e-6 * (Math.sqrt(size) + Math.abs(origin[j])) + 1e-9
          )
        })
      }
      expectSteady(residual, quantizer, part)
      if (metric === 'dot') expectScores(quantizer, part, 3e-6)
    }
  })

  it('chooses stages, then parts, for the bytes that are asked', () => {
    const shape = { count: 300, dimensions: 384, metric: 'cosine' as const, total: 300 }
    const best = (options: object, bytes: number): object =>
      residual.choices!(shape, options).find((choice) => choice.bytes <= bytes)!
    expect(best({}, 48)).toEqual({ options: { bits: 8, stages: 8, subspaces: 38 }, bytes: 48 })
    expect(best({}, 5)).toEqual({ options: { bits: 8, stages: 3, subspaces: 0 }, bytes: 5 })
    expect(best({ stages: 2 }, 48)).toEqual({ options: { bits: 8, stages: 2, subspaces: 44 }, bytes: 48 })
    expect(best({ subspaces: 0 }, 17)).toEqual({ options: { bits: 8, stages: 15, subspaces: 0 }, bytes: 17 })
  })

  it('a beam loses less, more stages too', () => {
    const rows = rowsFrom(normals(4000 * 16, 9), 16)
    const error = (stages: number, beam: number): number =>
      meanError(fitted(residual, rows, 'dot', { stages, subspaces: 0, beam }), rows)
    const greedy = error(3, 1)
    expect(error(3, 8)).toBeLessThan(0.99 * greedy)
    expect(error(4, 1)).toBeLessThan(greedy)
  })
})

describe('what is asked', () => {
  const rows = uglyRows(100, 8, 1)

  it('has fewer rows than centroids', () => {
    const message = 'fitCodec: "sample" expected at least 256 rows for as many centroids, got 100; give more rows'
    expect(() => fitted(pq, rows, 'dot', {})).toThrow(rangeError(`${message}, or 4 bits`))
    expect(() => fitted(opq, rows, 'dot', { bits: 8 })).toThrow(rangeError(`${message}, or 4 bits`))
    expect(() => fitted(residual, rows, 'dot', {})).toThrow(rangeError(message))
    expect(() => fitted(pq, uglyRows(9, 8, 1), 'dot', { bits: 4 })).toThrow(
      'expected at least 16 rows for as many centroids, got 9; give more rows'
    )
  })

  it('is no number of sub-spaces, rounds, stages or candidates', () => {
    expect(() => fitted(pq, rows, 'dot', { bits: 4, subspaces: 9 })).toThrow(
      'fitCodec: "subspaces" expected a whole number from 1 to 8, got 9'
    )
    expect(() => fitted(opq, rows, 'dot', { bits: 4, rounds: -1 })).toThrow('fitCodec: "rounds" expected')
    expect(() => fitted(residual, rows, 'dot', { stages: 0 })).toThrow('fitCodec: "stages" expected')
    expect(() => fitted(residual, rows, 'dot', { beam: 65 })).toThrow('fitCodec: "beam" expected')
  })

  it('is a file that does not fit', () => {
    const codebooks = { data: new Float32Array(16 * 8), shape: [128] }
    expect(() => openPq(8, 'dot', { bits: 5, subspaces: 2 }, { codebooks })).toThrow(
      'pq: "bits" expected 4 or 8, got 5'
    )
    expect(() => openPq(8, 'dot', { bits: 4, subspaces: 9 }, { codebooks })).toThrow('pq: "subspaces" expected 1 to 8')
    expect(() => openPq(9, 'dot', { bits: 4, subspaces: 2 }, { codebooks })).toThrow('pq: "codebooks" expected 144')
    expect(() => openOpq(8, 'dot', { bits: 4, subspaces: 2 }, { codebooks })).toThrow('opq: "rotation" expected 8x8')
    expect(() => openResidual(8, 'dot', { stages: 1, subspaces: 0, beam: 1 }, { codewords: codebooks })).toThrow(
      'residual: "codewords" expected 1x256x8'
    )
  })
})
