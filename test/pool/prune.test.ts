import { describe, expect, it } from 'vitest'
import { prune } from '../../src/index.js'
import type { Pruned, PruneOptions, TensorLike } from '../../src/index.js'
import { byTurns, CHUNK, checkResult, numbers, repeated, somePools, tied } from '../support/pool.js'
import { nameOf, UGLY_CASES } from '../support/quantize.js'
import { removeLeast } from '../support/prune.js'
import { expectSameBits } from '../support/bits.js'

const pools = somePools()

const LENGTHS = [0, 1, 7, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 1]
const SPARSITIES = [0, 0.5, 0.999999]
const MORE = [1e-6, 0.8, 1]

const check = (tensors: unknown, options: PruneOptions, turn = 0): Promise<void> =>
  checkResult(byTurns(pools, turn), { verb: 'prune', args: [tensors], options }, `prune ${JSON.stringify(options)}`)

describe('a fraction of one tensor', () => {
  it.each(LENGTHS)('of %i', async (length) => {
    const data = numbers(length, length)
    for (const [i, sparsity] of SPARSITIES.entries()) await check(data, { sparsity }, i)
  })

  it.each(LENGTHS)('of %i with ties everywhere', async (length) => {
    const data = tied(length, length)
    for (const [i, sparsity] of MORE.entries()) await check(data, { sparsity }, i)
  })

  it('where all elements are equal, the cut falls into every chunk in turn', async () => {
    const length = 2 * CHUNK + 1001
    for (const x of [1, -0]) {
      const data = new Float32Array(length).fill(x)
      for (const count of [1, CHUNK - 1, CHUNK, CHUNK + 1, length - 1]) {
        await check(data, { sparsity: count / length }, count)
      }
    }
  })

  it('where all of the least are in one chunk', async () => {
    for (const at of [0, 1, 2]) {
      const data = new Float32Array(3 * CHUNK).map((_, i) =>
        Math.floor(i / CHUNK) === at ? 1e-3 * (1 + (i % 7)) : 5 + (i % 11)
      )
      for (const sparsity of [1 / 3, 0.4]) await check({ data, shape: [3, CHUNK] }, { sparsity }, at)
    }
  })

  it('thresholds that differ in the last bits only', async () => {
    const words = Uint32Array.from(
      { length: 2 * CHUNK + 9 },
      (_, i) => 0x3f800000 + ((i * 40503) & 0xff) + (i % 2) * 2 ** 31
    )
    const data = new Float32Array(words.buffer)
    for (const [i, sparsity] of [0.001, 0.5].entries()) await check(data, { sparsity }, i)
  })

  it.each(UGLY_CASES.map((ugly, i) => ({ ...ugly, i })))('$name', async ({ data: few, i }) => {
    const data = repeated(few, CHUNK + 55)
    await check(few, { sparsity: 0.5 }, i)
    await check(data, i % 2 ? { sparsity: 0.4 } : { pattern: '3:7' }, i)
  })

  it('is that of a plain sort', async () => {
    const data = numbers(CHUNK + 4321, 5)
    const count = Math.round(data.length * 0.6)
    const [expected] = removeLeast([data], count)
    const { values, mask, sparsity } = await pools[2]!.prune(data, { sparsity: count / data.length })
    expectSameBits(values.data, expected!.values)
    expectSameBits(mask.bits, expected!.bits)
    expect(sparsity).toBe(count / data.length)
  })
})

const SHAPES = [
  [],
  [0],
  [5],
  [0, 4],
  [3, 0],
  [7, 9],
  [5, 2, 3],
  [CHUNK],
  [2 * CHUNK + 3],
  [3, CHUNK + 1],
  [2, CHUNK - 1],
  [1, 700001],
  [777, 1001],
  [300001, 2],
  [600001, 1],
  [100, 11, 607]
]

describe('patterns', () => {
  it.each(SHAPES.map((shape, i) => ({ name: nameOf({ shape }), shape, i })))('$name', async ({ shape, i }) => {
    const size = shape.reduce((product, n) => product * n, 1)
    for (const data of [numbers(size, i), tied(size, i)]) {
      for (const pattern of i % 2 ? ['2:4', '5:11'] : ['1:3', '4:8']) await check({ data, shape }, { pattern }, i)
    }
  })

  it('a block that crosses chunks', async () => {
    for (const block of [7, 23]) {
      await check(tied(2 * CHUNK + block + 1, block), { pattern: `2:${block}` }, block)
    }
  })
})

const many = (make: (length: number, seed: number) => Float32Array<ArrayBuffer>): TensorLike[] => [
  { data: make(CHUNK + 1, 1), shape: [1, CHUNK + 1] },
  make(0, 2),
  make(5, 3),
  { data: make(2 * CHUNK - 10, 4), shape: [2, CHUNK - 5] },
  { data: make(1, 5), shape: [] },
  make(CHUNK, 6),
  Float64Array.from(make(999, 7)),
  [
    [1, -2, 0.5],
    [2, 1, -1]
  ]
]

describe.each([
  ['numbers', many(numbers)],
  ['ties', many(tied)]
])('many tensors of %s', (_, tensors) => {
  it.each(['layer', 'global', undefined] as const)('scope %s', async (scope) => {
    for (const [i, sparsity] of [0.5, 0.9].entries()) await check(tensors, { sparsity, scope }, i)
  })

  it('records', async () => {
    const names = ['b', 'a', 'data', 'shape', '10', '2', '__x', 'z']
    const record = Object.fromEntries(tensors.map((tensor, i) => [names[i], tensor]))
    for (const scope of ['layer', 'global'] as const) await check(record, { sparsity: 0.55, scope })
    await check(record, { pattern: '2:4' })
  })

  it('a pattern', () => check(tensors, { pattern: '2:4' }))
})

it('none, one, many small ones, one tensor twice', async () => {
  const twice = tied(CHUNK + 3, 1)
  for (const scope of ['layer', 'global'] as const) {
    await check([], { sparsity: 0.5, scope })
    await check({}, { sparsity: 0.5, scope })
    await check(
      [numbers(50, 1)].map((data) => ({ data, shape: [5, 10] })),
      { sparsity: 0.5, scope }
    )
    await check(
      Array.from({ length: 100 }, (_, i) => tied(i, i)),
      { sparsity: 0.3, scope }
    )
    await check([twice, twice], { sparsity: 0.7, scope })
  }
})

it('"out" is filled and returned', async () => {
  for (const [i, length] of [100, CHUNK + 1, 2 * CHUNK + 9].entries()) {
    for (const options of [{ sparsity: 0.5 }, { pattern: '2:4' }]) {
      const data = numbers(length, i)
      const out: Pruned = prune(new Float32Array(length).fill(7), { sparsity: 0.1 })
      const expected = prune(data, options)
      const result = await pools[i]!.prune(data, { ...options, out })
      expect(result.values.data).toBe(out.values.data)
      expect(result.mask.bits).toBe(out.mask.bits)
      expectSameBits(out.values.data, expected.values.data)
      expectSameBits(out.mask.bits, expected.mask.bits)
    }
  }
})
