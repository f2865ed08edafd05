import type { Memory, Pointer } from '../core/memory.js'
import { factorInPlace } from './cholesky.js'
import { factorPivotedQr } from './decompositionCalls.js'
import type { Kernels } from './decompositionEngine.js'
import { padded } from './matrix.js'
import { eachChunk, multiplyStrips, Samples, takeOffSums, type RowWeights } from './samples.js'
import { solveTriangleInPlace } from './triangular.js'

/**
 * Pivots below this share of their diagonal entry, and refinements beyond this share of the weights, say that the Gram
 * matrix is no good.
 */
const DEPENDENT = 1e-10
const DRIFT = 1e-6
/** Squares of columns below this lose digits. */
const LEAST_SQUARE = 2 ** -900

/** The samples, and what is asked of them, as they are scaled. */
export interface Problem {
  readonly memory: Memory
  readonly kernels: Kernels
  readonly x: Samples
  readonly y: Samples
  readonly weights?: RowWeights
  /** the sum of the samples' weights */
  readonly total: number
  readonly step: number
  readonly n: number
  readonly p: number
  readonly centred: boolean
  readonly lambda: number
  /** sqrt(lambda), also where lambda underflows */
  readonly root: number
  readonly work: Pointer
}

/** A chunk of x and of y, centred, times the roots of the weights. */
export function loadChunk({ kernels, x, y, n, p, weights }: Problem, first: number, rows: number): [Pointer, Pointer] {
  const [a, b] = [x.load(first, rows), y.load(first, rows)]
  if (weights) {
    kernels.scaleRowsF64(a, rows, n, weights.roots + 8 * first)
    kernels.scaleRowsF64(b, rows, p, weights.roots + 8 * first)
  }
  return [a, b]
}

/** Samples of the Gram matrix that are made at once. */
const STRIP = 128

/**
 * The lower triangle of gram: f64[n][n] = xT x + lambda I, cross: f64[n][p] = xT y; means are put right by what they
 * leave of the sums.
 */
function sumProducts(problem: Problem, gram: Pointer, cross: Pointer): void {
  const { memory, kernels, x, y, n, p, weights, total, lambda, work } = problem
  const [left, right] = [memory.alloc(8 * n), memory.alloc(8 * p)]
  for (const [pointer, length] of [
    [gram, n * n],
    [cross, n * p],
    [left, n],
    [right, p]
  ] as const) {
    memory.f64(pointer, length).fill(0)
  }
  eachChunk(x.count, problem.step, (first, rows) => {
    const [a, b] = loadChunk(problem, first, rows)
    eachChunk(n, STRIP, (i, count) =>
      multiplyStrips(kernels, {
        c: gram + 8 * n * i,
        ldc: n,
        a: a + 8 * i,
        lda: n,
        transposeA: true,
        b: a,
        ldb: n,
        m: count,
        n: i + count,
        k: rows,
        work
      })
    )
    multiplyStrips(kernels, { c: cross, ldc: p, a, lda: n, transposeA: true, b, ldb: p, m: n, n: p, k: rows, work })
    if (!problem.centred) return
    const roots = weights ? weights.roots + 8 * first : 0
    kernels.sumRowsF64(left, a, rows, n, roots)
    kernels.sumRowsF64(right, b, rows, p, roots)
  })
  if (problem.centred) {
    takeOffSums(memory, gram, left, n, left, n, total, true)
    takeOffSums(memory, cross, left, n, right, p, total)
    x.correctMeans(left, total)
    y.correctMeans(right, total)
  }
  const g = memory.f64(gram, n * n)
  for (let i = 0; i < n; i++) g[i * (n + 1)]! += lambda
}

/** solution: f64[n][p] from the Gram matrix, refined once; false where that is too close to singular. */
export function solveByGram(problem: Problem, solution: Pointer): boolean {
  const { memory, kernels, x, n, p, total, lambda, work } = problem
  return memory.frame(() => {
    const gram = memory.alloc(8 * n * n)
    const change = memory.alloc(8 * n * p)
    sumProducts(problem, gram, solution)
    const diagonal = Float64Array.from({ length: n }, (_, i) => memory.f64(gram, n * n)[i * (n + 1)]!)
    const solve = (b: Pointer): void => {
      solveTriangleInPlace(memory, kernels, { b, ldb: p, p, t: gram, ldt: n, n })
      solveTriangleInPlace(memory, kernels, { b, ldb: p, p, t: gram, ldt: n, n, transpose: true })
    }
    let sound = factorInPlace(memory, kernels, gram, n, n) === n
    const l = memory.f64(gram, n * n)
    const means = memory.f64(x.means, n)
    // Columns that are constant but for rounding are for QR to judge, too.
    const rounding = (mean: number): number => total * (n * 2 ** -51 * mean) * (n * 2 ** -51 * mean)
    sound &&= diagonal.every(
      (entry, i) =>
        entry > Math.max(LEAST_SQUARE, rounding(means[i]!)) && l[i * (n + 1)]! * l[i * (n + 1)]! > DEPENDENT * entry
    )
    if (sound) {
      solve(solution)
      // The gradient: xT (y - x w) - lambda w, from the samples themselves.
      const view = memory.f64(change, n * p)
      const weights = memory.f64(solution, n * p)
      for (let i = 0; i < n * p; i++) view[i] = -lambda * weights[i]!
      eachChunk(x.count, problem.step, (first, rows) => {
        const [a, b] = loadChunk(problem, first, rows)
        multiplyStrips(kernels, {
          c: b,
          ldc: p,
          a,
          lda: n,
          b: solution,
          ldb: p,
          m: rows,
          n: p,
          k: n,
          write: 'subtract',
          work
        })
        multiplyStrips(kernels, {
          c: change,
          ldc: p,
          a,
          lda: n,
          transposeA: true,
          b,
          ldb: p,
          m: n,
          n: p,
          k: rows,
          work
        })
      })
      solve(change)
      sound = refine(memory, solution, change, diagonal, p)
    }
    return sound
  })
}

