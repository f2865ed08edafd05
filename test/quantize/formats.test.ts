import { readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { dequantize, fakeQuantize, quantize } from '../../src/index.js'
import { FORMAT_NAMES, FORMATS, hasZeroPoints, leastCode } from '../../src/quantize/formats.js'
import { beyondPattern, halfRange } from '../../src/quantize/formats/half.js'
import { bfloat16Bits, bfloat16Value, float16Bits, float16Value, quantizeOracle } from '../oracle/quantize.js'
import { codeRange, FLOAT_FORMATS, GRIDS, INTEGER_FORMATS, ugly } from '../support/quantize.js'
import { LENGTHS } from '../support/shapes.js'

const HALVES = {
  float16: { bits: float16Bits, value: float16Value, infinity: 0x7c00 },
  bfloat16: { bits: bfloat16Bits, value: bfloat16Value, infinity: 0x7f80 }
}

const nameOfClass = (array: object): string => array.constructor.name

describe('the table of formats', () => {
  it('has what the verbs take, each under its own name', () => {
    expect(FORMAT_NAMES).toEqual([...INTEGER_FORMATS, ...FLOAT_FORMATS])
    for (const name of FORMAT_NAMES) expect(FORMATS[name].name).toBe(name)
  })

  it('has every format file, and every file that is no maker a line', () => {
    const folder = resolve(import.meta.dirname, '../../src/quantize/formats')
    const shared = ['format.ts', 'half.ts', 'integer.ts']
    const files = readdirSync(folder).filter((file) => !shared.includes(file))
    expect(files.map((file) => file.replace('.ts', '')).sort()).toEqual([...FORMAT_NAMES].sort())
  })

  it.each(FORMAT_NAMES)('%s: codes of the class and the bytes that the oracle has', (name) => {
    const format = FORMATS[name]
    for (const n of [0, ...LENGTHS]) {
      const { codes } = quantizeOracle(ugly(n, n), [n], { format: name })
      expect(nameOfClass(new format.codes(0))).toBe(nameOfClass(codes))
      expect(format.bytesOf(n), `bytes of ${n}`).toBe(codes.byteLength)
      expect(Math.ceil((n * format.bits) / 8), `bits of ${n}`).toBe(codes.byteLength)
    }
  })

  // The pool cuts tensors on multiples of 8, and takes the bytes before a part for its place.
  it.each(FORMAT_NAMES)('%s: bytes of parts add up where parts are whole bytes', (name) => {
    const { bytesOf } = FORMATS[name]
    for (const start of [0, 8, 32768]) {
      for (const rest of LENGTHS) expect(bytesOf(start) + bytesOf(rest)).toBe(bytesOf(start + rest))
    }
  })
})

describe.each(GRIDS)('$format, symmetric $symmetric', ({ format: name, symmetric }) => {
  const grid = FORMATS[name]

  it('has the range of codes that the oracle keeps to', () => {
    const { least, most, middle } = codeRange[name]
    expect([grid.least, grid.most, grid.middle]).toEqual([least, most, middle])
    expect(grid.signed).toBe(least < 0)
    // Values far beyond both ends, by given scales: the codes are the ends.
    const zeroPoints = symmetric ? {} : { zeroPoints: [middle] }
    const options = { format: name, symmetric, scales: [1], ...zeroPoints }
    const { codes } = quantizeOracle(Float32Array.of(-1e9, 1e9), [2], options)
    const nibble = (code: number): number => (grid.signed && code > 7 ? code - 16 : code)
    const ends = grid.packing ? [nibble(codes[0] & 15), nibble(codes[0] >> 4)] : [...codes]
    expect([leastCode(grid, symmetric), grid.most]).toEqual(ends)
  })

  it('has zero points where the oracle has them, in the same class', () => {
    const { zeroPoints } = quantizeOracle(ugly(9, 1), [9], { format: name, symmetric }) as { zeroPoints?: Int8Array }
    expect(hasZeroPoints(grid, symmetric)).toBe(zeroPoints !== undefined)
    if (zeroPoints) expect(nameOfClass(new grid.zeroPoints(0))).toBe(nameOfClass(zeroPoints))
  })
})

describe.each(FLOAT_FORMATS)('%s', (name) => {
  const { bits, value, infinity } = HALVES[name]
  const format = FORMATS[name]
  const { least, most, beyond } = halfRange(format)

  it('has the range that the oracle has', () => {
    expect(least).toBe(value(1))
    expect(most).toBe(value(infinity - 1))
    // Halfway from the greatest number to the next, which the format does not have.
    expect(beyond).toBe(most + (most - value(infinity - 2)) / 2)
    expect(bits(beyond)).toBe(infinity - 1)
  })

  it('knows the least magnitude that saturates by its pattern', () => {
    expect(beyondPattern(format)).toBe(new Int32Array(Float32Array.of(beyond).buffer)[0])
    const below = new Float32Array(Int32Array.of(beyondPattern(format) - 1).buffer)[0]
    expect([...fakeQuantize([below, beyond, -beyond], { format: name }).mask.bits]).toEqual([1])
  })

  it("names kernels that are each other's inverse", () => {
    const patterns = Uint16Array.from({ length: infinity }, (_, i) => i)
    const values = dequantize({ format: name, shape: [infinity], codes: patterns })
    expect(quantize(values, { format: name }).codes).toEqual(patterns)
    expect(values.data).toEqual(Float32Array.from(patterns, value))
  })
})
