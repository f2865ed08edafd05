import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createGram, gram, openGram } from '../../src/index.js'
import type { Gram, GramOptions } from '../../src/index.js'
import { expectSameBits } from '../support/bits.js'
import { index, normals64, seeded } from '../support/random.js'
import { rowsOf, type Table } from '../support/tables.js'
import { type AnyTable, table, check, CENTER } from '../support/grams.js'

describe('any cut, any order', () => {
  /** A table cut at random into parts, these into calls of add, merged in random order and shape. */
  function scattered(t: AnyTable, options: GramOptions, seed: number): Gram {
    const random = seeded(seed)
    const [rows, dim] = t.shape
    const cuts = [0, rows]
    for (let k = index(random, 6); k > 0; k--) cuts.push(index(random, rows + 1))
    cuts.sort((a, b) => a - b)
    const start = options.first ?? 0
    const parts = cuts.slice(1).map((end, i) => {
      const part = createGram(dim, { ...options, first: start + cuts[i] })
      for (let row = cuts[i]; row < end;) {
        const next = Math.min(end, row + 1 + Math.floor(1800 * random() ** 3))
        part.add(rowsOf(t, row, next))
        row = next
      }
      return random() < 0.3 ? openGram(part.toBytes()) : part
    })
    while (parts.length > 1) {
      const [other] = parts.splice(index(random, parts.length), 1)
      parts[index(random, parts.length)].merge(other)
    }
    return parts[0]
  }

  it.each([
    ['exact', {}],
    ['centred', { center: true }],
    ['from within a block', { first: 3 * 1024 - 77 }],
    ['a sketch', { directions: 3 }],
    ['a centred sketch', { directions: 2, center: true, first: 99 }]
  ])('%s: the same bytes', (_, options: GramOptions) => {
    const single = table(6200, 5)
    const double: Table = { data: normals64(31000, 4), shape: [6200, 5] }
    for (const t of [single, double]) {
      const expected = gram(t, options)
      const bytes = expected.toBytes()
      const result = expected.pca({ rank: 2, dtype: 'float64' })
      fc.assert(
        fc.property(fc.integer({ min: 0, max: 2 ** 30 }), (seed) => {
          const actual = scattered(t, options, seed)
          expectSameBits(actual.toBytes(), bytes, `bytes of seed ${seed}`)
          expect(actual.pca({ rank: 2, dtype: 'float64' })).toEqual(result)
        }),
        { seed: 11, numRuns: options.directions ? 12 : 40 }
      )
    }
  })

  it('results on the way change nothing, and are those of the rows so far', () => {
    const t = table(3000, 4)
    for (const center of CENTER) {
      const g = createGram(4, { center })
      for (const [from, to] of [
        [0, 1],
        [1, 900],
        [900, 1024],
        [1024, 1025],
        [1025, 2500],
        [2500, 3000]
      ]) {
        expect(g.add(rowsOf(t, from, to))).toBe(g)
        check(g, rowsOf(t, 0, to))
        expect(g.matrix()).toEqual(g.matrix())
        g.pca({ rank: 1 })
      }
      expectSameBits(g.toBytes(), gram(t, { center }).toBytes())
    }
  })

  it('a row at a time, of either precision', () => {
    const t = table(2100, 3)
    const g = createGram(3)
    // f32 and the same numbers in f64: what is kept until a block is complete is either, what is computed the same.
    for (let r = 0; r < 2100; r++) {
      const row = rowsOf(t, r, r + 1).data
      g.add(r % 3 ? row : Float64Array.from(row))
    }
    check(g, t)
  })

  it('merge leaves the other as it was, and both go on by themselves', () => {
    const t = table(2300, 3)
    const left = createGram(3).add(rowsOf(t, 0, 1100))
    const right = createGram(3, { first: 1100 }).add(rowsOf(t, 1100, 1500))
    const bytes = right.toBytes()
    expect(left.merge(right)).toBe(left)
    expectSameBits(right.toBytes(), bytes)
    check(left, rowsOf(t, 0, 1500))
    left.add(rowsOf(t, 1500, 2300))
    right.add(
      rowsOf(t, 1500, 1600)
        .data.map((x) => -x)
        .subarray(0, 3)
    )
    check(left, t)
    expect([right.count, right.first]).toEqual([401, 1100])
    expect([left.count, left.first]).toEqual([2300, 0])
  })

  it('rows go behind the last that is here', () => {
    const t = table(3000, 2)
    const g = createGram(2, { first: 1000 })
      .add(rowsOf(t, 1000, 2000))
      .merge(gram(rowsOf(t, 0, 1000)))
    expect([g.first, g.count]).toEqual([0, 2000])
    check(g.add(rowsOf(t, 2000, 3000)), t)
  })

  it('empty parts add nothing', () => {
    const t = table(50, 2)
    const g = createGram(2, { first: 7 })
    const empty = { data: new Float32Array(0), shape: [0, 2] }
    expect([g.add(empty).count, g.first]).toEqual([0, 7])
    g.merge(createGram(2, { first: 3 })).merge(g)
    expect([g.count, g.first]).toEqual([0, 7])
    expect(gram(empty, { first: 5 }).first).toBe(5)
    check(g.merge(gram(t)), t)
    check(g.merge(createGram(2, { first: 3 })), t)
  })
})
