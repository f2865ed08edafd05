import { rangeError, typeError } from '../../core/errors.js'
import { show } from '../../core/check.js'
import { rowBytes, type RowLayout } from '../scan/layout.js'
import { LAST_ID } from './ids.js'

/** Bytes of rows that pass through linear memory at once. */
const TILE_BYTES = 1 << 20

/** Rows in a tile, whole blocks where they are many. */
export function rowsInTile(bytes: number): number {
  const rows = Math.floor(TILE_BYTES / bytes)
  return rows >= 32 ? rows - (rows % 32) : Math.max(1, rows)
}

/** Visits rows [0, count) by tiles. */
export function eachTile(count: number, step: number, visit: (first: number, rows: number) => void): void {
  for (let first = 0; first < count; first += step) visit(first, Math.min(step, count - first))
}

/** Codes that are floats themselves have to be numbers. */
export function checkFloats(where: string, codes: Uint8Array, layout: RowLayout): void {
  const { scan, count } = layout
  if (scan !== 'half' && scan !== 'float') return
  const view = new DataView(codes.buffer, codes.byteOffset, codes.byteLength)
  const width = scan === 'half' ? 2 : 4
  const ones = scan === 'half' ? 0x7c00 : 0x7f800000
  const bytes = rowBytes(layout)
  for (let start = 0; start < codes.length; start += bytes) {
    for (let at = start; at < start + count * width; at += width) {
      const bits = width === 2 ? view.getUint16(at, true) : view.getUint32(at, true)
      if ((bits & ones) === ones) {
        throw rangeError(`${where} expected finite numbers, got NaN or an infinity in row ${start / bytes}`)
      }
    }
  }
}

/** Ids as whole numbers, each once. */
export function readIds(verb: string, value: unknown, count?: number): Uint32Array<ArrayBuffer> {
  const isList = Array.isArray(value) || (ArrayBuffer.isView(value) && 'length' in value)
  if (!isList) {
    throw typeError(`${verb}: "ids" expected whole numbers, got ${show(value)}`)
  }
  const given = value as ArrayLike<unknown>
  if (count !== undefined && given.length !== count) {
    throw rangeError(`${verb}: "ids" expected ${count}, one for each vector, got ${given.length}`)
  }
  const ids = new Uint32Array(given.length)
  for (let i = 0; i < ids.length; i++) {
    const id = given[i]
    if (typeof id !== 'number') {
      const hint = typeof id === 'string' ? '; keep a list of your names and give their places in it' : ''
      throw typeError(`${verb}: "ids" expected whole numbers, got ${show(id)} at ${i}${hint}`)
    }
    if (!Number.isInteger(id) || id < 0 || id > LAST_ID) {
      throw rangeError(`${verb}: "ids" expected whole numbers from 0 to ${LAST_ID}, got ${id} at ${i}`)
    }
    ids[i] = id
  }
  return ids
}

/** An id that is there twice, if any. */
export function repeated(ids: Uint32Array): number | undefined {
  const sorted = ids.slice().sort()
  for (let i = 1; i < sorted.length; i++) if (sorted[i] === sorted[i - 1]) return sorted[i]
  return undefined
}
