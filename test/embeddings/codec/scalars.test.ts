import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { binary } from '../../../src/embeddings/codec/fit/binary.js'
import { openBinary } from '../../../src/embeddings/codec/methods/binary.js'
import { int8, type Int8Options } from '../../../src/embeddings/codec/fit/int8.js'
import { openInt8 } from '../../../src/embeddings/codec/methods/int8.js'
import { dot, packedSigns } from '../../oracle/embeddings/codec/scalars.js'
import { expectSameBits } from '../../support/bits.js'
import {
  coderOf,
  DIMENSIONS,
  expectSteady,
  factorOf,
  fitted,
  front,
  METRICS,
  rowOf,
  rowsFrom,
  scannerOf,
  uglyRows
} from '../../support/quantizers.js'
import { normals } from '../../support/random.js'

interface IntCase {
  name: string
  shape: [number, number]
  x: number[]
  low: number[]
  high: number[]
  int8: number[]
  uint8: number[]
  cut?: number[]
}

interface BitCase {
  name: string
  shape: [number, number]
  x: number[]
  binary: number[]
  ubinary: number[]
}

/** Golden values of NumPy (test/vectors/make_embeddings.py). */
const golden = JSON.parse(readFileSync(new URL('../../vectors/embeddings.json', import.meta.url), 'utf8')) as {
  ints: IntCase[]
  bits: BitCase[]
}

describe('int8 with the bytes of sentence-transformers', () => {
  it.each(golden.ints)('$name', ({ shape, x, low, high, int8: expected, uint8, cut }) => {
    const rows = rowsFrom(Float32Array.from(x), shape[1])
    const ranges = { data: Float32Array.from([...low, ...high]), shape: [2, shape[1]] }
    const bytes = (compat: Int8Options['compat']): Int8Array => {
      const codes = coderOf(fitted(int8, rows, 'dot', { compat, ranges })).encode(rows.data.slice())
      return new Int8Array(codes.buffer)
    }
    expectSameBits(bytes('sentence-transformers'), Int8Array.from(expected))
    expectSameBits(new Uint8Array(bytes('sentence-transformers-uint8').buffer), Uint8Array.from(uint8))
    if (cut) expectSameBits(bytes('sentence-transformers-5.1'), Int8Array.from(cut))
  })

  it('ranges of the sample are those of its dimensions', () => {
    const { x, shape, int8: expected } = golden.ints.find(({ name }) => name === 'of its own ranges')!
    const rows = rowsFrom(Float32Array.from(x), shape[1])
    const codes = coderOf(fitted(int8, rows, 'dot', { compat: 'sentence-transformers' })).encode(rows.data.slice())
    expectSameBits(new Int8Array(codes.buffer), Int8Array.from(expected))
  })
})

