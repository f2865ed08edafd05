import type { HalfKernels } from './engine.js'
import type { Layout } from './layout.js'
import type { Memory, Pointer } from './memory.js'
import { elementAt, loadF32, type NumberArray, type Source } from './tensor.js'

/**
 * Elements of one tile: 128 KiB of f32, small enough to stay in a second-level cache with what is made of it, large enough
 * that copies in and out run at full speed. A multiple of 64, so that packed nibbles and bits of a tile fill whole bytes.
 */
export const TILE = 32768

/** Narrower runs than this go through the column kernels. */
const NARROW = 16
/** Elements of one channel that a gathered tile takes from a long channel. */
const GATHER_RUN = 1024

/**
 * A part of a tensor that stands in linear memory at once: `pieces` runs of `size` elements, `stride` apart from `start` on; or, where
 * `gather` is set, `rows` channels from `channel` on, each with `width` elements from `position` on.
 * Kernels see it as (rows, width) whose rows are cut into runs of `group`, the sets starting again after `cycle` rows; or, where
 * `columns` is set, as (rows, width) with a set every `inner` columns.
 */
export interface Tile {
  readonly start: number
  readonly pieces: number
  readonly size: number
  readonly stride: number
  readonly gather?: { readonly channel: number; readonly position: number }
  readonly rows: number
  readonly width: number
  readonly group: number
  readonly cycle: number
  readonly columns: boolean
}

/** Sets that are known together: `tiles` hold all their elements. Local set i is first + floor(i / run) * step + i % run. */
export interface Window {
  readonly sets: number
  readonly first: number
  readonly run: number
  readonly step: number
  readonly tiles: readonly Tile[]
}

export function setNumber(window: Window, local: number): number {
  const row = Math.floor(local / window.run)
  return window.first + row * window.step + (local - row * window.run)
}

export function tileLength(tile: Tile): number {
  return tile.rows * tile.width
}

/** The greatest multiple of 8 (of 2, of 1) that is at most `count`: keeps the starts of tiles even and on whole bytes of bits. */
function roundDown(count: number): number {
  if (count >= 8) return count - (count % 8)
  return count >= 2 ? count - (count % 2) : count
}

function contiguous(start: number, rows: number, width: number, group: number, cycle: number, columns = false): Tile {
  const size = rows * width
  return { start, pieces: 1, size, stride: size, rows, width, group, cycle, columns }
}

function consecutive(sets: number, first: number, tiles: Tile[]): Window {
  return { sets, first, run: sets, step: 0, tiles }
}

/** One channel after the other: every set is a run of consecutive elements. */
function* channelMajor({ channels, inner, group = inner, groupsPerChannel }: Layout): Generator<Window> {
  if (inner <= TILE) {
    const step = roundDown(Math.floor(TILE / inner))
    for (let c = 0; c < channels; c += step) {
      const rows = Math.min(step, channels - c)
      yield consecutive(rows * groupsPerChannel, c * groupsPerChannel, [
        contiguous(c * inner, rows, inner, group, rows)
      ])
    }
    return
  }
  for (let c = 0; c < channels; c++) {
    const base = c * inner
    if (group <= TILE) {
      const step = roundDown(Math.floor(TILE / group)) * group
      for (let p = 0; p < inner; p += step) {
        const length = Math.min(step, inner - p)
        const first = c * groupsPerChannel + p / group
        yield consecutive(Math.ceil(length / group), first, [contiguous(base + p, 1, length, group, 1)])
      }
    } else {
      for (let g = 0; g < groupsPerChannel; g++) {
        const tiles: Tile[] = []
        const end = Math.min(inner, (g + 1) * group)
        for (let p = g * group; p < end; p += TILE) {
          const length = Math.min(TILE, end - p)
          tiles.push(contiguous(base + p, 1, length, length, 1))
        }
        yield consecutive(1, c * groupsPerChannel + g, tiles)
      }
    }
  }
}

/** Channels interleaved, one set a channel. */
function* interleaved({ outer, channels, inner }: Layout): Generator<Window> {
  const width = channels * inner
  if (width <= TILE) {
    const step = roundDown(Math.floor(TILE / width))
    const tiles: Tile[] = []
    for (let o = 0; o < outer; o += step) {
      const rows = Math.min(step, outer - o)
      tiles.push(
        inner < NARROW
          ? contiguous(o * width, rows, width, width, 1, true)
          : contiguous(o * width, rows * channels, inner, inner, channels)
      )
    }
    yield consecutive(channels, 0, tiles)
  } else if (inner < NARROW) {
    const step = Math.floor(TILE / inner)
    for (let c = 0; c < channels; c += step) {
      const columns = Math.min(step, channels - c)
      const tiles: Tile[] = []
      for (let o = 0; o < outer; o++) {
        tiles.push(contiguous((o * channels + c) * inner, 1, columns * inner, columns * inner, 1, true))
      }
      yield consecutive(columns, c, tiles)
    }
  } else {
    for (let c = 0; c < channels; c++) {
      const tiles: Tile[] = []
      const size = Math.min(inner, TILE)
      const step = Math.floor(TILE / size)
      for (let o = 0; o < outer; o += step) {
        const pieces = Math.min(step, outer - o)
        for (let i = 0; i < inner; i += size) {
          const length = Math.min(size, inner - i)
          const total = pieces * length
          const start = (o * channels + c) * inner + i
          tiles.push({
            start,
            pieces,
            size: length,
            stride: width,
            rows: 1,
            width: total,
            group: total,
            cycle: 1,
            columns: false
          })
        }
      }
      yield consecutive(1, c, tiles)
    }
  }
}

