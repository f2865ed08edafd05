import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { prune } from '../../src/index.js'
import { patternOracle } from '../oracle/prune.js'
import { expectPruned, tied } from '../support/prune.js'
import { ugly } from '../support/quantize.js'
import { normals, shuffle } from '../support/random.js'
import { LENGTHS, sizeOf } from '../support/shapes.js'

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
