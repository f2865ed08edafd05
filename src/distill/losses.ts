import { checkBoolean, checkNumber, checkOptions, outputArray } from '../core/check.js'
import { defaultEngine, frame } from './engine.js'
import { loadF32, type Tensor, type TensorLike } from '../core/tensor.js'
import {
  checkReduction,
  checkSameShape,
  checkTemperature,
  eachRows,
  readLabels,
  readLogits,
  rowError,
  rowsAtOnce,
  type Logits,
  type Reduction
} from './rows.js'

export interface Loss<L = number> {
  /** a number, or with reduction 'none' one for each row */
  loss: L
  /** of the loss with respect to the student's logits, in their shape */
  gradient: Tensor
}

interface ReductionOption {
  /**
   * 'batchMean' (default) divides the sum over rows by the rows; 'mean' is PyTorch's of that name: the divergence is divided by
   * rows * classes, the cross entropy by rows; 'sum' divides by nothing; 'none' gives one loss a row, and each row's own gradient
   */
  reduction?: Reduction
  /** as many f32 as there are logits, to write the gradient to */
  out?: Float32Array<ArrayBuffer>
}

export interface KlDivergenceOptions extends ReductionOption {
  /** logits (…, classes) of the model that learns */
  student: TensorLike
  /** logits (…, classes) of the model to be imitated; log-probabilities are logits too */
  teacher: TensorLike
  /** divides both logits; default 1 */
  temperature?: number
  /** multiplies the divergence by temperature squared; default false */
  temperatureSquared?: boolean
}

export interface CrossEntropyOptions extends ReductionOption {
  /** logits (…, classes) */
  logits: TensorLike
  /** class numbers, one a row */
  labels: ArrayLike<number | bigint>
}

export interface DistillationLossOptions extends ReductionOption {
  /** logits (…, classes) of the model that learns */
  student: TensorLike
  /** logits (…, classes) of the model to be imitated; may be left out when alpha is 0 */
  teacher?: TensorLike
  /** class numbers, one a row; may be left out when alpha is 1 */
  labels?: ArrayLike<number | bigint>
  /** divides the logits in the divergence; default 1 */
  temperature?: number
  /** weight of the divergence in [0, 1], the cross entropy has the rest; default .5 */
  alpha?: number
  /** multiplies the divergence by temperature squared, which keeps its gradients' size; default true */
  temperatureSquared?: boolean
}

/**
 * The Kullback-Leibler divergence KL(p || q) of the student's softmax q from the teacher's p, and its gradient.
 *
 * Shapes: student and teacher (…, classes); the gradient has the student's. Defaults: temperature 1, reduction 'batchMean', no
 * factor of temperature squared.
 * Takes logits, not probabilities: a softmax beforehand would be applied twice. -Infinity masks a class; a term with p = 0 is 0,
 * and a class that only the student masks makes the loss Infinity.
 * Method: p and q by exponentials in f64, sum p (log p - log q), gradient (q - p) / T in the same pass; sums in f64 (docs/numerics.md).
 * Error: for the logits as f32: loss 1e-13 absolute times (1 + the greatest |logit| / T), gradient one f32 rounding and as much.
 *
 * @throws TypeError for an unknown option; RangeError for shapes that differ, NaN or +Infinity (index named), a row masked wholly
 */
export function klDivergence(options: KlDivergenceOptions & { reduction: 'none' }): Loss<Float64Array<ArrayBuffer>>
export function klDivergence(options: KlDivergenceOptions & { reduction?: Exclude<Reduction, 'none'> }): Loss
export function klDivergence(options: KlDivergenceOptions): Loss | Loss<Float64Array<ArrayBuffer>> {
  return lossOf('klDivergence', options)
}

/**
 * The cross entropy -log softmax(logits)[label], and its gradient.
 *
 * Shapes: logits (…, classes), one label a row; the gradient has the logits' shape. Defaults: reduction 'batchMean', which is PyTorch's
 * 'mean' for this loss; so is 'mean' here.
 * Method and error as `klDivergence`; a label whose class is masked makes the loss Infinity.
 *
 * @throws TypeError for an unknown option; RangeError for labels outside the classes, NaN or +Infinity (index named), a row masked wholly
 */
