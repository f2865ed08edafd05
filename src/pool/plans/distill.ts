import { MODULES } from '../../distill/engine.js'
import { partOf, type Tensor, type TensorLike } from '../../core/tensor.js'
import { finishLoss, lossRows, prepareLoss, type Loss, type LossProblem, type LossVerb } from '../../distill/losses.js'
import type { Logits } from '../../distill/logits.js'
import { prepareSoftmax, softmaxRows, type SoftmaxOptions, type SoftmaxVerb } from '../../distill/softmax.js'
import { cutRows, type Run } from '../chunks.js'
import { once, type Plan, type Steps } from '../plan.js'

/** The logits of a run of rows. */
function logitsOfRun({ source, classes }: Logits, { first, count }: Run): Logits {
  return { source: partOf(source, first * classes, count * classes, [count, classes]), rows: count, classes }
}

interface SoftmaxChunk {
  readonly verb: SoftmaxVerb
  readonly logits: Logits
  readonly temperature: number
}

export function softmaxPlan(verb: SoftmaxVerb, value: TensorLike, options: SoftmaxOptions = {}): Plan<Tensor> {
  const { logits, temperature } = prepareSoftmax(verb, value, options)
  const { source, rows, classes } = logits
  const data = new Float32Array(source.size)
  const runs = cutRows(rows, classes, 1)
  return {
    verb,
    program: 'softmax',
    modules: MODULES,
    chunks: runs.map((run) => (): SoftmaxChunk => ({ verb, logits: logitsOfRun(logits, run), temperature })),
    take: (chunk, values) => data.set(values as Float32Array, runs[chunk]!.first * classes),
    finish: () => ({ data, shape: [...source.shape] })
  }
}

export function softmaxProgram({ verb, logits, temperature }: SoftmaxChunk): Steps {
  return once(() => {
    const data = new Float32Array(logits.source.size)
    softmaxRows(verb, logits, temperature, data)
    return data
  })
}

interface LossPart {
  readonly losses: Float64Array
  readonly gradient: Float32Array<ArrayBuffer>
}

export function lossPlan(
  verb: LossVerb,
  logits: TensorLike,
  options: Parameters<typeof prepareLoss>[2]
): Plan<Loss | Loss<Float64Array<ArrayBuffer>>> {
  const problem = prepareLoss(verb, logits, options)
  const { student, teacher, labels, temperature, divergenceScale, entropyScale, gradient } = problem
  const { rows, classes } = student
  const losses = new Float64Array(rows)
  const runs = cutRows(rows, classes, 1)
  return {
    verb,
    program: 'loss',
    modules: MODULES,
    chunks: runs.map((run) => (): LossProblem => {
      return {
        student: logitsOfRun(student, run),
        teacher: teacher && logitsOfRun(teacher, run),
        labels: labels?.subarray(run.first, run.first + run.count),
        temperature,
        divergenceScale,
        entropyScale
      }
    }),
    take: (chunk, value) => {
      const part = value as LossPart
      const { first } = runs[chunk]!
      losses.set(part.losses, first)
      gradient.set(part.gradient, first * classes)
    },
    finish: () => finishLoss(problem, losses)
  }
}

export function lossProgram(problem: LossProblem): Steps {
  return once((): LossPart => {
    const losses = new Float64Array(problem.student.rows)
    const gradient = new Float32Array(problem.student.source.size)
    lossRows(problem, losses, gradient)
    return { losses, gradient }
  })
}
