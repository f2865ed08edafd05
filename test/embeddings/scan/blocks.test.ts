import { describe, expect, it } from 'vitest'
import { createEngine, frame } from '../../../src/embeddings/codingEngine.js'
import {
  blockBytes,
  blockParts,
  blocksOf,
  clearBlocks,
  placeRows,
  takeRows
} from '../../../src/embeddings/scan/blocks.js'
import { rowBytes } from '../../../src/embeddings/scan/layout.js'
import { blocksWith, DIMENSIONS, layoutOf, layouts, randomRows, ROWS } from '../../support/scans.js'

const engine = createEngine()

describe('blocks of rows', () => {
  it('have parts that are aligned', () => {
    for (const d of DIMENSIONS) {
      for (const layout of layouts(d)) {
        const { bytes, factors, centroid } = blockParts(layout)
        expect(bytes % 16).toBe(0)
        expect(factors % 16).toBe(0)
        expect(centroid).toBe(factors + 128 * layout.factors)
        expect(bytes).toBeGreaterThanOrEqual(32 * rowBytes(layout))
      }
    }
  })

  it('take no more than their rows where dimensions are whole', () => {
    for (const d of [64, 384, 1536])
      for (const layout of layouts(d)) expect(blockBytes(layout)).toBe(32 * rowBytes(layout))
  })

  it('give rows back as they came', () => {
    for (const d of DIMENSIONS) {
      for (const layout of layouts(d)) {
        for (const count of d > 400 ? [33, 64] : ROWS) {
          const rows = randomRows(layout, count, d + count)
          frame(engine, (memory) => {
            const blocks = blocksWith(engine, layout, rows, count)
            const back = memory.alloc(rows.length)
            memory.u8(back, rows.length).fill(1)
            takeRows(engine, layout, back, blocks, 0, count)
            expect(Buffer.compare(memory.u8(back, rows.length), rows), `${layout.scan} ${layout.bits} ${d}`).toBe(0)
            const length = rowBytes(layout)
            for (const row of [0, count >> 1, count - 1]) {
              takeRows(engine, layout, back, blocks, row, 1)
              const one = rows.subarray(row * length, (row + 1) * length)
              expect(Buffer.compare(memory.u8(back, length), one)).toBe(0)
            }
          })
        }
      }
    }
  })

  it('are the same however rows come, and zero where there are none', () => {
    for (const d of [1, 7, 17, 65, 100, 384]) {
      for (const layout of layouts(d)) {
        const count = 97
        const rows = randomRows(layout, count, d)
        const length = rowBytes(layout)
        frame(engine, (memory) => {
          const size = blocksOf(count) * blockBytes(layout)
          const whole = memory.u8(blocksWith(engine, layout, rows, count), size).slice()
          const from = memory.alloc(rows.length)
          memory.u8(from, rows.length).set(rows)
          for (const cuts of [[1], [5, 32], [40, 3], [31, 64]]) {
            const blocks = memory.alloc(size)
            memory.u8(blocks, size).fill(0xee)
            clearBlocks(engine, layout, blocks, blocksOf(count))
            for (let at = 0, i = 0; at < count; i++) {
              const some = Math.min(cuts[i % cuts.length]!, count - at)
              placeRows(engine, layout, blocks, at, from + at * length, some)
              at += some
            }
            expect(Buffer.compare(memory.u8(blocks, size), whole), `${layout.scan} ${layout.bits} ${d}`).toBe(0)
          }
          // One row put in another's place, and back.
          const blocks = blocksWith(engine, layout, rows, count)
          placeRows(engine, layout, blocks, 40, from, 1)
          placeRows(engine, layout, blocks, 40, from + 40 * length, 1)
          expect(Buffer.compare(memory.u8(blocks, size), whole)).toBe(0)
        })
      }
    }
  })

  it('hold columns of codes', () => {
    const layout = layoutOf('tables', 4, 5)
    const rows = randomRows(layout, 33, 1)
    frame(engine, (memory) => {
      const blocks = memory.u8(blocksWith(engine, layout, rows, 33), 2 * blockBytes(layout))
      expect(blockBytes(layout)).toBe(4 * 32)
      for (let b = 0; b < 3; b++) {
        for (let r = 0; r < 32; r++) expect(blocks[32 * b + r]).toBe(rows[3 * r + b])
        expect(blocks[128 + 32 * b]).toBe(rows[3 * 32 + b])
        expect(blocks[128 + 32 * b + 1]).toBe(0)
      }
    })
  })
})
