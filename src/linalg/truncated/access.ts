import { multiplyRows } from '../decompositionCalls.js'
import { gemm } from '../gemm.js'
import type { Kernels } from '../decompositionEngine.js'
import type { Memory, Pointer } from '../../core/memory.js'
import { padded } from '../matrix.js'
import { ALL_ZERO, BLOCK, type Rows, type Steps } from './passes.js'
import { productBytes } from './reserve.js'
import { makeTall, type Tall } from './tall.js'

/** A matrix A (rows, columns) by its products. All of them are those of A 2^-exponent, which the first one finds. */
export interface Access {
  readonly rows: number
  readonly columns: number
  readonly exponent: number
  /** sum of squares of A 2^-exponent, after the first product; undefined where nobody knows */
  readonly squares: number | undefined
  /** bytes of memory that products with k columns take */
  productBytes(k: number): number
  /** A x */
  times(x: Tall): Steps<Tall>
  /** A'y, in f64 */
  timesTransposed(y: Tall): Steps<Tall>
  /** Throws where products of others' making contradict each other: image = A x, z = A'y */
  checkAdjoint?(x: Tall, image: Tall, y: Tall, z: Tall): void
}

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

/** Numbers from 2^-easy to 2^easy need no scaling: squares and their sums stay far inside the type. */
const EASY_F32 = 40
const EASY_F64 = 250

/** The exponent that numbers are scaled by: 0 where they are easy, and where all are 0. */
export function scaleFor(exponent: number, wide: boolean): number {
  return exponent === ALL_ZERO || Math.abs(exponent) <= (wide ? EASY_F64 : EASY_F32) ? 0 : exponent
}

type Visit = (at: Pointer, ld: number, start: number, rows: number) => void

/** Products with a matrix that is read by rows: in f32 tiles whose sums over rows go on in f64, or in f64 throughout. */
export class RowAccess implements Access {
  squares: number | undefined
  private known: number | undefined

  constructor(
    private readonly memory: Memory,
    private readonly kernels: Kernels,
    private readonly source: Rows,
    readonly wide: boolean
  ) {}

  get rows(): number {
    return this.source.rows
  }

  get columns(): number {
    return this.source.columns
  }

  get exponent(): number {
    return this.known ?? 0
  }

  productBytes(k: number): number {
    return productBytes(this.kernels, this.columns, k)
  }

  /** gram: f64[padded(columns)][padded(columns)], the lower half of A'A, zeros beyond. */
  *gram(gram: Pointer): Steps<void> {
    const { memory, kernels, wide, columns: n } = this
    const ld = padded(n)
    const mark = memory.mark()
    const panels = memory.alloc((wide ? 8 : 4) * BLOCK * ld)
    const edge = memory.alloc(128)
    const clear = (): void => void memory.f64(gram, ld * ld).fill(0)
    yield* this.read(clear, (at, lda, _, rows) => {
      if (wide) {
        kernels.packAcrossF64(panels, at, n, 4, rows, lda)
        kernels.gramPanels(gram, ld, panels, 0, n, rows, edge)
      } else {
        kernels.packAcrossF32(panels, at, n, 8, rows, lda)
        kernels.accumulatePanelsF32(gram, ld, panels, panels, n, n, rows, 1)
      }
    })
    memory.release(mark)
  }

  *times(x: Tall): Steps<Tall> {
    const mark = this.memory.mark()
    const y = makeTall(this.wide ? Float64Array : Float32Array, this.rows, x.columns)
    const block = this.block(x.columns)
    const multiply = this.multiplier(x, block)
    yield* this.measured((at, ld, start, rows) => {
      multiply(at, ld, rows)
      this.storeBlock(y, block, start, rows)
    })
    this.memory.release(mark)
    return y
  }

  *timesTransposed(y: Tall): Steps<Tall> {
    const mark = this.memory.mark()
    const block = this.block(y.columns)
    const sum = this.summer(y.columns, block)
    yield* this.measured((at, ld, start, rows) => {
      this.loadBlock(block, y, start, rows)
      sum.add(at, ld, rows)
    }, sum.clear)
    const result = sum.take()
    this.memory.release(mark)
    return result
  }

  /** y = A x, y'y and A'y in one reading. */
  *project(x: Tall): Steps<Projection> {
    const { memory, kernels, wide } = this
    const k = x.columns
    const ld = padded(k)
    const mark = memory.mark()
    const y = makeTall(wide ? Float64Array : Float32Array, this.rows, k)
    const block = this.block(k)
    const multiply = this.multiplier(x, block)
    const sum = this.summer(k, block)
    const square = memory.alloc(8 * ld * ld)
    const tops = memory.alloc(8 * k)
    const work = memory.alloc(kernels.multiplyWork(k, 3))
    const clear = (): void => {
      sum.clear()
      memory.f64(square, ld * ld).fill(0)
      memory.f64(tops, k).fill(0)
    }
    yield* this.read(clear, (at, lda, start, rows) => {
      multiply(at, lda, rows)
      this.storeBlock(y, block, start, rows)
      sum.add(at, lda, rows)
      if (wide) {
        gemm(kernels.multiplyF64, {
          c: square,
          ldc: ld,
          a: block,
          lda: k,
          transposeA: true,
          b: block,
          ldb: k,
          m: k,
          n: k,
          k: rows,
          work
        })
        kernels.topColumnsF64(tops, block, rows, k)
      } else {
        kernels.accumulatePanelsF32(square, ld, sum.panels, sum.panels, k, k, rows, 1)
        kernels.topColumnsF32(tops, block, rows, k)
      }
    })
    const back = sum.take()
    const products = new Float64Array(k * k)
    for (let i = 0; i < k; i++) products.set(memory.f64(square + 8 * i * ld, k), i * k)
    const result = { y, products, back, tops: memory.f64(tops, k).slice() }
    memory.release(mark)
    return result
  }

