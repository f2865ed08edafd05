import { ADD, SUBTRACT, WRITE } from '../../assembly/linalg/constants.js'
import type { Pointer } from '../core/memory.js'

export { DEPTH } from '../../assembly/linalg/constants.js'

/** What a product does with the matrix that is there. */
export type Write = 'add' | 'subtract' | 'set'

const WRITES: Readonly<Record<Write, number>> = { add: ADD, subtract: SUBTRACT, set: WRITE }

interface Product {
  /** (m, n), rows `ldc` elements apart */
  readonly c: Pointer
  readonly ldc: number
  /** (m, k), or (k, m) where it is transposed; rows `lda` elements apart */
  readonly a: Pointer
  readonly lda: number
  readonly transposeA?: boolean
  readonly m: number
  readonly n: number
  readonly k: number
  /** default: add */
  readonly write?: Write
  /** scratch of `multiplyWork` bytes */
  readonly work: Pointer
}

export interface Gemm extends Product {
  /** (k, n), or (n, k) where it is transposed; rows `ldb` elements apart */
  readonly b: Pointer
  readonly ldb: number
  readonly transposeB?: boolean
}

export interface PackedGemm extends Product {
  /** the right matrix in panels, at most DEPTH steps along k */
  readonly panels: Pointer
}

type Kernel<N extends number, A extends number[] = []> = A['length'] extends N
  ? (...args: A) => void
  : Kernel<N, [...A, number]>

/** c = c + a b, c - a b or a b, by the kernel of one type of elements: `multiplyF32` or `multiplyF64`. */
export function gemm(multiply: Kernel<13>, product: Gemm): void {
  gemmBatch(multiply, product, ONE)
}

const ONE: Batch = { count: 1, stepA: 0, stepB: 0, stepC: 0 }

/** Products of one size; of each matrix the next stands so many bytes behind. */
export interface Batch {
  readonly count: number
  readonly stepA: number
  readonly stepB: number
  readonly stepC: number
}

/** `gemm` of many: small products take less time than an object for each. */
export function gemmBatch(multiply: Kernel<13>, product: Gemm, { count, stepA, stepB, stepC }: Batch): void {
  const { c, ldc, a, lda, transposeA, b, ldb, transposeB, m, n, k, write = 'add', work } = product
  const flagA = transposeA ? 1 : 0
  const flagB = transposeB ? 1 : 0
  const how = WRITES[write]
  for (let i = 0; i < count; i++) {
    multiply(c + i * stepC, ldc, a + i * stepA, lda, flagA, b + i * stepB, ldb, flagB, m, n, k, how, work)
  }
}

/** The same by a right matrix that is packed already: `multiplyPackedF32` or `multiplyPackedF64`. */
export function gemmPacked(multiply: Kernel<11>, product: PackedGemm): void {
  const { c, ldc, a, lda, transposeA, panels, m, n, k, write = 'add', work } = product
  multiply(c, ldc, a, lda, transposeA ? 1 : 0, panels, m, n, k, WRITES[write], work)
}
