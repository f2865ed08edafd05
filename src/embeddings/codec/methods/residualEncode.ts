import { frame, type Engine } from '../../engine.js'
import type { Memory, Pointer } from '../../../core/memory.js'
import { beamStep, type Candidates } from '../kernelCalls.js'
import { multiplyPanels } from '../panels.js'
import { CODEWORDS, sumCodewords, type ResidualTables } from './residualTables.js'

/** Bytes of candidates that are worked on at a time. */
const BATCH_BYTES = 1 << 20

/** Codes of rows f32 (count, d), less their mean, by a beam search over the stages. */
export function encodeResiduals(
  engine: Engine,
  loaded: ResidualTables,
  codes: Pointer,
  rows: Pointer,
  count: number
): void {
  const { d, beam, stages, subspaces, length } = loaded
  const step = Math.max(1, Math.floor(BATCH_BYTES / (4 * beam * (d + CODEWORDS))))
  for (let at = 0; at < count; at += step) {
    const some = Math.min(step, count - at)
    const to = codes + at * length
    frame(engine, () => encodeBatch(engine, loaded, to, rows + 4 * d * at, some))
    if (stages + subspaces < length) storeSquares(engine, loaded, to, some)
  }
}

/** The stages' codes, then those of what the best candidates leave. */
function encodeBatch(engine: Engine, loaded: ResidualTables, codes: Pointer, rows: Pointer, count: number): void {
  const { memory } = engine
  const { d, beam, stages, length, rest } = loaded
  const best = searchStages(engine, loaded, rows, count)
  const out = memory.u8(codes, count * length)
  for (let r = 0; r < count; r++) {
    out.set(memory.u8(best.codes + r * beam * stages, stages), r * length)
  }
  rest?.encode(codes + stages, best.left, count, { stride: beam * d, step: length })
}

/** The candidates after the last stage, each row's best first; in the frame that is open. */
function searchStages(engine: Engine, loaded: ResidualTables, rows: Pointer, count: number): Candidates {
  const { memory } = engine
  const { d, beam, stages, codewords, books, halves } = loaded
  // Two stages in turn: one reads what the other has written.
  const even = roomForCandidates(memory, count * beam, d, stages)
  const odd = roomForCandidates(memory, count * beam, d, stages)
  const products = memory.alloc(4 * count * beam * CODEWORDS)
  const kept = memory.alloc(4 * beam)
  // What a row's own square adds to all costs does not matter.
  memory.f32(odd.costs, count).fill(0)
  let before: Candidates = { ...odd, left: rows }
  let parents = 1
  books.forEach((book, stage) => {
    const after = stage & 1 ? odd : even
    multiplyPanels(engine, products, before.left, count * parents, book)
    beamStep(engine, {
      ...{ after, before, products, rows: count, parents, beam, dimensions: d, stage, stages, kept },
      halves: halves + 4 * stage * CODEWORDS,
      codewords: codewords + 4 * stage * CODEWORDS * d
    })
    before = after
    parents = beam
  })
  return before
}

function roomForCandidates(memory: Memory, count: number, d: number, stages: number): Candidates {
  return {
    left: memory.alloc(4 * count * d),
    codes: memory.alloc(count * stages),
    costs: memory.alloc(4 * count)
  }
}

/** The squared length of the sum, behind each row's codes, in units. */
function storeSquares(engine: Engine, loaded: ResidualTables, codes: Pointer, count: number): void {
  const { d, length, stages, subspaces, unit } = loaded
  const at = stages + subspaces
  frame(engine, (memory, kernels) => {
    const rows = memory.alloc(4 * count * d)
    sumCodewords(engine, loaded, rows, codes, count)
    const own = memory.alloc(4 * count)
    kernels.rowSquaresF32(own, rows, count, d)
    const out = memory.u8(codes, count * length)
    memory.f32(own, count).forEach((square, r) => {
      const units = unit > 0 ? Math.min(Math.floor(square / unit + 0.5), 65535) : 0
      out[r * length + at] = units >> 8
      out[r * length + at + 1] = units & 255
    })
  })
}
