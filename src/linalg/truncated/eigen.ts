import { applyQ, tridiagonalise } from '../decompositionCalls.js'
import type { Engine } from '../decompositionEngine.js'
import type { Pointer } from '../../core/memory.js'
import { padded } from '../matrix.js'
import { makeTall, type Tall } from './tall.js'

/** The greatest |T z - value z| / |T| of vectors that inverse iteration has found; others are made by rotations. */
const CONVERGED = 1e-12
/** Rotations that are recorded before they are applied. */
const RECORDS = 8192
/** The greatest entry being about 1, smaller ones count as 0: their squares would leave the normal numbers. */
const NEGLIGIBLE = 1e-100
/** Where more than n / 4 vectors are wanted, rotating all of them takes no longer. */
const FEW = 4

/** The eigenvalues of a symmetric matrix, and what its vectors are made from. */
export interface Eigen {
  /** descending, of the matrix times 2^-exponent */
  readonly values: Float64Array
  readonly exponent: number
  /** the vectors of the first k, (n, k), orthonormal */
  vectors(k: number): Tall
}

/** Bytes that eigenSymmetric and its vectors take beside the matrix, k of them. */
export function eigenBytes(n: number, k: number): number {
  const square = 8 * padded(n) ** 2
  return square + (k * FEW > n ? square : 8 * padded(n) * k) + 24 * Math.max(RECORDS, n) + 8 * 20 * padded(n)
}

/**
 * a: f64[padded(n)][padded(n)], symmetric, given by its lower half in rows, zeros beyond n; destroyed. Allocations are
 * the caller's frame's.
 * Method: tridiagonal form, implicit QL for the values, inverse iteration for a few vectors, the rotations of QL for
 * many.
 */
export function eigenSymmetric({ memory, kernels }: Engine, a: Pointer, n: number): Eigen {
  const ld = padded(n)
  const length = 8 * ld
  kernels.mirrorF64(a, ld, n)
  const exponent = kernels.unitExponent(a, ld * ld)
  kernels.scaleByPower(a, ld * ld, -exponent)
  const entries = memory.f64(a, ld * ld)
  for (let i = 0; i < ld * ld; i++) if (Math.abs(entries[i]!) < NEGLIGIBLE) entries[i] = 0
  const reflectors = memory.alloc(length * ld)
  const [tau, d, e, d2, e2, room] = [1, 1, 1, 1, 1, 5].map((count) => memory.alloc(count * length)) as [
    Pointer,
    Pointer,
    Pointer,
    Pointer,
    Pointer,
    Pointer
  ]
  tridiagonalise(kernels, { a, ld, rows: ld, n, reflectors, tau, d, e, work: room })
  const reset = (): void => {
    memory.f64(d2, n).set(memory.f64(d, n))
    memory.f64(e2, n).set(memory.f64(e, n))
    kernels.reverseTridiagonal(d2, e2, n)
  }
  reset()
  kernels.implicitQl(d2, e2, n, 0, 0, 0, 0)
  const values = memory.f64(d2, n).slice().sort().reverse()

  const take = (z: Pointer, order: (j: number) => number, k: number): Tall => {
    const v = makeTall(Float64Array, n, k)
    for (let j = 0; j < k; j++) {
      const column = memory.f64(z + order(j) * length, n)
      for (let i = 0; i < n; i++) v.data[i * k + j] = column[i]!
    }
    return v
  }
  const byInverse = (k: number): Tall | undefined => {
    const z = memory.alloc(length * (k + 3))
    memory.f64(z, ld * (k + 3)).fill(0)
    memory.f64(d2, k).set(values.subarray(0, k))
    if (!(kernels.inverseIteration(z, ld, d, e, n, d2, k, room) <= CONVERGED)) return undefined
    applyQ(kernels, {
      w: z,
      ldw: ld,
      count: Math.ceil(k / 4) * 4,
      v: reflectors,
      ldv: ld,
      rows: ld,
      n,
      tau,
      work: room
    })
    return take(z, (j) => j, k)
  }
  const byRotations = (k: number): Tall => {
    const z = memory.alloc(length * ld)
    const records = memory.alloc(24 * Math.max(RECORDS, n))
    const q = memory.f64(z, ld * ld).fill(0)
    for (let j = 0; j < ld; j++) q[j * ld + j] = 1
    applyQ(kernels, { w: z, ldw: ld, count: ld, v: reflectors, ldv: ld, rows: ld, n, tau, identity: true, work: room })
    reset()
    kernels.toPanels(a, z, ld, ld, n)
    kernels.implicitQl(d2, e2, n, a, ld / 8, records, Math.max(RECORDS, n))
    kernels.fromPanels(z, a, ld, ld, n)
    const order = memory.i32(records, n)
    kernels.sortDescending(records, d2, n, records + 4 * n)
    // The iteration read T from its end.
    return take(z, (j) => n - 1 - order[j]!, k)
  }
  return { values, exponent, vectors: (k) => (k * FEW > n ? undefined : byInverse(k)) ?? byRotations(k) }
}
