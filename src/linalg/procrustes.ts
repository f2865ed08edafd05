import { gemm } from './gemm.js'
import { rangeError } from '../core/errors.js'
import { timesPower } from '../core/powers.js'
import { checkBoolean, checkOptions } from '../core/check.js'
import { defaultEngine, frame, type Kernels } from './decompositionEngine.js'
import type { Memory, Pointer } from '../core/memory.js'
import type { Source, Tensor, TensorLike } from '../core/tensor.js'
import { floatsFor } from './dense.js'
import { readMatrix, type Floats } from './matrix.js'
import { eachChunk, Samples, rowsAtOnce, takeOffSums } from './samples.js'
import { svd } from './svd.js'

export interface ProcrustesOptions {
  /** default false; true: the best factor, too */
  scale?: boolean
  /** default false; true: the best translation, too */
  center?: boolean
  /** default false; true: no reflection, the determinant is 1 */
  rotationOnly?: boolean
}

export interface Procrustes<T extends Floats = Floats> {
  /** (n, n), orthogonal: scale a rotation + translation ~ b */
  rotation: Tensor<T>
  /** 1 unless it is asked for; not negative without `rotationOnly` */
  scale: number
  /** with `center`: (n) */
  translation?: Tensor<T>
  /**
   * |scale a rotation + translation - b| / |b|, Frobenius norms; 0 where both are equal, Infinity where only b is zero
   */
  relativeError: number
}

const VERB = 'procrustes'
const OPTIONS = ['scale', 'center', 'rotationOnly'] as const

/**
 * The orthogonal matrix that takes the rows of a closest to those of b: minimises |a rotation - b|, or with `scale` and
 * `center`
 * |scale a rotation + translation - b|.
 *
 * Shapes: a, b (m, n) to rotation (n, n), translation (n). f64 results where either is f64 (or nested arrays), else
 * f32; the work is in f64. Where aT b has no full rank the best rotation is one of many.
 * Method: rotation = U VT of the SVD of aT b (P. H. Schoenemann, Psychometrika 31, 1966). With `rotationOnly` the last
 * column of U is negated where the determinant asks for it (W. Kabsch, Acta Cryst. A 32, 1976); scale = sum(S) / |a|^2
 * (P. H. Schoenemann and R. M. Carroll, 1970).
 * Error: |I - rotationT rotation| as `svd`'s; the error exceeds the least one by 1e-15 (m + n) relative.
 *
 * @throws RangeError for shapes that differ, that are no matrices or have no elements, NaN or Infinity (the first index
 * is named)
 * @throws MemoryLimitError where about 100 n^2 bytes do not fit
 */
export function procrustes(a: TensorLike, b: TensorLike, options: ProcrustesOptions = {}): Procrustes {
  const [from, to] = prepareProcrustes(a, b, options)
  const { scale: scaled = false, center = false, rotationOnly = false } = options
  const [m, n] = from.shape as [number, number]
  const type = floatsFor(from, to)
  return frame(defaultEngine(), (memory, kernels): Procrustes => {
    const step = rowsAtOnce(2 * n)
    const x = new Samples(memory, kernels, from, step)
    const y = new Samples(memory, kernels, to, step)
    x.scan(center ? m : undefined)
    y.scan(center ? m : undefined)
    const work = memory.alloc(kernels.multiplyWork(n, 3))
    const product = memory.alloc(8 * n * n)
    const size = crossProduct(memory, kernels, product, x, y, step, center, work)

    const rotation = memory.alloc(8 * n * n)
    const total = rotate(memory, kernels, rotation, product, n, rotationOnly, work)
    // Of the numbers as they are scaled; what it takes to those of b is `scale` 2^(exponent of b - exponent of a).
    const exponent = x.exponent - y.exponent
    const factor = !scaled ? timesPower(1, exponent) : size > 0 ? total / size : 1
    const relativeError = residual(memory, kernels, rotation, x, y, factor, step, work)

    const result: Procrustes = {
      rotation: { data: new type(n * n), shape: [n, n] },
      scale: scaled ? timesPower(factor, -exponent) : 1,
      relativeError
    }
    if (scaled && size === 0) result.scale = 1
    result.rotation.data.set(memory.f64(rotation, n * n))
    if (center) {
      // mean(b) - scale mean(a) rotation
      const turned = memory.alloc(8 * n)
      memory.f64(turned, n).fill(0)
      gemm(kernels.multiplyF64, { c: turned, ldc: n, a: x.means, lda: n, b: rotation, ldb: n, m: 1, n, k: n, work })
      const shift = memory.f64(turned, n)
      const means = memory.f64(y.means, n)
      for (let j = 0; j < n; j++) shift[j] = means[j]! - factor * shift[j]!
      kernels.scaleByPower(turned, n, y.exponent)
      const data = new type(n)
      data.set(shift)
      result.translation = { data, shape: [n] }
    }
    return result
  })
}

