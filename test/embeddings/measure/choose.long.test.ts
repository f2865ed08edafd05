import { describe, expect, it } from 'vitest'
import { chooseCodec, createIndex, type ChooseOptions } from '../../../src/embeddings/index.js'
import { plainCodec } from '../../support/indices.js'
import { normals } from '../../support/random.js'
import type { Table } from '../../support/tables.js'

const DIM = 48
const table: Table<Float32Array<ArrayBuffer>> = { data: normals(1500 * DIM, 1), shape: [1500, DIM] }
const quick: ChooseOptions = { methods: ['turbo', 'int8', 'binary', 'float16', 'float32'] }

describe('chooseCodec', () => {
  it('counts on rescoring where it may, and then needs fewer bytes', () => {
    const [alone, rescored] = [1, [1, 3]].map((oversampling) =>
      chooseCodec(table, { recall: 0.9, oversampling, ...quick })
    )
    expect(alone!.oversampling).toBe(1)
    expect(rescored!.oversampling).toBe(3)
    expect(rescored!.totalBytes).toBeLessThan(alone!.totalBytes)
    // What originals take counts where they are kept.
    const kept = chooseCodec(table, { recall: 0.9, originals: 'float16', ...quick })
    for (const row of kept.table.filter(({ oversampling }) => oversampling === 3)) {
      expect(row.totalBytes).toBe(1500 * (row.bytesPerVector + 2 * DIM) + row.tableBytes)
    }
  })

  it('is the same again', () => {
    const run = (): object => ({ ...chooseCodec(table, { recall: 0.8, seed: 4, ...quick }), codec: undefined })
    expect(run()).toEqual(run())
  })

  it('counts what originals of few bits lose, and what wins is what a search by them finds', () => {
    const data = normals(1500 * DIM, 6).map((x) => x + 8)
    const shape = [1500, DIM]
    const options = { methods: ['turbo', 'float32'], metric: 'l2', originals: 'int8' } as const
    const choice = chooseCodec({ data, shape }, { recall: 0.8, ...options, oversampling: 4 })
    const kept = createIndex(choice.codec, { originals: 'int8' })
    const exact = createIndex(plainCodec(DIM, 'l2'))
    const queries = { data: normals(400 * DIM, 7).map((x) => x + 8), shape: [400, DIM] }
    for (const each of [kept, exact]) each.add({ data, shape })
    const [found, truth] = [kept.search(queries, { oversampling: 4 }), exact.search(queries)].map(({ ids }) => ids.data)
    let hits = 0
    truth!.forEach((id, at) => {
      const start = at - (at % 10)
      if (found!.subarray(start, start + 10).includes(id)) hits++
    })
    expect(Math.abs(hits / 4000 - choice.recall)).toBeLessThan(0.02)
    expect(Math.max(...choice.table.map(({ recall }) => recall))).toBeLessThan(1)
    expect(chooseCodec({ data, shape }, { recall: 1, ...options }).settings.method).toBe('float32')
  })

  it('tries fewer numbers where these could do, also of vectors whose float16 lose much', () => {
    // All that differs is in the first half, small beside how far they are from 0.
    const data = normals(1200 * 32, 8).map((x, at) => (at % 32 < 16 ? x + 40 : 40))
    const choice = chooseCodec({ data, shape: [1200, 32] }, { recall: 0.8, methods: ['turbo'], oversampling: 1 })
    expect(choice.table.map(({ label }) => label)).toContain('turbo, 8 bits, first 16')
  })
})
