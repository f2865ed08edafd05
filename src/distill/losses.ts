import { checkBoolean, checkNumber, checkOptions, outputArray, show } from '../core/check.js'
import { typeError } from '../core/errors.js'
import { loadF32, type Tensor, type TensorLike } from '../core/tensor.js'
import { distillRows, TEACHER_ROW } from './distillRows.js'
import { defaultEngine, frame } from './engine.js'
import {
  badLogitsError,
  checkReduction,
  checkSameShape,
  checkTemperature,
  eachLogitTile,
  readLabels,
  readLogits,
  rowsInLogitTile,
  type Logits,
  type Reduction
} from './logits.js'

export interface Loss<L = number> {
  /** a number, or with reduction 'none' one for each row */
  loss: L
  /** of the loss with respect to the student's logits, in their shape */
  gradient: Tensor
}

interface ReductionOption {
  /**
   * 'batchMean' (default) divides the sum over rows by the rows. 'mean' is PyTorch's of that name: the divergence is
   * divided by rows * classes, the cross entropy by rows. 'sum' divides by nothing. 'none' gives one loss a row, and
   * each row's own gradient
   */
  reduction?: Reduction
  /** as many f32 as there are logits, to write the gradient to */
  out?: Float32Array<ArrayBuffer>
}

export interface KlDivergenceOptions extends ReductionOption {
  /** logits (…, classes) of the model to be imitated; log-probabilities are logits too */
  teacher: TensorLike
  /** divides both logits; default 1 */
  temperature?: number
  /** multiplies the divergence by temperature squared; default false */
  temperatureSquared?: boolean
}

export interface CrossEntropyOptions extends ReductionOption {
  /** class numbers, one a row */
  labels: ArrayLike<number | bigint>
}

