import { internalError } from '../core/errors.js'
import { defaultEngine, frame } from '../linalg/decompositionEngine.js'
import { powers } from '../core/powers.js'
import { nonFiniteF64Error, type Source, type Tensor } from '../core/tensor.js'
import { factorPivotedInPlace } from '../linalg/cholesky.js'
import { loadF64, type Floats } from '../linalg/matrix.js'
import type { Operand } from '../linalg/operand.js'
import { multiplyInto } from '../linalg/product.js'
import { solveTriangleInPlace } from '../linalg/triangular.js'

/** A row-major matrix of f64. */
export interface Dense {
  readonly data: Float64Array<ArrayBuffer>
  readonly rows: number
  readonly columns: number
}

/** The greatest magnitude of a source; throws the error that names what is not finite. */
export function greatest(source: Source): number {
  let top = 0
  eachStretch(source, (stretch) => {
    for (const x of stretch) top = Math.max(top, Math.abs(x))
  })
  if (!Number.isFinite(top)) throw nonFiniteF64Error(source)
  return top
}

/**
 * The even exponent e for which x 2^-e is in [1/4, 1); 0 for 0. Even, so that the root of 2^e is a power of two as
 * well.
 */
export function evenExponent(x: number): number {
  return evenExponents([x])[0]!
}

/** The same for each of some numbers. */
export function evenExponents(numbers: ArrayLike<number>): Int32Array<ArrayBuffer> {
  return frame(defaultEngine(), (memory, kernels) => {
    const at = memory.alloc(8 * numbers.length)
    memory.f64(at, numbers.length).set(numbers)
    return Int32Array.from(numbers, (_, i) => 2 * Math.ceil(kernels.unitExponent(at + 8 * i, 1) / 2))
  })
}

/** A source's numbers times 2^exponent. */
export function load(source: Source, exponent: number): Dense {
  const [rows, columns] = source.shape as [number, number]
  const data = new Float64Array(source.size)
  let next = 0
  eachStretch(source, (stretch) => {
    data.set(stretch, next)
    next += stretch.length
  })
  return scaled({ data, rows, columns }, exponent)
}

/** Numbers that are in linear memory at once. */
const STRETCH = 32768

/** Visits the numbers in order, some at a time; `start`: the index of the first of these. */
export function eachStretch(source: Source, visit: (stretch: Float64Array, start: number) => void): void {
  frame(defaultEngine(), (memory) => {
    const at = memory.alloc(8 * STRETCH)
    for (let start = 0; start < source.size; start += STRETCH) {
      const length = Math.min(STRETCH, source.size - start)
      loadF64(memory, at, source, start, length)
      visit(memory.f64(at, length), start)
    }
  })
}

/** A matrix times 2^exponent. */
export function scaled({ data, rows, columns }: Dense, exponent: number): Dense {
  if (exponent === 0) return { data, rows, columns }
  const [first, second] = powers(exponent)
  return { data: data.map((x) => x * first * second), rows, columns }
}

/** a b */
export function product(a: Dense, b: Dense): Dense {
  return multiply(a, false, b, false)
}

/** aT b */
export function productAcross(a: Dense, b: Dense): Dense {
  return multiply(a, true, b, false)
}

/** from - a bT */
export function minusAlong(from: Dense, a: Dense, b: Dense): Dense {
  return minus(from, multiply(a, false, b, true))
}

export function minus(a: Dense, b: Dense): Dense {
  const data = new Float64Array(a.data.length)
  for (let i = 0; i < data.length; i++) data[i] = a.data[i]! - b.data[i]!
  return { ...a, data }
}

function multiply(a: Dense, across: boolean, b: Dense, along: boolean): Dense {
  const [m, k] = across ? [a.columns, a.rows] : [a.rows, a.columns]
  const n = along ? b.rows : b.columns
  const data = new Float64Array(m * n)
  const operand = (of: Dense, transposed: boolean): Operand => {
    return { source: asSource('', of), transposed, ld: of.columns, starts: [0] }
  }
  // Matrices here are within 1, or factors of such: what is not finite cannot be.
  if (!multiplyInto(data, { a: operand(a, across), b: operand(b, along), m, n, k, wide: true })) {
    throw internalError('a product of low rank is not finite')
  }
  return { data, rows: m, columns: n }
}

/** The other way round; f64 is not copied. */
export function asDense({ data, shape }: Tensor<Floats>): Dense {
  const wide = data instanceof Float64Array ? data : new Float64Array(data)
  return { data: wide, rows: shape[0]!, columns: shape[1]! }
}

/** A matrix as operations read it. */
export function asSource(name: string, { data, rows, columns }: Dense): Source {
  return { name, data, shape: [rows, columns], size: data.length }
}

/** The sum of squares, in order. */
export function squares({ data }: Dense): number {
  let sum = 0
  for (let i = 0; i < data.length; i++) sum += data[i]! * data[i]!
  return sum
}

/**
 * x of x G = b, G a Gram matrix. Where it is singular, `rank` is below its order, and x is 0 in the columns that depend
 * on others. By Cholesky with pivots of G scaled to a diagonal of ones.
 */
export function solveGram(gram: Dense, b: Dense): { x: Dense; rank: number } {
  const { rows: p, columns: r } = b
  const x = new Float64Array(p * r)
  const rank = frame(defaultEngine(), (memory, kernels) => {
    const scale = Float64Array.from({ length: r }, (_, i) => {
      const size = gram.data[i * (r + 1)]!
      return size > 0 ? 1 / kernels.sqrtF64(size) : 0
    })
    const a = memory.alloc(8 * r * r)
    const at = memory.alloc(4 * r)
    const unit = memory.f64(a, r * r)
    for (let i = 0; i < r; i++) {
      for (let j = 0; j < r; j++) unit[i * r + j] = gram.data[i * r + j]! * scale[i]! * scale[j]!
    }
    const { rank } = factorPivotedInPlace(memory, kernels, a, r, r, at, { tolerance: r * SINGULAR })
    const order = memory.u32(at, rank).slice()
    const systems = memory.alloc(8 * p * rank)
    const right = memory.f64(systems, p * rank)
    for (let i = 0; i < p; i++) {
      order.forEach((from, k) => (right[i * rank + k] = b.data[i * r + from]! * scale[from]!))
    }
    for (const transpose of [true, false]) {
      solveTriangleInPlace(memory, kernels, { b: systems, ldb: rank, p, t: a, ldt: r, n: rank, right: true, transpose })
    }
    const solved = memory.f64(systems, p * rank)
    for (let i = 0; i < p; i++) {
      order.forEach((to, k) => (x[i * r + to] = solved[i * rank + k]! * scale[to]!))
    }
    return rank
  })
  return { x: { data: x, rows: p, columns: r }, rank }
}

/** Beyond it a Gram matrix in f64 says nothing about what it was made of. */
const SINGULAR = 2 ** -46
