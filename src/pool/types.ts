import type { Bitmask } from '../core/mask.js'
import type { Progress, Signal } from '../core/progress.js'
import type { Tensor, TensorLike } from '../core/tensor.js'
import type { CrossEntropyOptions, DistillationLossOptions, KlDivergenceOptions, Loss } from '../distill/losses.js'
import type { SoftmaxOptions } from '../distill/softmax.js'
import type { Comparison } from '../linalg/compare.js'
import type { Gram, GramOptions } from '../linalg/gram.js'
import type { MatmulOptions } from '../linalg/matmul.js'
import type { Floats } from '../linalg/matrix.js'
import type { Cholesky, CholeskyOptions } from '../linalg/cholesky.js'
import type { Procrustes, ProcrustesOptions } from '../linalg/procrustes.js'
import type { Qr, QrOptions } from '../linalg/qr.js'
import type { Ridge, RidgeOptions } from '../linalg/ridge.js'
import type { Svd, SvdOptions } from '../linalg/svd.js'
import type { TruncatedSvd, TruncatedSvdOptions } from '../linalg/truncatedSvd.js'
import type { SolveTriangularOptions } from '../linalg/triangular.js'
import type { LowRank } from '../lowRank/lowRank.js'
import type { LowRankOptions, Quantization } from '../lowRank/options.js'
import type { LowRankPlan, LowRankPlanOptions, PlannedRank } from '../lowRank/plan.js'
import type { Factored } from '../lowRank/reconstruct.js'
import type { Pruned, PruneOptions } from '../prune/prune.js'
import type { DequantizeOptions } from '../quantize/dequantize.js'
import type { FakeQuantized, FakeQuantizeOptions } from '../quantize/fakeQuantize.js'
import type { HalfFormat, IntegerFormat } from '../quantize/formats.js'
import type { QuantizeOptions } from '../quantize/options.js'
import type { Quantized, QuantizedHalf, QuantizedIntegers } from '../quantize/quantized.js'

export interface PoolOptions {
  /** workers, 1 to 1024; default: one for each processor. Results do not depend on it */
  threads?: number
  /**
   * address of the worker script, tersor/worker.js of the same version, where a content security policy forbids the inline one (which
   * needs `worker-src blob:`); a URL, or its text: relative to the page in browsers, a path in Node
   */
  workerUrl?: string | { readonly href: string }
}

/** What every call of a pool takes beside the verb's own options. */
export interface RunOptions {
  /** ends the call: its promise rejects with the signal's reason, and a thread that is still busy with it 50 ms later is replaced */
  signal?: Signal
  /** told after each step: one for each chunk, and one for each time that it has to agree with others */
  onProgress?: (progress: Progress) => void
  /**
   * default false: chunks of the input are copied. true: the input's arrays are handed over, not copied, and one thread does
   * the whole. They are empty for the caller afterwards, also where a second one is refused. The teacher and the labels of a
   * loss are inputs too. Arrays over SharedArrayBuffer are read in place either way
   */
  transfer?: boolean
}

type Run<T> = T & RunOptions
type Reduced<T> = T & { reduction?: Exclude<'none' | 'mean' | 'batchMean' | 'sum', 'none'> }
type PerRow<T> = T & { reduction: 'none' }
type RowLosses = Loss<Float64Array<ArrayBuffer>>

/**
 * The verbs of `tersor`, on workers: same arguments, same bytes, promises. A call rejects with the verb's own errors, with the reason of its
 * signal, with TypeError for an array that cannot be transferred (or was), and with Error where the pool was closed, its worker died (the pool goes
 * on with a new one) or none could be started. One thread does the whole of a matrix of `svd`, of `truncatedSvd`, `qr`, `cholesky`,
 * `solveTriangular`, `ridge`, `procrustes`, `lowRank`, `lowRankPlan`, `reconstruct`, and of groups across an inner axis.
 */
export interface Pool {
  /** workers that the pool may have; 1 where the runtime has none */
  readonly threads: number
  /** Starts all workers ahead of the first call; rejects where they cannot be. */
  init(): Promise<void>
  /** Ends all workers; calls that are not done reject. */
  close(): Promise<void>

