import type { HalfKernels } from './engine.js'
import type { Layout } from './layout.js'
import type { Memory, Pointer } from './memory.js'
import { decodeRaw, loadF32, rawView, type NumberArray, type Source } from './tensor.js'

/**
 * Elements of one tile: 128 KiB of f32. A tile stays in a second-level cache with what is made of it, and copies in and
 * out still run at full speed. A multiple of 64, so that packed nibbles and bits of a tile fill whole bytes.
 */
export const TILE = 32768

/** A tile in memory, as all kernels see it. */
interface Matrix {
  readonly rows: number
  readonly width: number
}

/**
 * What the row kernels work on: rows cut into runs of `group`, one set a run; the sets start again after `cycle` rows.
 */
export interface GroupedRows extends Matrix {
  readonly group: number
  readonly cycle: number
}

/** One run of elements from `start` on, for the row kernels. */
export interface RowsTile extends GroupedRows {
  readonly kind: 'rows'
  readonly start: number
}

/** One run of elements from `start` on, for the column kernels: a set has every `inner` columns of the layout. */
export interface ColumnsTile extends Matrix {
  readonly kind: 'columns'
  readonly start: number
}

/** Runs of `size` elements, `stride` apart from `start` on, brought together to one row. */
export interface PiecesTile extends GroupedRows {
  readonly kind: 'pieces'
  readonly start: number
  readonly pieces: number
  readonly size: number
  readonly stride: number
}

/** Channels from `channel` on, one a row, each with the elements from its own `position` on. */
export interface GatheredTile extends GroupedRows {
  readonly kind: 'gathered'
  readonly channel: number
  readonly position: number
}

/** A part of a tensor that stands in linear memory at once. */
export type Tile = RowsTile | ColumnsTile | PiecesTile | GatheredTile

/** A tile whose elements follow each other in the tensor as they do in memory. */
export type RunTile = RowsTile | ColumnsTile

export function isRun(tile: Tile): tile is RunTile {
  return tile.kind === 'rows' || tile.kind === 'columns'
}

export function tileLength(tile: Tile): number {
  return tile.rows * tile.width
}

/** The flat index of column `column` in the first row of a gathered tile; each row is `inner` further on. */
function gatheredIndex({ channels, inner }: Layout, { channel, position }: GatheredTile, column: number): number {
  const outer = Math.floor((position + column) / inner)
  return (outer * channels + channel) * inner + (position + column - outer * inner)
}

/** From a whole array to the rows of a tile. */
function gather(view: NumberArray, from: NumberArray, layout: Layout, tile: GatheredTile): void {
  const { rows, width } = tile
  for (let column = 0; column < width; column++) {
    let index = gatheredIndex(layout, tile, column)
    for (let row = 0; row < rows; row++, index += layout.inner) view[row * width + column] = from[index]!
  }
}

/** The inverse of gather. */
function scatter(to: NumberArray, view: NumberArray, layout: Layout, tile: GatheredTile): void {
  const { rows, width } = tile
  for (let column = 0; column < width; column++) {
    let index = gatheredIndex(layout, tile, column)
    for (let row = 0; row < rows; row++, index += layout.inner) to[index] = view[row * width + column]!
  }
}

/** Brings a tile to f32[rows][width] at `pointer`. */
export function loadTile(
  memory: Memory,
  kernels: HalfKernels,
  pointer: Pointer,
  source: Source,
  layout: Layout,
  tile: Tile
): void {
  if (tile.kind === 'gathered') {
    const length = tileLength(tile)
    const view = rawView(memory, pointer, source, length)
    gather(view, source.data, layout, tile)
    decodeRaw(kernels, pointer, source, length)
  } else if (tile.kind === 'pieces') {
    for (let k = 0; k < tile.pieces; k++) {
      loadF32(memory, kernels, pointer + 4 * k * tile.size, source, tile.start + k * tile.stride, tile.size)
    }
  } else loadF32(memory, kernels, pointer, source, tile.start, tileLength(tile))
}

/** Copies the elements of a tile from a whole array to the tile's place in memory. */
export function readTile(view: NumberArray, from: NumberArray, layout: Layout, tile: Tile): void {
  if (tile.kind === 'gathered') gather(view, from, layout, tile)
  else if (tile.kind === 'pieces') {
    for (let k = 0; k < tile.pieces; k++) {
      view.set(partOfArray(from, tile.start + k * tile.stride, tile.size), k * tile.size)
    }
  } else view.set(partOfArray(from, tile.start, tileLength(tile)))
}

/** Copies the elements of a tile from memory to their places in a whole array. */
export function writeTile(to: NumberArray, view: NumberArray, layout: Layout, tile: Tile): void {
  if (tile.kind === 'gathered') scatter(to, view, layout, tile)
  else if (tile.kind === 'pieces') {
    for (let k = 0; k < tile.pieces; k++) {
      to.set(view.subarray(k * tile.size, (k + 1) * tile.size), tile.start + k * tile.stride)
    }
  } else to.set(view, tile.start)
}

/** The array itself where all of it is wanted: a view costs as much as a small tile. */
function partOfArray(array: NumberArray, start: number, length: number): NumberArray {
  return length === array.length ? array : array.subarray(start, start + length)
}

/** Calls `visit` with the flat runs of at most a tile that make up `size` elements. */
export function eachRun(size: number, visit: (start: number, length: number) => void): void {
  for (let start = 0; start < size; start += TILE) visit(start, Math.min(TILE, size - start))
}
