import type { Pointer } from '../core/memory.js'
import type { GroupedRows } from '../core/tiles.js'
import type { Kernels } from './engine.js'
import type { Grid } from './formats.js'

// Kernels take up to eleven numbers in a row. The widest are called here and nowhere else, so that each number has a
// name.

/** Scales f32 and zero points i32 in memory, one for each set or column. */
export interface SetParameters {
  readonly scales: Pointer
  readonly zeros: Pointer
}

/** Where codes and values of a tile stand, and the least and the greatest code that a set uses. */
interface TileRoom {
  readonly kernels: Kernels
  readonly codes: Pointer
  readonly values: Pointer
  readonly least: number
  readonly most: number
}

/** `clamped`: the scales are the caller's, so that values may be far beyond the codes. */
export function encodeRows(
  room: TileRoom,
  tile: GroupedRows,
  { scales, zeros }: SetParameters,
  clamped: boolean
): void {
  const { kernels, codes, values, least, most } = room
  const { rows, width, group, cycle } = tile
  kernels.encodeRows(codes, values, rows, width, group, cycle, scales, zeros, least, most, Number(clamped))
}

/** `scales` are 1 / scale, one for each column. */
export function encodeColumns(
  room: TileRoom,
  { rows, width }: Pick<GroupedRows, 'rows' | 'width'>,
  { scales, zeros }: SetParameters,
  clamped: boolean
): void {
  const { kernels, codes, values, least, most } = room
  kernels.encodeColumns(codes, values, rows, width, scales, zeros, least, most, Number(clamped))
}

/** Values of the codes, to `to`. */
export function decodeRows(
  { kernels, codes, grid }: TileRoom & { readonly grid: Grid },
  { rows, width, group, cycle }: GroupedRows,
  { scales, zeros }: SetParameters,
  to: Pointer
): void {
  kernels.decodeRows(to, codes, rows, width, group, cycle, scales, zeros, Number(grid.signed))
}

/** A byte for each value, to `to`. */
export function insideRows(
  { kernels, values, least, most }: TileRoom,
  { rows, width, group, cycle }: GroupedRows,
  { scales, zeros }: SetParameters,
  to: Pointer
): void {
  kernels.insideRows(to, values, rows, width, group, cycle, scales, zeros, least, most)
}

/** Greatest and least values in memory, and what they become. */
interface RangeRoom {
  readonly kernels: Kernels
  readonly high: Pointer
  readonly low: Pointer
  readonly steps: SetParameters
  readonly grid: Grid
  readonly symmetric: boolean
}

/** @param inner ranges that a set has, side by side */
export function scalesFromRange(room: RangeRoom, sets: number, inner: number): void {
  const { kernels, high, low, steps, grid, symmetric } = room
  const { least, most, middle } = grid
  kernels.scalesFromRange(steps.scales, steps.zeros, high, low, sets, inner, Number(symmetric), least, most, middle)
}
