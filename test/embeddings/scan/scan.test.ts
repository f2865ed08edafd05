import { describe, expect, it } from 'vitest'
import { createEngine, frame } from '../../../src/embeddings/codingEngine.js'
import { blocksOf } from '../../../src/embeddings/scan/blocks.js'
import { rowBytes, type RowLayout } from '../../../src/embeddings/scan/layout.js'
import type { Query } from '../../../src/embeddings/scan/query.js'
import {
  byteQuery,
  floatQuery,
  pqTables4,
  scalarTables,
  scanBlocks,
  scoreFinely,
  signQuery
} from '../../../src/embeddings/scan/scan.js'
import {
  hammingOracle,
  lookupOracle,
  productOracle,
  scoreOracle,
  squaredOracle,
  valueAt
} from '../../oracle/embeddings/scan/scan.js'
import { normals } from '../../support/random.js'
import { blocksWith, DIMENSIONS, floats, layoutOf, layouts, queryOf, randomRows } from '../../support/scans.js'

const engine = createEngine()
const TERMS = normals(200, 9)

/** Scores of rows by a scan, or by its finer tables. */
function scores(layout: RowLayout, rows: Uint8Array, count: number, build: () => Query, finely = false): Float32Array {
  return frame(engine, (memory) => {
    const blocks = blocksWith(engine, layout, rows, count)
    const query = build()
    const to = memory.alloc(128 * blocksOf(count))
    if (finely) scoreFinely(engine, layout, query, query.fine!(), to, blocks, blocksOf(count))
    else scanBlocks(engine, layout, query, to, blocks, blocksOf(count))
    return memory.f32(to, count).slice()
  })
}

const rowOf = (layout: RowLayout, rows: Uint8Array, r: number): Uint8Array =>
  rows.slice(r * rowBytes(layout), (r + 1) * rowBytes(layout))

/** Holds scores against the oracle, within `bound` of the sum, and f32's rounding on the way to the score. */
function check(
  layout: RowLayout,
  rows: Uint8Array,
  actual: Float32Array,
  product: (row: Uint8Array) => number,
  bound: number,
  rest: { multiplier?: number; constant?: number; terms?: ArrayLike<number> } = {}
): void {
  actual.forEach((score, r) => {
    const row = rowOf(layout, rows, r)
    const sum = product(row)
    const expected = scoreOracle(row, layout, sum, rest)
    const scale = layout.factors ? Math.abs(scoreOracle(row, layout, 1) - scoreOracle(row, layout, 0)) : 1
    const tolerance = scale * bound + 1e-6 * (Math.abs(expected) + scale * Math.abs(sum) + 8)
    expect(Math.abs(score - expected), `${layout.scan} ${layout.bits} of ${layout.count}, row ${r}`).toBeLessThan(
      tolerance
    )
  })
}

const sumOf = (values: ArrayLike<number>): number => Array.from(values).reduce((sum, x) => sum + Math.abs(x), 0)
const EXTRA = { multiplier: 0.75, constant: -1.5 }

