import { gemm } from '../gemm.js'
import { isArrayOf } from '../../core/check.js'
import type { Kernels } from '../decompositionEngine.js'
import type { Memory, Pointer } from '../../core/memory.js'
import type { Tensor } from '../../core/tensor.js'
import type { Floats } from '../matrix.js'
import { SLAB } from './passes.js'

/** Many rows, few columns, row-major; it passes through memory in slabs. */
export interface Tall {
  readonly data: Floats
  readonly rows: number
  readonly columns: number
}

export type FloatsOf<T> = new (length: number) => T

export function makeTall(type: FloatsOf<Floats>, rows: number, columns: number): Tall {
  return { data: new type(rows * columns), rows, columns }
}

/** The first columns of a matrix. */
export function leading({ data, shape }: Tensor<Float64Array<ArrayBuffer>>, columns: number): Tall {
  const [rows, all] = shape as [number, number]
  const part = makeTall(Float64Array, rows, columns)
  for (let i = 0; i < rows; i++) part.data.set(data.subarray(i * all, i * all + columns), i * columns)
  return part
}

/** Calls `visit` with each slab of rows. */
export function eachSlab(rows: number, visit: (start: number, count: number) => void): void {
  for (let start = 0; start < rows; start += SLAB) visit(start, Math.min(SLAB, rows - start))
}

/** Rows of a slab as f64. */
export function loadRows(memory: Memory, to: Pointer, { data, columns }: Tall, start: number, count: number): void {
  memory.f64(to, count * columns).set(data.subarray(start * columns, (start + count) * columns))
}

export function storeRows(memory: Memory, { data, columns }: Tall, from: Pointer, start: number, count: number): void {
  data.set(memory.f64(from, count * columns), start * columns)
}

/** The first rows and columns of a sum: f64[..][ld]. */
export function takeSum(memory: Memory, sum: Pointer, ld: number, rows: number, columns: number): Tall {
  const result = makeTall(Float64Array, rows, columns)
  for (let i = 0; i < rows; i++) result.data.set(memory.f64(sum + 8 * i * ld, columns), i * columns)
  return result
}

/** product: f64[x.columns][y.columns] = x' y, slab by slab. */
export function innerProducts(memory: Memory, kernels: Kernels, product: Pointer, x: Tall, y: Tall): void {
  memory.frame(() => {
    const left = memory.alloc(8 * SLAB * x.columns)
    const right = memory.alloc(8 * SLAB * y.columns)
    const work = memory.alloc(kernels.multiplyWork(y.columns, 3))
    memory.f64(product, x.columns * y.columns).fill(0)
    eachSlab(x.rows, (start, count) => {
      loadRows(memory, left, x, start, count)
      loadRows(memory, right, y, start, count)
      const [m, n] = [x.columns, y.columns]
      gemm(kernels.multiplyF64, {
        c: product,
        ldc: n,
        a: left,
        lda: m,
        transposeA: true,
        b: right,
        ldb: n,
        m,
        n,
        k: count,
        work
      })
    })
  })
}

/** to += sign x t for t: f64[x.columns][to.columns], slab by slab; sign 1, or -1 where `plus` is false. */
export function addProduct(
  memory: Memory,
  kernels: Kernels,
  to: Tall,
  x: Tall,
  t: Pointer,
  plus: boolean,
  after?: (at: Pointer, start: number, count: number) => void
): void {
  memory.frame(() => {
    const left = memory.alloc(8 * SLAB * x.columns)
    const sum = memory.alloc(8 * SLAB * to.columns)
    const work = memory.alloc(kernels.multiplyWork(to.columns, 3))
    eachSlab(x.rows, (start, count) => {
      loadRows(memory, left, x, start, count)
      loadRows(memory, sum, to, start, count)
      const [k, n] = [x.columns, to.columns]
      gemm(kernels.multiplyF64, {
        c: sum,
        ldc: n,
        a: left,
        lda: k,
        b: t,
        ldb: n,
        m: count,
        n,
        k,
        write: plus ? 'add' : 'subtract',
        work
      })
      after?.(sum, start, count)
      storeRows(memory, to, sum, start, count)
    })
  })
}

