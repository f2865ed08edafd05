import { rangeError } from '../core/errors.js'
import { isArrayOf, tagOf } from '../core/check.js'
import type { Kernels } from './productEngine.js'
import type { Memory, Pointer } from '../core/memory.js'
import { nonFiniteF64Error, type Source, type Tensor } from '../core/tensor.js'
import { loadF64, NOT_FINITE, readMatrix, type Floats } from './matrix.js'

export type FloatsClass = new (length: number) => Floats

export function readSquare(verb: string, name: string, value: unknown): Source {
  const source = readMatrix(verb, value, name)
  if (source.shape[0] !== source.shape[1]) {
    throw rangeError(`${source.name} expected a square matrix, got shape [${source.shape.join(', ')}]`)
  }
  return source
}

/** The class of results: f64 where a source is f64 (or was nested arrays), else f32. */
export function floatsFor(...sources: readonly Source[]): FloatsClass {
  return sources.some(({ data }) => isArrayOf(data, Float64Array)) ? Float64Array : Float32Array
}

/** Results are finite, or an error says so of the source that they come from. */
export function checkFits(source: Source, what: string, data: Floats): void {
  const index = data.findIndex((x) => !Number.isFinite(x))
  if (index < 0) return
  const [type, advice] = isArrayOf(data, Float32Array) ? ['float32', ' or pass float64'] : ['float64', '']
  throw rangeError(
    `${source.name} expected ${what} within ${type}, got ${data[index]} at index ${index}; rescale the input${advice}`
  )
}

/** The distance of 1 from the next number of a source's type; whole numbers are taken to be exact. */
export function ulpOf({ data, bits }: Source): number {
  if (bits === 'bfloat16') return 2 ** -7
  if (bits === 'float16' || tagOf(data) === 'Float16Array') return 2 ** -10
  return isArrayOf(data, Float32Array) ? 2 ** -23 : 2 ** -52
}

/** Writes rows [first, first + count) of a matrix as f64 rows `ld` apart. */
export function loadRows(memory: Memory, to: Pointer, ld: number, source: Source, first: number, count: number): void {
  const columns = source.shape[1]!
  if (ld === columns) loadF64(memory, to, source, first * columns, count * columns)
  else for (let i = 0; i < count; i++) loadF64(memory, to + 8 * ld * i, source, (first + i) * columns, columns)
}

/**
 * Writes a matrix, zeros behind its rows, and brings its greatest magnitude into [.5, 1) (into [.25, 1) where `even`:
 * powers of four have roots). Returns the exponent of the power of two that was taken off.
 */
export function loadScaled(
  memory: Memory,
  kernels: Kernels,
  to: Pointer,
  ld: number,
  source: Source,
  even = false
): number {
  const [rows, columns] = source.shape as [number, number]
  if (ld > columns) memory.f64(to, ld * rows).fill(0)
  loadRows(memory, to, ld, source, 0, rows)
  let exponent = kernels.unitExponent(to, ld * rows)
  if (exponent === NOT_FINITE) throw nonFiniteF64Error(source)
  if (even) exponent += exponent & 1
  kernels.scaleByPower(to, ld * rows, -exponent)
  return exponent
}

/** Takes `rows` rows of f64, `ld` apart, times 2^exponent; the rows in memory are scaled, too. */
export function takeScaled(
  memory: Memory,
  kernels: Kernels,
  type: FloatsClass,
  from: Pointer,
  ld: number,
  rows: number,
  columns: number,
  exponent = 0
): Tensor<Floats> {
  const data = new type(rows * columns)
  if (exponent) kernels.scaleByPower(from, ld * rows, exponent)
  if (ld === columns) data.set(memory.f64(from, rows * columns))
  else for (let i = 0; i < rows; i++) data.set(memory.f64(from + 8 * ld * i, columns), i * columns)
  return { data, shape: [rows, columns] }
}
