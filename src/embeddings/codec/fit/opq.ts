import { checkInteger } from '../../../core/check.js'
import type { Memory, Pointer } from '../../../core/memory.js'
import { gemm } from '../../../linalg/gemm.js'
import { svd } from '../../../linalg/svd.js'
import { frame, type Engine } from '../../engine.js'
import { subspacesOf, type Split } from '../codebooks.js'
import { opqQuantizer } from '../methods/opq.js'
import type { Tables } from '../quantizer.js'
import { rotationOf } from '../rotation.js'
import { fitCodebooks, refineCodebooks } from './codebooks.js'
import type { FitEngine, Fitter, Sample } from './fitter.js'
import { readSplit, splitChoices, type PqOptions } from './pq.js'

export interface OpqOptions extends PqOptions {
  /** of fitting the rotation, each with one of the centroids; default 10 */
  rounds?: number
}

/** Rounds of k-means before those of the rotation, and after them. */
const BEFORE = 4
const AFTER = 25
/** Rows that the rotation is fitted to at most. */
const MOST_ROWS = 8192
/**
 * Product quantisation of rows that are rotated first, so that the sub-spaces lose least.
 *
 * Method: T. Ge, K. He, Q. Ke and J. Sun, IEEE Trans. Pattern Anal. Mach. Intell. 36, 2014. Rows are centered. Rounds
 * begin with a random rotation. Each does one step of k-means, then takes the rotation that brings the rows closest to
 * what their numbers stand for (P. H. Schoenemann, Psychometrika 31, 1966).
 */
export const opq: Fitter<OpqOptions> = {
  method: 'opq',
  options: ['subspaces', 'rounds'],
  bits: [8, 4],
  usual: 8,
  choices: (shape, options) =>
    splitChoices(shape, options).map(({ options: split, bytes }) => ({ options: { ...options, ...split }, bytes })),
  fit: (engine, sample, options) => {
    const split = readSplit(sample, options)
    const rounds = checkInteger('fitCodec', 'rounds', options.rounds ?? 10, 0, 1000)
    return opqQuantizer(sample.metric, split, fitTables(engine, sample, split, rounds))
  }
}

/** codebooks, and the rotation: a row times its columns */
function fitTables(engine: FitEngine, sample: Sample, split: Split, rounds: number): Tables {
  const { rows, count, dimensions: d, seed } = sample
  const length = 2 ** split.bits * d
  return frame(engine, (memory, kernels) => {
    const centroids = memory.alloc(4 * length)
    const rotation = memory.alloc(4 * d * d)
    firstRotation(engine, rotation, d, seed)
    if (rounds > 0) fitRotation(engine, rotation, centroids, sample, split, rounds)
    const turned = memory.alloc(4 * count * d)
    const work = memory.alloc(kernels.multiplyWork(d, 2))
    gemm(kernels.multiplyF32, {
      ...{ c: turned, ldc: d, a: rows, lda: d, b: rotation, ldb: d },
      ...{ m: count, n: d, k: d, write: 'set', work }
    })
    fitCodebooks(engine, centroids, turned, count, split, { seed, iterations: AFTER, warm: rounds > 0 })
    return {
      codebooks: { data: memory.f32(centroids, length).slice(), shape: [length] },
      rotation: { data: memory.f32(rotation, d * d).slice(), shape: [d, d] }
    }
  })
}

/** The rotation of a seed. */
function firstRotation(engine: Engine, rotation: Pointer, d: number, seed: number): void {
  const identity = engine.memory.f32(rotation, d * d).fill(0)
  for (let i = 0; i < d; i++) identity[i * (d + 1)] = 1
  frame(engine, () => {
    rotationOf(d, seed).load(engine).rotate(rotation, rotation, d)
  })
}

/** Rounds from the rotation that is there; centroids are left as they go with it. */
function fitRotation(
  engine: FitEngine,
  rotation: Pointer,
  centroids: Pointer,
  { rows, count, dimensions: d, seed }: Sample,
  split: Split,
  rounds: number
): void {
  frame(engine, (memory, kernels) => {
    const few = Math.min(count, MOST_ROWS)
    const own = memory.alloc(4 * few * d)
    const turned = memory.alloc(4 * few * d)
    const rebuilt = memory.alloc(4 * few * d)
    const product = memory.alloc(4 * d * d)
    const mean = memory.alloc(4 * d)
    const work = memory.alloc(kernels.multiplyWork(d, 2))
    for (let r = 0; r < few; r++) {
      const from = rows + 4 * d * Math.floor((r * count) / few)
      memory.f32(own + 4 * d * r, d).set(memory.f32(from, d))
    }
    takeMeanOff(memory, own, mean, few, d)
    const multiply = (to: Pointer, from: Pointer, n: number): void => {
      gemm(kernels.multiplyF32, {
        ...{ c: to, ldc: d, a: from, lda: d, b: rotation, ldb: d },
        ...{ m: n, n: d, k: d, write: 'set', work }
      })
    }
    for (let round = 0; round < rounds; round++) {
      multiply(turned, own, few)
      if (round === 0) fitCodebooks(engine, centroids, turned, few, split, { seed, iterations: BEFORE })
      refineCodebooks(engine, rebuilt, centroids, turned, few, split)
      gemm(kernels.multiplyF32, {
        ...{ c: product, ldc: d, a: own, lda: d, transposeA: true, b: rebuilt, ldb: d },
        ...{ m: d, n: d, k: few, write: 'set', work }
      })
      nearestRotation(engine, rotation, product, d)
    }
    // Back to where the mean is not taken off.
    multiply(turned, mean, 1)
    const shift = memory.f32(turned, d)
    for (const { start, width } of subspacesOf(split)) {
      const k = 2 ** split.bits
      const part = memory.f32(centroids + 4 * k * start, k * width)
      part.forEach((x, i) => (part[i] = x + shift[start + (i % width)]!))
    }
  })
}

/** Takes the mean of rows f32 (count, d) off them; sums in f64 in order. */
function takeMeanOff(memory: Memory, rows: Pointer, mean: Pointer, count: number, d: number): void {
  const sums = new Float64Array(d)
  const data = memory.f32(rows, count * d)
  for (let at = 0; at < data.length; at += d) for (let j = 0; j < d; j++) sums[j]! += data[at + j]!
  const means = memory.f32(mean, d)
  sums.forEach((sum, j) => (means[j] = sum / count))
  for (let at = 0; at < data.length; at += d) for (let j = 0; j < d; j++) data[at + j]! -= means[j]!
}

/** rotation: f32[d][d] = U VT of product: f32[d][d] = U S VT */
function nearestRotation(engine: FitEngine, rotation: Pointer, product: Pointer, d: number): void {
  const { u, v } = svd({ data: Float64Array.from(engine.memory.f32(product, d * d)), shape: [d, d] })
  frame(engine, (memory, kernels) => {
    const [left, right, result] = [memory.alloc(8 * d * d), memory.alloc(8 * d * d), memory.alloc(8 * d * d)]
    memory.f64(left, d * d).set(u.data)
    memory.f64(right, d * d).set(v.data)
    gemm(kernels.multiplyF64, {
      ...{ c: result, ldc: d, a: left, lda: d, b: right, ldb: d, transposeB: true },
      ...{ m: d, n: d, k: d, write: 'set', work: memory.alloc(kernels.multiplyWork(d, 3)) }
    })
    memory.f32(rotation, d * d).set(memory.f64(result, d * d))
  })
}
