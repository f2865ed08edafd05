import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { prune } from '../../src/index.js'
import { pruneOracle } from '../oracle/prune.js'
import { float16Bits, float16Value, packBits } from '../oracle/quantize.js'
import { expectSameBits, flagsOf } from '../support/bits.js'
import { expectPruned, removeLeast, tied } from '../support/prune.js'
import { ugly } from '../support/quantize.js'
import { index, normals, seeded } from '../support/random.js'
import { LENGTHS } from '../support/shapes.js'
import { f32, flags, quantizeVectors } from '../support/vectors.js'

describe('golden values of PyTorch', () => {
  it.each(quantizeVectors.pruneLayer)('l1_unstructured with $amount', ({ amount, input, removed, kept }) => {
    const { values, mask, sparsity } = prune(f32(input), { sparsity: amount })
    expectSameBits(mask.bits, packBits(flags(kept)))
    expectSameBits(values.data, f32(input.map((x, i) => (kept[i] === 1 ? x : 0))))
    expect(sparsity).toBe(removed / input.length)
  })

  it.each(quantizeVectors.pruneGlobal)('global_unstructured with $amount', ({ amount, inputs, kept }) => {
    const results = prune(inputs.map(f32), { sparsity: amount, scope: 'global' })
    results.forEach(({ mask }, i) => expectSameBits(mask.bits, packBits(flags(kept[i]))))
  })
})

const SPARSITIES = [0, 1, 0.5, 0.3, 0.999, 0.1234567, 0.75, 1e-9]

function checkOne(data: Float32Array<ArrayBuffer>, sparsity: number, shape: number[] = [data.length]): void {
  const [expected] = pruneOracle([data], { sparsity })
  expectPruned(prune({ data, shape }, { sparsity }), expected, shape, `${sparsity} of [${shape.join(', ')}]`)
}

describe('sparsity', () => {
  it('is the fraction REMOVED: it does not keep the top `sparsity`', () => {
    const { values, mask, sparsity } = prune([-1, 2, -3, 4, -5, 6, -7, 8, -9, 10], { sparsity: 0.3 })
    expect([...values.data]).toEqual([0, 0, 0, 4, -5, 6, -7, 8, -9, 10])
    expect(flagsOf(mask.bits, 10).filter((kept) => kept).length).toBe(7)
    expect(sparsity).toBe(0.3)
    // Keeping the top fraction would leave one element of ten here, not nine.
    expect(prune([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], { sparsity: 0.1 }).values.data[1]).toBe(2)
    expect([...prune([1, 2, 3, 4], { sparsity: 0 }).values.data]).toEqual([1, 2, 3, 4])
    expect([...prune([1, 2, 3, 4], { sparsity: 1 }).values.data]).toEqual([0, 0, 0, 0])
  })

  it.each(SPARSITIES)('%f over many lengths', (sparsity) => {
    for (const n of [...LENGTHS, 32767, 32768, 32769]) {
      checkOne(ugly(n, n), sparsity)
      checkOne(tied(n, n), sparsity)
    }
  })

  it('100003 elements', () => {
    const random = seeded(1)
    for (const sparsity of [0.5, 0.999, random()]) checkOne(normals(100003, 3), sparsity)
    checkOne(tied(100003, 4), random())
  })

  it('rounds the count half to even', () => {
    const removed = (n: number, sparsity: number): number =>
      prune(new Float32Array(n).fill(1), { sparsity }).values.data.filter((x) => x === 0).length
    expect([1, 3, 5, 7].map((n) => removed(n, 0.5))).toEqual([0, 2, 2, 4])
    expect(removed(10, 0.25)).toBe(2)
    expect(removed(6, 0.25)).toBe(2)
    expect(removed(10, 0.26)).toBe(3)
  })

  it('takes of equal magnitudes the lowest index first, whatever their sign', () => {
    expect([...prune([1, -1, 1, -1, 2], { sparsity: 0.4 }).values.data]).toEqual([0, 0, 1, -1, 2])
    // A kept zero is counted as kept, and keeps its sign.
    const { values, mask } = prune([0, -0, 0, -0], { sparsity: 0.25 })
    expectSameBits(values.data, f32([0, -0, 0, -0]))
    expect(flagsOf(mask.bits, 4)).toEqual([false, true, true, true])
  })

  it('removes to +0', () => {
    const { values } = prune([-1, -2, -3], { sparsity: 1 })
    expectSameBits(values.data, new Float32Array(3))
  })

  it('of any values', () => {
    const float = fc.float({ noNaN: true, noDefaultInfinity: true })
    const few = fc.constantFrom(0, -0, 1, -1, 0.5)
    const arrays = fc.oneof(fc.array(float, { maxLength: 90 }), fc.array(few, { maxLength: 90 }))
    fc.assert(
      fc.property(arrays, fc.double({ min: 0, max: 1, noNaN: true }), (data, sparsity) =>
        checkOne(f32(data), sparsity)
      ),
      { seed: 4, numRuns: 300 }
    )
  })

  it('has the shape of the tensor', () => {
    checkOne(normals(60, 1), 0.4, [3, 4, 5])
    checkOne(normals(60, 1), 0.4, [5, 1, 12, 1])
    checkOne(normals(1, 1), 1, [])
    checkOne(new Float32Array(0), 0.5, [0])
    checkOne(new Float32Array(0), 0.5, [3, 0])
  })
})

