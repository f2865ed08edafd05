import { checkOptions } from '../core/check.js'
import type { Bitmask } from '../core/mask.js'
import { readTensor, type NumberArray, type Source, type TensorLike } from '../core/tensor.js'
import { labelArray } from '../distill/logits.js'
import type { LossVerb } from '../distill/losses.js'
import type { SoftmaxOptions } from '../distill/softmax.js'
import { prepareCholesky, type CholeskyOptions } from '../linalg/cholesky.js'
import type { GramOptions } from '../linalg/gram.js'
import { prepareProcrustes, type ProcrustesOptions } from '../linalg/procrustes.js'
import { prepareQr, type QrOptions } from '../linalg/qr.js'
import { prepareRidge, type RidgeOptions } from '../linalg/ridge.js'
import type { MatmulOptions } from '../linalg/matmul.js'
import type { SvdOptions } from '../linalg/svd.js'
import { prepareTruncatedSvd, type TruncatedSvdOptions } from '../linalg/truncatedSvd.js'
import { prepareTriangular, type SolveTriangularOptions } from '../linalg/triangular.js'
import { prepareLowRank, type LowRankOptions } from '../lowRank/options.js'
import { prepareLowRankPlan, type LowRankPlanOptions } from '../lowRank/plan.js'
import { prepareReconstruct, type Factored } from '../lowRank/reconstruct.js'
import { preparePrune, type Prunable, type PruneOptions } from '../prune/prune.js'
import type { Quantized } from '../quantize/quantized.js'
import type { Plan } from './plan.js'
import { lossPlan, softmaxPlan } from './plans/distill.js'
import { comparePlan, gramPlan, svdPlan } from './plans/linalg.js'
import { matmulPlan } from './plans/matmul.js'
import { applyMaskPlan, prunePlan } from './plans/prune.js'
import { dequantizePlan, fakeQuantizePlan, quantizePlan } from './plans/quantize.js'
import { wholePlan, type VerbName } from './plans/whole.js'
import { asTensor, takeArrays, type Owned } from './transfer.js'

/** What every call takes beside the verb's own options. */
export const RUN_OPTIONS: readonly string[] = ['signal', 'onProgress', 'transfer']

/** The options of a verb that has none of its own. */
function checkRunOptions(verb: string, options: unknown = {}): void {
  checkOptions(verb, options, RUN_OPTIONS)
}

/** A verb as the pool does it. */
export interface Call {
  /** which argument is its options */
  readonly options: number
  /** checks the arguments, and says how the work is cut */
  readonly plan: (args: readonly unknown[]) => Plan
  /** the same arguments with arrays taken from the caller; undefined where there is nothing to take */
  readonly take: (args: readonly unknown[]) => Taken | undefined
}

type Arguments = readonly unknown[]

interface Taken {
  readonly args: readonly unknown[]
  readonly arrays: ReadonlySet<unknown>
}

/** The arguments with the arrays of `tensors` taken from the caller. */
function takeFrom(tensors: readonly Source[], put: (owned: readonly Owned[]) => unknown[]): Taken | undefined {
  const owned = takeArrays(tensors)
  return owned && { args: put(owned), arrays: new Set(owned.map(({ data }) => data)) }
}

/** An array as a tensor of one dimension. */
function asSource(name: string, data: NumberArray): Source {
  return { name, data, shape: [data.length], size: data.length }
}

/** A verb whose first argument is its only tensor. */
function ofTensor(verb: VerbName, name: string, plan: (args: Arguments) => Plan): Call {
  return {
    options: 1,
    plan,
    take: ([tensor, ...rest]) => takeFrom([readTensor(verb, name, tensor)], ([owned]) => [owned, ...rest])
  }
}

/** A loss: logits come first, the teacher's and the labels with the options. */
function ofLoss(verb: LossVerb, name: string): Call {
  return {
    options: 1,
    plan: ([logits, options]) => lossPlan(verb, logits as TensorLike, options as Parameters<typeof lossPlan>[2]),
    take: ([logits, options]) => {
      const { tensors, put } = lossArguments(verb, name, logits, options as Readonly<Record<string, unknown>>)
      return takeFrom(tensors, put)
    }
  }
}

/** A call's tensors, and its arguments with other ones in their places. */
interface Replaceable {
  readonly tensors: readonly Source[]
  readonly put: (owned: readonly Owned[]) => unknown[]
}

type Matrices = Parameters<typeof prepareLowRankPlan>[0]