export interface DistillationLossOptions extends ReductionOption {
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
 * Shapes: student and teacher (…, classes); the gradient has the student's.
 * Defaults: temperature 1, reduction 'batchMean', no factor of temperature squared.
 * Takes logits, not probabilities: a softmax beforehand would be applied twice. -Infinity masks a class.
 * A term with p = 0 is 0, and a class that only the student masks makes the loss Infinity.
 * Method: p and q by exponentials in f64, sum p (log p - log q), gradient (q - p) / T in the same pass.
 * Sums are in f64 (docs/numerics.md).
 * Error: for the logits as f32: loss 1e-13 absolute times (1 + the greatest |logit| / T).
 * The gradient's is one f32 rounding and as much.
 *
 * @example
 * const student = [[2, 1, 0], [0, 1, 3]]
 * const teacher = [[3, 1, 0], [0, 0, 4]]
 * const { loss, gradient } = klDivergence(student, { teacher, temperature: 2 })
 * // loss 0.0476, gradient.shape [2, 3]
 * @throws TypeError for a missing teacher or an unknown option
 * @throws RangeError for shapes that differ, NaN or +Infinity (index named), a row masked wholly
 */
export function klDivergence(
  student: TensorLike,
  options: KlDivergenceOptions & { reduction: 'none' }
): Loss<Float64Array<ArrayBuffer>>
export function klDivergence(
  student: TensorLike,
  options: KlDivergenceOptions & { reduction?: Exclude<Reduction, 'none'> }
): Loss
export function klDivergence(
  student: TensorLike,
  options: KlDivergenceOptions
): Loss | Loss<Float64Array<ArrayBuffer>> {
  return lossOf('klDivergence', student, options)
}

/**
 * The cross entropy -log softmax(logits)[label], and its gradient.
 *
 * Shapes: logits (…, classes), one label a row; the gradient has the logits' shape.
 * Defaults: reduction 'batchMean', which is PyTorch's 'mean' for this loss; so is 'mean' here.
 * Method and error as `klDivergence`; a label whose class is masked makes the loss Infinity.
 *
 * @example
 * const { loss, gradient } = crossEntropy([[2, 1, 0], [0, 1, 3]], { labels: [0, 2] })
 * // loss 0.2887, gradient.shape [2, 3]
 * @throws TypeError for missing labels or an unknown option
 * @throws RangeError for labels outside the classes, NaN or +Infinity (index named), a row masked wholly
 */
export function crossEntropy(
  logits: TensorLike,
  options: CrossEntropyOptions & { reduction: 'none' }
): Loss<Float64Array<ArrayBuffer>>
export function crossEntropy(
  logits: TensorLike,
  options: CrossEntropyOptions & { reduction?: Exclude<Reduction, 'none'> }
): Loss
export function crossEntropy(logits: TensorLike, options: CrossEntropyOptions): Loss | Loss<Float64Array<ArrayBuffer>> {
  return lossOf('crossEntropy', logits, options)
}

/**
 * The loss of knowledge distillation, with its gradient.
 *
 * It is alpha T^2 KL(teacher || student at T) + (1 - alpha) CE(student, labels).
 * Shapes: student and teacher (…, classes), one label a row; the gradient has the student's shape.
 * Defaults: temperature 1, alpha .5, temperatureSquared true, reduction 'batchMean'.
 * Method: G. Hinton, O. Vinyals, J. Dean, Distilling the Knowledge in a Neural Network, 2015.
 * Computed as `klDivergence` and `crossEntropy` in one pass. A term whose weight is 0 is not computed.
 * Error: as `klDivergence`, times T^2 for its term.
 *
 * @example
 * const student = [[2, 1, 0], [0, 1, 3]]
 * const teacher = [[3, 1, 0], [0, 0, 4]]
 * const options = { teacher, labels: [0, 2], temperature: 2, alpha: 0.9 }
 * const { loss, gradient } = distillationLoss(student, options)
 * // loss 0.2003, gradient.shape [2, 3]
 * @throws TypeError for an unknown option, or a missing teacher or labels
 * @throws RangeError as `klDivergence` and `crossEntropy`
 */
export function distillationLoss(
  student: TensorLike,
  options: DistillationLossOptions & { reduction: 'none' }
): Loss<Float64Array<ArrayBuffer>>
export function distillationLoss(
  student: TensorLike,
  options: DistillationLossOptions & { reduction?: Exclude<Reduction, 'none'> }
): Loss
export function distillationLoss(
  student: TensorLike,
  options: DistillationLossOptions
): Loss | Loss<Float64Array<ArrayBuffer>> {
  return lossOf('distillationLoss', student, options)
}

interface LossOptions {
  distillationLoss: DistillationLossOptions
  klDivergence: KlDivergenceOptions
  crossEntropy: CrossEntropyOptions
}

export type LossVerb = keyof LossOptions

function lossOf<V extends LossVerb>(
  verb: V,
  logits: TensorLike,
  options: LossOptions[V]
): Loss | Loss<Float64Array<ArrayBuffer>> {
  const problem = prepareLoss(verb, logits, options)
  const losses = new Float64Array(problem.student.rows)
  lossRows(problem, losses, problem.gradient)
  return finishLoss(problem, losses)
}

/** What each loss is called with, as a case of the one that holds both terms. */
const CASES: {
  readonly [V in LossVerb]: {
    /** the name of the first argument */
    readonly first: 'student' | 'logits'
    readonly known: readonly string[]
    /** a call, for errors */
    readonly form: string
    readonly asDistillation: (options: LossOptions[V]) => DistillationLossOptions
  }
} = {
  distillationLoss: {
    first: 'student',
    known: ['teacher', 'labels', 'temperature', 'alpha', 'temperatureSquared', 'reduction', 'out'],
    form: 'distillationLoss(student, { teacher, labels })',
    asDistillation: (options) => options
  },
  klDivergence: {
    first: 'student',
    known: ['teacher', 'temperature', 'temperatureSquared', 'reduction', 'out'],
    form: 'klDivergence(student, { teacher })',
    asDistillation: ({ temperatureSquared = false, ...options }) => ({ ...options, temperatureSquared, alpha: 1 })
  },
  crossEntropy: {
    first: 'logits',
    known: ['labels', 'reduction', 'out'],
    form: 'crossEntropy(logits, { labels })',
    asDistillation: (options) => ({ ...options, alpha: 0 })
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

/** Whether a value is an array or a tensor, where options belong. */
function isData(value: object): boolean {
  return Array.isArray(value) || ArrayBuffer.isView(value) || 'data' in value
}

/** Refuses other orders of arguments: all in one object, or data in the place of the options. */
function checkForm(verb: LossVerb, logits: unknown, options: unknown): void {
  const { first, known, form } = CASES[verb]
  if (typeof logits === 'object' && logits !== null && first in logits && !isData(logits)) {
    throw typeError(`${verb}: "${first}" expected a tensor, got ${show(logits)}; write ${form}`)
  }
  if (typeof options !== 'object' || options === null || isData(options)) {
    const wanted = `an object with ${known.join(', ')}`
    throw typeError(`${verb}: "options" expected ${wanted}, got ${show(options)}; write ${form}`)
  }
}

/** Refuses a term of the loss whose teacher or labels are missing. */
function checkPresent(verb: LossVerb, name: 'teacher' | 'labels', value: unknown, wanted: string): void {
  if (value !== undefined) return
  const without = verb === 'distillationLoss' ? `, or leave ${name} out with alpha ${name === 'teacher' ? 0 : 1}` : ''
  throw typeError(`${verb}: "${name}" expected ${wanted}, got undefined; write ${CASES[verb].form}${without}`)
}

/** Reads and checks what a loss is asked. A term whose weight is 0 has lost its teacher or labels. */
export function prepareLoss<V extends LossVerb>(verb: V, logits: TensorLike, given: LossOptions[V]): PreparedLoss {
  const { first, known, asDistillation } = CASES[verb]
  checkForm(verb, logits, given)
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
  const student = readLogits(verb, first, logits)
  const { source, rows, classes } = student
  let teacher: Logits | undefined
  if (alpha > 0 || options.teacher !== undefined) {
    checkPresent(verb, 'teacher', options.teacher, "a tensor of logits in the student's shape")
    teacher = readLogits(verb, 'teacher', options.teacher)
    checkSameShape(verb, source, teacher.source)
  }
  let labels: Int32Array<ArrayBuffer> | undefined
  if (alpha < 1 || options.labels !== undefined) {
    checkPresent(verb, 'labels', options.labels, `an array of ${rows} class numbers`)
    labels = readLabels(verb, options.labels, rows, classes)
  }
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
    const most = Math.min(rows, rowsInLogitTile(classes))
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
    eachLogitTile(student, (first, count, start, length) => {
      loadF32(memory, kernels, studentRows, source, start, length)
      if (teacher) loadF32(memory, kernels, teacherRows, teacher.source, start, length)
      if (labels) memory.i32(classNumbers, count).set(labels.subarray(first, first + count))
      const bad = distillRows(kernels, {
        divergence,
        entropy,
        gradient: gradientRows,
        state,
        student: studentRows,
        teacher: teacherRows,
        labels: classNumbers,
        rows: count,
        classes,
        temperature,
        divergenceWeight: divergenceScale / temperature,
        entropyWeight: entropyScale,
        scratch
      })
      if (bad >= TEACHER_ROW) throw badLogitsError(teacher!, first + bad - TEACHER_ROW)
      if (bad >= 0) throw badLogitsError(student, first + bad)
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
    loss: reduction === 'none' ? losses : totalLoss(losses, reduction),
    gradient: { data: gradient, shape: [...student.source.shape] }
  } as Loss | Loss<Float64Array<ArrayBuffer>>
}

/** As in PyTorch the mean of no rows is NaN, and their sum 0. */
function totalLoss(losses: Float64Array, reduction: Reduction): number {
  if (losses.length === 0 && reduction !== 'sum') return NaN
  return losses.reduce((sum, value) => sum + value, 0)
}
