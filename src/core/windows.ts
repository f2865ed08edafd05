import type { Layout } from './layout.js'
import { isRun, TILE, type Tile } from './tiles.js'

/** Narrower runs than this go through the column kernels. */
const NARROW = 16
/** Elements of one channel that a gathered tile takes from a long channel. */
const GATHER_RUN = 1024

/**
 * Sets that are known together: `tiles` hold all their elements. Local set i is first + floor(i / run) * step + i %
 * run.
 */
export interface Window {
  readonly sets: number
  readonly first: number
  readonly run: number
  readonly step: number
  /** all of one kind */
  readonly tiles: readonly Tile[]
}

export function setNumber(window: Window, local: number): number {
  const row = Math.floor(local / window.run)
  return window.first + row * window.step + (local - row * window.run)
}

/**
 * Whether the window's tiles go through the column kernels: then each set has a parameter for every one of its columns.
 */
export function isColumns({ tiles }: Window): boolean {
  return tiles[0]!.kind === 'columns'
}

/**
 * Runs of `length` that a tile holds, as a multiple of 8 (of 2, of 1): keeps the starts of tiles even and on whole
 * bytes of bits.
 */
function runsPerTile(length: number): number {
  const count = Math.floor(TILE / length)
  if (count >= 8) return count - (count % 8)
  return count >= 2 ? count - (count % 2) : count
}

function rowsTile(start: number, rows: number, width: number, group: number, cycle: number): Tile {
  return { kind: 'rows', start, rows, width, group, cycle }
}

function consecutive(sets: number, first: number, tiles: readonly Tile[]): Window {
  return { sets, first, run: sets, step: 0, tiles }
}

/** Windows of a layout with outer = 1, one channel after the other: every set is a run of consecutive elements. */
export function planChannels({ channels, inner, group = inner, groupsPerChannel }: Layout): Window[] {
  const windows: Window[] = []
  if (inner <= TILE) {
    const step = runsPerTile(inner)
    for (let c = 0; c < channels; c += step) {
      const rows = Math.min(step, channels - c)
      const tile = rowsTile(c * inner, rows, inner, group, rows)
      windows.push(consecutive(rows * groupsPerChannel, c * groupsPerChannel, [tile]))
    }
    return windows
  }
  for (let c = 0; c < channels; c++) {
    const base = c * inner
    const firstSet = c * groupsPerChannel
    if (group <= TILE) {
      const step = runsPerTile(group) * group
      for (let p = 0; p < inner; p += step) {
        const length = Math.min(step, inner - p)
        const tile = rowsTile(base + p, 1, length, group, 1)
        windows.push(consecutive(Math.ceil(length / group), firstSet + p / group, [tile]))
      }
    } else {
      for (let g = 0; g < groupsPerChannel; g++) {
        const tiles: Tile[] = []
        const end = Math.min(inner, (g + 1) * group)
        for (let p = g * group; p < end; p += TILE) {
          const length = Math.min(TILE, end - p)
          tiles.push(rowsTile(base + p, 1, length, length, 1))
        }
        windows.push(consecutive(1, firstSet + g, tiles))
      }
    }
  }
  return windows
}

/** Channels interleaved, one set a channel. */
function interleaved(layout: Layout): Window[] {
  const { outer, channels, inner } = layout
  const width = channels * inner
  if (width > TILE) return inner < NARROW ? wideColumns(layout) : channelPieces(layout)
  const step = runsPerTile(width)
  const tiles: Tile[] = []
  for (let o = 0; o < outer; o += step) {
    const rows = Math.min(step, outer - o)
    tiles.push(
      inner < NARROW
        ? { kind: 'columns', start: o * width, rows, width }
        : rowsTile(o * width, rows * channels, inner, inner, channels)
    )
  }
  return [consecutive(channels, 0, tiles)]
}

/**
 * Interleaved channels with narrow runs, whose outer rows are longer than a tile: as many channels at a time as fill
 * one.
 */
function wideColumns({ outer, channels, inner }: Layout): Window[] {
  const windows: Window[] = []
  const step = Math.floor(TILE / inner)
  for (let c = 0; c < channels; c += step) {
    const columns = Math.min(step, channels - c)
    const tiles: Tile[] = []
    for (let o = 0; o < outer; o++) {
      tiles.push({ kind: 'columns', start: (o * channels + c) * inner, rows: 1, width: columns * inner })
    }
    windows.push(consecutive(columns, c, tiles))
  }
  return windows
}

/**
 * Interleaved channels with wide runs, whose outer rows are longer than a tile: one channel at a time, its runs brought
 * together.
 */
function channelPieces({ outer, channels, inner }: Layout): Window[] {
  const windows: Window[] = []
  const most = Math.min(inner, TILE)
  const step = Math.floor(TILE / most)
  const stride = channels * inner
  for (let c = 0; c < channels; c++) {
    const tiles: Tile[] = []
    for (let o = 0; o < outer; o += step) {
      const pieces = Math.min(step, outer - o)
      for (let i = 0; i < inner; i += most) {
        const size = Math.min(most, inner - i)
        const width = pieces * size
        const start = (o * channels + c) * inner + i
        tiles.push({ kind: 'pieces', start, pieces, size, stride, rows: 1, width, group: width, cycle: 1 })
      }
    }
    windows.push(consecutive(1, c, tiles))
  }
  return windows
}

/** Channels interleaved and cut into groups: elements are gathered into channel-major tiles. */
function gathered({ outer, channels, inner, group = 0, groupsPerChannel }: Layout): Window[] {
  const windows: Window[] = []
  const length = outer * inner
  const whole = Math.max(group, Math.floor(GATHER_RUN / group) * group)
  const take = Math.min(length, whole)
  const step = Math.max(1, Math.floor(TILE / take))
  for (let channel = 0; channel < channels; channel += step) {
    const rows = Math.min(step, channels - channel)
    for (let p = 0; p < length; p += take) {
      const end = Math.min(length, p + take)
      const run = Math.ceil((end - p) / group)
      const tiles: Tile[] = []
      // Only a group longer than a tile (then rows is 1) needs several tiles for its one set.
      for (let position = p; position < end; position += TILE) {
        const width = Math.min(TILE, end - position)
        tiles.push({ kind: 'gathered', channel, position, rows, width, group: Math.min(group, width), cycle: rows })
      }
      const first = channel * groupsPerChannel + p / group
      windows.push({ sets: rows * run, first, run, step: groupsPerChannel, tiles })
    }
  }
  return windows
}

/** The windows of a layout, in an order that touches each element once (twice where a window has several tiles). */
export function planWindows(layout: Layout): Window[] {
  if (layout.size === 0) return []
  if (layout.outer === 1) return planChannels(layout)
  return layout.group === undefined ? interleaved(layout) : gathered(layout)
}

/** Whether every tile is one run that starts on a multiple of 8: then packed output can be written tile by tile. */
export function isSequential(windows: readonly Window[]): boolean {
  return windows.every(({ tiles }) => tiles.every((tile) => isRun(tile) && tile.start % 8 === 0))
}