/** An object that holds a Gram matrix cannot be posted; its matrix can. */
function lowRankArguments(matrix: unknown, options: unknown): Replaceable {
  const { source, activations, gram } = prepareLowRank(matrix as TensorLike, options as LowRankOptions)
  const inputs = activations ?? gram
  return {
    tensors: inputs ? [source, inputs] : [source],
    put: ([owned, other]) => [
      owned,
      { ...(options as LowRankOptions), ...(other && { [activations ? 'activations' : 'gram']: other }) }
    ]
  }
}

function lossArguments(
  verb: LossVerb,
  name: string,
  logits: unknown,
  options: Readonly<Record<string, unknown>>
): Replaceable {
  const teacher = options.teacher === undefined ? [] : [readTensor(verb, 'teacher', options.teacher)]
  const data = labelArray(options.labels)
  // Labels in a plain array have no buffer to hand over.
  const labels = ArrayBuffer.isView(data) ? [asSource(`${verb}: "labels"`, data as NumberArray)] : []
  return {
    tensors: [readTensor(verb, name, logits), ...teacher, ...labels],
    put: ([first, ...others]) => [
      first,
      {
        ...options,
        ...(teacher.length ? { teacher: others[0] } : {}),
        ...(labels.length ? { labels: others.at(-1)!.data } : {})
      }
    ]
  }
}

function reconstructArguments(factored: unknown): Replaceable {
  const parts = Object.entries(prepareReconstruct(factored as Factored))
  return {
    tensors: parts.map(([name, { source, coded }]) => {
      if (!coded) return source
      const { codes } = coded.quantized
      return asSource(`reconstruct: "${name}.codes"`, codes)
    }),
    put: (owned) => [
      Object.fromEntries(
        parts.map(([name, { coded }], i) => [name, coded ? { ...coded.quantized, codes: owned[i]!.data } : owned[i]])
      )
    ]
  }
}

function ridgeArguments([x, y, options]: Arguments): Replaceable {
  const { sampleWeights, ...sources } = prepareRidge(x, y, options as RidgeOptions)
  const tensors = [sources.x, sources.y]
  if (sampleWeights) tensors.push(sampleWeights)
  return {
    tensors,
    put: ([from, to, weights]) => [
      from,
      to,
      weights ? { ...(options as RidgeOptions), sampleWeights: weights } : options
    ]
  }
}

/** A verb whose first two arguments are its tensors. */
function ofTwo(verb: VerbName, prepare: (args: Arguments) => readonly Source[]): Call {
  return ofParts(verb, (args) => ({ tensors: prepare(args), put: (owned) => [...owned, args[2]] }))
}

/** A verb of two tensors and options, done as a whole. */
function ofParts(verb: VerbName, partsOf: (args: Arguments) => Replaceable): Call {
  return {
    options: 2,
    plan: (args) => {
      const { tensors, put } = partsOf(args)
      return wholePlan(verb, put(tensors.map(asTensor)))
    },
    take: (args) => {
      const { tensors, put } = partsOf(args)
      return takeFrom(tensors, put)
    }
  }
}

type First<F> = F extends (first: infer A, ...rest: never[]) => unknown ? A : never
type Second<F> = F extends (first: never, second: infer B, ...rest: never[]) => unknown ? B : never