describe('many tensors', () => {
  const tensors = [normals(100, 1), normals(7, 2, 0.01), normals(0, 3), normals(300, 4, 10), tied(50, 5)]

  it('layer prunes each by itself', () => {
    for (const options of [{ sparsity: 0.37 }, { sparsity: 0.37, scope: 'layer' as const }]) {
      const results = prune(tensors, options)
      const expected = pruneOracle(tensors, options)
      results.forEach((result, i) => expectPruned(result, expected[i], [tensors[i].length], `tensor ${i}`))
    }
  })

  it('global removes the fraction of all together', () => {
    for (const sparsity of SPARSITIES) {
      const results = prune(tensors, { sparsity, scope: 'global' })
      const expected = pruneOracle(tensors, { sparsity, scope: 'global' })
      results.forEach((result, i) => expectPruned(result, expected[i], [tensors[i].length], `${sparsity}, tensor ${i}`))
    }
  })

  it('global cuts ties in the order of the tensors, then of the elements', () => {
    const ones = [f32([2, 1, 1]), f32([1, -1]), f32([-1, 1, 3])]
    const left = (sparsity: number): number[][] =>
      prune(ones, { sparsity, scope: 'global' }).map(({ values }) => [...values.data])
    expect(left(1 / 8)).toEqual([
      [2, 0, 1],
      [1, -1],
      [-1, 1, 3]
    ])
    expect(left(3 / 8)).toEqual([
      [2, 0, 0],
      [0, -1],
      [-1, 1, 3]
    ])
    expect(left(5 / 8)).toEqual([
      [2, 0, 0],
      [0, 0],
      [0, 1, 3]
    ])
    expect(left(7 / 8)).toEqual([
      [0, 0, 0],
      [0, 0],
      [0, 0, 3]
    ])
  })

  it('global ties across tensors of any lengths', () => {
    const random = seeded(7)
    for (let k = 0; k < 60; k++) {
      const list = Array.from({ length: 1 + index(random, 5) }, (_, i) => tied(index(random, 90), 100 * k + i))
      const sparsity = random()
      const results = prune(list, { sparsity, scope: 'global' })
      const expected = pruneOracle(list, { sparsity, scope: 'global' })
      results.forEach((result, i) => expectPruned(result, expected[i], [list[i].length], `case ${k}, tensor ${i}`))
    }
  })

  it('a record comes back as a record', () => {
    const record = { 'layer.0': { data: tensors[0], shape: [10, 10] }, bias: tensors[1], rest: [1, 2, 3] }
    for (const scope of ['layer', 'global'] as const) {
      const results = prune(record, { sparsity: 0.5, scope })
      expect(Object.keys(results)).toEqual(['layer.0', 'bias', 'rest'])
      const expected = pruneOracle([tensors[0], tensors[1], f32([1, 2, 3])], { sparsity: 0.5, scope })
      expectPruned(results['layer.0'], expected[0], [10, 10], 'layer.0')
      expectPruned(results.bias, expected[1], [7], 'bias')
      expectPruned(results.rest, expected[2], [3], 'rest')
    }
  })

  it('an array comes back as an array, one tensor as one result', () => {
    expect(Array.isArray(prune([tensors[0]], { sparsity: 0.5 }))).toBe(true)
    expect(prune([tensors[0], tensors[1]], { pattern: '1:2' })).toHaveLength(2)
    expect(Array.isArray(prune(tensors[0], { sparsity: 0.5 }))).toBe(false)
    const nested = prune(
      [
        [1, 2],
        [3, 4]
      ],
      { sparsity: 0.5 }
    )
    expect(nested.values).toEqual({ data: f32([0, 0, 3, 4]), shape: [2, 2] })
  })
})