/** Channels interleaved and cut into groups: elements are gathered into channel-major tiles. */
function* gathered({ outer, channels, inner, group = 0, groupsPerChannel }: Layout): Generator<Window> {
  const length = outer * inner
  const whole = Math.max(group, Math.floor(GATHER_RUN / group) * group)
  const take = Math.min(length, whole)
  const step = Math.max(1, Math.floor(TILE / take))
  for (let c = 0; c < channels; c += step) {
    const rows = Math.min(step, channels - c)
    for (let p = 0; p < length; p += take) {
      const width = Math.min(take, length - p)
      const run = Math.ceil(width / group)
      const tiles: Tile[] = []
      // Only a group longer than a tile (then rows is 1) needs several tiles for its one set.
      const part = Math.min(width, TILE)
      for (let q = 0; q < width; q += part) {
        const columns = Math.min(part, width - q)
        const gather = { channel: c, position: p + q }
        const shape = { rows, width: columns, group: Math.min(group, columns), cycle: rows, columns: false }
        tiles.push({ start: 0, pieces: 1, size: rows * columns, stride: 0, gather, ...shape })
      }
      yield { sets: rows * run, first: c * groupsPerChannel + p / group, run, step: groupsPerChannel, tiles }
    }
  }
}

/** The windows of a layout, in an order that touches each element once (twice where a window has several tiles). */
export function planWindows(layout: Layout): Window[] {
  if (layout.size === 0) return []
  if (layout.outer === 1) return [...channelMajor(layout)]
  return [...(layout.group === undefined ? interleaved(layout) : gathered(layout))]
}

/** Whether every tile is one run that starts on a multiple of 8: then packed output can be written tile by tile. */
export function isSequential(windows: readonly Window[]): boolean {
  return windows.every(({ tiles }) => tiles.every((tile) => !tile.gather && tile.pieces === 1 && tile.start % 8 === 0))
}

/** Calls `visit` with the flat index of each element of a gathered tile and its place in the tile. */
function eachGathered(layout: Layout, tile: Tile, visit: (index: number, place: number) => void): void {
  const { channel, position } = tile.gather!
  const { channels, inner } = layout
  for (let j = 0; j < tile.width; j++) {
    const o = Math.floor((position + j) / inner)
    const base = (o * channels + channel) * inner + (position + j - o * inner)
    for (let r = 0; r < tile.rows; r++) visit(base + r * inner, r * tile.width + j)
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
  if (tile.gather) {
    const view = memory.f32(pointer, tileLength(tile))
    eachGathered(layout, tile, (index, place) => {
      view[place] = elementAt(source, index)
    })
    return
  }
  for (let k = 0; k < tile.pieces; k++) {
    loadF32(memory, kernels, pointer + 4 * k * tile.size, source, tile.start + k * tile.stride, tile.size)
  }
}

/** Copies the elements of a tile from a whole array to the tile's place in memory. */
export function readTile(view: NumberArray, from: NumberArray, layout: Layout, tile: Tile): void {
  if (tile.gather) {
    eachGathered(layout, tile, (index, place) => {
      view[place] = from[index]!
    })
    return
  }
  for (let k = 0; k < tile.pieces; k++) {
    const start = tile.start + k * tile.stride
    view.set(from.subarray(start, start + tile.size), k * tile.size)
  }
}

/** Copies the elements of a tile from memory to their places in a whole array. */
export function writeTile(to: NumberArray, view: NumberArray, layout: Layout, tile: Tile): void {
  if (tile.gather) {
    eachGathered(layout, tile, (index, place) => {
      to[index] = view[place]!
    })
    return
  }
  for (let k = 0; k < tile.pieces; k++) {
    const part = tile.pieces === 1 ? view : view.subarray(k * tile.size, (k + 1) * tile.size)
    to.set(part, tile.start + k * tile.stride)
  }
}

/** Calls `visit` with the flat runs of at most a tile that make up `size` elements. */
export function eachRun(size: number, visit: (start: number, length: number) => void): void {
  for (let start = 0; start < size; start += TILE) visit(start, Math.min(TILE, size - start))
}