export function crossEntropy(options: CrossEntropyOptions & { reduction: 'none' }): Loss<Float64Array<ArrayBuffer>>
export function crossEntropy(options: CrossEntropyOptions & { reduction?: Exclude<Reduction, 'none'> }): Loss
export function crossEntropy(options: CrossEntropyOptions): Loss | Loss<Float64Array<ArrayBuffer>> {
  return lossOf('crossEntropy', options)
}

/**
 * The loss of knowledge distillation, alpha T^2 KL(teacher || student at T) + (1 - alpha) CE(student, labels), and its gradient.
 *
 * Shapes: student and teacher (…, classes), one label a row; the gradient has the student's shape.
 * Defaults: temperature 1, alpha .5, temperatureSquared true, reduction 'batchMean'.
 * Method: G. Hinton, O. Vinyals, J. Dean, Distilling the Knowledge in a Neural Network, 2015; computed as `klDivergence` and
 * `crossEntropy` in one pass. A term whose weight is 0 is not computed.
 * Error: as `klDivergence`, times T^2 for its term.
 *
 * @throws TypeError for an unknown option or a missing teacher or labels; RangeError as `klDivergence` and `crossEntropy`
 */
export function distillationLoss(
  options: DistillationLossOptions & { reduction: 'none' }
): Loss<Float64Array<ArrayBuffer>>
export function distillationLoss(options: DistillationLossOptions & { reduction?: Exclude<Reduction, 'none'> }): Loss
export function distillationLoss(options: DistillationLossOptions): Loss | Loss<Float64Array<ArrayBuffer>> {
  return lossOf('distillationLoss', options)
}

interface LossOptions {
  distillationLoss: DistillationLossOptions
  klDivergence: KlDivergenceOptions
  crossEntropy: CrossEntropyOptions
}

export type LossVerb = keyof LossOptions

function lossOf<V extends LossVerb>(verb: V, options: LossOptions[V]): Loss | Loss<Float64Array<ArrayBuffer>> {
  const problem = prepareLoss(verb, options)
  const losses = new Float64Array(problem.student.rows)
  lossRows(problem, losses, problem.gradient)
  return finishLoss(problem, losses)
}

/** What each loss is called with, as a case of the one that holds both terms. */
const CASES: {
  readonly [V in LossVerb]: {
    readonly known: readonly string[]
    readonly student: 'student' | 'logits'
    readonly asDistillation: (options: LossOptions[V]) => DistillationLossOptions
  }
} = {
  distillationLoss: {
    known: ['student', 'teacher', 'labels', 'temperature', 'alpha', 'temperatureSquared', 'reduction', 'out'],
    student: 'student',
    asDistillation: (options) => options
  },
  klDivergence: {
    known: ['student', 'teacher', 'temperature', 'temperatureSquared', 'reduction', 'out'],
    student: 'student',
    asDistillation: ({ temperatureSquared = false, ...options }) => ({ ...options, temperatureSquared, alpha: 1 })
  },
  crossEntropy: {
    known: ['logits', 'labels', 'reduction', 'out'],
    student: 'logits',
    asDistillation: ({ logits, ...options }) => ({ ...options, student: logits, alpha: 0 })
  }
}

/** A loss over rows, checked. The scales hold the weights of the terms and what the reduction divides by. */
export interface LossProblem {
  readonly student: Logits
  readonly teacher?: Logits
  readonly labels?: Int32Array<ArrayBuffer>
  readonly temperature: number
  readonly divergenceScale: number
  readonly entropyScale: number
}

export interface PreparedLoss extends LossProblem {
  readonly reduction: Reduction
  /** yet to be filled */
  readonly gradient: Float32Array<ArrayBuffer>
}