/** Reads and checks what `procrustes` is asked. */
export function prepareProcrustes(a: unknown, b: unknown, options: ProcrustesOptions = {}): [Source, Source] {
  checkOptions(VERB, options, OPTIONS)
  for (const name of OPTIONS) if (options[name] !== undefined) checkBoolean(VERB, name, options[name])
  const from = readMatrix(VERB, a, 'a')
  const to = readMatrix(VERB, b, 'b')
  if (from.size === 0) {
    throw rangeError(`${from.name} expected a matrix with elements, got shape [${from.shape.join(', ')}]`)
  }
  if (from.shape[0] !== to.shape[0] || from.shape[1] !== to.shape[1]) {
    throw rangeError(`${to.name} expected shape [${from.shape.join(', ')}] as a's, got [${to.shape.join(', ')}]`)
  }
  return [from, to]
}

/** product: f64[n][n] = aT b; returns |a|^2. Means are put right by what they leave of the sums. */
function crossProduct(
  memory: Memory,
  kernels: Kernels,
  product: Pointer,
  x: Samples,
  y: Samples,
  step: number,
  center: boolean,
  work: Pointer
): number {
  const n = x.width
  const [left, right] = [memory.alloc(8 * n), memory.alloc(8 * n)]
  for (const [pointer, length] of [
    [product, n * n],
    [left, n],
    [right, n]
  ] as const) {
    memory.f64(pointer, length).fill(0)
  }
  let size = 0
  eachChunk(x.count, step, (first, rows) => {
    const [a, b] = [x.load(first, rows), y.load(first, rows)]
    gemm(kernels.multiplyF64, { c: product, ldc: n, a, lda: n, transposeA: true, b, ldb: n, m: n, n, k: rows, work })
    size += kernels.squaresF64(a, rows * n)
    if (!center) return
    kernels.sumRowsF64(left, a, rows, n, 0)
    kernels.sumRowsF64(right, b, rows, n, 0)
  })
  if (!center) return size
  takeOffSums(memory, product, left, n, right, n, x.count)
  for (const sum of memory.f64(left, n)) size -= (sum / x.count) * sum
  x.correctMeans(left, x.count)
  y.correctMeans(right, x.count)
  return size
}

/**
 * rotation: f64[n][n] = U VT of the product; returns the sum of its singular values, the last of which counts against
 * it where it is turned around.
 */
function rotate(
  memory: Memory,
  kernels: Kernels,
  rotation: Pointer,
  product: Pointer,
  n: number,
  rotationOnly: boolean,
  work: Pointer
): number {
  const { u, s, v } = svd({ data: memory.f64(product, n * n).slice(), shape: [n, n] })
  const [left, right] = [memory.alloc(8 * n * n), memory.alloc(8 * n * n)]
  memory.f64(left, n * n).set(u.data)
  memory.f64(right, n * n).set(v.data)
  const multiply = (): void => {
    memory.f64(rotation, n * n).fill(0)
    gemm(kernels.multiplyF64, {
      c: rotation,
      ldc: n,
      a: left,
      lda: n,
      b: right,
      ldb: n,
      transposeB: true,
      m: n,
      n,
      k: n,
      work
    })
  }
  multiply()
  const turned = rotationOnly && reflects(memory, kernels, rotation, n)
  if (turned) {
    const view = memory.f64(left, n * n)
    for (let i = 0; i < n; i++) view[i * n + n - 1]! *= -1
    multiply()
  }
  let total = 0
  s.data.forEach((value, i) => (total += turned && i === n - 1 ? -value : value))
  return total
}

/**
 * Whether the determinant of an orthogonal matrix is -1: the product of the signs of its triangle and of its
 * reflectors.
 */
function reflects(memory: Memory, kernels: Kernels, rotation: Pointer, n: number): boolean {
  return memory.frame(() => {
    const copy = memory.alloc(8 * n * n)
    const tau = memory.alloc(8 * n)
    memory.f64(copy, n * n).set(memory.f64(rotation, n * n))
    kernels.factorQrF64(copy, n, n, n, n, tau, memory.alloc(kernels.qrWork(n)))
    let negative = false
    for (let i = 0; i < n; i++) {
      if (memory.f64(copy, n * n)[i * (n + 1)]! < 0) negative = !negative
      if (memory.f64(tau, n)[i] !== 0) negative = !negative
    }
    return negative
  })
}

/** |factor a rotation - b| / |b|, means left out of the first and not of the second. */
function residual(
  memory: Memory,
  kernels: Kernels,
  rotation: Pointer,
  x: Samples,
  y: Samples,
  factor: number,
  step: number,
  work: Pointer
): number {
  if (factor === Infinity) return Infinity
  const n = x.width
  const turn = memory.alloc(8 * n * n)
  const view = memory.f64(turn, n * n)
  view.set(memory.f64(rotation, n * n))
  for (let i = 0; i < n * n; i++) view[i]! *= factor
  let error = 0
  let signal = 0
  eachChunk(x.count, step, (first, rows) => {
    const [a, b] = [x.load(first, rows), y.load(first, rows)]
    signal += kernels.squaresF64(b, rows * n)
    gemm(kernels.multiplyF64, { c: b, ldc: n, a, lda: n, b: turn, ldb: n, m: rows, n, k: n, write: 'subtract', work })
    error += kernels.squaresF64(b, rows * n)
  })
  signal += x.count * kernels.squaresF64(y.means, n)
  return error === 0 ? 0 : signal === 0 ? Infinity : kernels.sqrtF64(error / signal)
}
