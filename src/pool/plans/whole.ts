import type { KernelModule } from '../../core/modules.js'
import { MODULES as distill_ } from '../../distill/engine.js'
import { MODULES as linalg_ } from '../../linalg/decompositionEngine.js'
import { MODULES as prune_ } from '../../prune/engine.js'
import { MODULES as quantize_ } from '../../quantize/engine.js'
import type { TensorLike } from '../../core/tensor.js'
import { applyMask } from '../../prune/applyMask.js'
import { compare } from '../../linalg/compare.js'
import { gramOfRows, openParts, prepareGram, type GramOptions } from '../../linalg/gram.js'
import type { GramParts } from '../../linalg/gramKind.js'
import { cholesky } from '../../linalg/cholesky.js'
import { procrustes } from '../../linalg/procrustes.js'
import { qr } from '../../linalg/qr.js'
import { ridge } from '../../linalg/ridge.js'
import { matmul } from '../../linalg/matmul.js'
import { svd } from '../../linalg/svd.js'
import { truncatedSvd } from '../../linalg/truncatedSvd.js'
import { solveTriangular } from '../../linalg/triangular.js'
import { crossEntropy, distillationLoss, klDivergence } from '../../distill/losses.js'
import { lowRank } from '../../lowRank/lowRank.js'
import { lowRankPlan } from '../../lowRank/plan.js'
import { reconstruct } from '../../lowRank/reconstruct.js'
import { logSoftmax, softmax } from '../../distill/softmax.js'
import { prune } from '../../prune/prune.js'
import { dequantize } from '../../quantize/dequantize.js'
import { fakeQuantize } from '../../quantize/fakeQuantize.js'
import { quantize } from '../../quantize/quantize.js'
import { once, type Plan, type Steps } from '../plan.js'

/** A Gram as data, which is how it crosses threads. */
function gram(rows: TensorLike, options?: GramOptions): GramParts {
  const { source, settings, first } = prepareGram(rows, options)
  return gramOfRows(source, settings, first).parts()
}

/** The verbs as they are, for what one thread does as a whole. */
const verbs = {
  applyMask,
  cholesky,
  compare,
  crossEntropy,
  dequantize,
  distillationLoss,
  fakeQuantize,
  gram,
  klDivergence,
  logSoftmax,
  lowRank,
  lowRankPlan,
  matmul,
  procrustes,
  prune,
  qr,
  quantize,
  reconstruct,
  ridge,
  softmax,
  solveTriangular,
  svd,
  truncatedSvd
}

export type VerbName = keyof typeof verbs

/** What is made on the caller's thread of a result that crosses threads as data. */
const finishers: { readonly [verb in VerbName]?: (result: never) => unknown } = { gram: openParts }

/** The verbs whose kernels are not those of linear algebra. */
const DOMAINS: Readonly<Record<string, readonly KernelModule[]>> = {
  applyMask: prune_,
  prune: prune_,
  quantize: quantize_,
  dequantize: quantize_,
  fakeQuantize: quantize_,
  crossEntropy: distill_,
  distillationLoss: distill_,
  klDivergence: distill_,
  softmax: distill_,
  logSoftmax: distill_,
  lowRank: [...linalg_, ...quantize_],
  lowRankPlan: [...linalg_, ...quantize_],
  reconstruct: [...linalg_, ...quantize_]
}

function modulesOf(verb: VerbName): readonly KernelModule[] {
  return DOMAINS[verb] ?? linalg_
}

interface WholeChunk {
  readonly verb: VerbName
  readonly args: readonly unknown[]
}

/** One chunk: the call itself. `moves`: arrays that are the pool's own and are handed on. */
export function wholePlan<R>(verb: VerbName, args: readonly unknown[], moves?: ReadonlySet<unknown>): Plan<R> {
  let result: unknown
  return {
    verb,
    program: 'whole',
    modules: modulesOf(verb),
    chunks: [(): WholeChunk => ({ verb, args })],
    take: (_, value) => {
      result = value
    },
    finish: () => (finishers[verb]?.(result as never) ?? result) as R,
    exclusive: true,
    moves
  }
}

export function wholeProgram({ verb, args }: WholeChunk): Steps {
  const work = verbs[verb] as (...args: readonly never[]) => unknown
  return once(() => work(...(args as never[])))
}
