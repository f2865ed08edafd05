import { DEPTH } from '../../assembly/linalg/constants.js'
import { gemm, gemmPacked } from './gemm.js'
import { defaultEngine, frame, type Kernels } from './productEngine.js'
import type { Memory, Pointer } from '../core/memory.js'
import { loadF32, type Source } from '../core/tensor.js'
import { loadF64, type Floats } from './matrix.js'

/** Matrices of one tensor, row-major, as one side of products. */
export interface Operand {
  readonly source: Source
  /** the matrix to multiply by is the transpose of what is stored */
  readonly transposed: boolean
  /** elements from one row as it is stored to the next */
  readonly ld: number
  /** the first element of the matrix of each product */
  readonly starts: ArrayLike<number>
}

/** Products of one size: op(a) (m, k) times op(b) (k, n), as many as there are starts. */
export interface Product {
  readonly a: Operand
  readonly b: Operand
  readonly m: number
  readonly n: number
  readonly k: number
  /** f64 in place of f32 */
  readonly wide: boolean
}

/** Windows along k, over columns, and over rows of what is added up window by window. */
const WINDOW = 4 * DEPTH
const COLUMNS = 512
const ROWS = 512
/** Elements that stay in the second-level cache, copied in and read at once. */
const STAGE = 1 << 16
/** Rows that pay for reading packed panels of b again. */
const STRIP = 128

/**
 * Writes the products to `data`, one after the other.
 *
 * @returns false, with `data` unfinished, where one has an element that is not finite
 */
export function multiplyInto(data: Floats, product: Product): boolean {
  const { m, n, k } = product
  if (k === 0) data.fill(0)
  if (k === 0 || data.length === 0) return true
  const small = n <= COLUMNS && Math.max(m * n, m * k, k * n) <= STAGE
  return frame(defaultEngine(), (memory, kernels) => {
    const arena = new Arena(memory, kernels, product.wide)
    return small ? multiplyWhole(arena, data, product) : multiplyTiles(arena, data, product)
  })
}

/** What depends on the type of the elements. */
class Arena {
  readonly shift: 2 | 3
  constructor(
    readonly memory: Memory,
    readonly kernels: Kernels,
    readonly wide: boolean
  ) {
    this.shift = wide ? 3 : 2
  }

  alloc(length: number): Pointer {
    return this.memory.alloc(length << this.shift)
  }

  view(pointer: Pointer, length: number): Floats {
    return this.wide ? this.memory.f64(pointer, length) : this.memory.f32(pointer, length)
  }

  load(pointer: Pointer, source: Source, start: number, length: number): void {
    if (this.wide) loadF64(this.memory, pointer, source, start, length)
    else loadF32(this.memory, this.kernels, pointer, source, start, length)
  }

  finite(pointer: Pointer, length: number): boolean {
    const { kernels } = this
    return (this.wide ? kernels.finiteF64 : kernels.finiteF32)(pointer, length) !== 0
  }
}

/** Small products, as many at once as the cache holds. */
function multiplyWhole(arena: Arena, data: Floats, { a, b, m, n, k, wide }: Product): boolean {
  const { kernels, shift } = arena
  const multiply = wide ? kernels.multiplyF64 : kernels.multiplyF32
  const count = a.starts.length
  const most = Math.min(count, Math.floor(STAGE / Math.max(m * n, m * k, k * n)))
  const left = new Staged(arena, a, most * m * k)
  const right = new Staged(arena, b, most * k * n)
  const result = arena.alloc(most * m * n)
  const work = arena.memory.alloc(kernels.multiplyWork(n, shift))
  const [stepA, stepB, stepC] = [m * k, k * n, m * n].map((length) => length << shift) as [number, number, number]
  for (let item = 0; item < count;) {
    const run = Math.min(runOf(a, item, m * k, most), runOf(b, item, k * n, most))
    const [manyA, manyB] = [movesOn(a, item), movesOn(b, item)]
    left.load(item, 0, m, 0, k, manyA ? run : 1)
    right.load(item, 0, k, 0, n, manyB ? run : 1)
    const length = run * m * n
    const view = arena.view(result, length)
    for (let i = 0; i < run; i++) {
      gemm(multiply, {
        c: result + i * stepC,
        ldc: n,
        a: left.pointer + (manyA ? i * stepA : 0),
        lda: left.width,
        transposeA: a.transposed,
        b: right.pointer + (manyB ? i * stepB : 0),
        ldb: right.width,
        transposeB: b.transposed,
        m,
        n,
        k,
        write: 'set',
        work
      })
    }
    if (!arena.finite(result, length)) return false
    data.set(view, item * m * n)
    item += run
  }
  return true
}

function movesOn({ starts }: Operand, item: number): boolean {
  return starts[item + 1]! > starts[item]!
}

/** Products from `item` on, at most `most`, whose matrices of `size` elements are one and the same, or each just behind the one before. */
function runOf({ starts }: Operand, item: number, size: number, most: number): number {
  const step = starts[item + 1]! - starts[item]!
  if (step !== 0 && step !== size) return 1
  let run = 2
  while (run < most && starts[item + run]! - starts[item + run - 1]! === step) run++
  return Math.min(run, most)
}

