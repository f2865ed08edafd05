import { rangeError, typeError } from '../core/errors.js'
import { checkBoolean, checkOptions, outputArray } from '../core/check.js'
import { firstNonFinite, readTensor, sizeOf, type Source, type Tensor, type TensorLike } from '../core/tensor.js'
import { floatsFor } from './dense.js'
import type { Floats } from './matrix.js'
import type { Operand } from './operand.js'
import { multiplyInto, type Product } from './product.js'

export interface MatmulOptions<T extends Floats = Floats> {
  /** a is (…, k, m), and its matrices are transposed first; default false */
  transposeA?: boolean
  /** b is (…, n, k), and its matrices are transposed first; default false */
  transposeB?: boolean
  /** as many elements as the product has, of its type, to write to; not of the memory of a or b */
  out?: T
}

const VERB = 'matmul'

/**
 * The product of two matrices, or of many.
 *
 * Shapes: (…, m, k) by (…, k, n) to (…, m, n); leading dimensions broadcast as NumPy's. f64 on either side (and nested
 * arrays) gives f64, anything else is read as f32 and gives f32. Defaults: nothing is transposed.
 * Method: products and sums in the result's type, one accumulator an element: along k in order over blocks of 256, the
 * blocks' sums added in order.
 * Error: for each element at most (min(k, 256) + k / 256) u of the product of the magnitudes |a| |b|, u = 2^-24 or
 * 2^-53; numbers below the least normal one aside.
 *
 * @throws TypeError for an unknown option, or an `out` of another type or of the memory of a or b
 * @throws RangeError for shapes that do not fit
 * @throws RangeError for NaN or Infinity (the first index is named), and for a sum on the way beyond the result's type
 */
export function matmul<T extends Floats>(
  a: TensorLike,
  b: TensorLike,
  options: MatmulOptions<T> & { out: T }
): Tensor<T>
export function matmul(a: TensorLike, b: TensorLike, options?: MatmulOptions): Tensor<Floats>
export function matmul(a: TensorLike, b: TensorLike, options: MatmulOptions = {}): Tensor<Floats> {
  const asked = prepareMatmul(a, b, options)
  const { product, data, shape } = asked
  if (!multiplyInto(data, product)) throw productError(asked)
  return { data, shape }
}

export interface Multiplication {
  readonly product: Product
  /** a and b */
  readonly sources: readonly [Source, Source]
  /** yet to be filled */
  readonly data: Floats
  readonly shape: number[]
}

/** Reads and checks what `matmul` is asked. */
export function prepareMatmul(a: TensorLike, b: TensorLike, options: MatmulOptions): Multiplication {
  checkOptions(VERB, options, ['transposeA', 'transposeB', 'out'])
  const { transposeA = false, transposeB = false, out } = options
  const left = readSide('a', a, checkBoolean(VERB, 'transposeA', transposeA))
  const right = readSide('b', b, checkBoolean(VERB, 'transposeB', transposeB))
  const { rows: m, columns: k } = left
  const { columns: n } = right
  if (right.rows !== k) {
    throw rangeError(
      `${right.source.name} expected ${k} ${transposeB ? 'columns' : 'rows'}, as many as "a" has ${transposeA ? 'rows' : 'columns'}, ` +
        `got [${right.source.shape.join(', ')}] beside [${left.source.shape.join(', ')}]`
    )
  }
  const lead = broadcast(left, right)
  const shape = [...lead, m, n]
  const sources: [Source, Source] = [left.source, right.source]
  const type = floatsFor(...sources)
  const data = outputArray<Floats>(VERB, 'out', out, type, sizeOf(shape))
  for (const source of sources) checkApart(data, source)
  return { product: productOf(left, right, lead, k, type === Float64Array), sources, data, shape }
}