/**
 * A column that has nothing left beside the others is made anew from random numbers: of this seed, and a stream of its
 * own.
 */
export interface Fresh {
  readonly seed: number
  readonly stream: number
}

/** So often at most; two rounds are the rule, five are what a column takes that has to be replaced. */
export const MOST_ROUNDS = 12
/** From this round on a column is replaced of which so little is left beside those before it. */
const PATIENCE = 2
const LEAST_LEFT = 1e-6

/** How far columns may be from orthonormal, |x'x - I|: what rounding to the type leaves. */
export function tolerance(data: Floats): number {
  return isArrayOf(data, Float32Array) ? 2 ** -20 : 2 ** -46
}

/**
 * Makes the columns of y orthonormal, and orthogonal to those of `against`; each loses only what it shares with those
 * before it. Those that are dependent are replaced. Returns what y was multiplied by, f64[columns][columns], after it
 * had lost its share of `against`; undefined where a column was replaced.
 */
export function orthonormalise(
  memory: Memory,
  kernels: Kernels,
  y: Tall,
  against: readonly Tall[],
  { seed, stream }: Fresh
): Float64Array | undefined {
  const { rows, columns } = y
  const limit = tolerance(y.data)
  return memory.frame(() => {
    const square = memory.alloc(8 * columns * columns)
    const t = memory.alloc(8 * columns * columns)
    const sum = memory.alloc(8 * columns * columns)
    const flags = memory.alloc(4 * columns)
    const norms = memory.alloc(8 * columns)
    const shared = against.map((other) => memory.alloc(8 * other.columns * columns))
    const left = memory.alloc(8 * SLAB * columns)
    const product = memory.alloc(8 * SLAB * columns)
    const work = memory.alloc(kernels.multiplyWork(columns, 3))
    let total: Float64Array | undefined = new Float64Array(columns * columns)
    for (let j = 0; j < columns; j++) total[j * columns + j] = 1
    for (let round = 0; round < MOST_ROUNDS; round++) {
      let worst = 0
      against.forEach((other, i) => {
        innerProducts(memory, kernels, shared[i]!, other, y)
        for (const x of memory.f64(shared[i]!, other.columns * columns)) worst = Math.max(worst, Math.abs(x))
      })
      against.forEach((other, i) => addProduct(memory, kernels, y, other, shared[i]!, false))
      innerProducts(memory, kernels, square, y, y)
      const settled = (against.length === 0 || round > 0) && worst <= limit
      if (settled && kernels.identityDefect(square, columns) <= limit) break
      kernels.orthonormaliser(t, square, columns, round < PATIENCE ? 0 : LEAST_LEFT, flags, norms)
      const replaced: number[] = []
      memory.i32(flags, columns).forEach((flag, j) => flag && replaced.push(j))
      if (replaced.length > 0) total = undefined
      if (total) {
        memory.f64(square, total.length).set(total)
        memory.f64(sum, total.length).fill(0)
        gemm(kernels.multiplyF64, {
          c: sum,
          ldc: columns,
          a: square,
          lda: columns,
          b: t,
          ldb: columns,
          m: columns,
          n: columns,
          k: columns,
          work
        })
        total.set(memory.f64(sum, total.length))
      }
      eachSlab(rows, (start, count) => {
        loadRows(memory, left, y, start, count)
        memory.f64(product, count * columns).fill(0)
        gemm(kernels.multiplyF64, {
          c: product,
          ldc: columns,
          a: left,
          lda: columns,
          b: t,
          ldb: columns,
          m: count,
          n: columns,
          k: columns,
          work
        })
        for (const j of replaced) {
          kernels.randomUniforms(product + 8 * j, count, columns, seed, stream + round * columns + j, start)
        }
        storeRows(memory, y, product, start, count)
      })
    }
    return total
  })
}