describe('scanBlocks by tables', () => {
  it('is within a step of an entry for each nibble', () => {
    for (const d of DIMENSIONS) {
      for (const layout of layouts(d).filter(({ scan }) => scan === 'tables')) {
        const count = 45
        const rows = randomRows(layout, count, d)
        const q = normals(d, d + 1)
        const levels = normals(1 << layout.bits, d + 2).sort()
        let step = 0
        const actual = scores(layout, rows, count, () => {
          const data = scalarTables(engine, floats(engine, q), d, layout.bits, floats(engine, levels))
          step = data.step
          return queryOf(data, { ...EXTRA, terms: floats(engine, TERMS) })
        })
        const groups = layout.bits === 3 ? 2 * Math.ceil(d / 8) : Math.ceil(Math.ceil((layout.bits * d) / 4) / 4)
        const range = Math.max(...levels) - Math.min(...levels)
        expect(step / 4).toBeLessThanOrEqual(((range * sumOf(q)) / 255) * 1.0001)
        const bound = step * groups + 1e-6 * range * sumOf(q)
        check(layout, rows, actual, (row) => productOracle(row, layout, q, levels), bound, { ...EXTRA, terms: TERMS })
      }
    }
  })

  it('has no bias, and an error that is small beside the bound', () => {
    for (const bits of [1, 2, 3, 4]) {
      const layout = layoutOf('tables', bits, 1536)
      const count = 512
      const rows = randomRows(layout, count, bits)
      const q = normals(1536, 5)
      const levels = Float32Array.from({ length: 1 << bits }, (_, i) => i - ((1 << bits) - 1) / 2)
      let step = 0
      const actual = scores(layout, rows, count, () => {
        const data = scalarTables(engine, floats(engine, q), 1536, bits, floats(engine, levels))
        step = data.step / 4
        return queryOf(data)
      })
      let sum = 0
      let squares = 0
      actual.forEach((score, r) => {
        const error = (score - productOracle(rowOf(layout, rows, r), layout, q, levels)) / step
        sum += error
        squares += error * error
      })
      const nibbles = bits === 3 ? 1536 : 384 * bits
      const deviation = Math.sqrt(squares / count)
      expect(deviation).toBeLessThan(0.75 * Math.sqrt(nibbles))
      expect(Math.abs(sum / count)).toBeLessThan(0.6 * Math.sqrt(nibbles))
    }
  })

  it('is within half of 1 / 4095 of the greatest range for each nibble where it scores finely', () => {
    for (const d of DIMENSIONS) {
      for (const layout of layouts(d).filter(({ scan }) => scan === 'tables')) {
        const rows = randomRows(layout, 45, d)
        const q = normals(d, d + 1)
        const levels = normals(1 << layout.bits, d + 2).sort()
        let step = 0
        const build = (): Query => {
          const data = scalarTables(engine, floats(engine, q), d, layout.bits, floats(engine, levels))
          step = data.step
          return queryOf(data, { ...EXTRA, terms: floats(engine, TERMS) })
        }
        const actual = scores(layout, rows, 45, build, true)
        const tables = Math.ceil((d * (layout.bits === 3 ? 4 : layout.bits)) / 4)
        const bound = tables * ((step / 4) * (255 / 4095)) * 0.51 + 1e-6 * sumOf(q) * sumOf(levels)
        check(layout, rows, actual, (row) => productOracle(row, layout, q, levels), bound, { ...EXTRA, terms: TERMS })
      }
    }
  })

  it('takes tables of sub-spaces', () => {
    for (const m of [1, 2, 3, 5, 8, 48, 96, 97, 1500]) {
      const layout = layoutOf('tables', 4, m)
      const rows = randomRows(layout, 40, m)
      const tables = normals(16 * m, m).map((x) => x + 3)
      let step = 0
      const actual = scores(layout, rows, 40, () => {
        const data = pqTables4(engine, floats(engine, tables), m)
        step = data.step
        return queryOf(data)
      })
      const bound = step * Math.ceil(m / 4) + 1e-6 * sumOf(tables)
      check(layout, rows, actual, (row) => lookupOracle(row, layout, tables), bound)
    }
  })

  it('takes queries that are zero, sparse, tiny and huge', () => {
    const d = 100
    for (const bits of [1, 2, 3, 4]) {
      const layout = layoutOf('tables', bits, d)
      const rows = randomRows(layout, 33, bits)
      const levels = normals(1 << bits, 1)
      for (const factor of [0, 1e-42, 1e-20, 1e20]) {
        const q = normals(d, 2, factor).map((x, i) => (i % 7 ? 0 : x))
        let step = 0
        const actual = scores(layout, rows, 33, () => {
          const data = scalarTables(engine, floats(engine, q), d, bits, floats(engine, levels))
          step = data.step
          return queryOf(data)
        })
        actual.forEach((score, r) => {
          const expected = productOracle(rowOf(layout, rows, r), layout, q, levels)
          expect(Math.abs(score - expected)).toBeLessThanOrEqual(step * d + 1e-38 + 1e-6 * sumOf(q))
        })
      }
    }
  })
})

describe('scanBlocks over bytes', () => {
  it('scores finely where coordinates are of very different sizes', () => {
    for (const bits of [5, 6, 7, 8]) {
      const d = 300
      const layout = layoutOf('bytes', bits, d, 2)
      const rows = randomRows(layout, 45, d)
      const q = normals(d, 1).map((x, i) => (i % 50 === 1 ? 1000 * x : x))
      const offset = bits === 8 ? 0.5 : 0
      const build = (): Query => queryOf(byteQuery(engine, floats(engine, q), d, bits, { offset, uneven: true }))
      const product = (row: Uint8Array): number => {
        let sum = 0
        for (let i = 0; i < d; i++) sum += q[i]! * (valueAt(row, layout, i) + offset)
        return sum
      }
      const most = 1 << bits
      const top = Math.max(...q.map(Math.abs))
      const bound = (d / 2) * most * (top / 508 / 508) * 1.1 + 1e-6 * most * sumOf(q)
      check(layout, rows, scores(layout, rows, 45, build, true), product, bound)
      expect(() => check(layout, rows, scores(layout, rows, 45, build), product, bound)).toThrow()
    }
  })

  it('is within the rounding of the query', () => {
    for (const d of DIMENSIONS) {
      for (const layout of layouts(d).filter(({ scan }) => scan === 'bytes')) {
        const rows = randomRows(layout, 45, d)
        const q = normals(d, d + 1)
        const offset = layout.bits === 8 ? 0.5 : -((1 << layout.bits) - 1) / 2
        const actual = scores(layout, rows, 45, () =>
          queryOf(byteQuery(engine, floats(engine, q), d, layout.bits, { offset }), {
            ...EXTRA,
            terms: floats(engine, TERMS)
          })
        )
        const top = Math.max(...q.map(Math.abs))
        const product = (row: Uint8Array): number => {
          let sum = 0
          for (let i = 0; i < d; i++) sum += q[i]! * (valueAt(row, layout, i) + offset)
          return sum
        }
        const most = 1 << (layout.bits - 1)
        const bound = (d / 2) * most * (top / 254) * 1.02 + 1e-6 * most * sumOf(q)
        check(layout, rows, actual, product, bound, { ...EXTRA, terms: TERMS })
      }
    }
  })

  it('is exact where the query is, however great the sums', () => {
    for (const d of [16, 100, 1536, 8192]) {
      for (const bits of [5, 6, 7, 8]) {
        const layout = layoutOf('bytes', bits, d)
        const rows = randomRows(layout, 40, d)
        rows.fill(bits === 8 ? 128 : 255, 0, rowBytes(layout))
        if (bits === 8) rows.fill(127, rowBytes(layout), 2 * rowBytes(layout))
        else if (d & 7) continue
        for (const sign of [1, -1]) {
          const q = new Float32Array(d).fill(sign * 127)
          const actual = scores(layout, rows, 40, () => queryOf(byteQuery(engine, floats(engine, q), d, bits)))
          actual.forEach((score, r) => {
            const expected = productOracle(rowOf(layout, rows, r), layout, q)
            expect(Math.abs(score - expected), `${d} ${bits} ${r}`).toBeLessThanOrEqual(3e-7 * 127 * 255 * d)
          })
        }
      }
    }
  })
})