/** The error for a product that has an element that is not finite. */
export function productError({ sources: [a, b], product: { wide } }: Multiplication): RangeError {
  return (
    firstNonFinite(a, Number.isFinite, wide) ??
    firstNonFinite(b, Number.isFinite, wide) ??
    rangeError(`${VERB}: a sum on the way to the product is beyond ${wide ? 'float64' : 'float32'}; rescale "a" or "b"`)
  )
}

interface Side {
  readonly source: Source
  readonly transposed: boolean
  /** of the matrices to multiply by */
  readonly rows: number
  readonly columns: number
  readonly lead: readonly number[]
}

function readSide(name: 'a' | 'b', value: TensorLike, transposed: boolean): Side {
  const source = readTensor(VERB, name, value)
  const { shape } = source
  if (shape.length < 2) {
    const [n = 1] = shape
    const vector = name === 'a' ? `a row: shape [1, ${n}]` : `a column: shape [${n}, 1]`
    throw rangeError(
      `${source.name} expected two dimensions or more, got [${shape.join(', ')}]; give a vector as ${vector}`
    )
  }
  const [first, second] = shape.slice(-2) as [number, number]
  const [rows, columns] = transposed ? [second, first] : [first, second]
  return { source, transposed, rows, columns, lead: shape.slice(0, -2) }
}

/** The leading dimensions of the result: from the last on each is that of either side, 1 being any. */
function broadcast({ lead: a }: Side, { lead: b, source }: Side): number[] {
  const length = Math.max(a.length, b.length)
  return Array.from({ length }, (_, i) => {
    const one = a[i + a.length - length] ?? 1
    const other = b[i + b.length - length] ?? 1
    if (one !== other && one !== 1 && other !== 1) {
      throw rangeError(
        `${source.name} expected leading dimensions that broadcast with [${a.join(', ')}], got [${b.join(', ')}]`
      )
    }
    return one === 1 ? other : one
  })
}

function checkApart(data: Floats, { name, data: given }: Source): void {
  const overlap =
    given.buffer === data.buffer &&
    given.byteOffset < data.byteOffset + data.byteLength &&
    data.byteOffset < given.byteOffset + given.byteLength
  if (overlap) {
    throw typeError(`${VERB}: "out" expected an array apart from ${name.slice(name.indexOf('"'))}, got its memory`)
  }
}

function productOf(left: Side, right: Side, lead: readonly number[], k: number, wide: boolean): Product {
  const { rows: m } = left
  const { columns: n } = right
  // Of a result without elements there may be more matrices than an array has room for.
  if ([...lead, m, n].includes(0)) return { a: operand(left, []), b: operand(right, []), m, n, k, wide }
  const count = sizeOf(lead)
  // Rows of many matrices by one are the rows of one matrix.
  const one = sizeOf(right.lead) === 1 && !left.transposed
  const a = operand(left, one ? [0] : starts(left, lead, count))
  const b = operand(right, one ? [0] : starts(right, lead, count))
  const rows = one ? count * m : m
  // Columns are worked on sixteen at a time: one column is a row of the transposed product, whose bytes are the same.
  return n === 1 ? { a: transpose(b), b: transpose(a), m: 1, n: rows, k, wide } : { a, b, m: rows, n, k, wide }
}

function transpose(operand: Operand): Operand {
  return { ...operand, transposed: !operand.transposed }
}

function operand({ source, transposed }: Side, starts: ArrayLike<number>): Operand {
  return { source, transposed, ld: source.shape.at(-1)!, starts }
}

/** Where the matrix of each product begins. */
function starts({ lead: own, rows, columns }: Side, lead: readonly number[], count: number): Float64Array {
  const result = new Float64Array(count)
  // From the last dimension on: what is there already is repeated, a step further each time.
  let step = rows * columns
  let done = 1
  for (let i = 1; i <= lead.length; i++) {
    const length = lead.at(-i)!
    const mine = own.at(-i) ?? 1
    for (let at = done; at < done * length; at++) result[at] = result[at - done]! + (mine === 1 ? 0 : step)
    done *= length
    step *= mine
  }
  return result
}
