import { describe, expect, it } from 'vitest'
import { createGram } from '../../src/index.js'
import { expectSameBits } from '../support/bits.js'
import {
  checkCall,
  checkError,
  checkResult,
  CHUNK,
  numbers,
  onPool,
  poolFor,
  somePools,
  type Call
} from '../support/pool.js'
import { normals, normals64 } from '../support/random.js'

const pools = somePools()
const fresh = poolFor({ threads: 2 })

const mild = (rows: number, dim: number) => ({ data: normals(rows * dim, rows + dim), shape: [rows, dim] })

describe('gram', () => {
  it.each([
    [0, 3],
    [1, 1],
    [1023, 2],
    [1024, 2],
    [3000, 7],
    [5000, 300],
    [2500, 400],
    [CHUNK + 1, 1],
    [3 * CHUNK + 5, 2]
  ])('of %i x %i', async (rows, dim) => {
    for (const options of [undefined, {}, { center: true }, { first: 1000 }, { center: true, first: 3 * 1024 }]) {
      await checkResult(pools, { verb: 'gram', args: [mild(rows, dim)], options })
    }
  })

  it('of numbers of many magnitudes, f64, half bits, nested arrays', async () => {
    const patterns = Uint16Array.from({ length: 6000 }, (_, i) => (i * 77) % 31744)
    for (const rows of [
      { data: numbers(90_000, 3), shape: [30_000, 3] },
      { data: normals64(90_000, 4), dims: [30_000, 3] },
      { data: patterns, shape: [2000, 3], dtype: 'float16' },
      { data: patterns, shape: [1500, 4], dtype: 'bfloat16' },
      { data: Int32Array.from(patterns, (x) => x * 70_001 - 2 ** 30), shape: [3000, 2] },
      Array.from({ length: 1100 }, (_, i) => [i, -i, 0.5])
    ]) {
      await checkResult(pools, { verb: 'gram', args: [rows], options: { center: true, first: 77 } })
    }
  })

  it('a sketch', async () => {
    for (const options of [{ directions: 4 }, { directions: 7, center: true, first: 500 }]) {
      await checkResult(pools, { verb: 'gram', args: [mild(40_000, 9)], options })
    }
  })

  it('a sketch, on threads that have done nothing else', async () => {
    await checkResult([fresh], { verb: 'gram', args: [mild(5000, 6)], options: { directions: 3 } })
  })

  it('goes on by itself, and with others', async () => {
    const rows = mild(6000, 3)
    const part = (first: number, end: number) => ({
      data: rows.data.subarray(3 * first, 3 * end),
      shape: [end - first, 3]
    })
    const [left, right] = await Promise.all([
      pools[1].gram(part(0, 3500)),
      pools[2].gram(part(3500, 5000), { first: 3500 })
    ])
    const whole = left.merge(right).add(part(5000, 6000))
    expectSameBits(whole.toBytes(), createGram(3).add(rows).toBytes())
    expect(whole.count).toBe(6000)
  })

  it('of shared memory, and of arrays handed over', async () => {
    const rows = mild(5000, 80)
    const shared = new Float32Array(new SharedArrayBuffer(rows.data.byteLength))
    shared.set(rows.data)
    const expected = createGram(80, { first: 9 }).add(rows).toBytes()
    for (const pool of pools) {
      expectSameBits((await pool.gram({ data: shared, shape: rows.shape }, { first: 9 })).toBytes(), expected)
      const data = rows.data.slice()
      const given: Call = { verb: 'gram', args: [{ data, shape: rows.shape }], options: { first: 9 } }
      const moved = (await onPool(pool, given, { transfer: true })) as ReturnType<typeof createGram>
      expectSameBits(moved.toBytes(), expected)
      expect(data.length).toBe(0)
      expectSameBits(moved.add(rows).toBytes(), createGram(80, { first: 9 }).add(rows).add(rows).toBytes())
    }
  })

  it('is cut by index alone', async () => {
    const pool = poolFor({ threads: 2 })
    const totals: number[] = []
    const onProgress = ({ total }: { total: number }) => totals.push(total)
    await pool.gram(mild(6000, 384), { onProgress })
    await pool.gram(mild(6000, 384), { first: 1000, onProgress })
    await pool.gram(mild(70_000, 4), { onProgress })
    expect([...new Set(totals)]).toEqual([6, 7, 2])
  })
})

describe('errors of gram', () => {
  it('are those of the verb, the first in the table', async () => {
    for (const bad of [NaN, Infinity, -Infinity]) {
      const rows = mild(4000, 300)
      rows.data[300 * 3900 + 5] = bad
      rows.data[300 * 2100 + 7] = bad
      const call: Call = { verb: 'gram', args: [rows], options: { first: 1_000_000 } }
      await checkError(pools, call, /^gram: "rows" expected finite numbers, got .* at row 1002100, column 7/)
    }
    const wide = normals64(3000, 1)
    wide[2999] = 1e200
    await checkError(pools, { verb: 'gram', args: [{ data: wide, shape: [1500, 2] }] }, '1e+200 at row 1499, column 1')
  })

  it.each([
    [[new Float32Array(4)], undefined],
    [[{ data: new Float32Array(4), shape: [4, 0] }], undefined],
    [[{ data: new Float32Array(0), shape: [4, 0] }], undefined],
    [[undefined], undefined],
    [[[[1, 2]]], { center: 'yes' }],
    [[[[1, 2]]], { first: -1 }],
    [[[[1, 2]]], { first: Number.MAX_SAFE_INTEGER }],
    [[[[1, 2]]], { directions: 3 }],
    [[[[1, 2]]], { rank: 3 }]
  ])('gram(%j, %j)', async (args, options) => {
    await checkCall(pools, { verb: 'gram', args, options })
    await checkError(pools, { verb: 'gram', args, options }, /^gram: /)
  })
})
