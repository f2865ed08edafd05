import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { defaultEngine } from '../../src/prune/engine.js'
import { prune } from '../../src/index.js'
import { patternOracle, pruneOracle } from '../oracle/prune.js'
import { float16Bits, float16Value, packBits } from '../oracle/quantize.js'
import { expectSameBits, flagsOf } from '../support/bits.js'
import { expectPruned, removeLeast } from '../support/prune.js'
import { ugly } from '../support/quantize.js'
import { index, normal, normals, seeded, shuffle } from '../support/random.js'
import { LENGTHS, sizeOf } from '../support/shapes.js'
import { f32, flags, quantizeVectors } from '../support/vectors.js'

const SPARSITIES = [0, 1, 0.5, 0.3, 0.999, 0.1234567, 0.75, 1e-9]

/** Values that repeat, so that ties are cut through. */
function tied(length: number, seed: number): Float32Array<ArrayBuffer> {
  const random = seeded(seed)
  const choices = [0, -0, 1, -1, 2, -2, 2 ** -149, -(2 ** -149)]
  return Float32Array.from({ length }, () => choices[index(random, choices.length)])
}

function checkOne(data: Float32Array<ArrayBuffer>, sparsity: number, shape: number[] = [data.length]): void {
  const [expected] = pruneOracle([data], { sparsity })
  expectPruned(prune({ data, shape }, { sparsity }), expected, shape, `${sparsity} of [${shape.join(', ')}]`)
}

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

/** Where the sample of src/prune/select.ts looks: what lies there is all that the bracket is guessed from. */
function samplePlaces(total: number): number[] {
  const samples = 65536
  const places: number[] = []
  let state = 1
  for (let i = 0; i < samples; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    places.push(Math.min(total - 1, Math.floor((i + state / 2 ** 32) * (total / samples))))
  }
  return places
}

describe('1500000 elements', () => {
  const N = 1_500_000
  const ROOM = 2 ** 20

  function make(value: (random: () => number, i: number) => number): Float32Array<ArrayBuffer> {
    const random = seeded(11)
    return Float32Array.from({ length: N }, (_, i) => value(random, i))
  }

  /** The elements that the sample sees are far greater than all others, so the bracket lies far above the cut. */
  function misleading(): Float32Array<ArrayBuffer> {
    const data = make((random) => random() - 0.5)
    const random = seeded(12)
    for (const place of samplePlaces(N)) data[place] = 10 + random()
    return data
  }

  type Path = 'bracket' | 'radix'
  const two = (share: number) => (): Float32Array<ArrayBuffer> => make((random) => (random() < share ? 0.25 : -3))
  const cases: { name: string; data: () => Float32Array<ArrayBuffer>; sparsity: number; path: Path }[] = [
    { name: 'random', data: () => make(normal), sparsity: 0.5, path: 'bracket' },
    { name: 'random', data: () => make(normal), sparsity: 0.999, path: 'bracket' },
    { name: 'random, cut below the sample', data: () => make((random) => random()), sparsity: 1e-5, path: 'bracket' },
    { name: 'random, cut above it', data: () => make((random) => random()), sparsity: 1 - 1e-5, path: 'bracket' },
    { name: 'random, all removed', data: () => make((random) => random()), sparsity: 1, path: 'bracket' },
    { name: 'all equal', data: () => make(() => -0.1), sparsity: 0.5, path: 'radix' },
    { name: 'all equal, all removed', data: () => make(() => -0.1), sparsity: 1, path: 'radix' },
    { name: 'two values, cut through the less frequent', data: two(0.3), sparsity: 0.1, path: 'bracket' },
    { name: 'two values, cut through the more frequent', data: two(0.2), sparsity: 0.6, path: 'radix' },
    { name: 'two values, cut where they meet', data: two(0.5), sparsity: 0.5, path: 'radix' },
    {
      name: 'mostly zeros of both signs',
      data: () => make((random) => (random() < 0.9 ? (random() < 0.5 ? -0 : 0) : normal(random))),
      sparsity: 0.8,
      path: 'radix'
    },
    {
      name: 'mostly zeros, cut among the others',
      data: () => make((random) => (random() < 0.9 ? 0 : normal(random))),
      sparsity: 0.95,
      path: 'bracket'
    },
    { name: 'ascending', data: () => make((_, i) => i * 2 ** -10), sparsity: 0.3, path: 'bracket' },
    { name: 'descending', data: () => make((_, i) => (N - i) * -(2 ** -10)), sparsity: 0.3, path: 'bracket' },
    {
      name: 'a narrow band of 500 neighbours',
      data: () => make((random) => 1 + index(random, 500) * 2 ** -23),
      sparsity: 0.5,
      path: 'bracket'
    },
    {
      name: 'a band of two neighbours and few others',
      data: () => make((random) => (random() < 0.001 ? normal(random) : 1 + index(random, 2) * 2 ** -23)),
      sparsity: 0.5,
      path: 'radix'
    },
    { name: 'greater wherever the sample looks', data: misleading, sparsity: 0.5, path: 'radix' }
  ]

  afterEach(() => vi.restoreAllMocks())

  it('the reference is that of the oracle', () => {
    for (const data of [tied(3000, 1), normals(3000, 2)]) {
      const [{ values, bits }] = removeLeast([data], 1234)
      const [oracle] = pruneOracle([data], { sparsity: 1234 / 3000 })
      expectSameBits(values, oracle.values)
      expectSameBits(bits, oracle.bits)
    }
  })

  it.each(cases)('$name, sparsity $sparsity, by $path', ({ data: make, sparsity, path }) => {
    const data = make()
    const radix = vi.spyOn(defaultEngine().kernels, 'magnitudeHistogram')
    const result = prune(data, { sparsity })
    // Only the passes over all data call this kernel from outside: the test is of the path that it says.
    expect(radix.mock.calls.length > 0 ? 'radix' : 'bracket').toBe(path)
    const [{ values, bits, removed }] = removeLeast([data], Math.round(sparsity * N))
    expect(removed).toBe(Math.round(sparsity * N))
    expectPruned(result, { values, bits, sparsity: removed / N }, [N], 'the tensor')
  })

  it('over tensors of several lengths together', () => {
    const random = seeded(14)
    const list = [700_001, 0, 5, 499_999, 99, 300_000].map((length) =>
      Float32Array.from({ length }, () => Math.round(200 * normal(random)) / 200)
    )
    const total = 1_500_104
    const results = prune(list, { sparsity: 0.6, scope: 'global' })
    const expected = removeLeast(list, Math.round(0.6 * total))
    results.forEach((result, i) => {
      const { values, bits, removed } = expected[i]
      const { length } = list[i]
      expectPruned(result, { values, bits, sparsity: length ? removed / length : 0 }, [length], `tensor ${i}`)
    })
  })

  it('as many as the small buffer holds, and one more', () => {
    for (const n of [ROOM - 1, ROOM, ROOM + 1]) {
      const data = normals(n, n)
      const [{ values, bits }] = removeLeast([data], Math.round(0.4 * n))
      const result = prune(data, { sparsity: 0.4 })
      expectSameBits(result.mask.bits, bits, `mask of ${n}`)
      expectSameBits(result.values.data, values, `values of ${n}`)
    }
  })

  it('a bracket that just fits the room it has', () => {
    const zeros = new Float32Array(N)
    for (let spare = 0; spare < 16; spare++) {
      for (const late of [1, 5, 12]) {
        // The last sixteen elements that are looked at together hold the last `late` of ROOM - spare ones.
        const tail = N - (N % 16) - 16
        const data = zeros.slice()
        data.fill(1, 0, ROOM - spare - late)
        for (let k = 0; k < late; k++) data[tail + k] = 1
        // Memory is left full of another value, as after any earlier call.
        prune(zeros, { sparsity: 0.5 })
        const { values } = prune(data, { sparsity: 0.5 })
        // All zeros are removed, and of the ones the first.
        const removedOnes = N / 2 - (N - (ROOM - spare))
        const expected = data.slice()
        expected.fill(0, 0, removedOnes)
        expectSameBits(values.data, expected, `${spare} places to spare, ${late} late`)
      }
    }
  })
})

