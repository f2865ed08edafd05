import { applyQ, factorPivotedQr, screenedSweeps, tridiagonalise } from './decompositionCalls.js'
import { MOST_SWEEPS } from '../../assembly/linalg/constants.js'
import { gemm } from './gemm.js'
import type { Kernels } from './decompositionEngine.js'
import type { Memory, Pointer } from '../core/memory.js'
import type { Room } from './decomposeRoom.js'
import { nonFiniteF64Error, type Source } from '../core/tensor.js'
import { loadMatrix, NOT_FINITE, padded, takeMatrix, type Floats } from './matrix.js'

/**
 * The triangle's diagonal entries lie no further apart: then eigenvectors of its Gram matrix bring its rows close to an
 * orthogonal basis. Beyond, they mix what the triangle keeps apart, and Jacobi takes longer, not less.
 */
const MOST_GRADED = 1e20
/** Smaller ones are rotated sooner than prepared. */
const LEAST_PREPARED = 12
/** Columns of a triangle that are multiplied at once. */
const STRIP = 64

export interface Outcome {
  readonly sweeps: number
  readonly converged: boolean
  readonly offDiagonal: number
}

/** A source (rows, columns) into u, s, v; `room` is that of its taller form. */
export function decomposeInto(
  memory: Memory,
  kernels: Kernels,
  room: Room,
  source: Source,
  u: Floats,
  s: Floats,
  v: Floats
): Outcome {
  const { m, n, ld, small, a, left, lower, sigma } = room
  const transposed = source.shape[0]! < source.shape[1]!
  loadMatrix(memory, kernels, a, ld, source, transposed)
  const exponent = kernels.unitExponent(a, ld * n)
  if (exponent === NOT_FINITE) throw nonFiniteF64Error(source)
  if (exponent !== 0) kernels.scaleByPower(a, ld * n, -exponent)

  triangularise(memory, kernels, room)
  const sweeps = orthogonalise(memory, kernels, room)
  finish(memory, kernels, room)

  if (transposed) kernels.fixSigns(lower, small, n, left, ld, m, n)
  else kernels.fixSigns(left, ld, m, lower, small, n, n)
  kernels.scaleByPower(sigma, n, exponent)
  s.set(memory.f64(sigma, n))
  takeMatrix(memory, kernels, transposed ? v : u, left, ld, m, n)
  takeMatrix(memory, kernels, transposed ? u : v, lower, small, n, n)
  return {
    sweeps: Math.min(sweeps, MOST_SWEEPS),
    converged: sweeps <= MOST_SWEEPS,
    offDiagonal: memory.f64(room.off, 1)[0]!
  }
}

function identity(memory: Memory, to: Pointer, ld: number, n: number): void {
  const view = memory.f64(to, ld * n)
  view.fill(0)
  for (let j = 0; j < n; j++) view[j * ld + j] = 1
}

/**
 * A with its rows in order of size and its columns pivoted = Q1 L Q2^T. Without that order, rows far apart in size lose
 * the small ones.
 */
function triangularise(memory: Memory, kernels: Kernels, room: Room): void {
  const { m, n, ld, small, a, q, lower, tau, tau2, norms, vectors, rows, columns, spare } = room
  kernels.rowMaxima(norms, a, ld, m, n)
  kernels.sortDescending(rows, norms, m, spare)
  kernels.gatherRows(a, ld, m, n, rows, spare)
  const w = room.sigma
  factorPivotedQr(kernels, { a, ld, m, n, width: n, tau, order: columns, norms, dots: w, work: vectors })
  kernels.lowerFactor(q, small, a, ld, n)
  // The rows of the second triangle are the columns of L.
  memory.f64(lower, small * n).fill(0)
  kernels.factorPanelF64(q, small, n, n, lower, small, tau2, w)
  kernels.dropNegligible(lower, small * n)
  kernels.unitReflectors(a, ld, n)
}

