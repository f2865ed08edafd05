import { ALL_ZERO } from '../../../assembly/linalg/constants.js'
import { rangeError, typeError } from '../../core/errors.js'
import { show } from '../../core/check.js'
import type { Kernels } from '../decompositionEngine.js'
import type { Memory, Pointer } from '../../core/memory.js'
import { loadF32, nonFiniteError, partOf, readTensor, type Source } from '../../core/tensor.js'
import { loadF64, NOT_FINITE } from '../matrix.js'

/** RowReader that are worked on at once, counted from the first row: sums do not depend on how the rows come. */
export const SLAB = 256

/** One reading of all rows, slab by slab, as f64 or f32. */
export interface Pass {
  readonly wide: boolean
  /**
   * `rows` rows from `start` on stand at `at`, `ld` apart, in memory for 256; the greatest is in [.5, 1) 2^exponent, or
   * all are 0
   */
  visit(at: Pointer, ld: number, start: number, rows: number, exponent: number): void
}

/** Takes the chunks of one pass, in order; true when it has seen enough. */
export interface Sink {
  take(chunk: unknown): boolean
}

/** Work that pauses at each pass for rows that only its caller can bring. */
export type Passes<T> = Generator<Sink, T, void>

/** A matrix that is read by rows. */
export interface RowReader {
  readonly rows: number
  readonly columns: number
  pass(pass: Pass): Passes<void>
}

/** A matrix in memory, or its transpose. */
export class MatrixRows implements RowReader {
  readonly rows: number
  readonly columns: number

  constructor(
    private readonly memory: Memory,
    private readonly kernels: Kernels,
    private readonly source: Source,
    private readonly transposed: boolean
  ) {
    const [m, n] = source.shape as [number, number]
    this.rows = transposed ? n : m
    this.columns = transposed ? m : n
  }

  // eslint-disable-next-line require-yield -- other rows have to be waited for
  *pass({ wide, visit }: Pass): Passes<void> {
    const { memory, kernels, source, rows, columns, transposed } = this
    const ld = transposed && !wide ? Math.ceil(columns / 4) * 4 : columns
    memory.frame(() => {
      const at = memory.alloc(8 * SLAB * ld)
      const staged = memory.alloc(transposed ? 8 * SLAB * columns : 0)
      for (let start = 0; start < rows; start += SLAB) {
        const count = Math.min(SLAB, rows - start)
        if (!transposed) this.load(at, wide, start * columns, count * columns)
        else {
          for (let c = 0; c < columns; c++) {
            this.load(staged + (wide ? 8 : 4) * c * count, wide, c * rows + start, count)
          }
          if (wide) kernels.placeRows(at, ld, 0, staged, columns, count)
          else kernels.packAlongF32(at, staged, columns, ld, count, count)
        }
        const exponent = wide ? kernels.exponentF64(at, count * ld) : kernels.exponentF32(at, count * ld)
        if (exponent === NOT_FINITE) throw nonFiniteError(source, undefined, wide)
        visit(at, ld, start, count, exponent)
      }
    })
  }

  private load(to: Pointer, wide: boolean, start: number, length: number): void {
    if (wide) loadF64(this.memory, to, this.source, start, length)
    else loadF32(this.memory, this.kernels, to, this.source, start, length)
  }
}

/** RowReader that come in chunks of any heights. */
export class StreamRows implements RowReader, Sink {
  private current: Pass | undefined
  private at: Pointer = 0
  private chunks = 0
  private seen = 0
  private filled = 0
  private exponent = ALL_ZERO

  constructor(
    private readonly memory: Memory,
    private readonly kernels: Kernels,
    private readonly verb: string,
    readonly rows: number,
    readonly columns: number,
    /** where `rows` is known from */
    private readonly promised: string
  ) {}

  *pass(pass: Pass): Passes<void> {
    const close = this.memory.open()
    try {
      this.at = this.memory.alloc(8 * SLAB * this.columns)
      this.current = pass
      this.chunks = this.seen = this.filled = 0
      this.exponent = ALL_ZERO
      yield this
      this.flush()
      if (this.seen !== this.rows) throw this.wrongLength(this.seen)
    } finally {
      close()
    }
  }

  /** The next chunk (rows, columns) of the pass. */
  take(chunk: unknown): boolean {
    const { memory, kernels, columns } = this
    const { wide } = this.current!
    const source = readChunk(this.verb, this.chunks++, chunk, columns)
    const total = source.shape[0]!
    if (this.seen + this.filled + total > this.rows) throw this.wrongLength(this.seen + this.filled + total)
    for (let r = 0; r < total;) {
      const count = Math.min(SLAB - this.filled, total - r)
      const to = this.at + (wide ? 8 : 4) * this.filled * columns
      const length = count * columns
      if (wide) loadF64(memory, to, source, r * columns, length)
      else loadF32(memory, kernels, to, source, r * columns, length)
      const exponent = wide ? kernels.exponentF64(to, length) : kernels.exponentF32(to, length)
      if (exponent === NOT_FINITE) {
        const first = (this.seen + this.filled) * columns
        throw nonFiniteError(
          { ...partOf(source, r * columns, length), name: `${this.verb}: "rows"`, first },
          undefined,
          wide
        )
      }
      this.exponent = Math.max(this.exponent, exponent)
      this.filled += count
      r += count
      if (this.filled === SLAB) this.flush()
    }
    return false
  }

  private flush(): void {
    if (this.filled > 0) this.current!.visit(this.at, this.columns, this.seen, this.filled, this.exponent)
    this.seen += this.filled
    this.filled = 0
    this.exponent = ALL_ZERO
  }

  private wrongLength(got: number): RangeError {
    const count = got > this.rows ? `at least ${got}` : `${got}`
    return rangeError(
      `${this.verb}: "rows" expected ${this.rows} rows in all, as ${this.promised}, got ${count}; each call has to give the same rows`
    )
  }
}

/** A chunk of rows, of `columns` numbers where that is known. */
export function readChunk(verb: string, index: number, chunk: unknown, columns?: number): Source {
  if (chunk instanceof Promise) {
    throw typeError(`${verb}: "rows[${index}]" expected a tensor, got a promise; use an async generator`)
  }
  const source = readTensor(verb, `rows[${index}]`, chunk)
  if (source.shape.length !== 2 || (columns !== undefined && source.shape[1] !== columns)) {
    throw rangeError(`${source.name} expected shape (rows, ${columns ?? 'columns'}), got ${show([...source.shape])}`)
  }
  return source
}
