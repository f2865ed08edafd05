import type { Kernels } from './engine.js'
import type { Layout } from '../core/layout.js'
import type { Memory, Pointer } from '../core/memory.js'
import { nonFiniteError, type Source } from '../core/tensor.js'
import { loadTile, tileLength, TILE, type Tile } from '../core/tiles.js'
import { isColumns, setNumber, type Window } from '../core/windows.js'
import { FORMATS, hasZeroPoints, leastCode, type Grid, type IntegerFormat } from './formats.js'
import {
  decodeRows,
  encodeColumns,
  encodeRows,
  insideRows,
  scalesFromRange,
  type SetParameters
} from './kernelCalls.js'
import type { Parameters } from './options.js'

/** Greatest and least value of each set, with 0. */
export interface Ranges {
  readonly high: Float32Array<ArrayBuffer>
  readonly low: Float32Array<ArrayBuffer>
}

/** How elements become codes, or codes elements. Plain data: it goes to other threads. */
export interface Coding {
  readonly layout: Layout
  readonly format: IntegerFormat
  readonly symmetric: boolean
  /** scales and zero points that are known already */
  readonly given?: Parameters
}

/** Bytes to the next multiple of 64, as an allocation of its own would have. */
function aligned(bytes: number): number {
  return Math.ceil(bytes / 64) * 64
}

/**
 * The memory that the steps over a window share. The steps are functions, so that a bundle has those alone that it
 * uses.
 */
export interface Passes {
  readonly memory: Memory
  readonly kernels: Kernels
  readonly layout: Layout
  readonly grid: Grid
  readonly symmetric: boolean
  /** the codes that a set uses */
  readonly least: number
  readonly most: number
  /** a tile of f32 */
  readonly values: Pointer
  /** a tile of bytes */
  readonly codes: Pointer
  /** the window's ranges, one for each set or column */
  readonly high: Pointer
  readonly low: Pointer
  /** the window's scales and zero points, one for each set */
  readonly steps: SetParameters
  /** the same for each column, where the window has columns */
  readonly wide: SetParameters
}

export function preparePasses(
  memory: Memory,
  kernels: Kernels,
  { layout, format, symmetric }: Coding,
  windows: readonly Window[]
): Passes {
  let sets = 1
  let width = 1
  for (const window of windows) {
    sets = Math.max(sets, window.sets)
    if (isColumns(window)) width = Math.max(width, window.tiles[0]!.width)
  }
  const grid = FORMATS[format]
  const rangeBytes = aligned(4 * Math.max(sets, width))
  const setBytes = aligned(4 * sets)
  const wideBytes = aligned(4 * width)
  // One allocation for all: each asks the engine how much memory there is.
  const values = memory.alloc(5 * TILE + 2 * (rangeBytes + setBytes + wideBytes))
  const codes = values + 4 * TILE
  const high = codes + TILE
  const low = high + rangeBytes
  const scales = low + rangeBytes
  const wide = scales + 2 * setBytes
  return {
    memory,
    kernels,
    layout,
    grid,
    symmetric,
    least: leastCode(grid, symmetric),
    most: grid.most,
    values,
    codes,
    high,
    low,
    steps: { scales, zeros: scales + setBytes },
    wide: { scales: wide, zeros: wide + wideBytes }
  }
}

export function load({ memory, kernels, values, layout }: Passes, source: Source, tile: Tile): void {
  loadTile(memory, kernels, values, source, layout, tile)
}

/** Brings in the window's tiles and takes the range of each set; the last tile is left in memory. */
export function measure(passes: Passes, source: Source, window: Window): void {
  clearRanges(passes, window)
  for (const tile of window.tiles) {
    load(passes, source, tile)
    if (widenRanges(passes, tile)) throw nonFiniteError(source)
  }
}

/** The ranges that `measure` took, to those of the whole tensor. */
export function takeRanges(passes: Passes, window: Window, into: Ranges): void {
  const { memory } = passes
  const inner = rangesPerSet(passes, window)
  const high = memory.f32(passes.high, window.sets * inner)
  const low = memory.f32(passes.low, window.sets * inner)
  for (let i = 0; i < high.length; i++) {
    const set = setNumber(window, Math.floor(i / inner))
    into.high[set] = Math.max(into.high[set]!, high[i]!)
    into.low[set] = Math.min(into.low[set]!, low[i]!)
  }
}

/** With scales that the caller gave infinities saturate, but NaN has no code. */
export function refuseNaN(passes: Passes, source: Source, window: Window, tile: Tile): void {
  clearRanges(passes, window)
  if (!widenRanges(passes, tile)) return
  const values = passes.memory.f32(passes.values, tileLength(tile))
  if (values.some(Number.isNaN)) throw nonFiniteError(source, (value) => !Number.isNaN(value))
}

