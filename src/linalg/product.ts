import { DEPTH } from '../../assembly/linalg/constants.js'
import type { Pointer } from '../core/memory.js'
import { gemmBatch, gemmPacked } from './gemm.js'
import type { Floats } from './matrix.js'
import { multiple, Packed, STAGE, Staged, TypedMemory, type Operand } from './operand.js'
import { defaultEngine, frame } from './productEngine.js'

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

/** Steps of k that are packed at once. */
const WINDOW = 4 * DEPTH
/** A patch of the result: so many columns, and so many rows where it is added up window by window. */
const COLUMNS = 512
const ROWS = 512
/** Fewest rows of a that are staged together; they pay for reading packed panels of b again. */
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
    const typed = new TypedMemory(memory, kernels, product.wide)
    return small ? multiplyWhole(typed, data, product) : multiplyPatches(typed, data, product)
  })
}

/** Small products, as many at once as the cache holds. */
function multiplyWhole(memory: TypedMemory, data: Floats, { a, b, m, n, k, wide }: Product): boolean {
  const { kernels, shift } = memory
  const multiply = wide ? kernels.multiplyF64 : kernels.multiplyF32
  const count = a.starts.length
  const most = Math.min(count, Math.floor(STAGE / Math.max(m * n, m * k, k * n)))
  const left = new Staged(memory, a, most * m * k)
  const right = new Staged(memory, b, most * k * n)
  const result = memory.alloc(most * m * n)
  const work = memory.allocBytes(kernels.multiplyWork(n, shift))
  const bytes = 1 << shift
  for (let item = 0; item < count;) {
    const run = Math.min(runOf(a, item, m * k, most), runOf(b, item, k * n, most))
    const [manyA, manyB] = [movesOn(a, item), movesOn(b, item)]
    left.load(item, 0, m, 0, k, manyA ? run : 1)
    right.load(item, 0, k, 0, n, manyB ? run : 1)
    const length = run * m * n
    const view = memory.view(result, length)
    // Objects that are put together of others take as long as a product of 8 x 8.
    gemmBatch(
      multiply,
      {
        c: result,
        ldc: n,
        a: left.pointer,
        lda: left.width,
        transposeA: a.transposed,
        b: right.pointer,
        ldb: right.width,
        transposeB: b.transposed,
        m,
        n,
        k,
        write: 'set',
        work
      },
      { count: run, stepA: manyA ? m * k * bytes : 0, stepB: manyB ? k * n * bytes : 0, stepC: m * n * bytes }
    )
    if (!memory.finite(result, length)) return false
    data.set(view, item * m * n)
    item += run
  }
  return true
}

function movesOn({ starts }: Operand, item: number): boolean {
  return starts[item + 1]! > starts[item]!
}

/**
 * Products from `item` on, at most `most`, whose matrices of `size` elements are one and the same, or each just behind
 * the one before.
 */
function runOf({ starts }: Operand, item: number, size: number, most: number): number {
  const step = starts[item + 1]! - starts[item]!
  if (step !== 0 && step !== size) return 1
  let run = 2
  while (run < most && starts[item + run]! - starts[item + run - 1]! === step) run++
  return Math.min(run, most)
}

/** Products by patches of the result; columns of b are packed once for all strips of a where all of k is one window. */
function multiplyPatches(memory: TypedMemory, data: Floats, product: Product): boolean {
  const { a, b, m, n, k } = product
  const columns = Math.min(n, COLUMNS)
  const depth = Math.min(k, WINDOW)
  const strip = Math.min(m, a.transposed ? ROWS : Math.max(STRIP, multiple(8, STAGE / Math.max(columns, depth))))
  const rows = depth === k ? strip : Math.min(m, multiple(strip, ROWS))
  const room: PatchRoom = {
    left: new Staged(memory, a, strip * depth),
    right: new Packed(memory, b, depth, columns),
    result: memory.alloc(rows * columns),
    work: memory.allocBytes(memory.kernels.multiplyWork(0, memory.shift)),
    strip,
    depth
  }
  for (let item = 0; item < a.starts.length; item++) {
    for (let column = 0; column < n; column += columns) {
      const width = Math.min(columns, n - column)
      for (let row = 0; row < m; row += rows) {
        const height = Math.min(rows, m - row)
        multiplyPatch(memory, room, product, { item, row, height, column, width })
        if (!memory.finite(room.result, height * width)) return false
        const patch = memory.view(room.result, height * width)
        const to = (item * m + row) * n + column
        if (width === n) data.set(patch, to)
        else for (let r = 0; r < height; r++) data.set(patch.subarray(r * width, (r + 1) * width), to + r * n)
      }
    }
  }
  return true
}

/** Where a patch is made: strips of a, windows of b along k, the patch itself. */
interface PatchRoom {
  readonly left: Staged
  readonly right: Packed
  readonly result: Pointer
  readonly work: Pointer
  readonly strip: number
  readonly depth: number
}

/** Some rows and columns of one product. */
interface Patch {
  readonly item: number
  readonly row: number
  readonly height: number
  readonly column: number
  readonly width: number
}

/** Adds up one patch, window by window along k. */
function multiplyPatch(memory: TypedMemory, room: PatchRoom, { a, k, wide }: Product, patch: Patch): void {
  const { left, right, result, work, strip, depth } = room
  const { item, row, height, column, width } = patch
  const { kernels, shift } = memory
  const multiply = wide ? kernels.multiplyPackedF64 : kernels.multiplyPackedF32
  for (let p = 0; p < k; p += depth) {
    const deep = Math.min(depth, k - p)
    right.load(item, p, deep, column, width)
    for (let s = 0; s < height; s += strip) {
      const high = Math.min(strip, height - s)
      left.load(item, row + s, high, p, deep)
      gemmPacked(multiply, {
        c: result + ((s * width) << shift),
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
}
