import { afterEach, describe, expect, it, vi } from 'vitest'
import { defaultEngine } from '../../src/prune/engine.js'
import { prune } from '../../src/index.js'
import { pruneOracle } from '../oracle/prune.js'
import { expectSameBits } from '../support/bits.js'
import { expectPruned, removeLeast, tied } from '../support/prune.js'
import { index, normal, normals, seeded } from '../support/random.js'

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
