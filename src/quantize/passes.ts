import type { Kernels } from './engine.js'
import type { Layout } from '../core/layout.js'
import type { Memory, Pointer } from '../core/memory.js'
import { nonFiniteError, type Source } from '../core/tensor.js'
import { loadTile, setNumber, tileLength, TILE, type Tile, type Window } from '../core/tiles.js'
import { codeRange, type Grid } from './formats.js'

/** Scales and zero points of a whole tensor, one for each set. */
export interface Parameters {
  readonly scales: Float32Array
  readonly zeros: Int32Array
}

/** Greatest and least value of each set, with 0. */
export interface Ranges {
  readonly high: Float32Array<ArrayBuffer>
  readonly low: Float32Array<ArrayBuffer>
}

/** The steps of quantisation over one window at a time, and the memory they share. */
export class Passes {
  readonly values: Pointer
  readonly codes: Pointer
  private readonly high: Pointer
  private readonly low: Pointer
  readonly scales: Pointer
  readonly zeros: Pointer
  readonly wide: Pointer
  readonly wideZeros: Pointer
  readonly range: { low: number; high: number }

  constructor(
    private readonly memory: Memory,
    readonly kernels: Kernels,
    private readonly layout: Layout,
    readonly grid: Grid,
    private readonly symmetric: boolean,
    windows: readonly Window[]
  ) {
    let sets = 1
    let width = 1
    for (const window of windows) {
      sets = Math.max(sets, window.sets)
      if (window.tiles[0]!.columns) width = Math.max(width, window.tiles[0]!.width)
    }
    const ranges = Math.max(sets, width)
    this.values = memory.alloc(4 * TILE)
    this.codes = memory.alloc(TILE)
    this.high = memory.alloc(4 * ranges)
    this.low = memory.alloc(4 * ranges)
    this.scales = memory.alloc(4 * sets)
    this.zeros = memory.alloc(4 * sets)
    this.wide = memory.alloc(4 * width)
    this.wideZeros = memory.alloc(4 * width)
    this.range = codeRange(grid, symmetric)
  }

  load(source: Source, tile: Tile): void {
    loadTile(this.memory, this.kernels, this.values, source, this.layout, tile)
  }

  /** Brings in the window's tiles and takes the range of each set; the last tile is left in memory. */
  measure(source: Source, window: Window): void {
    this.clearRanges(window)
    for (const tile of window.tiles) {
      this.load(source, tile)
      if (this.widen(tile)) throw nonFiniteError(source)
    }
  }

  /** The ranges that `measure` took, to those of the whole tensor. */
  takeRanges(window: Window, into: Ranges): void {
    const inner = window.tiles[0]!.columns ? this.layout.inner : 1
    const high = this.memory.f32(this.high, window.sets * inner)
    const low = this.memory.f32(this.low, window.sets * inner)
    for (let i = 0; i < high.length; i++) {
      const set = setNumber(window, Math.floor(i / inner))
      into.high[set] = Math.max(into.high[set]!, high[i]!)
      into.low[set] = Math.min(into.low[set]!, low[i]!)
    }
  }

  /** With scales that the caller gave infinities saturate, but NaN has no code. */
  refuseNaN(source: Source, window: Window, tile: Tile): void {
    this.clearRanges(window)
    if (!this.widen(tile)) return
    const values = this.memory.f32(this.values, tileLength(tile))
    if (values.some(Number.isNaN)) throw nonFiniteError(source, (value) => !Number.isNaN(value))
  }