describe('kinds of input', () => {
  const values = [0.1, -2.5, 3, 1e-3, -0.7, 2, 0.05]

  it('f64 is rounded to f32 before it is compared', () => {
    // The first is the less in f64 and their equal in f32, so the tie goes to the lowest index either way round.
    const close = Float64Array.of(1 + 2 ** -40, 1, 1 - 2 ** -40, 5)
    expect([...prune(close, { sparsity: 0.25 }).values.data]).toEqual([0, 1, 1, 5])
    const [expected] = pruneOracle([f32(values)], { sparsity: 0.4 })
    expectPruned(prune(Float64Array.from(values), { sparsity: 0.4 }), expected, [7], 'f64')
    expectPruned(prune(values, { sparsity: 0.4 }), expected, [7], 'numbers')
  })

  it('whole numbers, bit patterns and views', () => {
    const [whole] = pruneOracle([f32([3, -4, 0, 1])], { sparsity: 0.5 })
    expectPruned(prune(Int8Array.of(3, -4, 0, 1), { sparsity: 0.5 }), whole, [4], 'int8')
    const halves = Uint16Array.from(values, float16Bits)
    const ofHalves = pruneOracle([Float32Array.from(halves, float16Value)], { sparsity: 0.5 })[0]
    expectPruned(prune({ data: halves, dims: [7], type: 'float16' }, { sparsity: 0.5 }), ofHalves, [7], 'halves')
    const view = f32([9, ...values, 9]).subarray(1, 8)
    expectPruned(prune(view, { sparsity: 0.5 }), pruneOracle([f32(values)], { sparsity: 0.5 })[0], [7], 'a view')
  })

  it('bit patterns in the sample of many', () => {
    const random = seeded(3)
    const halves = Uint16Array.from({ length: 1_200_000 }, () => index(random, 0x7c00))
    const data = Float32Array.from(halves, float16Value)
    const [{ bits }] = removeLeast([data], 600_000)
    expectSameBits(prune({ data: halves, shape: [1_200_000], dtype: 'f16' }, { sparsity: 0.5 }).mask.bits, bits)
  })

  it('is not changed', () => {
    const data = ugly(500, 2)
    const copy = data.slice()
    prune(data, { sparsity: 0.5 })
    prune(data, { pattern: '2:4' })
    expectSameBits(data, copy)
  })
})

describe('what counts as many tensors', () => {
  it('an empty list is a list', () => {
    expect(prune([], { sparsity: 0.5 })).toEqual([])
  })

  it('a record may have a tensor named data', () => {
    const tensors = { data: Float32Array.of(1, 2), bias: Float32Array.of(3, 4) }
    const pruned = prune(tensors, { sparsity: 0.5 })
    expect([...pruned.data.values.data]).toEqual([0, 2])
    expect([...pruned.bias.values.data]).toEqual([0, 4])
  })
})

describe('out', () => {
  const data = normals(1003, 5)

  it.each([{ sparsity: 0.3 }, { sparsity: 0 }, { pattern: '2:4' }, { pattern: '1:3' }])(
    '%j: writes an earlier result again',
    (options) => {
      const out = prune({ data: normals(1003, 6), shape: [17, 59] }, { sparsity: 0.9 })
      const again = prune({ data, shape: [17, 59] }, { ...options, out })
      expect(again.values.data).toBe(out.values.data)
      expect(again.mask.bits).toBe(out.mask.bits)
      expect(again).toEqual(prune({ data, shape: [17, 59] }, options))
    }
  )

  it('is of the tensor, and of one only', () => {
    const out = prune(data, { sparsity: 0.5 })
    expect(() => prune(data.subarray(1), { sparsity: 0.5, out })).toThrow(
      /"out.values.data" expected length 1002, got 1003/
    )
    expect(() => prune([data], { sparsity: 0.5, out })).toThrow(/prune: "out" goes with one tensor/)
  })
})