  /** One reading of A 2^-exponent; the first finds the exponent, and where it is not 0 reads again. */
  private *read(clear: () => void, visit: Visit): Steps<void> {
    const { kernels, wide } = this
    if (this.known === undefined) {
      let greatest = ALL_ZERO
      clear()
      yield* this.source.pass({
        wide,
        visit: (at, ld, start, rows, exponent) => {
          greatest = Math.max(greatest, exponent)
          // Small ones may yet be followed by others; great ones would overflow.
          if (greatest <= 0 || scaleFor(greatest, wide) === 0) visit(at, ld, start, rows)
        }
      })
      this.known = scaleFor(greatest, wide)
      if (this.known === 0) return
    }
    const { exponent } = this
    clear()
    yield* this.source.pass({
      wide,
      visit: (at, ld, start, rows) => {
        if (exponent !== 0) kernels[wide ? 'scaleByPower' : 'scaleF32'](at, rows * ld, -exponent)
        visit(at, ld, start, rows)
      }
    })
  }

  /** A reading that also sums the squares where they are not known. */
  private *measured(visit: Visit, clear: () => void = () => {}): Steps<void> {
    if (this.squares !== undefined) return yield* this.read(clear, visit)
    const squares = this.kernels[this.wide ? 'squaresF64' : 'squaresF32']
    let sum = 0
    yield* this.read(
      () => {
        sum = 0
        clear()
      },
      (at, ld, start, rows) => {
        sum += squares(at, rows * ld)
        visit(at, ld, start, rows)
      }
    )
    this.squares = sum
  }

  /** Room for a block of rows of k columns. */
  private block(k: number): Pointer {
    return this.memory.alloc((this.wide ? 8 : 4) * BLOCK * k)
  }

  private loadBlock(block: Pointer, { data, columns }: Tall, start: number, rows: number): void {
    const part = data.subarray(start * columns, (start + rows) * columns)
    if (this.wide) this.memory.f64(block, rows * columns).set(part)
    else this.memory.f32(block, rows * columns).set(part)
  }

  private storeBlock({ data, columns }: Tall, block: Pointer, start: number, rows: number): void {
    const length = rows * columns
    data.set(this.wide ? this.memory.f64(block, length) : this.memory.f32(block, length), start * columns)
  }

  /** What multiplies a block of rows by x, into `block`. */
  private multiplier(x: Tall, block: Pointer): (at: Pointer, ld: number, rows: number) => void {
    const { memory, kernels } = this
    const { rows: n, columns: k } = x
    if (this.wide) {
      const right = memory.alloc(8 * n * k)
      const work = memory.alloc(kernels.multiplyWork(k, 3))
      memory.f64(right, n * k).set(x.data)
      return (at, ld, rows) => {
        memory.f64(block, rows * k).fill(0)
        gemm(kernels.multiplyF64, { c: block, ldc: k, a: at, lda: ld, b: right, ldb: k, m: rows, n: k, k: n, work })
      }
    }
    const panels = memory.alloc(4 * n * padded(k))
    const edge = memory.alloc(128)
    const mark = memory.mark()
    const staged = memory.alloc(4 * n * k)
    memory.f32(staged, n * k).set(x.data)
    kernels.packAcrossF32(panels, staged, k, 8, n, k)
    memory.release(mark)
    return (at, ld, rows) => {
      memory.f32(block, rows * k).fill(0)
      multiplyRows(kernels, { c: block, ldc: k, a: at, lda: ld, panels, rows, columns: k, k: n, edge })
    }
  }

  /** What sums a'y over blocks of rows a and, in `block`, y of k columns. */
  private summer(k: number, block: Pointer): Summer {
    const { memory, kernels, wide, columns: n } = this
    const [rows, ld] = [padded(n), padded(k)]
    const sum = memory.alloc(8 * rows * ld)
    const work = memory.alloc(wide ? kernels.multiplyWork(k, 3) : 4 * BLOCK * rows)
    const panels = memory.alloc(wide ? 0 : 4 * BLOCK * ld)
    return {
      panels,
      clear: () => void memory.f64(sum, rows * ld).fill(0),
      add: (at, lda, count) => {
        if (wide) {
          gemm(kernels.multiplyF64, {
            c: sum,
            ldc: ld,
            a: at,
            lda,
            transposeA: true,
            b: block,
            ldb: k,
            m: n,
            n: k,
            k: count,
            work
          })
          return
        }
        kernels.packAcrossF32(work, at, n, 8, count, lda)
        kernels.packAcrossF32(panels, block, k, 8, count, k)
        kernels.accumulatePanelsF32(sum, ld, work, panels, n, k, count, 0)
      },
      take: () => {
        const result = makeTall(Float64Array, n, k)
        for (let i = 0; i < n; i++) result.data.set(memory.f64(sum + 8 * i * ld, k), i * k)
        return result
      }
    }
  }
}

interface Summer {
  /** the block of y, packed, after `add` */
  readonly panels: Pointer
  clear(): void
  add(at: Pointer, ld: number, rows: number): void
  take(): Tall
}
