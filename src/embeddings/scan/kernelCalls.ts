/** Kernels of many arguments, by named fields. Flags are booleans here and 0 or 1 in the kernels. */
import type { Engine } from '../engine.js'
import type { Pointer } from '../../core/memory.js'

// Masks of the kernels, which take them as arguments: a constant is folded into each of its uses.
const BYTE = 0xff
const NIBBLE = 0x0f
const THIRD = 0x44
const INDEX = 7
const HALF_KEEP = 0x8fff
const HALF_EXPONENT = (127 + 112) << 23

const flag = (value: boolean): 0 | 1 => (value ? 1 : 0)

/** Blocks of codes, and where a scan leaves what it sums over each row: f32 or i32 (count, 32). */
export interface ScanCall {
  readonly sums: Pointer
  readonly blocks: Pointer
  /** bytes from one block to the next */
  readonly stride: number
  readonly count: number
  /** what the query's builder made */
  readonly query: Pointer
}

/** exact: entries of four tables fit a byte, and are added; else they are averaged */
export function scanNibbles(
  { kernels }: Engine,
  { sums, blocks, stride, count, query }: ScanCall,
  { columns, exact }: { readonly columns: number; readonly exact: boolean }
): void {
  kernels.scanTables(sums, blocks, stride, count, query, columns, flag(exact), NIBBLE)
}

/** groups: of eight codes of three bits */
export function scanThrees(
  { kernels }: Engine,
  { sums, blocks, stride, count, query }: ScanCall,
  { groups, exact }: { readonly groups: number; readonly exact: boolean }
): void {
  kernels.scanThreeBits(sums, blocks, stride, count, query, groups, flag(exact), NIBBLE, THIRD, INDEX)
}

export function scanSigns({ kernels }: Engine, call: ScanCall, columns: number): void {
  kernels.scanSigns(call.sums, call.blocks, call.stride, call.count, call.query, columns, BYTE)
}

/** step: bytes from one row's codes to the next; scratch: 128 bytes for each 32 codes of a row */
export function scanGrid(
  { kernels }: Engine,
  { sums, blocks, stride, count, query }: ScanCall,
  { step, bits, scratch }: { readonly step: number; readonly bits: number; readonly scratch: Pointer }
): void {
  kernels.scanBytes(sums, blocks, stride, count, query, step, bits, BYTE, NIBBLE, scratch)
}

/** squared: minus the squared distance is summed, not the product */
export function scanHalves(
  { kernels }: Engine,
  { sums, blocks, stride, count, query }: ScanCall,
  { step, squared }: { readonly step: number; readonly squared: boolean }
): void {
  kernels.scanHalves(sums, blocks, stride, count, query, step, flag(squared), HALF_KEEP, HALF_EXPONENT)
}

export interface FinishCall {
  /** f32 (count, 32), in place */
  readonly scores: Pointer
  /** the factors of the first block */
  readonly factors: Pointer
  readonly stride: number
  readonly count: number
  /** sums are whole numbers */
  readonly whole: boolean
  /** factors that take part in a score */
  readonly used: number
  readonly step: number
  readonly base: number
  readonly multiplier: number
  readonly constant: number
}

export function finishScores({ kernels }: Engine, call: FinishCall): void {
  const { scores, factors, stride, count, whole, used, step, base, multiplier, constant } = call
  kernels.finishScores(scores, factors, stride, count, flag(whole), used, step, base, multiplier, constant)
}

export interface SelectCall {
  /** u32 pairs (capacity, 2) of candidates */
  readonly buffer: Pointer
  /** 16 bytes: the threshold */
  readonly state: Pointer
  readonly scores: Pointer
  readonly masks: Pointer
  readonly ids: Pointer
  readonly rows: number
  readonly first: number
  readonly k: number
  readonly capacity: number
  readonly filled: number
}

/** Returns how many candidates the buffer holds. */
export function selectScores({ kernels }: Engine, call: SelectCall): number {
  const { buffer, state, scores, masks, ids, rows, first, k, capacity, filled } = call
  return kernels.selectScores(buffer, state, scores, masks, ids, rows, first, k, capacity, filled)
}

/** Where rows stand, one after the other and in blocks. */
export interface StripCall {
  /** the strip in the first row, and bytes from one row to the next */
  readonly rows: Pointer
  readonly rowBytes: number
  /** the strip in the first block, and bytes from one block to the next */
  readonly block: Pointer
  readonly stride: number
  /** of the first row, in its block */
  readonly lane: number
  readonly count: number
}

/** A run of bytes of each row, which a block keeps row after row. */
export interface Strip {
  readonly bytes: number
  /** bytes from one row to the next within a block */
  readonly step: number
  /** what pairs of bytes are xored with */
  readonly flip: number
}

export function placeStrips({ kernels }: Engine, { bytes, step, flip }: Strip, call: StripCall): void {
  const { rows, rowBytes, block, stride, lane, count } = call
  kernels.placeStrips(block, stride, step, lane, rows, rowBytes, bytes, count, flip)
}

export function takeStrips({ kernels }: Engine, { bytes, step, flip }: Strip, call: StripCall): void {
  const { rows, rowBytes, block, stride, lane, count } = call
  kernels.takeStrips(rows, rowBytes, block, stride, step, lane, bytes, count, flip)
}