/** Products by tiles of the result, whose columns of b are packed once for all strips of a, where all of k is one window. */
function multiplyTiles(arena: Arena, data: Floats, product: Product): boolean {
  const { a, b, m, n, k, wide } = product
  const { kernels, shift } = arena
  const multiply = wide ? kernels.multiplyPackedF64 : kernels.multiplyPackedF32
  const columns = Math.min(n, COLUMNS)
  const depth = Math.min(k, WINDOW)
  const strip = Math.min(m, a.transposed ? ROWS : Math.max(STRIP, multiple(8, STAGE / Math.max(columns, depth))))
  const rows = depth === k ? strip : Math.min(m, multiple(strip, ROWS))
  const left = new Staged(arena, a, strip * depth)
  const right = new Packed(arena, b, depth, columns)
  const result = arena.alloc(rows * columns)
  const work = arena.memory.alloc(kernels.multiplyWork(0, shift))
  for (let item = 0; item < a.starts.length; item++) {
    for (let j = 0; j < n; j += columns) {
      const width = Math.min(columns, n - j)
      for (let i = 0; i < m; i += rows) {
        const height = Math.min(rows, m - i)
        const tile = arena.view(result, height * width)
        for (let p = 0; p < k; p += depth) {
          const deep = Math.min(depth, k - p)
          right.load(item, p, deep, j, width)
          for (let s = 0; s < height; s += strip) {
            const high = Math.min(strip, height - s)
            left.load(item, i + s, high, p, deep)
            const to = result + ((s * width) << shift)
            gemmPacked(multiply, {
              c: to,
              ldc: width,
              a: left.pointer,
              lda: left.width,
              transposeA: a.transposed,
              panels: right.pointer,
              m: high,
              n: width,
              k: deep,
              write: p ? 'add' : 'set',
              work
            })
          }
        }
        if (!arena.finite(result, height * width)) return false
        const to = (item * m + i) * n + j
        if (width === n) data.set(tile, to)
        else for (let r = 0; r < height; r++) data.set(tile.subarray(r * width, (r + 1) * width), to + r * n)
      }
    }
  }
  return true
}

/** The greatest multiple of `unit` up to `most`, at least one. */
function multiple(unit: number, most: number): number {
  return Math.max(1, Math.floor(most / unit)) * unit
}

/** A part of an operand in linear memory, as it is stored. */
class Staged {
  readonly pointer: Pointer
  /** elements from row to row */
  width = 0
  private start = -1
  private length = 0

  constructor(
    private readonly arena: Arena,
    private readonly operand: Operand,
    length: number
  ) {
    this.pointer = arena.alloc(length)
  }

  /** Rows and columns of the matrix to multiply by, or of `run` whole ones from `item` on; nothing is done where they are there. */
  load(item: number, row: number, rows: number, column: number, columns: number, run = 1): void {
    const { arena, pointer } = this
    const { transposed, ld, starts, source } = this.operand
    const height = run * (transposed ? columns : rows)
    const width = transposed ? rows : columns
    const start = starts[item]! + (transposed ? column * ld + row : row * ld + column)
    const length = height * width
    if (start === this.start && length === this.length) return
    this.start = start
    this.length = length
    this.width = width
    if (width === ld || height === 1) arena.load(pointer, source, start, length)
    else if (source.bits) {
      for (let r = 0; r < height; r++) arena.load(pointer + ((r * width) << arena.shift), source, start + r * ld, width)
    } else {
      const view = arena.view(pointer, length)
      for (let r = 0, at = start; r < height; r++, at += ld) view.set(source.data.subarray(at, at + width), r * width)
    }
  }
}

/** A part of the right operand in linear memory, packed (assembly/linalg/multiply.ts). */
class Packed {
  readonly pointer: Pointer
  private readonly staged: Staged
  private readonly panel: number
  private key = -1

  constructor(
    private readonly arena: Arena,
    private readonly operand: Operand,
    depth: number,
    columns: number
  ) {
    this.panel = arena.wide ? 4 : 8
    this.pointer = arena.alloc(depth * this.padded(columns))
    this.staged = new Staged(
      arena,
      operand,
      operand.transposed ? depth * this.atOnce(depth, columns) : Math.min(depth, DEPTH) * columns
    )
  }

  private padded(columns: number): number {
    return Math.ceil(columns / this.panel) * this.panel
  }

  /** Columns that are staged together where they run along k. */
  private atOnce(depth: number, columns: number): number {
    return Math.min(columns, multiple(8, STAGE / depth))
  }

  load(item: number, row: number, rows: number, column: number, columns: number): void {
    const { arena, operand, staged, pointer, panel } = this
    const { kernels, shift, wide } = arena
    const { transposed, ld, starts } = operand
    const key = starts[item]! + (transposed ? column * ld + row : row * ld + column)
    if (key === this.key) return
    this.key = key
    const padded = this.padded(columns)
    if (transposed) {
      const pack = wide ? kernels.packAlongF64 : kernels.packAlongF32
      const step = this.atOnce(rows, columns)
      for (let j = 0; j < columns; j += step) {
        const count = Math.min(step, columns - j)
        staged.load(item, row, rows, column + j, count)
        for (let p = 0; p < rows; p += DEPTH) {
          const deep = Math.min(DEPTH, rows - p)
          pack(
            pointer + ((p * padded + j * deep) << shift),
            staged.pointer + (p << shift),
            count,
            panel,
            deep,
            staged.width
          )
        }
      }
    } else {
      const pack = wide ? kernels.packAcrossF64 : kernels.packAcrossF32
      for (let p = 0; p < rows; p += DEPTH) {
        const deep = Math.min(DEPTH, rows - p)
        staged.load(item, row + p, deep, column, columns)
        pack(pointer + ((p * padded) << shift), staged.pointer, columns, panel, deep, staged.width)
      }
    }
  }
}
