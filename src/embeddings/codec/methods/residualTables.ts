import type { Engine } from '../../engine.js'
import type { Pointer } from '../../../core/memory.js'
import type { RowLayout } from '../../scan/layout.js'
import { loadCodebooks, type LoadedCodebooks, type Split } from '../codebooks.js'
import { lookUpRows } from '../kernelCalls.js'
import { packAlong, roomForPanels, type Panels } from '../panels.js'
import type { Metric, Tables } from '../quantizer.js'
import { putTable } from './contents.js'

/** What a residual quantiser is, but for its tables. */
export interface ResidualShape {
  readonly d: number
  readonly metric: Metric
  readonly stages: number
  readonly subspaces: number
  readonly beam: number
}

/** Codewords of a stage. */
export const CODEWORDS = 256
export const MOST_STAGES = 256
export const MOST_BEAM = 64
/** Bytes of a squared length, the greater one first. It is a sum of two tables' entries, as any codes are. */
export const LENGTH_BYTES = 2

export function residualLayout({
  metric,
  stages,
  subspaces
}: Pick<ResidualShape, 'metric' | 'stages' | 'subspaces'>): RowLayout {
  const count = stages + subspaces + (metric === 'dot' ? 0 : LENGTH_BYTES)
  return { scan: 'lookup', bits: 8, count, codeBytes: count, factors: 0, centroidBytes: 0 }
}

/** How what the stages leave is cut. */
export function residualSplit({ d, subspaces }: ResidualShape): Split {
  return { dimensions: d, subspaces, bits: 8 }
}

/** A residual quantiser in an engine. */
export interface ResidualTables extends ResidualShape {
  /** bytes of a row's codes */
  readonly length: number
  /** f32 [d], the mean of the rows; 0: they are not taken off it */
  readonly origin: Pointer
  /** f32 (2, 256): what the bytes of a squared length stand for, and the least step of one */
  readonly squares: Pointer
  readonly unit: number
  /** f32 (stages, 256, d), and the same packed for products */
  readonly codewords: Pointer
  readonly books: readonly Panels[]
  /** f32 (stages, 256): minus half the squares of the codewords */
  readonly halves: Pointer
  /** of what the stages leave; none without sub-spaces */
  readonly rest: LoadedCodebooks | undefined
}

export function loadResidualTables(engine: Engine, tables: Tables, shape: ResidualShape): ResidualTables {
  const { memory } = engine
  const { d, stages, subspaces } = shape
  const origin = tables.mean ? putTable(engine, tables, 'mean') : 0
  const squares = putTable(engine, tables, 'squares')
  const codewords = putTable(engine, tables, 'codewords')
  const rest =
    subspaces > 0 ? loadCodebooks(engine, putTable(engine, tables, 'codebooks'), residualSplit(shape)) : undefined
  const books = Array.from({ length: stages }, (_, stage) => {
    const book = roomForPanels(engine, d, CODEWORDS)
    packAlong(engine, book, codewords + 4 * stage * CODEWORDS * d)
    return book
  })
  const halves = memory.alloc(4 * stages * CODEWORDS)
  const words = memory.f32(codewords, stages * CODEWORDS * d)
  memory.f32(halves, stages * CODEWORDS).forEach((_, i, all) => {
    let sum = 0
    for (let j = i * d; j < (i + 1) * d; j++) sum += words[j]! * words[j]!
    all[i] = -sum / 2
  })
  const unit = tables.squares!.data[CODEWORDS + 1]!
  return { ...shape, length: residualLayout(shape).codeBytes, origin, squares, unit, codewords, books, halves, rest }
}

/** rows: f32 (count, d), the sums that codes stand for, without the mean. */
export function sumCodewords(
  engine: Engine,
  { d, stages, length, codewords, rest }: ResidualTables,
  rows: Pointer,
  codes: Pointer,
  count: number
): void {
  if (count === 0) return
  for (let stage = 0; stage < stages; stage++) {
    lookUpRows(engine, {
      ...{ rows, stride: d, codes: codes + stage, step: length, count, width: d },
      ...{ words: codewords + 4 * stage * CODEWORDS * d, shift: 0, mask: CODEWORDS - 1, add: stage > 0 }
    })
  }
  rest?.decode(rows, codes + stages, count, { step: length, add: true })
}
