import { defaultEngine, frame } from '../core/engine.js'
import { nonFiniteError, type Source } from '../core/tensor.js'
import { loadF64 } from '../linalg/matrix.js'

/** A row-major matrix of f64. */
export interface Dense {
  readonly data: Float64Array<ArrayBuffer>
  readonly rows: number
  readonly columns: number
}

/** The greatest magnitude of a source; throws the error that names what is not finite. */
export function greatest(source: Source): number {
  let top = 0
  eachBlock(source, (block) => {
    for (const x of block) top = Math.max(top, Math.abs(x))
  })
  if (!Number.isFinite(top)) throw nonFiniteError(source)
  return top
}

/** The even exponent e for which x 2^-e is in [1/4, 1); 0 for 0. Even, so that the root of 2^e is a power of two as well. */
export function evenExponent(x: number): number {
  const exponent = frame(defaultEngine(), (memory, kernels) => {
    const at = memory.alloc(8)
    memory.f64(at, 1)[0] = x
    return kernels.unitExponent(at, 1)
  })
  return 2 * Math.ceil(exponent / 2)
}

/** A matrix times 2^exponent. */
export function load(source: Source, exponent: number): Dense {
  const [rows, columns] = source.shape as [number, number]
  const data = new Float64Array(source.size)
  let next = 0
  eachBlock(source, (block) => {
    data.set(block, next)
    next += block.length
  })
  return scaled({ data, rows, columns }, exponent)
}

const BLOCK = 32768

function eachBlock(source: Source, visit: (block: Float64Array) => void): void {
  frame(defaultEngine(), (memory) => {
    const at = memory.alloc(8 * BLOCK)
    for (let start = 0; start < source.size; start += BLOCK) {
      const length = Math.min(BLOCK, source.size - start)
      loadF64(memory, at, source, start, length)
      visit(memory.f64(at, length))
    }
  })
}

/** In two steps, since 2^exponent itself may not be representable. */
export function scaled({ data, rows, columns }: Dense, exponent: number): Dense {
  if (exponent === 0) return { data, rows, columns }
  const half = Math.floor(exponent / 2)
  const [first, second] = [2 ** half, 2 ** (exponent - half)]
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

/** to + a bT, or to - a bT */
export function addAlong(to: Dense, a: Dense, b: Dense, plus: boolean): Dense {
  return multiply(a, false, b, true, to, plus)
}

/** Sums over k in order, in blocks of 256 that are added in order (assembly/linalg/multiply.ts). */
function multiply(a: Dense, across: boolean, b: Dense, along: boolean, to?: Dense, plus = true): Dense {
  const [m, k] = across ? [a.columns, a.rows] : [a.rows, a.columns]
  const n = along ? b.rows : b.columns
  const data = new Float64Array(m * n)
  if (to) data.set(to.data)
  if (m * n * k === 0) return { data, rows: m, columns: n }
  frame(defaultEngine(), (memory, kernels) => {
    const c = memory.alloc(8 * m * n)
    const left = memory.alloc(8 * m * k)
    const right = memory.alloc(8 * k * n)
    const work = memory.alloc(kernels.multiplyWork(n, 3))
    memory.f64(c, m * n).set(data)
    memory.f64(left, m * k).set(a.data)
    memory.f64(right, k * n).set(b.data)
    const [acrossA, alongB] = [Number(across), Number(along)]
    kernels.multiplyF64(c, n, left, a.columns, acrossA, right, b.columns, alongB, m, n, k, Number(plus), work)
    data.set(memory.f64(c, m * n))
  })
  return { data, rows: m, columns: n }
}

/** The sum of squares, in order. */
export function squares({ data }: Dense): number {
  let sum = 0
  for (const x of data) sum += x * x
  return sum
}

export interface Cholesky {
  /** (n, rank), its rows in the order of the matrix: G ~ l lT */
  readonly l: Dense
  /** which rows, in this order, make l lower triangular */
  readonly pivots: readonly number[]
}

/** G = l lT with the greatest of what is left of the diagonal as the next pivot, until none is above `tolerance` (LAPACK's dpstrf). */
export function pivotedCholesky({ data, rows: n }: Dense, tolerance: number): Cholesky {
  const { sqrtF64 } = defaultEngine().kernels
  const a = data.slice()
  const pivots = Array.from({ length: n }, (_, i) => i)
  const columns: Float64Array[] = []
  const diagonal = (i: number): number => a[i * n + i]!
  for (let k = 0; k < n; k++) {
    let at = k
    for (let i = k + 1; i < n; i++) if (diagonal(pivots[i]!) > diagonal(pivots[at]!)) at = i
    const pivot = pivots[at]!
    if (!(diagonal(pivot) > tolerance)) break
    pivots[at] = pivots[k]!
    pivots[k] = pivot
    const root = sqrtF64(diagonal(pivot))
    const column = new Float64Array(n)
    column[pivot] = root
    const rest = pivots.slice(k + 1)
    for (const i of rest) column[i] = a[i * n + pivot]! / root
    for (const i of rest) for (const j of rest) a[i * n + j]! -= column[i]! * column[j]!
    columns.push(column)
  }
  const rank = columns.length
  const l = new Float64Array(n * rank)
  columns.forEach((column, k) => column.forEach((x, i) => (l[i * rank + k] = x)))
  return { l: { data: l, rows: n, columns: rank }, pivots: pivots.slice(0, rank) }
}

/**
 * x of x G = b, for a Gram matrix G; `rank` below its order where G is singular: then x is 0 in the columns that depend on others.
 * By Cholesky of G scaled to a diagonal of ones.
 */
export function solveGram(gram: Dense, b: Dense): { x: Dense; rank: number } {
  const { sqrtF64 } = defaultEngine().kernels
  const r = gram.rows
  const scale = Float64Array.from({ length: r }, (_, i) => {
    const size = gram.data[i * r + i]!
    return size > 0 ? 1 / sqrtF64(size) : 0
  })
  const unit = gram.data.map((x, at) => x * scale[Math.floor(at / r)]! * scale[at % r]!)
  const { l, pivots } = pivotedCholesky({ data: unit, rows: r, columns: r }, r * SINGULAR)
  const rank = pivots.length
  const x = new Float64Array(b.rows * r)
  const y = new Float64Array(rank)
  for (let row = 0; row < b.rows; row++) {
    for (let i = 0; i < rank; i++) {
      const pivot = pivots[i]!
      let sum = b.data[row * r + pivot]! * scale[pivot]!
      for (let j = 0; j < i; j++) sum -= l.data[pivot * rank + j]! * y[j]!
      y[i] = sum / l.data[pivot * rank + i]!
    }
    for (let i = rank - 1; i >= 0; i--) {
      let sum = y[i]!
      for (let j = i + 1; j < rank; j++) sum -= l.data[pivots[j]! * rank + i]! * y[j]!
      y[i] = sum / l.data[pivots[i]! * rank + i]!
      x[row * r + pivots[i]!] = y[i]! * scale[pivots[i]!]!
    }
  }
  return { x: { data: x, rows: b.rows, columns: r }, rank }
}

/** Beyond it a Gram matrix in f64 says nothing about what it was made of. */
const SINGULAR = 2 ** -46
