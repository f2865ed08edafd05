import type { Memory, Pointer } from '../../core/memory.js'
import type { Kernels } from '../decompositionEngine.js'
import { padded } from '../matrix.js'
import type { Access } from './access.js'
import { SLAB, type RowReader, type Passes } from './passes.js'
import type { Precision } from './precision.js'
import { PrecisionF32 } from './precisionF32.js'
import { PrecisionF64 } from './precisionF64.js'
import { Reading } from './reading.js'
import { productBytes } from './reserve.js'
import { makeTall, type Tall } from './tall.js'

/** What one reading of A gives for columns x. */
export interface Projection {
  /** A x */
  readonly y: Tall
  /** f64[k][k] = y'y, its lower half */
  readonly products: Float64Array
  /** A'y, in f64 */
  readonly back: Tall
  /** the entry of greatest magnitude of each column of y, the first of equals */
  readonly tops: Float64Array
}

const NOTHING = (): void => {}

/** Products with a matrix that is read by rows, in one of two precisions. */
export class RowAccess implements Access {
  private readonly precision: Precision
  private readonly reading: Reading

  constructor(
    private readonly memory: Memory,
    private readonly kernels: Kernels,
    private readonly source: RowReader,
    readonly wide: boolean
  ) {
    this.precision = wide ? new PrecisionF64(memory, kernels) : new PrecisionF32(memory, kernels)
    this.reading = new Reading(source, this.precision)
  }

  get rows(): number {
    return this.source.rows
  }

  get columns(): number {
    return this.source.columns
  }

  get exponent(): number {
    return this.reading.exponent
  }

  get squares(): number | undefined {
    return this.reading.squares
  }

  productBytes(k: number): number {
    return productBytes(this.kernels, this.columns, k)
  }

  /** gram: f64[padded(columns)][padded(columns)], the lower half of A'A, zeros beyond. */
  *gram(gram: Pointer): Passes<void> {
    const { memory, columns: n } = this
    const ld = padded(n)
    const close = memory.open()
    try {
      const add = this.precision.gram(gram, n)
      yield* this.reading.read({
        clear: () => void memory.f64(gram, ld * ld).fill(0),
        visit: (at, lda, _, rows) => add(at, lda, rows)
      })
    } finally {
      close()
    }
  }

  *times(x: Tall): Passes<Tall> {
    const { memory, precision } = this
    const close = memory.open()
    try {
      const y = makeTall(precision.type, this.rows, x.columns)
      const slab = precision.alloc(SLAB * x.columns)
      const multiply = precision.multiplier(x, slab)
      yield* this.reading.measure({
        clear: NOTHING,
        visit: (at, ld, start, rows) => {
          multiply(at, ld, rows)
          this.storeSlab(y, slab, start, rows)
        }
      })
      return y
    } finally {
      close()
    }
  }

  *timesTransposed(y: Tall): Passes<Tall> {
    const { memory, precision } = this
    const close = memory.open()
    try {
      const slab = precision.alloc(SLAB * y.columns)
      const sum = precision.summer(this.columns, y.columns, slab)
      yield* this.reading.measure({
        clear: sum.clear,
        visit: (at, ld, start, rows) => {
          this.loadSlab(slab, y, start, rows)
          sum.add(at, ld, rows)
        }
      })
      const result = sum.take()
      return result
    } finally {
      close()
    }
  }

  /** y = A x, y'y and A'y in one reading. */
  *project(x: Tall): Passes<Projection> {
    const { memory, precision } = this
    const k = x.columns
    const ld = padded(k)
    const close = memory.open()
    try {
      const y = makeTall(precision.type, this.rows, k)
      const slab = precision.alloc(SLAB * k)
      const multiply = precision.multiplier(x, slab)
      const sum = precision.summer(this.columns, k, slab)
      const square = memory.alloc(8 * ld * ld)
      const tops = memory.alloc(8 * k)
      yield* this.reading.read({
        clear: () => {
          sum.clear()
          memory.f64(square, ld * ld).fill(0)
          memory.f64(tops, k).fill(0)
        },
        visit: (at, lda, start, rows) => {
          multiply(at, lda, rows)
          this.storeSlab(y, slab, start, rows)
          sum.add(at, lda, rows)
          sum.addSquare(square, ld, rows)
          precision.tops(tops, slab, rows, k)
        }
      })
      const back = sum.take()
      const products = new Float64Array(k * k)
      for (let i = 0; i < k; i++) products.set(memory.f64(square + 8 * i * ld, k), i * k)
      const result = { y, products, back, tops: memory.f64(tops, k).slice() }
      return result
    } finally {
      close()
    }
  }

  private loadSlab(slab: Pointer, { data, columns }: Tall, start: number, rows: number): void {
    this.precision.view(slab, rows * columns).set(data.subarray(start * columns, (start + rows) * columns))
  }

  private storeSlab({ data, columns }: Tall, slab: Pointer, start: number, rows: number): void {
    data.set(this.precision.view(slab, rows * columns), start * columns)
  }
}
