import type { Engine } from '../decompositionEngine.js'
import type { Pointer } from '../../core/memory.js'
import { SLAB } from './passes.js'
import { eachSlab, type Tall } from './tall.js'
import { isArrayOf } from '../../core/check.js'

/** The factors of a truncated decomposition, as A 2^-exponent has them. */
export interface Triples {
  readonly u: Tall
  readonly v: Tall
  readonly s: Float64Array
  readonly residuals: Float64Array
  readonly exponent: number
  /** share of the sum of squares that they leave out; undefined where nobody knows */
  readonly lost: number | undefined
}

/** Brings each slab of rows to memory as it is, to be read or changed there; `store` where it goes back. */
function throughMemory(
  { memory }: Engine,
  { data, rows, columns }: Tall,
  store: boolean,
  visit: (at: Pointer, count: number) => void
): void {
  const narrow = isArrayOf(data, Float32Array)
  memory.frame(() => {
    const at = memory.alloc((narrow ? 4 : 8) * SLAB * columns)
    const view = (length: number): typeof data => (narrow ? memory.f32(at, length) : memory.f64(at, length))
    eachSlab(rows, (start, count) => {
      const length = count * columns
      view(length).set(data.subarray(start * columns, start * columns + length))
      visit(at, count)
      if (store) data.set(view(length), start * columns)
    })
  })
}

/** The entry of greatest magnitude of each column, the first of equals. */
export function topsOf(engine: Engine, x: Tall): Float64Array {
  const { memory, kernels } = engine
  return memory.frame(() => {
    const tops = memory.alloc(8 * x.columns)
    memory.f64(tops, x.columns).fill(0)
    const update = isArrayOf(x.data, Float32Array) ? kernels.topColumnsF32 : kernels.topColumnsF64
    throughMemory(engine, x, false, (at, count) => update(tops, at, count, x.columns))
    const result = memory.f64(tops, x.columns).slice()
    return result
  })
}

/** Each column times its factor. */
export function scaleColumns(engine: Engine, x: Tall, factors: Float64Array): void {
  if (factors.every((factor) => factor === 1)) return
  const { memory, kernels } = engine
  memory.frame(() => {
    const at = memory.alloc(8 * x.columns)
    memory.f64(at, x.columns).set(factors)
    const scale = isArrayOf(x.data, Float32Array) ? kernels.scaleColumnsF32 : kernels.scaleColumnsF64
    throughMemory(engine, x, true, (slab, count) => scale(slab, count, x.columns, at))
  })
}

export const signsOf = (tops: Float64Array): Float64Array => tops.map((top) => (top < 0 ? -1 : 1))

/** |x_j a_j - y_j b_j| of columns j. */
export function distances(
  { kernels }: Engine,
  x: Tall,
  a: ArrayLike<number>,
  y: Tall,
  b: ArrayLike<number>
): Float64Array {
  const k = x.columns
  const sums = new Float64Array(k)
  for (let i = 0; i < x.rows; i++) {
    for (let j = 0; j < k; j++) {
      const difference = x.data[i * k + j]! * a[j]! - y.data[i * k + j]! * b[j]!
      sums[j]! += difference * difference
    }
  }
  return sums.map((sum) => kernels.sqrtF64(sum))
}
