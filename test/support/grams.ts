import { expect } from 'vitest'
import type { Gram } from '../../src/index.js'
import { momentsOracle } from '../oracle/gram.js'
import { expectSameBits } from './bits.js'
import { normals } from './random.js'
import type { Table } from './tables.js'

export type AnyTable = Table<Float32Array | Float64Array>

export const table = (rows: number, dim: number, seed = 1, factor = 1): Table<Float32Array<ArrayBuffer>> => ({
  data: normals(rows * dim, seed * 1000 + rows + dim, factor),
  shape: [rows, dim]
})

/** The bits of the oracle. */
export function check(g: Gram, { data, shape }: AnyTable, first = 0, what = `${shape.join('x')} from ${first}`): void {
  const [rows, dim] = shape
  expect([g.dimensions, g.count, g.first], what).toEqual([dim, rows, first])
  const expected = momentsOracle(data, dim, g.center, first)
  const matrix = g.matrix()
  expect([matrix.shape, g.mean().shape], what).toEqual([[dim, dim], [dim]])
  expectSameBits(matrix.data, Float64Array.from(expected.scatter.flat()), `matrix of ${what}`)
  expectSameBits(g.mean().data, Float64Array.from(expected.mean), `mean of ${what}`)
}

export const CENTER = [false, true]