describe('scanBlocks over signs and floats', () => {
  it('counts what differs', () => {
    for (const d of [...DIMENSIONS, 1984, 1992, 8192]) {
      const layout = layoutOf('signs', 1, d)
      const rows = randomRows(layout, 45, d)
      const query = randomRows(layout, 1, d + 1)
      if (d === 1984) rows.set(query.map((x) => ~x))
      const actual = scores(layout, rows, 45, () => {
        const at = engine.memory.alloc(query.length)
        engine.memory.u8(at, query.length).set(query)
        return queryOf(signQuery(engine, at, d))
      })
      actual.forEach((score, r) => expect(score).toBe(hammingOracle(rowOf(layout, rows, r), query, layout)))
    }
  })

  it('sums products and squared differences', () => {
    for (const d of DIMENSIONS) {
      for (const layout of layouts(d).filter(({ scan }) => scan === 'half' || scan === 'float')) {
        const rows = randomRows(layout, 45, d)
        const q = normals(d, d + 1)
        for (const squared of [false, true]) {
          const actual = scores(layout, rows, 45, () => queryOf(floatQuery(engine, floats(engine, q), d, { squared })))
          actual.forEach((score, r) => {
            const row = rowOf(layout, rows, r)
            const expected = squared ? squaredOracle(row, layout, q) : productOracle(row, layout, q)
            let terms = 0
            for (let i = 0; i < d; i++) {
              const x = valueAt(row, layout, i)
              terms += squared ? (x - q[i]!) ** 2 : Math.abs(x * q[i]!)
            }
            expect(Math.abs(score - expected), `${layout.scan} of ${d}, row ${r}`).toBeLessThanOrEqual(1e-5 * terms)
          })
        }
      }
    }
  })
})

describe('scanBlocks by tables of 256', () => {
  it('sums their entries', () => {
    for (const m of [1, 2, 3, 5, 31, 32, 33, 48, 96, 130]) {
      const layout = layoutOf('lookup', 8, m, 2, 1)
      const rows = randomRows(layout, 45, m)
      const tables = normals(256 * m, m)
      const actual = scores(layout, rows, 45, () =>
        queryOf(
          { data: floats(engine, tables), step: 1, base: 0, exact: true },
          { ...EXTRA, terms: floats(engine, TERMS) }
        )
      )
      const bound = 1e-6 * 4 * m
      check(layout, rows, actual, (row) => lookupOracle(row, layout, tables), bound, { ...EXTRA, terms: TERMS })
    }
  })
})

describe('scores', () => {
  it('do not depend on how blocks are cut into calls', () => {
    for (const layout of layouts(200)) {
      const count = 320
      const rows = randomRows(layout, count, 7)
      frame(engine, (memory) => {
        const q = floats(engine, normals(200, 8))
        const levels = floats(engine, normals(16, 9).sort())
        const terms = floats(engine, TERMS)
        const data =
          layout.scan === 'tables'
            ? scalarTables(engine, q, 200, layout.bits, levels)
            : layout.scan === 'bytes'
              ? byteQuery(engine, q, 200, layout.bits)
              : layout.scan === 'signs'
                ? signQuery(engine, q, 200)
                : layout.scan === 'lookup'
                  ? { data: floats(engine, normals(256 * 200, 9)), step: 1, base: 0, exact: true }
                  : floatQuery(engine, q, 200)
        const query = queryOf(data, { ...EXTRA, terms })
        const blocks = blocksWith(engine, layout, rows, count)
        const all = memory.alloc(128 * 10)
        scanBlocks(engine, layout, query, all, blocks, 10)
        const one = memory.alloc(128)
        for (let b = 0; b < 10; b++) {
          const single = blocksWith(engine, layout, rows.slice(32 * b * rowBytes(layout)), 32)
          scanBlocks(engine, layout, query, one, single, 1)
          expect(memory.f32(one, 32)).toEqual(memory.f32(all + 128 * b, 32))
        }
      })
    }
  })
})
