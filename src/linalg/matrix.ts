import { rangeError } from '../core/errors.js'
import type { Kernels } from './productEngine.js'
import type { Memory, Pointer } from '../core/memory.js'
import { elementAt, readTensor, type Source } from '../core/tensor.js'
import { TILE } from '../core/tiles.js'

export type Floats = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>

export { NOT_FINITE } from '../../assembly/linalg/constants.js'

/** A source of two dimensions. */
export function readMatrix(verb: string, matrix: unknown, name = 'matrix'): Source {
  const source = readTensor(verb, name, matrix)
  if (source.shape.length !== 2) {
    throw rangeError(`${source.name} expected a shape of two dimensions, got [${source.shape.join(', ')}]`)
  }
  return source
}

/** Whole cache lines of f64. */
export function padded(length: number): number {
  return Math.ceil(length / 8) * 8
}

/** Rows that pass through one buffer of a tile's bytes. */
function rowsInTile(columns: number): number {
  return Math.max(1, Math.floor(TILE / 2 / columns))
}

/** Writes the matrix, or its transpose, as f64 columns `ld` apart; rows beyond its own are zeros. */
export function loadMatrix(
  memory: Memory,
  kernels: Kernels,
  to: Pointer,
  ld: number,
  source: Source,
  transposed: boolean
): void {
  const [rows, columns] = source.shape as [number, number]
  if (transposed) {
    // Columns of the transpose are rows as they stand.
    for (let r = 0; r < rows; r++) {
      const column = to + 8 * ld * r
      loadF64(memory, column, source, r * columns, columns)
      memory.f64(column + 8 * columns, ld - columns).fill(0)
    }
    return
  }
  for (let c = 0; c < columns; c++) memory.f64(to + 8 * (ld * c + rows), ld - rows).fill(0)
  const step = rowsInTile(columns)
  memory.frame(() => {
    const buffer = memory.alloc(8 * step * columns)
    for (let r = 0; r < rows; r += step) {
      const count = Math.min(step, rows - r)
      loadF64(memory, buffer, source, r * columns, count * columns)
      kernels.placeRows(to, ld, r, buffer, count, columns)
    }
  })
}

/** Elements [start, start + length) as f64. */
export function loadF64(memory: Memory, pointer: Pointer, source: Source, start: number, length: number): void {
  const view = memory.f64(pointer, length)
  if (source.bits) for (let i = 0; i < length; i++) view[i] = elementAt(source, start + i)
  else view.set(source.data.subarray(start, start + length))
}

/** Row-major numbers from f64 columns `ld` apart. */
export function takeMatrix(
  memory: Memory,
  kernels: Kernels,
  to: Floats,
  from: Pointer,
  ld: number,
  rows: number,
  columns: number
): void {
  const step = rowsInTile(columns)
  memory.frame(() => {
    const buffer = memory.alloc(8 * step * columns)
    for (let r = 0; r < rows; r += step) {
      const count = Math.min(step, rows - r)
      kernels.takeRows(buffer, from, ld, r, count, columns)
      to.set(memory.f64(buffer, count * columns), r * columns)
    }
  })
}
