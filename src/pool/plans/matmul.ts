import { MODULES } from '../../linalg/productEngine.js'
import { partOf, type Tensor, type TensorLike } from '../../core/tensor.js'
import { prepareMatmul, productError, type MatmulOptions } from '../../linalg/matmul.js'
import type { Floats } from '../../linalg/matrix.js'
import type { Operand } from '../../linalg/operand.js'
import { multiplyInto, type Product } from '../../linalg/product.js'
import { CHUNK } from '../chunks.js'
import { once, type Plan, type Steps } from '../plan.js'
import { isShared } from '../protocol.js'

/** Rows and columns of the result that make a chunk, unless there are fewer of the others. */
const ROWS = 256
const COLUMNS = 512
/** Elements of each side that a chunk takes; where k is long, rows and columns are fewer, down to LEAST. */
const SIDE = 4 * CHUNK
const LEAST = 128

/** Some of the products: `count` whole ones, or rows and columns of one. */
interface Part {
  readonly item: number
  readonly count: number
  readonly row: number
  readonly rows: number
  readonly column: number
  readonly columns: number
}

export function matmulPlan(a: TensorLike, b: TensorLike, options: MatmulOptions = {}): Plan<Tensor<Floats>> {
  const asked = prepareMatmul(a, b, options)
  const { product, data, shape } = asked
  const parts = data.length && cutProduct(product)
  const moves = new Set<unknown>()
  return {
    verb: 'matmul',
    program: 'matmul',
    modules: MODULES,
    chunks: parts ? parts.map((part) => () => chunkOf(product, part, moves)) : [],
    take: (chunk, values) => {
      if (!values) throw productError(asked)
      place(data, product, (parts as Part[])[chunk]!, values as Floats)
    },
    finish: () => ({ data, shape }),
    moves
  }
}

/** The products, or nothing where one is not finite: which number is at fault is seen where all of them are. */
export function matmulProgram(product: Product): Steps {
  return once(() => {
    const { a, m, n, wide } = product
    const data = new (wide ? Float64Array : Float32Array)(a.starts.length * m * n)
    return multiplyInto(data, product) ? data : undefined
  })
}

/** Small products go together; of others each is cut into rows and columns. By sizes alone. */
function cutProduct({ a, m, n, k }: Product): Part[] {
  const items = a.starts.length
  const parts: Part[] = []
  const together = Math.floor(Math.min((ROWS * COLUMNS) / (m * n), SIDE / Math.max(1, m * k, k * n)))
  if (together > 1) {
    for (let item = 0; item < items; item += together) {
      const count = Math.min(together, items - item)
      parts.push({ item, count, row: 0, rows: m, column: 0, columns: n })
    }
    return parts
  }
  const most = Math.max(LEAST, Math.floor(SIDE / Math.max(1, k)))
  const wide = Math.min(n, most, Math.max(COLUMNS, Math.floor((ROWS * COLUMNS) / m)))
  const high = Math.min(m, most, Math.max(ROWS, Math.floor((ROWS * COLUMNS) / wide)))
  for (let item = 0; item < items; item++) {
    for (let row = 0; row < m; row += high) {
      for (let column = 0; column < n; column += wide) {
        const [rows, columns] = [Math.min(high, m - row), Math.min(wide, n - column)]
        parts.push({ item, count: 1, row, rows, column, columns })
      }
    }
  }
  return parts
}

function chunkOf(product: Product, part: Part, moves: Set<unknown>): Product {
  const { a, b, m, n, k, wide } = product
  const { item, count, row, rows, column, columns } = part
  if (count > 1) return { ...product, a: run(a, item, count, m * k), b: run(b, item, count, k * n) }
  const left = cut(a, item, row, rows, 0, k, wide, moves)
  const right = cut(b, item, 0, k, column, columns, wide, moves)
  return { a: left, b: right, m: rows, n: columns, k, wide }
}

/** The matrices of some products, from the first to the last. */
function run(operand: Operand, item: number, count: number, size: number): Operand {
  const starts = Float64Array.from({ length: count }, (_, i) => operand.starts[item + i]!)
  let first = starts[0]!
  let last = first
  for (const start of starts) {
    first = Math.min(first, start)
    last = Math.max(last, start)
  }
  const source = partOf(operand.source, first, last + size - first)
  return { ...operand, source, starts: starts.map((start) => start - first) }
}

/**
 * Rows and columns of the matrix to multiply by: as they are where they follow each other or are shared, else put
 * together.
 */
function cut(
  operand: Operand,
  item: number,
  row: number,
  rows: number,
  column: number,
  columns: number,
  wide: boolean,
  moves: Set<unknown>
): Operand {
  const { source, transposed, ld, starts } = operand
  const [first, height, from, width] = transposed ? [column, columns, row, rows] : [row, rows, column, columns]
  const start = starts[item]! + first * ld + from
  if (width === ld || height <= 1 || isShared(source.data.buffer)) {
    const size = height ? (height - 1) * ld + width : 0
    return { ...operand, source: partOf(source, start, size), starts: [0] }
  }
  const type = source.bits ? Uint16Array : wide ? Float64Array : Float32Array
  const data = new type(height * width)
  for (let r = 0; r < height; r++) {
    data.set(source.data.subarray(start + r * ld, start + r * ld + width), r * width)
  }
  moves.add(data)
  return { ...operand, source: { ...source, data, shape: [data.length], size: data.length }, ld: width, starts: [0] }
}

/** Puts a part's values in their place. */
function place(data: Floats, { m, n }: Product, { item, row, rows, column, columns }: Part, values: Floats): void {
  const to = (item * m + row) * n + column
  if (columns === n) data.set(values, to)
  else for (let r = 0; r < rows; r++) data.set(values.subarray(r * columns, (r + 1) * columns), to + r * n)
}
