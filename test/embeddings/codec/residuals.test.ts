import { describe, expect, it } from 'vitest'
import { createEngine, frame } from '../../../src/embeddings/codingEngine.js'
import { rowBytes } from '../../../src/embeddings/scan/layout.js'
import { int8 } from '../../../src/embeddings/codec/fit/int8.js'
import { osq } from '../../../src/embeddings/codec/fit/osq.js'
import { rabitq } from '../../../src/embeddings/codec/fit/rabitq.js'
import { openRabitq } from '../../../src/embeddings/codec/methods/rabitq.js'
import type { Fitter } from '../../../src/embeddings/codec/fit/fitter.js'
import type { Metric, Quantizer } from '../../../src/embeddings/codec/quantizer.js'
import { rotationOf } from '../../../src/embeddings/codec/rotation.js'
import { anisotropicLoss, bestCosine, codesOfPlanes, dot, osqDecoded } from '../../oracle/embeddings/codec/scalars.js'
import {
  coderOf,
  DIMENSIONS,
  expectSteady,
  factorOf,
  fitted,
  front,
  METRICS,
  rowOf,
  scannerOf,
  uglyRows,
  type Rows
} from '../../support/quantizers.js'
import { normals } from '../../support/random.js'

interface Case {
  readonly name: string
  readonly kind: Fitter
  readonly options: object
  readonly bits: number
}

const of = <T extends object>(kind: Fitter<T>, bits: number, options: T): Case => ({
  name: `${kind.method} ${JSON.stringify(options)}`,
  kind: kind as Fitter,
  ...{ options, bits }
})

const BITS = [1, 2, 3, 4, 5, 6, 7, 8]
const CASES: readonly Case[] = [
  of(int8, 8, {}),
  ...BITS.map((bits) => of(rabitq, bits, { bits })),
  ...[2, 3, 4].map((bits) => of(rabitq, bits, { bits, fast: false })),
  of(rabitq, 1, { bits: 1, bound: false }),
  ...BITS.map((bits) => of(osq, bits, { bits })),
  of(osq, 1, { bits: 1, rotate: false, queryBits: 32 })
]

/** Rows less the centroid, rotated where the quantizer does. */
function residualsOf({ tables, parameters }: Quantizer, { data, count, dimensions }: Rows): Rows {
  const centroid = tables.centre!.data as Float32Array
  const engine = createEngine()
  return frame(engine, (memory) => {
    const at = memory.alloc(data.byteLength)
    memory.f32(at, data.length).set(data.map((x, i) => x - centroid[i % dimensions]!))
    if (parameters.rotate !== false) {
      rotationOf(dimensions, parameters.seed as number)
        .load(engine)
        .rotate(at, at, count)
    }
    return { data: memory.f32(at, data.length).slice(), count, dimensions }
  })
}

/** What the codes of a row stand for, in units of the scale, and the lower end where there is one. */
function valuesOf({ method, layout }: Quantizer, row: Uint8Array): number[] {
  const codes = codesOfPlanes(row, layout.count, layout.bits)
  if (method === 'int8') return codes.map((code) => code - 128)
  return method === 'osq' ? codes : codes.map((code) => code - (2 ** layout.bits - 1) / 2)
}

const near = (actual: number, expected: number, scale: number, what: string): void =>
  expect(Math.abs(actual - expected), what).toBeLessThanOrEqual(scale)

/** Scale, bias and third of every row are those of the codes, by their definitions. */
function checkFactors(quantizer: Quantizer, rows: Rows, codes: Uint8Array): void {
  const { method, metric, layout, tables } = quantizer
  const z = residualsOf(quantizer, rows)
  const centroid = tables.centre!.data as Float32Array
  const twice = metric === 'l2' ? 2 : 1
  const length = rowBytes(layout)
  for (let i = 0; i < rows.count; i++) {
    const what = `row ${i} of ${method}, ${layout.bits} bits, ${metric}, ${layout.count} dimensions`
    const r = rowOf(z, i)
    const size = Math.sqrt(dot(r, r))
    const values = valuesOf(quantizer, codes.subarray(i * length, (i + 1) * length))
    const scale = factorOf(codes, quantizer, i, 0) / twice
    const x = Array.from(rowOf(rows, i), (v, j) => v - centroid[j]!)
    const bias = metric === 'l2' ? -dot(r, r) : dot(centroid, x)
    const far = Math.sqrt(dot(centroid, centroid)) * size
    near(
      factorOf(codes, quantizer, i, 1),
      bias,
      metric === 'l2' ? 1e-5 * size ** 2 : 1e-5 * far + 1e-30,
      `bias, ${what}`
    )
    if (size < 1e-6) continue
    if (method === 'osq') {
      const low = factorOf(codes, quantizer, i, 2) / twice
      const decoded = values.map((k) => low + scale * k)
      const loss = anisotropicLoss(r, decoded)
      const expected = anisotropicLoss(r, osqDecoded(r, layout.bits))
      expect(loss, `loss, ${what}`).toBeLessThanOrEqual(1.02 * expected + 1e-11 * size ** 2)
      continue
    }
    const product = dot(r, values)
    near(scale, size ** 2 / product, 1e-5 * Math.abs(scale), `scale, ${what}`)
    if (layout.third === 'error') {
      const spread = (size ** 2 * dot(values, values)) / product ** 2 - 1
      const error = twice * size * Math.sqrt(Math.max(0, spread) / Math.max(1, layout.count - 1))
      near(factorOf(codes, quantizer, i, 2), error, 2e-3 * size * Math.sqrt(1 / layout.count), `error, ${what}`)
    }
  }
}

