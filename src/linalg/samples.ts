import { gemm, type Gemm } from './gemm.js'
import type { Kernels } from './decompositionEngine.js'
import type { Memory, Pointer } from '../core/memory.js'
import { nonFiniteF64Error, type Source } from '../core/tensor.js'
import { loadF64, NOT_FINITE } from './matrix.js'

/**
 * Exponents beyond this are taken off, so that sums of squares stay far inside f64; others are left alone, which saves
 * a pass.
 */
const FAR = 300
/** Elements of rows that stand in linear memory at once. */
const CHUNK = 2 ** 20

/** Samples at once for matrices of so many columns together: by shape alone, since sums are taken chunk by chunk. */
export function rowsAtOnce(columns: number): number {
  return Math.max(64, Math.floor(CHUNK / Math.max(1, columns)))
}

/** Visits rows [0, count), `step` at a time. */
export function eachChunk(count: number, step: number, visit: (first: number, rows: number) => void): void {
  for (let first = 0; first < count; first += step) visit(first, Math.min(step, count - first))
}

/** Weights of rows, for sums; roots of them, for products. */
export interface RowWeights {
  readonly weights: Pointer
  readonly roots: Pointer
}

/**
 * The rows of a matrix on their way through linear memory, as f64 times 2^-exponent, less the means where there are
 * any.
 */
export class Samples {
  readonly width: number
  /** f64[width], of the rows as they are scaled; zeros unless they are asked for */
  readonly means: Pointer
  exponent = 0
  /** the greatest magnitude, as it is scaled, is below 2^peak, and half of that at least; 0 where all are 0 */
  peak = 0
  private readonly buffer: Pointer
  private centred = false

  constructor(
    private readonly memory: Memory,
    private readonly kernels: Kernels,
    private readonly source: Source,
    private readonly step: number
  ) {
    this.width = source.shape[1] ?? 1
    this.means = memory.alloc(8 * this.width)
    memory.f64(this.means, this.width).fill(0)
    this.buffer = memory.alloc(8 * this.width * Math.min(step, this.count))
  }

  get count(): number {
    return this.source.shape[0]!
  }

  /**
   * Checks that all is finite, finds the exponent, and, where `total` is given (the weights' sum), means to within
   * rounding.
   */
  scan(total?: number, weights: Pointer = 0): void {
    const { memory, kernels, width, means } = this
    let exponent = -Infinity
    eachChunk(this.count, this.step, (first, rows) => {
      const at = this.load(first, rows)
      const own = kernels.unitExponent(at, rows * width)
      if (own === NOT_FINITE) throw nonFiniteF64Error(this.source)
      // Zeros say 0, too.
      if (own !== 0 || kernels.squaresF64(at, rows * width) > 0) exponent = Math.max(exponent, own)
      if (total !== undefined) kernels.sumRowsF64(means, at, rows, width, weights && weights + 8 * first)
    })
    const far = Math.abs(exponent) > FAR && exponent !== -Infinity
    if (far) this.exponent = exponent
    else if (exponent !== -Infinity) this.peak = exponent
    if (total === undefined) return
    if (far) {
      memory.f64(means, width).fill(0)
      eachChunk(this.count, this.step, (first, rows) =>
        kernels.sumRowsF64(means, this.load(first, rows), rows, width, weights && weights + 8 * first)
      )
    }
    const view = memory.f64(means, width)
    for (let j = 0; j < width; j++) view[j]! /= total
    this.centred = true
  }

  /**
   * Takes sums: f64[width] of what is centred into the means; with takeOffSums means and products are exact to first
   * order.
   */
  correctMeans(sums: Pointer, total: number): void {
    const means = this.memory.f64(this.means, this.width)
    this.memory.f64(sums, this.width).forEach((sum, j) => (means[j]! += sum / total))
  }

  /** Samples [first, first + rows): f64[rows][width], until the next are loaded. */
  load(first: number, rows: number): Pointer {
    const { memory, kernels, width, buffer } = this
    loadF64(memory, buffer, this.source, first * width, rows * width)
    if (this.exponent) kernels.scaleByPower(buffer, rows * width, -this.exponent)
    if (this.centred) kernels.shiftRowsF64(buffer, rows, width, this.means)
    return buffer
  }
}

/**
 * What sums of centred columns, left: f64[n] and right: f64[p], add to product: f64[n][p], or to its lower triangle,
 * comes off it.
 */
export function takeOffSums(
  memory: Memory,
  product: Pointer,
  left: Pointer,
  n: number,
  right: Pointer,
  p: number,
  total: number,
  lower = false
): void {
  const view = memory.f64(product, n * p)
  const [d, e] = [memory.f64(left, n), memory.f64(right, p)]
  for (let i = 0; i < n; i++) {
    const share = d[i]! / total
    const end = lower ? i + 1 : p
    for (let j = 0; j < end; j++) view[i * p + j]! -= share * e[j]!
  }
}

/** Columns of a product that are made at once, which bounds the room for packed panels. */
const STRIP = 1024

/** Bytes of scratch for multiplyStrips. */
export function stripsWork(kernels: Kernels): number {
  return kernels.multiplyWork(STRIP, 3)
}

/** `gemm` in f64 for any number of columns n; b is not transposed. */
export function multiplyStrips(kernels: Kernels, product: Gemm): void {
  const { c, b, n } = product
  eachChunk(n, STRIP, (j, columns) => gemm(kernels.multiplyF64, { ...product, c: c + 8 * j, b: b + 8 * j, n: columns }))
}

/** x: f64[n] times 2^exponent, whatever that is; 0 or Infinity beyond f64. */
export function scaleByAnyPower(kernels: Kernels, x: Pointer, n: number, exponent: number): void {
  // One call takes exponents to about 2000.
  for (let rest = exponent; rest !== 0;) {
    const step = Math.max(-1000, Math.min(1000, rest))
    kernels.scaleByPower(x, n, step)
    rest -= step
  }
}