/** Reads and checks what a loss is asked. A term whose weight is 0 has lost its teacher or labels. */
export function prepareLoss<V extends LossVerb>(verb: V, given: LossOptions[V]): PreparedLoss {
  const { known, student: name, asDistillation } = CASES[verb]
  checkOptions(verb, given, known)
  const options = asDistillation(given)
  const alpha = checkNumber(verb, 'alpha', options.alpha === undefined ? 0.5 : options.alpha, 0, 1)
  const temperature = checkTemperature(verb, options.temperature)
  const squared = checkBoolean(
    verb,
    'temperatureSquared',
    options.temperatureSquared === undefined ? true : options.temperatureSquared
  )
  const reduction = checkReduction(verb, options.reduction === undefined ? 'batchMean' : options.reduction)
  const student = readLogits(verb, name, options.student)
  const { source, rows, classes } = student
  let teacher: Logits | undefined
  if (alpha > 0 || options.teacher !== undefined) {
    teacher = readLogits(verb, 'teacher', options.teacher)
    checkSameShape(verb, source, teacher.source)
  }
  const labels = alpha < 1 || options.labels !== undefined ? readLabels(verb, options.labels, rows, classes) : undefined

  const factor = alpha * (squared ? temperature * temperature : 1)
  const perRow = reduction === 'mean' || reduction === 'batchMean' ? 1 / rows : 1
  return {
    student,
    teacher: alpha > 0 ? teacher : undefined,
    labels: alpha < 1 ? labels : undefined,
    temperature,
    divergenceScale: factor * (reduction === 'mean' ? perRow / classes : perRow),
    entropyScale: (1 - alpha) * perRow,
    reduction,
    gradient: outputArray<Float32Array<ArrayBuffer>>(verb, 'out', options.out, Float32Array, source.size)
  }
}

/** The weighted losses of rows, and their gradient. */
export function lossRows(problem: LossProblem, losses: Float64Array, gradient: Float32Array<ArrayBuffer>): void {
  const { student, teacher, labels, temperature, divergenceScale, entropyScale } = problem
  const { source, rows, classes } = student
  frame(defaultEngine(), (memory, kernels) => {
    const most = Math.min(rows, rowsAtOnce(classes))
    const bytes = 4 * most * classes
    const studentRows = memory.alloc(bytes)
    const teacherRows = teacher ? memory.alloc(bytes) : 0
    const gradientRows = memory.alloc(bytes)
    const divergence = memory.alloc(8 * most)
    const entropy = memory.alloc(8 * most)
    const classNumbers = memory.alloc(4 * most)
    const state = memory.alloc(4)
    const scratch = memory.alloc(24 * (classes + 1))
    memory.i32(classNumbers, most).fill(0)
    eachRows(student, (first, count, start, length) => {
      loadF32(memory, kernels, studentRows, source, start, length)
      if (teacher) loadF32(memory, kernels, teacherRows, teacher.source, start, length)
      if (labels) memory.i32(classNumbers, count).set(labels.subarray(first, first + count))
      const bad = kernels.distillRows(
        divergence,
        entropy,
        gradientRows,
        state,
        studentRows,
        teacherRows,
        classNumbers,
        count,
        classes,
        temperature,
        divergenceScale / temperature,
        entropyScale,
        scratch
      )
      if (bad >= 0)
        throw bad >= TEACHER_ROW ? rowError(teacher!, first + bad - TEACHER_ROW) : rowError(student, first + bad)
      const soft = memory.f64(divergence, count)
      const hard = memory.f64(entropy, count)
      for (let row = 0; row < count; row++) {
        const divergenceTerm = teacher ? divergenceScale * soft[row]! : 0
        losses[first + row] = labels ? divergenceTerm + entropyScale * hard[row]! : divergenceTerm
      }
      gradient.set(memory.f32(gradientRows, length), start)
    })
  })
}

/** The result, from the losses of all rows: added in their order. */
export function finishLoss(
  { student, reduction, gradient }: PreparedLoss,
  losses: Float64Array<ArrayBuffer>
): Loss | Loss<Float64Array<ArrayBuffer>> {
  return {
    loss: reduction === 'none' ? losses : total(losses, reduction),
    gradient: { data: gradient, shape: [...student.source.shape] }
  } as Loss | Loss<Float64Array<ArrayBuffer>>
}

/** The core adds it to the number of a row whose teacher is at fault (assembly/distill/loss.ts). */
const TEACHER_ROW = 2 ** 30

/** As in PyTorch the mean of no rows is NaN, and their sum 0. */
function total(losses: Float64Array, reduction: Reduction): number {
  if (losses.length === 0 && reduction !== 'sum') return NaN
  return losses.reduce((sum, value) => sum + value, 0)
}