  /** The window's scales and zero points from its ranges, also written to the whole tensor's. */
  derive(window: Window, into: Parameters): void {
    const { kernels, memory, grid } = this
    const inner = window.tiles[0]!.columns ? this.layout.inner : 1
    kernels.scalesFromRange(
      this.scales,
      this.zeros,
      this.high,
      this.low,
      window.sets,
      inner,
      Number(this.symmetric),
      grid.least,
      grid.most,
      grid.middle
    )
    const scales = memory.f32(this.scales, window.sets)
    const zeros = memory.i32(this.zeros, window.sets)
    if (window.run === window.sets) {
      into.scales.set(scales, window.first)
      into.zeros.set(zeros, window.first)
      return
    }
    for (let i = 0; i < window.sets; i++) {
      const set = setNumber(window, i)
      into.scales[set] = scales[i]!
      into.zeros[set] = zeros[i]!
    }
  }

  /** The window's part of parameters that are known already. */
  use(window: Window, from: Parameters): void {
    const scales = this.memory.f32(this.scales, window.sets)
    const zeros = this.memory.i32(this.zeros, window.sets)
    if (window.run === window.sets) {
      scales.set(from.scales.subarray(window.first, window.first + window.sets))
      zeros.set(from.zeros.subarray(window.first, window.first + window.sets))
      return
    }
    for (let i = 0; i < window.sets; i++) {
      const set = setNumber(window, i)
      scales[i] = from.scales[set]!
      zeros[i] = from.zeros[set]!
    }
  }

  /** Spreads the window's parameters over its columns, where it has columns: for encoding as 1 / scale, for decoding as scale. */
  spread(window: Window, invert: boolean): void {
    if (!window.tiles[0]!.columns) return
    const { wide, wideZeros, scales, zeros, layout } = this
    this.kernels.scalesWiden(wide, wideZeros, scales, zeros, window.sets, layout.inner, Number(invert))
  }

  /** Codes of the tile in memory, a byte each. `clamped`: the scales are the caller's. */
  encode({ columns, rows, width, group, cycle }: Tile, clamped: boolean): void {
    const { codes, values, scales, zeros, wide, wideZeros } = this
    const { low, high } = this.range
    const bounded = Number(clamped)
    if (columns) this.kernels.encodeColumns(codes, values, rows, width, wide, wideZeros, low, high, bounded)
    else this.kernels.encodeRows(codes, values, rows, width, group, cycle, scales, zeros, low, high, bounded)
  }

  /** The codes in memory, as the class of array that carries them: a copy between equal classes is a plain move. */
  codeView(length: number): Int8Array | Uint8Array {
    return this.grid.signed && this.grid.bits === 8
      ? this.memory.i8(this.codes, length)
      : this.memory.u8(this.codes, length)
  }

  private clearRanges(window: Window): void {
    const { columns, width } = window.tiles[0]!
    this.kernels.rangeClear(this.high, this.low, columns ? width : window.sets)
  }

  private widen({ columns, rows, width, group, cycle }: Tile): number {
    const { high, low, values, kernels } = this
    return columns
      ? kernels.rangeColumns(high, low, values, rows, width)
      : kernels.rangeRows(high, low, values, rows, width, group, cycle)
  }
}

/** Values of the tile's codes in memory, from where the codes stand to `to`. A function, as the next: who quantises alone is spared them. */
export function decodeTile(passes: Passes, { columns, rows, width, group, cycle }: Tile, to: Pointer): void {
  const { kernels, codes, scales, zeros, wide, wideZeros } = passes
  const signed = Number(passes.grid.signed)
  if (columns) kernels.decodeColumns(to, codes, rows, width, wide, wideZeros, signed)
  else kernels.decodeRows(to, codes, rows, width, group, cycle, scales, zeros, signed)
}

/** A byte 0xff for each element of the tile that no end of the codes cuts off, else 0. Wants `spread(window, true)`. */
export function insideTile(passes: Passes, { columns, rows, width, group, cycle }: Tile, to: Pointer): void {
  const { kernels, values, scales, zeros, wide, wideZeros } = passes
  const { low, high } = passes.range
  if (columns) kernels.insideColumns(to, values, rows, width, wide, wideZeros, low, high)
  else kernels.insideRows(to, values, rows, width, group, cycle, scales, zeros, low, high)
}