/** The window's scales and zero points from its ranges. */
export function derive(passes: Passes, window: Window): void {
  scalesFromRange(passes, window.sets, rangesPerSet(passes, window))
}

/** Copies the window's scales and zero points to those of the whole tensor. */
export function store({ memory, steps }: Passes, window: Window, { scales, zeroPoints }: Parameters): void {
  const { first, run, sets } = window
  const own = memory.f32(steps.scales, sets)
  const zeros = zeroPoints && memory.i32(steps.zeros, sets)
  if (run === sets) {
    scales.set(own, first)
    if (zeros) zeroPoints.set(zeros, first)
    return
  }
  for (let i = 0; i < sets; i++) {
    const set = setNumber(window, i)
    scales[set] = own[i]!
    if (zeros) zeroPoints[set] = zeros[i]!
  }
}

/** The window's part of parameters that are known already. */
export function use({ memory, steps, grid }: Passes, window: Window, { scales, zeroPoints }: Parameters): void {
  const { first, run, sets } = window
  const own = memory.f32(steps.scales, sets)
  const zeros = memory.i32(steps.zeros, sets)
  if (!zeroPoints) zeros.fill(grid.middle)
  if (run === sets) {
    own.set(scales.subarray(first, first + sets))
    if (zeroPoints) zeros.set(zeroPoints.subarray(first, first + sets))
    return
  }
  for (let i = 0; i < sets; i++) {
    const set = setNumber(window, i)
    own[i] = scales[set]!
    if (zeroPoints) zeros[i] = zeroPoints[set]!
  }
}

/**
 * Spreads the window's parameters over its columns, where it has columns: for encoding as 1 / scale, for decoding as
 * scale.
 */
export function spread({ kernels, wide, steps, layout }: Passes, window: Window, invert: boolean): void {
  if (!isColumns(window)) return
  kernels.scalesWiden(wide.scales, wide.zeros, steps.scales, steps.zeros, window.sets, layout.inner, Number(invert))
}

/** Codes of the tile in memory, a byte each. `clamped`: the scales are the caller's. */
export function encodeTile(passes: Passes, tile: Tile, clamped: boolean): void {
  if (tile.kind === 'columns') encodeColumns(passes, tile, passes.wide, clamped)
  else encodeRows(passes, tile, passes.steps, clamped)
}

/** Values of the tile's codes in memory, from where the codes stand to `to`. */
export function decodeTile(passes: Passes, tile: Tile, to: Pointer): void {
  const { kernels, codes, wide, grid } = passes
  if (tile.kind === 'columns') {
    kernels.decodeColumns(to, codes, tile.rows, tile.width, wide.scales, wide.zeros, Number(grid.signed))
  } else decodeRows(passes, tile, passes.steps, to)
}

/**
 * A byte 0xff for each element of the tile that no end of the codes cuts off, else 0. Wants
 * `spread(passes, window, true)`.
 */
export function insideTile(passes: Passes, tile: Tile, to: Pointer): void {
  const { kernels, values, wide, least, most } = passes
  if (tile.kind === 'columns') {
    kernels.insideColumns(to, values, tile.rows, tile.width, wide.scales, wide.zeros, least, most)
  } else insideRows(passes, tile, passes.steps, to)
}

/** The codes in memory, as the class of array that carries them: a copy between equal classes is a plain move. */
export function codeView({ memory, grid, codes }: Passes, length: number): Int8Array | Uint8Array {
  return grid.codes === Int8Array ? memory.i8(codes, length) : memory.u8(codes, length)
}

function clearRanges({ kernels, high, low }: Passes, window: Window): void {
  kernels.rangeClear(high, low, isColumns(window) ? window.tiles[0]!.width : window.sets)
}

/** @returns how many values were not finite, or 0 */
function widenRanges({ high, low, values, kernels }: Passes, tile: Tile): number {
  return tile.kind === 'columns'
    ? kernels.rangeColumns(high, low, values, tile.rows, tile.width)
    : kernels.rangeRows(high, low, values, tile.rows, tile.width, tile.group, tile.cycle)
}

function rangesPerSet({ layout }: Passes, window: Window): number {
  return isColumns(window) ? layout.inner : 1
}

/** Parameters for `store` to fill in. A set without elements has scale 1 and the zero point of a range of nothing. */
export function emptyParameters({ layout: { sets }, format, symmetric }: Coding): Parameters {
  const grid = FORMATS[format]
  const zeroPoints = hasZeroPoints(grid, symmetric) ? new grid.zeroPoints(sets) : undefined
  const parameters = { scales: new Float32Array(sets), zeroPoints }
  clearParameters(parameters, grid, symmetric)
  return parameters
}

export function clearParameters({ scales, zeroPoints }: Parameters, grid: Grid, symmetric: boolean): void {
  scales.fill(1)
  zeroPoints?.fill(symmetric ? grid.middle : grid.least)
}