describe('patterns', () => {
  const PATTERNS = ['2:4', '1:4', '3:4', '4:8', '1:2', '1:3', '5:16', '7:100', '1:1024'] as const

  const shapes = [
    ...LENGTHS.map((n) => [n]),
    [],
    [3, 8],
    [5, 7],
    [9, 16],
    [2, 3, 4],
    [4, 6, 5],
    [3, 2, 5, 7],
    [2, 1, 4, 33],
    [1, 50],
    [50, 1],
    [0, 4],
    [4, 0]
  ]

  const numbers = (pattern: string): [number, number] => {
    const [n, m] = pattern.split(':').map(Number)
    return [n, m]
  }

  function check(data: Float32Array<ArrayBuffer>, shape: number[], pattern: string): void {
    const expected = patternOracle(data, shape, ...numbers(pattern))
    expectPruned(prune({ data, shape }, { pattern }), expected, shape, `${pattern} of [${shape.join(', ')}]`)
  }

  it.each(PATTERNS)('%s', (pattern) => {
    shapes.forEach((shape, i) => {
      check(ugly(sizeOf(shape), i), shape, pattern)
      check(tied(sizeOf(shape), i), shape, pattern)
    })
  })

  it.each(PATTERNS)('%s over more than a tile', (pattern) => {
    for (const shape of [[70001], [3, 40001], [700, 103], [6, 11, 1000]]) check(tied(sizeOf(shape), 3), shape, pattern)
    check(normals(65536, 3), [128, 512], pattern)
  })

  it('keeps all orders of four', () => {
    // 4^4 arrangements with every tie there is, each a block of its own.
    const data = Float32Array.from({ length: 1024 }, (_, i) => {
      const digit = Math.floor(Math.floor(i / 4) / 4 ** (i % 4)) % 4
      return i % 3 === 0 ? -digit : digit
    })
    for (const pattern of ['1:4', '2:4', '3:4'] as const) {
      check(data, [1024], pattern)
      check(shuffle(data.slice(), 5), [32, 32], pattern)
    }
  })

  it('of equal magnitudes keeps the last', () => {
    expect([...prune([1, 1, 1, 1, -1, 1, -1, 1], { pattern: '2:4' }).values.data]).toEqual([0, 0, 1, 1, 0, 0, -1, 1])
    // Blocks do not run from one row into the next, and the short last block keeps what it has.
    const rows = prune(
      [
        [3, 1, 2],
        [4, 6, 5]
      ],
      { pattern: '1:2' }
    )
    expect([...rows.values.data]).toEqual([3, 0, 2, 0, 6, 5])
    expect(rows.sparsity).toBe(2 / 6)
  })

  it('any pattern and values', () => {
    const cases = fc.integer({ min: 2, max: 20 }).chain((m) =>
      fc.record({
        m: fc.constant(m),
        n: fc.integer({ min: 1, max: m - 1 }),
        rows: fc.integer({ min: 0, max: 6 }),
        columns: fc.integer({ min: 0, max: 50 }),
        seed: fc.nat()
      })
    )
    fc.assert(
      fc.property(cases, ({ n, m, rows, columns, seed }) =>
        check(tied(rows * columns, seed), [rows, columns], `${n}:${m}`)
      ),
      { seed: 5, numRuns: 200 }
    )
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