/** Adds the change; whether it is small beside the solution, each row by the size of its column of x. */
function refine(memory: Memory, solution: Pointer, change: Pointer, diagonal: Float64Array, p: number): boolean {
  const length = diagonal.length * p
  const [w, d] = [memory.f64(solution, length), memory.f64(change, length)]
  let moved = 0
  let size = 0
  for (let i = 0; i < length; i++) {
    const unit = diagonal[Math.floor(i / p)]!
    moved += unit * d[i]! * d[i]!
    size += unit * w[i]! * w[i]!
    w[i]! += d[i]!
  }
  return moved <= DRIFT * DRIFT * size
}

/**
 * Roots of powers of two that bring the columns of the samples above sqrt(lambda) I to one size, means included. What
 * is left of a constant column is rounding, and stays small.
 */
function columnScales(problem: Problem): Float64Array {
  const { memory, kernels, x, n, root, total } = problem
  return memory.frame(() => {
    const tops = memory.alloc(8 * n)
    const scales = memory.alloc(8 * n)
    const samples = kernels.sqrtF64(total)
    memory.f64(tops, n).set(memory.f64(x.means, n).map((mean) => Math.max(root, Math.abs(mean) * samples)))
    eachChunk(x.count, problem.step, (first, rows) => {
      const a = memory.f64(loadChunk(problem, first, rows)[0], rows * n)
      const top = memory.f64(tops, n)
      for (let i = 0, k = 0; i < rows; i++) {
        for (let j = 0; j < n; j++, k++) top[j] = Math.max(top[j]!, Math.abs(a[k]!))
      }
    })
    memory.f64(scales, n).fill(1)
    for (let j = 0; j < n; j++) {
      kernels.scaleByPower(scales + 8 * j, 1, -Math.ceil(kernels.unitExponent(tops + 8 * j, 1) / 2))
    }
    const result = memory.f64(scales, n).slice()
    return result
  })
}

/**
 * solution: f64[n][p] from a QR of the samples above sqrt(lambda) I; returns the rank, below n where there is no
 * solution.
 */
export function solveByQr(problem: Problem, solution: Pointer): number {
  const { memory, kernels, x, n, p } = problem
  const scales = columnScales(problem)
  return memory.frame(() => {
    const width = n + p
    const most = Math.min(problem.step, x.count)
    const stack = memory.alloc(8 * (n + most) * width)
    const tau = memory.alloc(8 * n)
    const work = memory.alloc(kernels.qrWork(n + most))
    memory.f64(stack, n * width).fill(0)
    scales.forEach((scale, i) => (memory.f64(stack, n * width)[i * (width + 1)] = problem.root * scale * scale))
    eachChunk(x.count, problem.step, (first, rows) => {
      const [a, b] = loadChunk(problem, first, rows)
      for (let i = 0; i < rows; i++) {
        const row = stack + 8 * (n + i) * width
        const view = memory.f64(row, n)
        view.set(memory.f64(a + 8 * i * n, n))
        for (let j = 0; j < n; j++) view[j] = view[j]! * scales[j]! * scales[j]!
        memory.f64(row + 8 * n, p).set(memory.f64(b + 8 * i * p, p))
      }
      kernels.factorQrF64(stack, width, n + rows, width, n, tau, work)
      for (let i = 1; i < n; i++) memory.f64(stack + 8 * i * width, i).fill(0)
    })
    // R weights = d, R with pivots once more; columns one after the other, so that its transpose is a lower triangle in
    // rows.
    const ld = padded(n)
    const columns = memory.alloc(8 * ld * width)
    memory.f64(columns, ld * width).fill(0)
    kernels.placeRows(columns, ld, 0, stack, n, width)
    const order = memory.alloc(4 * n)
    const norms = memory.alloc(16 * n)
    const dots = memory.alloc(8 * width)
    const vectors = memory.alloc(16 * ld)
    factorPivotedQr(kernels, { a: columns, ld, m: n, n, width, tau, order, norms, dots, work: vectors })
    const r = memory.f64(columns, ld * n)
    // Columns of one size are about 1, unless all of them are constant.
    const least = n * 2 ** -52 * Math.max(1, Math.abs(r[0]!))
    let rank = 0
    while (rank < n && Math.abs(r[rank * (ld + 1)]!) > least) rank++
    if (rank === n) {
      const systems = columns + 8 * ld * n
      solveTriangleInPlace(memory, kernels, { b: systems, ldb: ld, p, t: columns, ldt: ld, n, right: true })
      const from = memory.f64(systems, ld * p)
      const to = memory.f64(solution, n * p)
      memory.u32(order, n).forEach((row, i) => {
        for (let j = 0; j < p; j++) to[row * p + j] = from[j * ld + i]! * scales[row]! * scales[row]!
      })
    }
    return rank
  })
}
