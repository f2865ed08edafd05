import type { Tensor, TensorLike } from '../../core/tensor.js'
import { MODULES as LINALG } from '../../linalg/decompositionEngine.js'
import type { Floats } from '../../linalg/matrix.js'
import type { LowRank } from '../../lowRank/lowRank.js'
import { prepareLowRank, type LowRankOptions, type Quantization } from '../../lowRank/options.js'
import { prepareLowRankPlan, type LowRankPlan, type LowRankPlanOptions, type PlannedRank } from '../../lowRank/plan.js'
import { prepareReconstruct, type Factored } from '../../lowRank/reconstruct.js'
import { MODULES as QUANTIZE } from '../../quantize/engine.js'
import type { HalfFormat, IntegerFormat } from '../../quantize/formats.js'
import type { Quantized, QuantizedHalf, QuantizedIntegers } from '../../quantize/quantized.js'
import { chunk } from '#worker/lowRank'
import { asSource, checkRunOptions, ofParts, type Arguments, type Replaceable } from '../call.js'
import type { Domain, DomainParts, OwnDomain } from '../domain.js'
import { programs } from '../programs/lowRank.js'
import type { Run, RunOptions } from '../run.js'

/** The verbs of {@link approximating}. */
export interface Approximating {
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
}

type Matrices = Parameters<typeof prepareLowRankPlan>[0]

/** An object that holds a Gram matrix cannot be posted; its matrix can. */
function lowRankTensors([matrix, options]: Arguments): Replaceable {
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

function planTensors([matrices, options]: Arguments): Replaceable {
  const { sources, arrange } = prepareLowRankPlan(matrices as Matrices, options as LowRankPlanOptions)
  return { tensors: sources, put: (owned) => [arrange([...owned]), options] }
}

function reconstructTensors([factored, options]: Arguments): Replaceable {
  checkRunOptions('reconstruct', options)
  const parts = Object.entries(prepareReconstruct(factored as Factored))
  return {
    tensors: parts.map(([name, { source, coded }]) => {
      return coded ? asSource(`reconstruct: "${name}.codes"`, coded.quantized.codes) : source
    }),
    put: (owned) => [
      Object.fromEntries(
        parts.map(([name, { coded }], i) => [name, coded ? { ...coded.quantized, codes: owned[i]!.data } : owned[i]])
      )
    ]
  }
}

function parts(): DomainParts<Approximating> {
  const modules = [...LINALG, ...QUANTIZE]
  const whole = { program: 'wholeLowRank', modules }
  return {
    modules,
    programs,
    chunk,
    whole,
    calls: {
      lowRank: ofParts(whole, 'lowRank', 1, lowRankTensors),
      lowRankPlan: ofParts(whole, 'lowRankPlan', 1, planTensors),
      reconstruct: ofParts(whole, 'reconstruct', 1, reconstructTensors)
    }
  }
}

/** Low rank in a pool: `lowRank`, `lowRankPlan`, `reconstruct`. */
export const approximating: Domain<Approximating> = { name: 'approximating', parts } as OwnDomain<Approximating>