describe.each(CASES)('$name', ({ kind, options, bits }) => {
  it('codes and factors, by their definitions, at many dimensions', () => {
    for (const [at, d] of DIMENSIONS.entries()) {
      if (d > 1024 && at % 2) continue
      const metric = METRICS[at % 3]!
      const rows = front(uglyRows(d > 1024 ? 6 : 12, d, d), metric)
      const quantizer = fitted(kind, rows, metric, options)
      const { layout } = quantizer
      expect(layout.bits).toBe(bits)
      const coder = coderOf(quantizer)
      expect(coder.bytes).toBe(layout.codeBytes + 4 * layout.factors)
      checkFactors(quantizer, rows, coder.encode(rows.data.slice()))
    }
  })

  it('the same bytes however rows are cut, and from its file', () => {
    for (const [at, d] of [1, 2, 7, 65, 384, 4097].entries()) {
      const metric = METRICS[at % 3]!
      const rows = front(uglyRows(d > 1000 ? 10 : 140, d, d + 1), metric)
      expectSteady(kind, fitted(kind, rows, metric, options, 7), rows)
    }
  })

  it.each(METRICS)('decodes to rows whose scores are those of the scan: %s', (metric) => {
    for (const d of [1, 3, 8, 33, 100, 384]) {
      const rows = front({ data: uglyRows(70, d, 3 * d).data, count: 70, dimensions: d }, metric)
      // A row far out says nothing of the others' errors.
      rows.data.fill(0.25, 4 * d, 5 * d)
      checkScores(fitted(kind, rows, metric, options), rows, metric)
    }
  })

  it('rows that are all the same, zeros among them, are their centroid', () => {
    for (const value of [0, 0.5]) {
      const rows = { data: new Float32Array(5 * 24).fill(value), count: 5, dimensions: 24 }
      const coder = coderOf(fitted(kind, rows, 'dot', options))
      for (const x of coder.decode(coder.encode(rows.data.slice()))) near(x, value, 1e-6, 'coordinate')
    }
  })
})

/** The scan's score against that of the decoded row, and the row's own bias. */
function checkScores(quantizer: Quantizer, rows: Rows, metric: Metric): void {
  const { dimensions: d, layout, tables } = quantizer
  const centroid = tables.centre!.data as Float32Array
  const coder = coderOf(quantizer)
  const codes = coder.encode(rows.data.slice())
  const decoded = coder.decode(codes)
  const scan = scannerOf(quantizer, codes)
  const query = front({ data: normals(d, d + 5), count: 1, dimensions: d }, metric).data
  const scores = scan(query.slice())
  const shifted = query.map((x, j) => x - centroid[j]!)
  const reach = Math.sqrt(dot(shifted, shifted))
  for (let i = 0; i < rows.count; i++) {
    const e = Array.from(decoded.subarray(i * d, (i + 1) * d), (x, j) => x - centroid[j]!)
    const bias = factorOf(codes, quantizer, i, 1)
    const expected =
      metric === 'l2' ? 2 * dot(shifted, e) + bias - reach ** 2 : dot(query, centroid) + bias + dot(shifted, e)
    // Queries are rounded: to about .4% a coordinate of the greatest, and one of one bit to 1/30 of it.
    const size = reach * Math.sqrt(dot(e, e)) * (metric === 'l2' ? 2 : 1)
    const part = layout.bits === 1 && quantizer.parameters.queryBits === 4 ? 0.16 : 0.06
    near(scores[i]!, expected, part * size + 1e-5 * (reach ** 2 + Math.abs(expected)), `row ${i}, ${d} dimensions`)
  }
}

