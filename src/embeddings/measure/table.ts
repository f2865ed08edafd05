import { elementAt, type Source, type Tensor } from '../../core/tensor.js'
import { numberError } from '../codec/front.js'

/** Vectors, read: a tensor of shape (n, d). */
export type Table = Pick<Source, 'data' | 'bits'> & { readonly shape: readonly number[] }

/** Throws where a number is not finite, by the name that the table was given under. */
export function checkFinite(table: Source): void {
  const { data, bits, size } = table
  for (let i = 0; i < size; i++) {
    const x = bits ? elementAt(table, i) : data[i]!
    if (x - x !== 0) throw numberError(table, table.shape[1]!)
  }
}

/** Rows of float32 that `bytes` hold, at least one. */
export function rowsWithin(bytes: number, dimensions: number): number {
  return Math.max(1, Math.floor(bytes / (4 * dimensions)))
}

/** Rows [first, first + count), over the same memory, as every verb reads them. */
export function rowsAt(
  { data, bits, shape }: Table,
  first: number,
  count: number
): Tensor<Table['data']> & { dtype?: string } {
  const dimensions = shape[1]!
  return {
    data: data.subarray(first * dimensions, (first + count) * dimensions),
    shape: [count, dimensions],
    ...(bits ? { dtype: bits } : {})
  }
}

/** Some rows, copied. */
export function gathered(table: Table, which: ArrayLike<number>): Table {
  const dimensions = table.shape[1]!
  const data = table.data.slice(0, 0)
  const copy = new (data.constructor as new (length: number) => Table['data'])(which.length * dimensions)
  for (let i = 0; i < which.length; i++) {
    copy.set(table.data.subarray(which[i]! * dimensions, (which[i]! + 1) * dimensions), i * dimensions)
  }
  return { data: copy, shape: [which.length, dimensions], bits: table.bits }
}