/**
 * From L to x = U diag(sigma) and right = V, L V = x. Returns the number of sweeps, one beyond the most where it did
 * not converge.
 */
function orthogonalise(memory: Memory, kernels: Kernels, room: Room): number {
  const { n, small, right, lower, x, norms, off, gram, reflectors, spare, work } = room
  const tolerance = kernels.sqrtF64(n) * 2 ** -53
  if (n >= LEAST_PREPARED && kernels.diagonalRatio(lower, small, n) <= MOST_GRADED) {
    prepare(memory, kernels, room)
    const scratch = { norms, gram, gathered: reflectors, marks: spare, work }
    return screenedSweeps(kernels, { x, v: right, worst: off, ld: small, n, tolerance, ...scratch })
  }
  memory.u8(x, 8 * small * n).set(memory.u8(lower, 8 * small * n))
  identity(memory, right, small, n)
  return kernels.jacobiSweeps(x, right, off, small, n, tolerance, norms)
}

/** right = V0, the eigenvectors of L^T L; x = L V0. */
function prepare(memory: Memory, kernels: Kernels, room: Room): void {
  const { n, small, lower, gram, reflectors, right, x, work, norms, vectors, sigma } = room
  const tau = norms
  const e = norms + 8 * small
  kernels.gramF64(gram, small, lower, small, small, n, work)
  kernels.mirrorF64(gram, small, n)
  tridiagonalise(kernels, { a: gram, ld: small, rows: small, n, reflectors, tau, d: sigma, e, work: vectors })
  identity(memory, right, small, small)
  applyQ(kernels, {
    w: right,
    ldw: small,
    count: small,
    v: reflectors,
    ldv: small,
    rows: small,
    n,
    tau,
    identity: true,
    work
  })
  kernels.reverseTridiagonal(sigma, e, n)
  const panels = small / 8
  kernels.toPanels(gram, right, small, small, n)
  kernels.implicitQl(sigma, e, n, gram, panels, room.records, room.capacity)
  kernels.fromPanels(right, gram, small, small, n)
  // Thousands of rotations have let the lengths drift by some roundings.
  kernels.normaliseColumns(right, small, small, n)
  // x^T = V0^T L^T, row-major, in strips of its columns: column i of L^T ends at the diagonal.
  memory.f64(x, small * n).fill(0)
  for (let i = 0; i < n; i += STRIP) {
    const columns = Math.min(STRIP, n - i)
    gemm(kernels.multiplyF64, {
      c: x + 8 * i,
      ldc: small,
      a: right,
      lda: small,
      b: lower + 8 * i,
      ldb: small,
      m: n,
      n: columns,
      k: i + columns,
      work
    })
  }
}

/** left = Q1 U, lower = Q2 V, in order, from x = U diag(sigma) and right = V. */
function finish(memory: Memory, kernels: Kernels, room: Room): void {
  const { m, n, ld, small, a, q, x, left, right, lower, tau, tau2, norms, sigma, order, rows, columns, spare } = room
  kernels.orderBySize(sigma, order, x, small, n)
  const sizes = memory.f64(sigma, n)
  let rank = n
  while (rank > 0 && sizes[rank - 1] === 0) rank--
  memory.f64(left, ld * small).fill(0)
  kernels.takeColumns(left, ld, x, small, n, order, sigma, 1)
  if (rank < n) kernels.completeBasis(left, ld, n, rank, norms)
  applyQ(kernels, { w: left, ldw: ld, count: padded(n), v: a, ldv: ld, rows: ld, n, tau, work: norms })
  kernels.scatterRows(left, ld, m, n, rows, spare)

  memory.f64(lower, small * small).fill(0)
  kernels.takeColumns(lower, small, right, small, n, order, sigma, 0)
  applyQ(kernels, { w: lower, ldw: small, count: padded(n), v: q, ldv: small, rows: small, n, tau: tau2, work: norms })
  kernels.scatterRows(lower, small, n, n, columns, spare)
}
