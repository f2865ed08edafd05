import { expect } from 'vitest'
import type { LowRank, Quantized, QuantizedIntegers, Tensor } from '../../src/index.js'
import { reconstructOracle, relativeErrorOracle } from '../oracle/lowRank.js'
import { dequantizeOracle, type Options } from '../oracle/quantize.js'
import type { Matrix } from './matrices.js'
import { normals64 } from './random.js'

type Numbers = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>
export type AnyLowRank = LowRank<Tensor<Numbers> | Quantized>

/** The numbers that a part of a result stands for. */
export function valuesOf(part: Tensor<Numbers> | Quantized): Numbers {
  if (!('codes' in part)) return part.data
  const { format, axis, group } = part as QuantizedIntegers
  return dequantizeOracle(part, part.shape, { format, axis, group } as Options) as Float32Array<ArrayBuffer>
}

/** The matrix that a result stands for, in f64. */
export function wholeOf({ u, v, rank, residual }: AnyLowRank): Float64Array<ArrayBuffer> {
  return reconstructOracle(valuesOf(u), valuesOf(v), rank, residual && valuesOf(residual))
}

interface Asked {
  data: ArrayLike<number>
  shape: readonly number[]
}

/** The shapes of a result, and its errors against those that a plain twin measures on what it stands for. */
export function checkErrors(
  { data, shape: [m, n] }: Asked,
  result: AnyLowRank,
  what: string,
  inputs?: ArrayLike<number>
): void {
  const { u, v, s, rank, residual } = result
  expect([u.shape, v.shape, s.shape]).toEqual([[m, rank], [n, rank], [Math.min(m, n)]])
  if (residual) expect(residual.shape).toEqual([m, n])
  const whole = wholeOf(result)
  const error = relativeErrorOracle(data, whole, n, inputs)
  // Of outputs the Gram matrix is known to n 2^-52 of itself alone.
  const known = inputs ? 1e-7 : 1e-15
  expect(Math.abs(result.relativeError - error), `relativeError of ${what}`).toBeLessThanOrEqual(1e-9 * error + known)
  if (!inputs) expect(result.matrixError).toBeUndefined()
  else {
    const plain = relativeErrorOracle(data, whole, n)
    expect(Math.abs(result.matrixError! - plain), `matrixError of ${what}`).toBeLessThanOrEqual(1e-9 * plain + 1e-15)
  }
}

/** Inputs whose columns are of sizes far apart, and mixed. */
export function anisotropic(samples: number, n: number, seed: number): Matrix {
  const data = normals64(samples * n, seed)
  for (let i = 0; i < samples; i++) {
    for (let j = 0; j < n; j++) data[i * n + j] *= 1 / (1 + ((j * 7) % n))
    for (let j = 1; j < n; j++) data[i * n + j] += 0.3 * data[i * n + j - 1]
  }
  return { data, shape: [samples, n] }
}

/** A matrix in f32. */
export interface Single {
  data: Float32Array<ArrayBuffer>
  shape: [number, number]
}

export const single = ({ data, shape }: { data: Float64Array; shape: [number, number] }): Single => ({
  data: Float32Array.from(data),
  shape
})
