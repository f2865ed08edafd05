import { describe, expect, it } from 'vitest'
import { openerOf } from '../../../src/embeddings/codec/methods/openers.js'
import { float16, float32 } from '../../../src/embeddings/codec/fit/floats.js'
import { roundedHalf } from '../../oracle/embeddings/codec/floats.js'
import { expectSameBits } from '../../support/bits.js'
import { coderOf, DIMENSIONS, expectSteady, fitted, front, METRICS, uglyRows } from '../../support/quantizers.js'

const KINDS = [
  { kind: float32, size: 4 },
  { kind: float16, size: 2 }
]

describe.each(KINDS)('$kind.method', ({ kind, size }) => {
  const rounded = size === 4 ? (x: number): number => x : roundedHalf

  it.each(METRICS)('%s at many dimensions: the numbers, rounded, and nothing else', (metric) => {
    for (const d of DIMENSIONS) {
      const rows = front(uglyRows(9, d, d), metric)
      const quantizer = fitted(kind, rows, metric, {})
      const coder = coderOf(quantizer)
      expect(coder.bytes).toBe(size * d)
      const codes = coder.encode(rows.data.slice())
      const decoded = coder.decode(codes)
      expectSameBits(decoded, Float32Array.from(rows.data, rounded))
      expectSteady(kind, quantizer, rows)
    }
  })

  it('ugly numbers: the greatest, the least, halves of units, zeros of both signs', () => {
    const numbers = [
      0,
      -0,
      65504,
      65519,
      65520,
      -7e4,
      3e38,
      2 ** -24,
      2 ** -25,
      1.5 * 2 ** -24,
      -(2 ** -14),
      1e-40,
      1 + 2 ** -11
    ]
    const rows = { data: Float32Array.from(numbers), count: 1, dimensions: numbers.length }
    const coder = coderOf(fitted(kind, rows, 'dot', {}))
    expectSameBits(coder.decode(coder.encode(rows.data.slice())), Float32Array.from(rows.data, rounded))
  })

  it('has its one width, and refuses tables of others', () => {
    expect(kind.bits).toEqual([8 * size])
    const table = { data: new Float32Array(3), shape: [3] }
    expect(() => openerOf(kind.method)!(3, 'dot', {}, { centroid: table })).toThrow(
      `${kind.method}: expected no tables, got "centroid"`
    )
  })
})
