import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createEngine, frame } from '../../../src/embeddings/codingEngine.js'
import { TopK, type Best } from '../../../src/embeddings/scan/select.js'
import { bestOracle } from '../../oracle/embeddings/scan/scan.js'
import { index, normals, seeded } from '../../support/random.js'

const engine = createEngine()

interface Case {
  scores: ArrayLike<number>
  k: number
  /** rows of a tile: a multiple of 32 but for the last */
  tile?: number
  ids?: ArrayLike<number>
  keep?: (row: number) => boolean
  first?: number
}

function select({ scores, k, tile = 1024, ids, keep, first = 0 }: Case): Best {
  return frame(engine, (memory) => {
    const top = new TopK(engine, k)
    const at = memory.alloc(4 * tile + 128)
    const names = memory.alloc(4 * tile)
    const masks = memory.alloc(tile / 8 + 4)
    for (let done = 0; done < scores.length; done += tile) {
      const rows = Math.min(tile, scores.length - done)
      // What stands behind the last row must not count.
      memory.f32(at, tile + 32).fill(Infinity)
      for (let r = 0; r < rows; r++) memory.f32(at + 4 * r, 1)[0] = scores[done + r]!
      if (ids) for (let r = 0; r < rows; r++) memory.u32(names, tile)[r] = ids[done + r]!
      const words = memory.u32(masks, Math.ceil(rows / 32)).fill(0)
      if (keep) for (let r = 0; r < rows; r++) if (keep(done + r)) words[r >> 5]! |= 1 << (r & 31)
      const before = top.threshold
      top.add(at, rows, {
        ...(ids && { ids: names }),
        ...(keep && { masks }),
        first: first + done
      })
      expect(top.threshold).toBeGreaterThanOrEqual(before)
    }
    return top.take()
  })
}

function check(options: Case): void {
  const { scores, k, ids, keep, first = 0 } = options
  const entries = Array.from(scores, (score, row) => ({
    score: score === 0 ? 0 : score,
    id: ids?.[row] ?? first + row
  }))
  const expected = bestOracle(keep ? entries.filter((_, row) => keep(row)) : entries, k)
  const actual = select(options)
  expect(Array.from(actual.ids)).toEqual(expected.map(({ id }) => id))
  expect(Array.from(actual.scores)).toEqual(expected.map(({ score }) => score))
}

describe('TopK', () => {
  it('finds the best, in order', () => {
    for (const n of [0, 1, 2, 31, 32, 33, 1000, 5000])
      for (const k of [1, 2, 10, 63, 64, 100, 5001]) check({ scores: normals(n, n + k), k })
  })

  it('orders ties by id, also thousands at the edge', () => {
    const random = seeded(1)
    for (const values of [[0], [0, -0], [1, 2], [-1, -0, 0, 1], [-Infinity, 0, Infinity]]) {
      const scores = Array.from({ length: 20000 }, () => values[index(random, values.length)]!)
      const ids = Uint32Array.from({ length: 20000 }, (_, i) => 4294967295 - ((7919 * i) % 20011))
      for (const k of [1, 10, 100, 3000, 15000]) {
        check({ scores, k })
        check({ scores, k, ids })
      }
    }
  })

  it('does not mind the order in which scores come', () => {
    const rising = Float32Array.from({ length: 30000 }, (_, i) => i)
    for (const k of [1, 10, 1000, 30000]) {
      check({ scores: rising, k })
      check({ scores: rising.slice().reverse(), k })
      check({ scores: rising.map((x) => -Math.abs(x - 15000)), k })
      check({ scores: rising.map((x) => (x * 7919) % 30011), k, tile: 32 })
    }
  })

  it('takes only what the masks let through', () => {
    const scores = normals(5001, 3)
    for (const k of [1, 10, 400]) {
      check({ scores, k, keep: () => false })
      check({ scores, k, keep: (row) => row % 3 === 0 })
      check({ scores, k, keep: (row) => row === 4999 || row === 5000, first: 7 })
      check({ scores, k, keep: (row) => row < 40 || row > 4000, tile: 96 })
    }
  })

  it('takes up to 65536', () => {
    const scores = normals(150000, 4).map((x) => Math.round(100 * x))
    check({ scores, k: 65536, tile: 8192 })
    check({ scores, k: 65536, tile: 8192, ids: Uint32Array.from(scores, (_, i) => 150000 - i) })
  })

  it('holds on any scores', () => {
    const score = fc.oneof(fc.float({ noNaN: true }), fc.constantFrom(0, -0, 1, -1, Infinity, -Infinity, 1e-45))
    fc.assert(
      fc.property(
        fc.array(score, { maxLength: 700 }),
        fc.integer({ min: 1, max: 150 }),
        fc.constantFrom(32, 64, 320),
        fc.integer({ min: 1, max: 5 }),
        (scores, k, tile, step) =>
          check({ scores: Float32Array.from(scores), k, tile, keep: (row) => row % step === 0 })
      ),
      { numRuns: 150 }
    )
  })

  it('goes on after it was asked, and begins anew', () => {
    frame(engine, (memory) => {
      const top = new TopK(engine, 3)
      expect(top.threshold).toBe(-Infinity)
      const at = memory.alloc(128)
      memory.f32(at, 32).set(normals(32, 1))
      top.add(at, 32)
      expect(top.take()).toEqual(top.take())
      memory.f32(at, 32).fill(9)
      top.add(at, 2, { first: 100 })
      expect(Array.from(top.take().ids).slice(0, 2)).toEqual([100, 101])
      top.reset()
      expect(top.take().ids.length).toBe(0)
      top.add(at, 5, { first: 100 })
      expect(Array.from(top.take().ids)).toEqual([100, 101, 102])
    })
  })

  it('knows a threshold below which nothing enters', () => {
    frame(engine, (memory) => {
      const top = new TopK(engine, 10)
      const at = memory.alloc(4096)
      memory.f32(at, 1024).set(normals(1024, 2))
      top.add(at, 1024)
      const tenth = top.take().scores[9]!
      expect(top.threshold).toBeGreaterThan(0)
      expect(top.threshold).toBeLessThanOrEqual(tenth)
    })
  })
})
