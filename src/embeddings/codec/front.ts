import { FormatError, internalError, rangeError } from '../../core/errors.js'
import { frame, type Engine } from '../engine.js'
import type { Pointer } from '../../core/memory.js'
import { elementAt, loadF32, type Source, type Tensor } from '../../core/tensor.js'
import type { Metric } from './quantizer.js'

type Floats = Tensor<Float32Array<ArrayBuffer>>

/** What stands before every method: the first elements of a row, principal components, unit length for cosine. */
export interface Front {
  /** of rows as they come */
  readonly dimensions: number
  /** of rows as the method takes them */
  readonly width: number
  readonly metric: Metric
  /** leading elements that are kept, as Matryoshka embeddings allow; `dimensions`: all */
  readonly truncate: number
  /** (truncate, width): a row's coordinates are its products with the columns */
  readonly components?: Floats
  /** (truncate): what is taken off a row first; for l2 alone, since distances do not mind */
  readonly mean?: Floats
  load(engine: Engine): LoadedFront
}

export interface LoadedFront {
  /**
   * Rows [first, first + count) of a source (rows, dimension) -> f32 (count, width). Every row by itself.
   *
   * @throws RangeError that names the row and column of a number that is not finite, or too great for sums of squares
   */
  apply(to: Pointer, source: Source, first: number, count: number): void
  /** f32 (count, width) -> f32 (count, dimension); zeros where elements were left out */
  undo(to: Pointer, from: Pointer, count: number): void
}

/** Bytes of rows that are worked on at a time, so that they stay in a second-level cache with what is made of them. */
export const BATCH_BYTES = 1 << 20

/** Rows of so many numbers that make a batch. */
export function batchRows(width: number): number {
  return Math.max(1, Math.floor(BATCH_BYTES / 4 / width))
}

/**
 * Squares of numbers below 2^48, times as many as a row may have, and products of such sums' roots, stay within f32.
 */
const MOST_EXPONENT = 48
export const MOST_BITS = (MOST_EXPONENT + 127) << 23

export function createFront(
  dimensions: number,
  metric: Metric,
  truncate = dimensions,
  components?: Floats,
  mean?: Floats
): Front {
  const width = components ? components.shape[1]! : truncate
  const front = { dimensions, width, metric, truncate, components, mean }
  return { ...front, load: (engine) => loadFront(engine, front) }
}

function loadFront(engine: Engine, front: Omit<Front, 'load'>): LoadedFront {
  const { memory, kernels } = engine
  const { dimensions, width, metric, truncate, components, mean } = front
  const table = (data: Float32Array | undefined): Pointer => {
    if (!data) return 0
    const at = memory.alloc(4 * data.length)
    memory.f32(at, data.length).set(data)
    return at
  }
  const across = table(components?.data)
  const along = components ? memory.alloc(4 * truncate * width) : 0
  if (components) {
    const to = memory.f32(along, truncate * width)
    const { data } = components
    for (let i = 0; i < truncate; i++) for (let j = 0; j < width; j++) to[j * truncate + i] = data[i * width + j]!
  }
  const means = table(mean?.data)

  /** Rows as they come, without what is left out, checked. */
  const take = (to: Pointer, source: Source, first: number, count: number): void => {
    if (truncate === dimensions) loadF32(memory, kernels, to, source, first * dimensions, count * dimensions)
    else {
      for (let i = 0; i < count; i++) {
        loadF32(memory, kernels, to + 4 * i * truncate, source, (first + i) * dimensions, truncate)
      }
    }
    if (metric !== 'cosine') {
      if (kernels.greatestBitsF32(to, count * truncate) >= MOST_BITS) throw numberError(source, truncate, MOST_EXPONENT)
      return
    }
    // Rows are brought to unit length at the end; those that pass through sums, before them too.
    if (components && kernels.unitRows(to, count, truncate) >= 0) throw numberError(source, truncate)
  }

  return {
    apply(to, source, first, count) {
      if (!components) take(to, source, first, count)
      else {
        frame(engine, () => {
          const rows = memory.alloc(4 * count * truncate)
          take(rows, source, first, count)
          if (means) kernels.subtractRow(rows, means, count, truncate)
          for (let i = 0; i < count; i++) {
            kernels.dotRows(to + 4 * i * width, rows + 4 * i * truncate, along, width, truncate)
          }
        })
      }
      if (metric === 'cosine' && kernels.unitRows(to, count, width) >= 0) throw numberError(source, truncate)
    },
    undo(to, from, count) {
      const view = memory.f32(to, count * dimensions)
      if (!components) {
        const rows = memory.f32(from, count * width)
        if (width === dimensions) view.set(rows)
        else {
          view.fill(0)
          for (let i = 0; i < count; i++) view.set(rows.subarray(i * width, (i + 1) * width), i * dimensions)
        }
        return
      }
      view.fill(0)
      for (let i = 0; i < count; i++) {
        const row = to + 4 * i * dimensions
        kernels.dotRows(row, from + 4 * i * width, across, truncate, width)
        if (mean) for (let j = 0; j < truncate; j++) view[i * dimensions + j]! += mean.data[j]!
      }
    }
  }
}

/**
 * The error that names the row and column of the first number of the leading columns that is not finite, or not below
 * 2^most.
 */
export function numberError(source: Source, columns: number, most = 128): Error {
  const width = source.shape[1]!
  for (let i = 0; i < source.size; i++) {
    const value = elementAt(source, i)
    if (Math.abs(Math.fround(value)) < 2 ** most) continue
    const row = Math.floor(i / width)
    if (i - row * width >= columns) continue
    const [wanted, advice] = Number.isFinite(value)
      ? [most === 128 ? 'numbers within float32' : `numbers below 2^${most}`, 'rescale the data']
      : ['finite numbers', 'replace it, or leave the vector out']
    return rangeError(
      `${source.name} expected ${wanted}, got ${value} at row ${row}, column ${i - row * width}; ${advice}`
    )
  }
  return internalError(`all of ${source.name} is in range, but a kernel said it is not`)
}

/** The front of a codec's file. Throws FormatError. */
export function openFront(
  dimensions: number,
  metric: Metric,
  truncate: number,
  components: Floats | undefined,
  mean: Floats | undefined
): Front {
  const fits =
    (!components || (components.shape.length === 2 && components.shape[0] === truncate && components.shape[1]! > 0)) &&
    (!mean || (components && metric === 'l2' && mean.data.length === truncate)) &&
    (components?.shape[1] ?? 1) <= truncate
  if (!fits) {
    throw new FormatError('bad-tensor', `the codec's components or their mean do not fit ${truncate} dimensions`)
  }
  return createFront(dimensions, metric, truncate, components, mean)
}