describe('int8, a range for each dimension', () => {
  it.each(METRICS)('codes are the nearest steps, at most half a step away; scores are undone: %s', (metric) => {
    for (const d of DIMENSIONS) {
      const count = d > 1000 ? 6 : 40
      const rows = front(uglyRows(count, d, d), metric)
      const quantizer = fitted(int8, rows, metric, { axis: 'dimension' })
      const coder = coderOf(quantizer)
      expect(coder.bytes).toBe(d + (metric === 'l2' ? 8 : 0))
      const codes = coder.encode(rows.data.slice())
      const decoded = coder.decode(codes)
      const [starts, steps] = [quantizer.tables.starts!.data, quantizer.tables.steps!.data]
      const mean = quantizer.tables.mean?.data
      const far = rows.data.findIndex(
        (x, i) => !(Math.abs(x - decoded[i]!) <= 0.5001 * steps[i % d]! + 2e-7 * Math.abs(x))
      )
      expect(far).toBe(-1)
      const query = front(rowsFrom(normals(d, d + 1), d), metric).data
      const scores = scannerOf(quantizer, codes)(query.slice())
      for (let i = 0; i < count; i++) {
        const x = rowOf(rows, i)
        const y = decoded.subarray(i * d, (i + 1) * d)
        const bias = metric === 'l2' ? dot(x, x) - 2 * dot(x, y) : 0
        if (metric === 'l2') {
          expect(factorOf(codes, quantizer, i, 0)).toBe(2)
          const [z, e] = [x, y].map((row) => Float64Array.from(row, (v, j) => v - mean![j]!))
          const [size, far] = [Math.sqrt(dot(z!, z!)), Math.sqrt(dot(starts, starts))]
          const slack = 1e-6 * size * (size + far)
          expect(Math.abs(factorOf(codes, quantizer, i, 1) - (dot(z!, z!) - 2 * dot(z!, e!)))).toBeLessThanOrEqual(
            slack
          )
        }
        const expected = metric === 'l2' ? 2 * dot(query, y) + bias - dot(query, query) : dot(query, y)
        const top = query.reduce((most, q, j) => Math.max(most, Math.abs((q - (mean ? mean[j]! : 0)) * steps[j]!)), 0)
        const size = Math.abs(dot(x, x)) + dot(query, query)
        expect(Math.abs(scores[i]! - expected)).toBeLessThanOrEqual(8 * top * Math.sqrt(d) + 1e-5 * size)
      }
    }
  })

  it('bytes without a sign decode and score as those with', () => {
    for (const d of [1, 5, 64, 385]) {
      for (const metric of METRICS) {
        const rows = front(uglyRows(40, d, d), metric)
        const query = front(rowsFrom(normals(d, d + 1), d), metric).data
        const [signed, unsigned] = (['sentence-transformers', 'sentence-transformers-uint8'] as const).map((compat) => {
          const quantizer = fitted(int8, rows, metric, { compat })
          const codes = coderOf(quantizer).encode(rows.data.slice())
          return { decoded: coderOf(quantizer).decode(codes), scores: scannerOf(quantizer, codes)(query.slice()) }
        })
        expectSameBits(unsigned!.decoded, signed!.decoded)
        expectSameBits(unsigned!.scores, signed!.scores)
      }
    }
  })

  it('the same bytes however rows are cut, and from its file', () => {
    for (const compat of [undefined, 'sentence-transformers', 'sentence-transformers-uint8'] as const) {
      for (const [at, d] of [1, 5, 384, 1001].entries()) {
        const metric = METRICS[at % 3]!
        const rows = front(uglyRows(70, d, d), metric)
        expectSteady(int8, fitted(int8, rows, metric, { axis: 'dimension', compat }), rows)
      }
    }
  })

  it('what all rows have in a dimension comes back as it is', () => {
    for (const compat of [undefined, 'sentence-transformers', 'sentence-transformers-5.1'] as const) {
      const rows = rowsFrom(Float32Array.of(5, 1, 0.25, 5, 2, 0.25, 5, 4, 0.25), 3)
      const quantizer = fitted(int8, rows, 'l2', { axis: 'dimension', compat })
      const decoded = coderOf(quantizer).decode(coderOf(quantizer).encode(rows.data.slice()))
      for (let i = 0; i < 3; i++) expect([decoded[3 * i], decoded[3 * i + 2]]).toEqual([5, 0.25])
    }
  })

  it('refuses what does not fit together', () => {
    const rows = uglyRows(9, 4, 1)
    const fit = (options: object): unknown => fitted(int8, rows, 'dot', options)
    expect(() => fit({ axis: 'row' })).toThrow('fitCodec: "axis" expected one of vector, dimension, got "row"')
    expect(() => fit({ axis: 'vector', compat: 'sentence-transformers' })).toThrow(
      'fitCodec: "axis" expected dimension with "compat", got "vector"; leave one of them out'
    )
    expect(() => fit({ compat: 'faiss' })).toThrow('fitCodec: "compat" expected one of sentence-transformers')
    expect(() => fit({ bits: 4 })).toThrow('fitCodec: "bits" expected one of 8 for int8, got 4')
    expect(() => fit({ ranges: [[0, 0, 0]] })).toThrow('fitCodec: "ranges" expected the shape 2x4, got 1x3')
    const upside = [
      [0, 0, 2, 0],
      [1, 1, 1, 1]
    ]
    expect(() => fit({ ranges: upside })).toThrow('got 2 and 1 at dimension 2')
    const wide = [new Array<number>(4).fill(-3e38), new Array<number>(4).fill(3e38)]
    expect(() => fit({ ranges: wide })).toThrow(
      'fitCodec: "ranges" expected the least and the greatest, below 2^48, got -3.0'
    )
    expect(() => openInt8(4, 'dot', { axis: 'dimension', rounding: 'up' }, {})).toThrow(
      'int8: "rounding" expected nearest, down, cut, got up'
    )
    expect(() => openInt8(4, 'dot', { axis: 'dimension', rounding: 'down' }, {})).toThrow(
      'int8: "starts" expected 4 finite float32 numbers'
    )
  })
})

