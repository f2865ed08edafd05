import { readTensor, type NumberArray, type Tensor, type TensorLike } from '../../core/tensor.js'
import { MODULES } from '../../distill/engine.js'
import { labelArray } from '../../distill/logits.js'
import type {
  CrossEntropyOptions,
  DistillationLossOptions,
  KlDivergenceOptions,
  Loss,
  LossVerb
} from '../../distill/losses.js'
import type { SoftmaxOptions } from '../../distill/softmax.js'
import { chunk } from '#worker/distill'
import { asSource, ofTensor, takeFrom, type Call, type Replaceable } from '../call.js'
import type { Domain, DomainParts, OwnDomain } from '../domain.js'
import { lossPlan, softmaxPlan } from '../plans/distill.js'
import { programs } from '../programs/distill.js'
import type { Run } from '../run.js'

type Reduced<T> = T & { reduction?: Exclude<'none' | 'mean' | 'batchMean' | 'sum', 'none'> }
type PerRow<T> = T & { reduction: 'none' }
type RowLosses = Loss<Float64Array<ArrayBuffer>>

/** The verbs of {@link distilling}. */
export interface Distilling {
  softmax(logits: TensorLike, options?: Run<SoftmaxOptions>): Promise<Tensor>
  logSoftmax(logits: TensorLike, options?: Run<SoftmaxOptions>): Promise<Tensor>
  distillationLoss(student: TensorLike, options: Run<PerRow<DistillationLossOptions>>): Promise<RowLosses>
  distillationLoss(student: TensorLike, options: Run<Reduced<DistillationLossOptions>>): Promise<Loss>
  klDivergence(student: TensorLike, options: Run<PerRow<KlDivergenceOptions>>): Promise<RowLosses>
  klDivergence(student: TensorLike, options: Run<Reduced<KlDivergenceOptions>>): Promise<Loss>
  crossEntropy(logits: TensorLike, options: Run<PerRow<CrossEntropyOptions>>): Promise<RowLosses>
  crossEntropy(logits: TensorLike, options: Run<Reduced<CrossEntropyOptions>>): Promise<Loss>
}

/** A loss: logits come first, the teacher's and the labels with the options. */
function ofLoss(verb: LossVerb, name: string): Call {
  return {
    options: 1,
    plan: ([logits, options]) => lossPlan(verb, logits as TensorLike, options as Parameters<typeof lossPlan>[2]),
    take: ([logits, options]) => takeFrom(lossTensors(verb, name, logits, options as Readonly<Record<string, unknown>>))
  }
}

function lossTensors(
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

function parts(): DomainParts<Distilling> {
  return {
    modules: MODULES,
    programs,
    chunk,
    whole: { program: 'wholeDistill', modules: MODULES },
    calls: {
      softmax: ofTensor('softmax', 'logits', ([logits, options]) =>
        softmaxPlan('softmax', logits as TensorLike, options as SoftmaxOptions)
      ),
      logSoftmax: ofTensor('logSoftmax', 'logits', ([logits, options]) =>
        softmaxPlan('logSoftmax', logits as TensorLike, options as SoftmaxOptions)
      ),
      distillationLoss: ofLoss('distillationLoss', 'student'),
      klDivergence: ofLoss('klDivergence', 'student'),
      crossEntropy: ofLoss('crossEntropy', 'logits')
    }
  }
}

/** Losses of distillation in a pool: `softmax`, `logSoftmax`, `distillationLoss`, `klDivergence`, `crossEntropy`. */
export const distilling: Domain<Distilling> = { name: 'distilling', parts } as OwnDomain<Distilling>