  quantize(tensor: TensorLike, options: Run<QuantizeOptions & { format: IntegerFormat }>): Promise<QuantizedIntegers>
  quantize(tensor: TensorLike, options: Run<QuantizeOptions & { format: HalfFormat }>): Promise<QuantizedHalf>
  quantize(tensor: TensorLike, options: Run<QuantizeOptions>): Promise<Quantized>
  dequantize(quantized: Quantized, options?: Run<DequantizeOptions>): Promise<Tensor>
  fakeQuantize(tensor: TensorLike, options: Run<FakeQuantizeOptions>): Promise<FakeQuantized>
  prune(tensor: TensorLike, options: Run<PruneOptions>): Promise<Pruned>
  prune(tensors: readonly TensorLike[], options: Run<PruneOptions>): Promise<Pruned[]>
  prune<K extends string>(
    tensors: Readonly<Record<K, TensorLike>>,
    options: Run<PruneOptions>
  ): Promise<Record<K, Pruned>>
  applyMask(tensor: TensorLike, mask: Bitmask, options?: RunOptions): Promise<Tensor>
  softmax(logits: TensorLike, options?: Run<SoftmaxOptions>): Promise<Tensor>
  logSoftmax(logits: TensorLike, options?: Run<SoftmaxOptions>): Promise<Tensor>
  distillationLoss(student: TensorLike, options: Run<PerRow<DistillationLossOptions>>): Promise<RowLosses>
  distillationLoss(student: TensorLike, options: Run<Reduced<DistillationLossOptions>>): Promise<Loss>
  klDivergence(student: TensorLike, options: Run<PerRow<KlDivergenceOptions>>): Promise<RowLosses>
  klDivergence(student: TensorLike, options: Run<Reduced<KlDivergenceOptions>>): Promise<Loss>
  crossEntropy(logits: TensorLike, options: Run<PerRow<CrossEntropyOptions>>): Promise<RowLosses>
  crossEntropy(logits: TensorLike, options: Run<Reduced<CrossEntropyOptions>>): Promise<Loss>
  qr(matrix: TensorLike, options?: Run<QrOptions>): Promise<Qr>
  cholesky(matrix: TensorLike, options?: Run<CholeskyOptions>): Promise<Cholesky>
  solveTriangular(triangle: TensorLike, b: TensorLike, options?: Run<SolveTriangularOptions>): Promise<Tensor<Floats>>
  ridge(x: TensorLike, y: TensorLike, options?: Run<RidgeOptions>): Promise<Ridge>
  procrustes(a: TensorLike, b: TensorLike, options?: Run<ProcrustesOptions>): Promise<Procrustes>
  svd(matrix: TensorLike, options?: Run<SvdOptions>): Promise<Svd>
  truncatedSvd(matrix: TensorLike, options: Run<TruncatedSvdOptions>): Promise<TruncatedSvd>
  lowRank(
    matrix: TensorLike,
    options: Run<LowRankOptions & { quantize: Quantization<IntegerFormat> }>
  ): Promise<LowRank<QuantizedIntegers>>
  lowRank(
    matrix: TensorLike,
    options: Run<LowRankOptions & { quantize: Quantization<HalfFormat> }>
  ): Promise<LowRank<QuantizedHalf>>
  lowRank(matrix: TensorLike, options: Run<LowRankOptions & { quantize?: undefined }>): Promise<LowRank>
  lowRank(matrix: TensorLike, options: Run<LowRankOptions>): Promise<LowRank<Tensor<Floats> | Quantized>>
  lowRankPlan(matrices: readonly TensorLike[], options: Run<LowRankPlanOptions>): Promise<LowRankPlan<PlannedRank[]>>
  lowRankPlan<K extends string>(
    matrices: Readonly<Record<K, TensorLike>>,
    options: Run<LowRankPlanOptions>
  ): Promise<LowRankPlan<Record<K, PlannedRank>>>
  reconstruct(factored: Factored<Tensor | Quantized>, options?: RunOptions): Promise<Tensor>
  reconstruct(factored: Factored, options?: RunOptions): Promise<Tensor<Floats>>
  gram(rows: TensorLike, options?: Run<GramOptions>): Promise<Gram>
  matmul<T extends Floats>(
    a: TensorLike,
    b: TensorLike,
    options: Run<MatmulOptions<T> & { out: T }>
  ): Promise<Tensor<T>>
  matmul(a: TensorLike, b: TensorLike, options?: Run<MatmulOptions>): Promise<Tensor<Floats>>
  compare(reference: TensorLike, other: TensorLike, options?: RunOptions): Promise<Comparison>
}
