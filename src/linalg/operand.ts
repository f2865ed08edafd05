import { DEPTH } from '../../assembly/linalg/constants.js'
import type { Memory, Pointer } from '../core/memory.js'
import { loadF32, type Source } from '../core/tensor.js'
import { loadF64, type Floats } from './matrix.js'
import type { Kernels } from './productEngine.js'

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

/** Elements that stay in the second-level cache, copied in and read at once. */
export const STAGE = 1 << 16

/** Linear memory by elements of one type. */
export class TypedMemory {
  readonly shift: 2 | 3
  constructor(
    private readonly memory: Memory,
    readonly kernels: Kernels,
    readonly wide: boolean
  ) {
    this.shift = wide ? 3 : 2
  }

  alloc(length: number): Pointer {
    return this.memory.alloc(length << this.shift)
  }

  allocBytes(bytes: number): Pointer {
    return this.memory.alloc(bytes)
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

/** The greatest multiple of `unit` up to `most`, at least one. */
export function multiple(unit: number, most: number): number {
  return Math.max(1, Math.floor(most / unit)) * unit
}

/** A part of an operand in linear memory, as it is stored. */
export class Staged {
  readonly pointer: Pointer
  /** elements from row to row */
  width = 0
  private start = -1
  private length = 0

  constructor(
    private readonly memory: TypedMemory,
    private readonly operand: Operand,
    length: number
  ) {
    this.pointer = memory.alloc(length)
  }

  /**
   * Brings rows and columns of the matrix to multiply by, or of `run` whole ones from `item` on. It does nothing where
   * they are there already.
   */
  load(item: number, row: number, rows: number, column: number, columns: number, run = 1): void {
    const { memory, pointer } = this
    const { transposed, ld, starts, source } = this.operand
    const height = run * (transposed ? columns : rows)
    const width = transposed ? rows : columns
    const start = starts[item]! + (transposed ? column * ld + row : row * ld + column)
    const length = height * width
    if (start === this.start && length === this.length) return
    this.start = start
    this.length = length
    this.width = width
    if (width === ld || height === 1) memory.load(pointer, source, start, length)
    else if (source.bits) {
      const step = width << memory.shift
      for (let r = 0; r < height; r++) memory.load(pointer + r * step, source, start + r * ld, width)
    } else {
      const view = memory.view(pointer, length)
      for (let r = 0, at = start; r < height; r++, at += ld) view.set(source.data.subarray(at, at + width), r * width)
    }
  }
}

/** A part of the right operand in linear memory, packed (assembly/linalg/multiply.ts). */
export class Packed {
  readonly pointer: Pointer
  private readonly staged: Staged
  private readonly panel: number
  private key = -1

  constructor(
    private readonly memory: TypedMemory,
    private readonly operand: Operand,
    depth: number,
    columns: number
  ) {
    this.panel = memory.wide ? 4 : 8
    this.pointer = memory.alloc(depth * this.padded(columns))
    const staged = operand.transposed ? depth * this.atOnce(depth, columns) : Math.min(depth, DEPTH) * columns
    this.staged = new Staged(memory, operand, staged)
  }

  private padded(columns: number): number {
    return Math.ceil(columns / this.panel) * this.panel
  }

  /** Columns that are staged together where they run along k. */
  private atOnce(depth: number, columns: number): number {
    return Math.min(columns, multiple(8, STAGE / depth))
  }

  load(item: number, row: number, rows: number, column: number, columns: number): void {
    const { transposed, ld, starts } = this.operand
    const key = starts[item]! + (transposed ? column * ld + row : row * ld + column)
    if (key === this.key) return
    this.key = key
    if (transposed) this.packAlong(item, row, rows, column, columns)
    else this.packAcross(item, row, rows, column, columns)
  }

  /** Columns run along k as they are stored. */
  private packAlong(item: number, row: number, rows: number, column: number, columns: number): void {
    const { memory, staged, pointer, panel } = this
    const pack = memory.wide ? memory.kernels.packAlongF64 : memory.kernels.packAlongF32
    const padded = this.padded(columns)
    const step = this.atOnce(rows, columns)
    for (let j = 0; j < columns; j += step) {
      const count = Math.min(step, columns - j)
      staged.load(item, row, rows, column + j, count)
      for (let p = 0; p < rows; p += DEPTH) {
        const deep = Math.min(DEPTH, rows - p)
        const to = pointer + ((p * padded + j * deep) << memory.shift)
        pack(to, staged.pointer + (p << memory.shift), count, panel, deep, staged.width)
      }
    }
  }

  /** Rows run across k as they are stored. */
  private packAcross(item: number, row: number, rows: number, column: number, columns: number): void {
    const { memory, staged, pointer, panel } = this
    const pack = memory.wide ? memory.kernels.packAcrossF64 : memory.kernels.packAcrossF32
    const padded = this.padded(columns)
    for (let p = 0; p < rows; p += DEPTH) {
      const deep = Math.min(DEPTH, rows - p)
      staged.load(item, row + p, deep, column, columns)
      pack(pointer + ((p * padded) << memory.shift), staged.pointer, columns, panel, deep, staged.width)
    }
  }
}
