import { frame, type Engine } from '../engine.js'
import type { Pointer } from '../../core/memory.js'
import { placeStrips, takeStrips } from './kernelCalls.js'
import { BLOCK_ROWS, planesOf, rowBytes, type RowLayout } from './layout.js'

/** One run of bytes of a row, and where a block keeps it. */
interface Piece {
  /** columns: byte after byte of all rows, u8[bytes][32]; strips: row after row */
  readonly kind: 'columns' | 'strips'
  readonly inRow: number
  readonly inBlock: number
  readonly bytes: number
  /** strips: from one row to the next */
  readonly step: number
  /** strips: what pairs of bytes are xored with */
  readonly flip: number
}

/**
 * How 32 rows stand in a block:
 * [codes in scan form][scale f32[32]][bias f32[32]][third f32[32]][centroid u8 | u16[32]].
 * Parts begin at multiples of 16 bytes. Lanes without a row, and what fills up a part, are zero.
 */
export interface BlockParts {
  /** offset of the first factor; each takes 128 bytes */
  readonly factors: number
  /** offset of the centroids' numbers */
  readonly centroid: number
  /** bytes of the block */
  readonly bytes: number
  /** 'bytes', 'half', 'float', 'lookup': from one row's codes to the next */
  readonly step: number
  readonly pieces: readonly Piece[]
}

const align = (bytes: number, unit = 16): number => Math.ceil(bytes / unit) * unit

/** Coordinates that a scan takes at a time: what rows are filled up to. */
export const STEP_BYTES = 16
export const STEP_PLANES = 32
export const STEP_FLOATS = 8

const strip = (inRow: number, inBlock: number, bytes: number, step: number, flip = 0): Piece => ({
  kind: 'strips',
  ...{ inRow, inBlock, bytes, step, flip }
})

/** Codes that stand as columns: planes one after the other, and the bytes that each is filled up to. */
function columnPieces({ scan, bits, count }: RowLayout): { pieces: Piece[]; bytes: number } {
  const pieces: Piece[] = []
  let inRow = 0
  let columns = 0
  for (const plane of planesOf(bits)) {
    const bytes = Math.ceil((plane * count) / 8)
    pieces.push({ kind: 'columns', inRow, inBlock: 32 * columns, bytes, step: 0, flip: 0 })
    inRow += bytes
    // Tables are summed four at a time, of two columns; three bits take 8 codes at a time.
    if (scan === 'signs') columns += bytes
    else columns += bits === 3 ? plane * Math.ceil(count / 8) : align(bytes, 2)
  }
  return { pieces, bytes: 32 * columns }
}

/** Codes that stand as strips. */
function stripPieces({ scan, bits, count, codeBytes, unsigned }: RowLayout): { pieces: Piece[]; step: number } {
  if (scan === 'float') return whole(4 * count, 4 * STEP_FLOATS)
  if (scan === 'half') return whole(2 * count, 2 * STEP_FLOATS)
  if (scan === 'lookup') return whole(codeBytes, 1)
  // The scan takes pairs of bytes apart whose lower one has no sign, and whose upper one has.
  if (bits === 8) return whole(codeBytes, STEP_BYTES, unsigned ? 0x8000 : 0x80)
  const steps = Math.ceil(count / STEP_PLANES)
  const planes = planesOf(bits)
  const step = planes.reduce((sum, plane) => sum + 4 * plane * steps, 0)
  let inRow = 0
  let inBlock = 0
  const pieces = planes.map((plane) => {
    const bytes = Math.ceil((plane * count) / 8)
    const piece = strip(inRow, inBlock, bytes, step)
    inRow += bytes
    inBlock += 4 * plane * steps
    return piece
  })
  return { pieces, step }
}

function whole(bytes: number, unit: number, flip = 0): { pieces: Piece[]; step: number } {
  const step = align(bytes, unit)
  return { pieces: [strip(0, 0, bytes, step, flip)], step }
}

const known = /* @__PURE__ */ new WeakMap<RowLayout, BlockParts>()

export function blockParts(layout: RowLayout): BlockParts {
  let parts = known.get(layout)
  if (!parts) known.set(layout, (parts = planBlock(layout)))
  return parts
}

function planBlock(layout: RowLayout): BlockParts {
  const { scan, codeBytes, centroidBytes } = layout
  const pieces: Piece[] = []
  let step = 0
  let factors: number
  if (scan === 'tables' || scan === 'signs') {
    const columns = columnPieces(layout)
    pieces.push(...columns.pieces)
    factors = align(columns.bytes)
  } else {
    const strips = stripPieces(layout)
    pieces.push(...strips.pieces)
    step = strips.step
    factors = align(BLOCK_ROWS * step)
  }
  for (let k = 0; k < layout.factors; k++) pieces.push(strip(codeBytes + 4 * k, factors + 128 * k, 4, 4))
  const centroid = factors + 128 * layout.factors
  if (centroidBytes) pieces.push(strip(codeBytes + 4 * layout.factors, centroid, centroidBytes, centroidBytes))
  return { factors, centroid, bytes: centroid + align(BLOCK_ROWS * centroidBytes), step, pieces }
}

/** Bytes of a block of 32 rows: a multiple of 16, and the distance of one block from the next. */
export function blockBytes(layout: RowLayout): number {
  return blockParts(layout).bytes
}

/** Blocks that so many rows fill. */
export function blocksOf(rows: number): number {
  return Math.ceil(rows / BLOCK_ROWS)
}

/** Clears blocks, which has to be done before their first rows come: lanes without a row are zero. */
export function clearBlocks(engine: Engine, layout: RowLayout, blocks: Pointer, count: number): void {
  if (count > 0) engine.kernels.clearBytes(blocks, count * blockBytes(layout))
}

/** Writes rows of codes, u8 (count, rowBytes), to the lanes from `first` on; other lanes are left as they are. */
export function placeRows(
  engine: Engine,
  layout: RowLayout,
  blocks: Pointer,
  first: number,
  rows: Pointer,
  count: number
): void {
  if (count <= 0) return
  const { bytes: stride, pieces } = blockParts(layout)
  const lane = first % BLOCK_ROWS
  const start = blocks + ((first - lane) / BLOCK_ROWS) * stride
  const length = rowBytes(layout)
  frame(engine, (memory, kernels) => {
    const scratch = memory.alloc(512)
    for (const piece of pieces) {
      const block = start + piece.inBlock
      const from = rows + piece.inRow
      if (piece.kind === 'columns') {
        kernels.placeColumns(block, stride, lane, from, length, piece.bytes, count, scratch)
      } else {
        placeStrips(engine, piece, { block, stride, lane, rows: from, rowBytes: length, count })
      }
    }
  })
}

/** Reads rows of codes back, u8 (count, rowBytes), from the lanes from `first` on. */
export function takeRows(
  engine: Engine,
  layout: RowLayout,
  rows: Pointer,
  blocks: Pointer,
  first: number,
  count: number
): void {
  if (count <= 0) return
  const { bytes: stride, pieces } = blockParts(layout)
  const lane = first % BLOCK_ROWS
  const start = blocks + ((first - lane) / BLOCK_ROWS) * stride
  const length = rowBytes(layout)
  frame(engine, (memory, kernels) => {
    const scratch = memory.alloc(512)
    for (const piece of pieces) {
      const block = start + piece.inBlock
      const to = rows + piece.inRow
      if (piece.kind === 'columns') {
        kernels.takeColumnsOf(to, length, block, stride, lane, piece.bytes, count, scratch)
      } else {
        takeStrips(engine, piece, { block, stride, lane, rows: to, rowBytes: length, count })
      }
    }
  })
}