describe('rabitq', () => {
  it('its codes have the greatest cosine that there is, or nearly: the best of twelve', () => {
    for (const d of [1, 2, 3, 7, 16, 64, 100, 384]) {
      for (const bits of BITS) {
        if (d > 100 && bits > 4) continue
        const rows = { data: normals(24 * d, d + bits), count: 24, dimensions: d }
        const cosines = [false, true].map((fast) => {
          const quantizer = fitted(rabitq, rows, 'dot', { bits, fast })
          const z = residualsOf(quantizer, rows)
          const codes = coderOf(quantizer).encode(rows.data.slice())
          const length = rowBytes(quantizer.layout)
          return Array.from({ length: rows.count }, (_, i) => {
            const r = rowOf(z, i)
            const y = valuesOf(quantizer, codes.subarray(i * length, (i + 1) * length))
            return { actual: dot(r, y) / Math.sqrt(dot(r, r) * dot(y, y)), best: bestCosine(r, bits) }
          })
        })
        for (const { actual, best } of cosines[0]!) {
          expect(actual, `${d} dimensions, ${bits} bits`).toBeGreaterThanOrEqual(best * (1 - 1e-6))
          expect(actual).toBeLessThanOrEqual(best * (1 + 1e-6))
        }
        if (d < 64) continue
        const misses = (of: (one: { actual: number; best: number }) => number): number =>
          cosines[1]!.reduce((sum, one) => sum + 1 - of(one), 0)
        const allowed = bits <= 4 ? 1.02 : 1.3
        expect(misses(({ actual }) => actual)).toBeLessThanOrEqual(allowed * misses(({ best }) => best) + 1e-6)
      }
    }
  })

  it('its squared error is that of the published variances, within 5%', () => {
    const rows = { data: normals(400 * 768, 1), count: 400, dimensions: 768 }
    const unit = front(rows, 'cosine')
    for (const [bits, expected] of [
      [1, 0.57],
      [2, 0.135],
      [3, 0.0387],
      [4, 0.0114]
    ] as const) {
      const coder = coderOf(fitted(rabitq, unit, 'cosine', { bits }))
      const decoded = coder.decode(coder.encode(unit.data.slice()))
      const error = unit.data.reduce((sum, x, i) => sum + (x - decoded[i]!) ** 2, 0) / rows.count
      near(error, expected, 0.05 * expected, `${bits} bits`)
    }
  })

  it('refuses bits and options that it does not have', () => {
    const rows = uglyRows(9, 8, 1)
    expect(() => fitted(rabitq, rows, 'dot', { bits: 9 })).toThrow(
      'fitCodec: "bits" expected one of 1, 2, 3, 4, 5, 6, 7, 8 for rabitq, got 9'
    )
    expect(() => fitted(rabitq, rows, 'dot', { bits: 2, epsilon: -1 })).toThrow('fitCodec: "epsilon" expected a number')
    expect(() => fitted(osq, rows, 'dot', { bits: 2, queryBits: 4 })).toThrow(
      '"queryBits" expected 32 with 2 bits, got 4'
    )
    expect(() => fitted(osq, rows, 'dot', { bits: 1, queryBits: 8 })).toThrow('"queryBits" expected 4 or 32, got 8')
  })

  it('refuses a file that does not fit together', () => {
    const quantizer = fitted(rabitq, uglyRows(9, 8, 1), 'dot', { bits: 2 })
    const { parameters, tables } = quantizer
    const open = (changed: object, other: object = tables): unknown =>
      openRabitq(8, 'dot', { ...parameters, ...changed }, other as typeof tables)
    expect(() => open({ bits: 9 })).toThrow('rabitq: "bits" expected 1 to 8, got 9')
    expect(() => open({ seed: -1 })).toThrow('rabitq: "seed" expected a whole number, got -1')
    expect(() => open({ fast: 1 })).toThrow('rabitq: "fast" expected true or false, got 1')
    expect(() => open({}, {})).toThrow('rabitq: "centre" expected 8 finite float32 numbers')
    expect(() => open({}, { ...tables, more: tables.centre })).toThrow('rabitq: expected centre tables, got "more"')
    const nan = { centre: { data: new Float32Array(8).fill(NaN), shape: [8] } }
    expect(() => open({}, nan)).toThrow('rabitq: "centre" expected 8 finite float32 numbers')
  })
})