describe('binary', () => {
  it.each(golden.bits)('the bytes of sentence-transformers: $name', ({ shape, x, binary: signed, ubinary }) => {
    const rows = rowsFrom(Float32Array.from(x), shape[1])
    const bytes = (compat: 'binary' | 'ubinary'): Uint8Array =>
      coderOf(fitted(binary, rows, 'dot', { compat })).encode(rows.data.slice())
    expectSameBits(bytes('ubinary'), Uint8Array.from(ubinary))
    expectSameBits(new Int8Array(bytes('binary').buffer), Int8Array.from(signed))
  })

  it.each(METRICS)('bits are signs, scores what of them agrees: %s', (metric) => {
    for (const d of DIMENSIONS) {
      const rows = front(rowsFrom(normals(40 * d, d), d), metric)
      for (const compat of ['ubinary', 'binary'] as const) {
        const quantizer = fitted(binary, rows, metric, { compat })
        const coder = coderOf(quantizer)
        expect(coder.bytes).toBe(Math.ceil(d / 8))
        const codes = coder.encode(rows.data.slice())
        const expected = Array.from({ length: 40 }, (_, i) => packedSigns(rowOf(rows, i))).flat()
        const flip = compat === 'binary' ? 128 : 0
        expectSameBits(
          codes,
          Uint8Array.from(expected, (byte) => byte ^ flip)
        )
        const decoded = coder.decode(codes)
        expect(decoded.every((x, i) => x > 0 === rows.data[i]! > 0)).toBe(true)
        const query = normals(d, d + 9)
        const scores = scannerOf(quantizer, codes)(query.slice())
        for (let i = 0; i < 40; i++) {
          const agree = rowOf(rows, i).reduce((sum, x, j) => sum + (x > 0 === query[j]! > 0 ? 1 : 0), 0)
          const score = metric === 'l2' ? (-4 * (d - agree)) / d : (2 * agree - d) / d
          expect(Math.abs(scores[i]! - score)).toBeLessThanOrEqual(1e-6)
        }
      }
    }
  })

  it('the same bytes however rows are cut, and from its file', () => {
    for (const [at, d] of [1, 5, 100, 384].entries()) {
      for (const rotate of [false, true]) {
        const metric = METRICS[at % 3]!
        const rows = front(uglyRows(140, d, d), metric)
        expectSteady(binary, fitted(binary, rows, metric, { rotate, compat: 'binary' }, 3), rows)
      }
    }
  })

  it('rotated, it is signs of residuals: rows decode nearer than by their own signs', () => {
    const data = normals(200 * 64, 1).map((x, i) => x + (i % 2 ? 3 : 0))
    const rows = { data, count: 200, dimensions: 64 }
    const errors = [false, true].map((rotate) => {
      const coder = coderOf(fitted(binary, rows, 'dot', { rotate }))
      const decoded = coder.decode(coder.encode(data.slice()))
      return data.reduce((sum, x, i) => sum + (x - decoded[i]!) ** 2, 0)
    })
    expect(errors[1]!).toBeLessThan(0.3 * errors[0]!)
    expect(errors[1]! / data.length).toBeCloseTo(1 - 2 / Math.PI, 1)
  })

  it('refuses what it does not know', () => {
    const rows = uglyRows(9, 4, 1)
    expect(() => fitted(binary, rows, 'dot', { bits: 2 })).toThrow('"bits" expected one of 1 for binary, got 2')
    expect(() => fitted(binary, rows, 'dot', { rotate: 1 as unknown as boolean })).toThrow(
      'fitCodec: "rotate" expected true or false, got 1'
    )
    expect(() => fitted(binary, rows, 'dot', { compat: 'int8' as 'binary' })).toThrow(
      'fitCodec: "compat" expected one of ubinary, binary, got "int8"'
    )
    const open = { rotate: false, compat: 'ubinary', seed: 0, level: 'x' }
    expect(() => openBinary(4, 'dot', open, {})).toThrow('binary: "level" expected a number of at least 0, got x')
  })
})
