import { describe, expect, it } from 'vitest'
import { compare, fakeQuantize, prune, quantize, softmax, svd } from '../../src/index.js'
import type { TensorLike } from '../../src/index.js'
import { expectError, wrong } from '../support/errors.js'
import { LARGE_CUTS, nameOf, quantizedIntegers, SMALL_CUTS } from '../support/quantize.js'
import { index, normals, seeded } from '../support/random.js'
import { sizeOf } from '../support/shapes.js'
import { READERS } from '../support/verbs.js'

describe('not a number', () => {
  const BAD = [NaN, Infinity, -Infinity]

  const cases = READERS.map((reader, i) => ({ ...reader, i }))

  it.each(cases)('$verb "$name" names the first index ($i)', ({ verb, name, run, matrix, masks }) => {
    const shapes = matrix
      ? [
          [1, 1],
          [5, 7],
          [7, 5],
          [300, 2],
          [2, 40000]
        ]
      : [[1], [3], [17], [33], [3, 11], [5, 8, 13], [70001], [70, 1000], [2, 40000]]
    const random = seeded(4)
    for (const shape of shapes) {
      const size = sizeOf(shape)
      const good = normals(size, 5)
      for (const bad of masks ? BAD.slice(0, 2) : BAD) {
        for (const at of new Set([0, size - 1, index(random, size), index(random, size)])) {
          const data = good.slice()
          data[at] = bad
          // A later one is not the first.
          data[at + index(random, size - at)] = bad
          const message = new RegExp(`^${verb}: "${name}" expected .*, got ${bad} at index ${at}\\b`)
          expectError(() => run({ data, shape }), RangeError, message)
        }
      }
    }
  })

  it.each(cases)('$verb "$name" in bit patterns ($i)', ({ verb, name, run, matrix }) => {
    const shape = matrix ? [5, 8] : [40]
    for (const [type, bits] of [
      ['float16', 0x7e01],
      ['float16', 0x7c00],
      ['bfloat16', 0x7fc1],
      ['bfloat16', 0x7f80]
    ] as const) {
      const data = new Uint16Array(40).fill(0x3c00)
      data[23] = data[31] = bits
      expectError(() => run({ data, shape, type } as TensorLike), RangeError, `${verb}: "${name}"`, /at index 23\b/)
    }
  })

  const LAYOUTS = [
    ...LARGE_CUTS.filter((_, i) => i % 2 === 0),
    ...SMALL_CUTS.filter(({ shape }, i) => i % 5 === 0 && sizeOf(shape) > 0)
  ]

  it('in every layout of quantisation', () => {
    const random = seeded(6)
    for (const [i, { shape, axis, group }] of LAYOUTS.entries()) {
      const size = sizeOf(shape)
      const data = new Float32Array(size).fill(1)
      const at = index(random, size)
      const later = at + index(random, size - at)
      const bad = BAD[i % 3]
      data[later] = bad
      data[at] = bad
      const format = i % 2 ? 'int8' : 'uint4'
      for (const [verb, run] of [
        ['quantize', quantize],
        ['fakeQuantize', fakeQuantize]
      ] as const) {
        const where = `${verb}: "tensor" expected finite numbers, got ${bad} at index ${at};`
        expectError(() => run({ data, shape }, { format, axis, group, symmetric: i % 4 < 2 }), RangeError, where)
      }
    }
  })

  it('NaN with scales of the caller, where infinities pass', () => {
    const random = seeded(7)
    for (const { shape, axis, group } of LAYOUTS) {
      const size = sizeOf(shape)
      if (size < 2) continue
      const data = new Float32Array(size).fill(1)
      const at = 1 + index(random, size - 1)
      data[at] = NaN
      data[index(random, at)] = Infinity
      const { scales } = quantizedIntegers(new Float32Array(size), shape, { format: 'int8', axis, group })
      for (const [verb, run] of [
        ['quantize', quantize],
        ['fakeQuantize', fakeQuantize]
      ] as const) {
        const call = (): unknown => run({ data, shape }, { format: 'int8', axis, group, scales })
        expectError(call, RangeError, `${verb}: "tensor"`, `got NaN at index ${at};`)
      }
    }
    expect(nameOf(LAYOUTS[0])).toBe('shape [100003]')
  })

  it('in either side of a comparison with bit patterns', () => {
    const good = new Uint16Array(5).fill(0x3c00)
    const bad = Uint16Array.of(0x3c00, 0x3c00, 0x3c00, 0x7c00, 0x7e00)
    const halves = (data: Uint16Array): TensorLike => ({ data, shape: [5], dtype: 'float16' })
    const numbers = Float32Array.of(1, 2, NaN, 4, 5)
    expectError(() => compare(halves(good), numbers), RangeError, 'compare: "other"', 'got NaN at index 2')
    expectError(() => compare(halves(good), halves(bad)), RangeError, 'compare: "other"', 'got Infinity at index 3')
    expectError(() => compare(halves(bad), halves(good)), RangeError, 'compare: "reference"', 'index 3')
    expectError(() => compare(numbers, halves(bad)), RangeError, 'compare: "reference"', 'index 2')
  })

  it('f64 beyond f32, where f32 is what is worked on', () => {
    const data = Float64Array.of(1, 2, 1e39, -1e300)
    for (const { verb, name, run, masks } of READERS.filter(({ matrix }) => !matrix)) {
      if (masks) continue
      expectError(() => run(data), RangeError, `${verb}: "${name}"`, 'float32', 'got 1e+39 at index 2')
    }
    for (const { verb, name, run } of READERS.filter(({ masks }) => masks)) {
      expectError(() => run(data), RangeError, `${verb}: "${name}"`, 'at index 2')
    }
    expect(svd({ data, shape: [2, 2] }).s.data[0]).toBeCloseTo(1e300, -290)
    // The greatest f64 that rounds to a finite f32 is fine.
    const last = (2 - 2 ** -24) * 2 ** 127 * (1 - 2 ** -53)
    expect(quantize(Float64Array.of(last), { format: 'int8' }).codes).toEqual(Int8Array.of(127))
    expectError(() => quantize(Float64Array.of((2 - 2 ** -24) * 2 ** 127), { format: 'int8' }), RangeError, 'index 0')
  })

  it('names the tensor among many', () => {
    const good = new Float32Array(5)
    const bad = Float32Array.of(0, 1, NaN)
    for (const scope of ['layer', 'global'] as const) {
      for (const sparsity of [0, 0.5, 1]) {
        expectError(() => prune([good, bad], { sparsity, scope }), RangeError, 'tensors[1]', 'index 2')
        expectError(() => prune({ a: good, b: bad }, { sparsity, scope }), RangeError, 'prune: "b"', 'index 2')
      }
    }
    expectError(() => prune({ a: good, b: bad }, { pattern: '2:4' }), RangeError, 'prune: "b"', 'index 2')
    expectError(() => prune([good, wrong('x')], { sparsity: 0.5 }), TypeError, 'prune: "tensors[1]" expected a tensor')
    expectError(() => prune({ a: good, b: wrong(3) }, { sparsity: 0.5 }), TypeError, 'prune: "b" expected a tensor')
    const long = new Float32Array(1_200_000).fill(1)
    long[1_100_000] = Infinity
    expectError(
      () => prune([good, long], { sparsity: 0.5, scope: 'global' }),
      RangeError,
      /tensors\[1\].*index 1100000\b/
    )
  })

  it('a row with every class masked', () => {
    const masked = [
      [0, 1],
      [-Infinity, -Infinity]
    ]
    for (const { verb, name, run } of READERS.filter(({ masks }) => masks)) {
      const shape = [2, 2]
      const call = (): unknown => run({ data: Float32Array.from(masked.flat()), shape })
      expectError(call, RangeError, `${verb}: "${name}"`, /row 1 is all -Infinity/)
    }
    const many = { data: new Float32Array(3000).fill(-1), shape: [1000, 3] }
    many.data.fill(-Infinity, 3 * 777, 3 * 778)
    expectError(() => softmax(many), RangeError, 'row 777 ')
  })
})
