import { readFileSync } from 'node:fs'
import type { Reduction } from '../oracle/distill.js'
import type { IntegerFormat } from '../oracle/quantize.js'

export type Logit = number | '-Infinity'

export interface DistillCase {
  operation: 'klDivergence' | 'crossEntropy' | 'distillationLoss'
  input: string
  temperature?: number
  alpha?: number
  reduction: Reduction
  temperatureSquared?: boolean
  loss: number | number[]
  gradient: number[]
}

export interface DistillVectors {
  inputs: Record<string, { rows: number; classes: number; student: Logit[]; teacher: Logit[]; labels: number[] }>
  cases: DistillCase[]
}

export interface FloatVectors {
  input: number[]
  bits: number[]
  output: number[]
}

export interface FakeQuantizeCase {
  options: { format: IntegerFormat; symmetric: boolean; axis?: number; group?: number }
  shape: number[]
  scales: number[]
  zeroPoints: number[]
  input: number[]
  output: number[]
  mask: number[]
}

export interface SingularValuesCase {
  name: string
  m: number
  n: number
  input: number[]
  singularValues: number[]
}

export interface QuantizeVectors {
  float16: FloatVectors
  bfloat16: FloatVectors
  fakeQuantizePerTensor: FakeQuantizeCase[]
  fakeQuantizePerChannel: FakeQuantizeCase[]
  pruneLayer: { amount: number; input: number[]; removed: number; kept: number[] }[]
  pruneGlobal: { amount: number; inputs: number[][]; kept: number[][] }[]
  singularValues: SingularValuesCase[]
}

export interface GradedCase {
  name: string
  /** what is scaled, or whose matrix it is */
  kind: 'columns' | 'rows' | 'both' | 'kahan' | 'lauchli'
  m: number
  n: number
  /** of each singular value, against relative changes of what is scaled */
  condition: number
  input: Float64Array<ArrayBuffer>
  singularValues: Float64Array<ArrayBuffer>
}

export interface MatmulVectors {
  whole: { left: number[]; right: number[]; shape: number[]; data: number[] }[]
  refused: { left: number[]; right: number[] }[]
  rounded: {
    m: number
    k: number
    n: number
    left: Float64Array<ArrayBuffer>
    right: Float64Array<ArrayBuffer>
    product: Float64Array<ArrayBuffer>
  }[]
}

type Encoded<T> = { [Name in keyof T]: T[Name] extends Float64Array ? string : T[Name] }

export interface LowRankCase {
  name: string
  shape: [number, number]
  matrix: number[]
  samples: number
  activations: number[]
  /** singular values of the matrix, and the relative error of each rank */
  s: number[]
  errors: number[]
  /** singular values of the outputs, and the errors of the outputs and of the matrix of each rank that is the best for the outputs */
  outputs: number[]
  outputErrors: number[]
  matrixErrors: number[]
}

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8'))

/** Golden values of PyTorch and NumPy; test/vectors/make_*.py say how they were made. */
export const distillVectors = read('distill') as DistillVectors
export const quantizeVectors = read('quantize') as QuantizeVectors

/** Little-endian f64 in base64. */
const f64 = (text: string): Float64Array<ArrayBuffer> =>
  new Float64Array(Uint8Array.from(Buffer.from(text, 'base64')).buffer)

/** Singular values of graded matrices to the last bit; test/vectors/make_svd.py. */
export const gradedVectors: readonly GradedCase[] = (read('svd') as Encoded<GradedCase>[]).map((golden) => ({
  ...golden,
  input: f64(golden.input),
  singularValues: f64(golden.singularValues)
}))

const matmul = read('matmul') as Omit<MatmulVectors, 'rounded'> & {
  rounded: Encoded<MatmulVectors['rounded'][number]>[]
}

/** Products of NumPy, and products rounded once; test/vectors/make_matmul.py. */
export const matmulVectors: MatmulVectors = {
  ...matmul,
  rounded: matmul.rounded.map((golden) => ({
    ...golden,
    left: f64(golden.left),
    right: f64(golden.right),
    product: f64(golden.product)
  }))
}

/** Singular values and errors of low rank in 60 digits; test/vectors/make_lowRank.py. */
export const lowRankVectors = (read('lowRank') as { cases: LowRankCase[] }).cases

export const f32 = (values: Iterable<Logit>): Float32Array<ArrayBuffer> => Float32Array.from(values, Number)

export const flags = (mask: readonly number[]): boolean[] => mask.map((bit) => bit === 1)