export const calls: Readonly<Record<VerbName, Call>> = {
  quantize: ofTensor('quantize', 'tensor', ([tensor, options]) =>
    quantizePlan(tensor as TensorLike, options as Second<typeof quantizePlan>)
  ),
  fakeQuantize: ofTensor('fakeQuantize', 'tensor', ([tensor, options]) =>
    fakeQuantizePlan(tensor as TensorLike, options as Second<typeof fakeQuantizePlan>)
  ),
  dequantize: {
    options: 1,
    plan: ([quantized, options]) =>
      dequantizePlan(quantized as First<typeof dequantizePlan>, options as Second<typeof dequantizePlan>),
    take: ([quantized, ...rest]) => {
      const { codes, ...others } = quantized as Quantized
      return takeFrom([asSource('dequantize: "codes"', codes)], ([owned]) => [
        { ...others, codes: owned!.data },
        ...rest
      ])
    }
  },
  prune: {
    options: 1,
    plan: ([tensors, options]) => prunePlan(tensors as Prunable, options as PruneOptions),
    take: ([tensors, options]) => {
      const { sources, arrange } = preparePrune(tensors as Prunable, options as PruneOptions)
      return takeFrom(sources, (owned) => [arrange([...owned] as never[]), options])
    }
  },
  applyMask: {
    options: 2,
    plan: ([tensor, mask, options]) => {
      checkRunOptions('applyMask', options)
      return applyMaskPlan(tensor as TensorLike, mask as Bitmask)
    },
    take: ([tensor, mask]) => takeFrom([readTensor('applyMask', 'tensor', tensor)], ([owned]) => [owned, mask])
  },
  softmax: ofTensor('softmax', 'logits', ([logits, options]) =>
    softmaxPlan('softmax', logits as TensorLike, options as SoftmaxOptions)
  ),
  logSoftmax: ofTensor('logSoftmax', 'logits', ([logits, options]) =>
    softmaxPlan('logSoftmax', logits as TensorLike, options as SoftmaxOptions)
  ),
  distillationLoss: ofLoss('distillationLoss', 'student'),
  klDivergence: ofLoss('klDivergence', 'student'),
  crossEntropy: ofLoss('crossEntropy', 'logits'),
  qr: ofTensor('qr', 'matrix', ([matrix, options]) =>
    wholePlan('qr', [asTensor(prepareQr(matrix, options as QrOptions)), options])
  ),
  cholesky: ofTensor('cholesky', 'matrix', ([matrix, options]) =>
    wholePlan('cholesky', [asTensor(prepareCholesky(matrix, options as CholeskyOptions)), options])
  ),
  solveTriangular: ofTwo('solveTriangular', ([triangle, b, options]) =>
    prepareTriangular(triangle, b, options as SolveTriangularOptions)
  ),
  ridge: ofParts('ridge', ridgeArguments),
  procrustes: ofTwo('procrustes', ([a, b, options]) => prepareProcrustes(a, b, options as ProcrustesOptions)),
  svd: ofTensor('svd', 'matrix', ([matrix, options]) => svdPlan(matrix as TensorLike, options as SvdOptions)),
  truncatedSvd: ofTensor('truncatedSvd', 'source', ([matrix, options]) =>
    wholePlan('truncatedSvd', [
      asTensor(prepareTruncatedSvd(matrix as TensorLike, options as TruncatedSvdOptions)),
      options
    ])
  ),
  lowRank: {
    options: 1,
    plan: ([matrix, options]) => {
      const { tensors, put } = lowRankArguments(matrix, options)
      return wholePlan('lowRank', put(tensors.map(asTensor)))
    },
    take: ([matrix, options]) => {
      const { tensors, put } = lowRankArguments(matrix, options)
      return takeFrom(tensors, put)
    }
  },
  lowRankPlan: {
    options: 1,
    plan: ([matrices, options]) => {
      const { sources, arrange } = prepareLowRankPlan(matrices as Matrices, options as LowRankPlanOptions)
      return wholePlan('lowRankPlan', [arrange(sources.map(asTensor)), options])
    },
    take: ([matrices, options]) => {
      const { sources, arrange } = prepareLowRankPlan(matrices as Matrices, options as LowRankPlanOptions)
      return takeFrom(sources, (owned) => [arrange([...owned]), options])
    }
  },
  reconstruct: {
    options: 1,
    plan: ([factored, options]) => {
      checkRunOptions('reconstruct', options)
      const { tensors, put } = reconstructArguments(factored)
      return wholePlan('reconstruct', put(tensors.map(asTensor)))
    },
    take: ([factored]) => {
      const { tensors, put } = reconstructArguments(factored)
      return takeFrom(tensors, put)
    }
  },
  gram: ofTensor('gram', 'rows', ([rows, options]) => gramPlan(rows as TensorLike, options as GramOptions)),
  compare: {
    options: 2,
    plan: ([reference, other, options]) => {
      checkRunOptions('compare', options)
      return comparePlan(reference as TensorLike, other as TensorLike)
    },
    take: ([reference, other]) =>
      takeFrom([readTensor('compare', 'reference', reference), readTensor('compare', 'other', other)], (owned) => [
        ...owned
      ])
  },
  matmul: {
    options: 2,
    plan: ([a, b, options]) => matmulPlan(a as TensorLike, b as TensorLike, options as MatmulOptions),
    take: ([a, b, options]) =>
      takeFrom([readTensor('matmul', 'a', a), readTensor('matmul', 'b', b)], (owned) => [...owned, options])
  }
}
