import type { Bitmask } from '../../core/mask.js'
import { readTensor, type Tensor, type TensorLike } from '../../core/tensor.js'
import { MODULES } from '../../prune/engine.js'
import { preparePrune, type Prunable, type Pruned, type PruneOptions } from '../../prune/prune.js'
import { chunk } from '#worker/prune'
import { checkRunOptions, takeFrom } from '../call.js'
import type { Domain, DomainParts, OwnDomain } from '../domain.js'
import { applyMaskPlan, prunePlan } from '../plans/prune.js'
import { programs } from '../programs/prune.js'
import type { Run, RunOptions } from '../run.js'

/** The verbs of {@link pruning}. */
export interface Pruning {
  prune(tensor: TensorLike, options: Run<PruneOptions>): Promise<Pruned>
  prune(tensors: readonly TensorLike[], options: Run<PruneOptions>): Promise<Pruned[]>
  prune<K extends string>(
    tensors: Readonly<Record<K, TensorLike>>,
    options: Run<PruneOptions>
  ): Promise<Record<K, Pruned>>
  applyMask(tensor: TensorLike, mask: Bitmask, options?: RunOptions): Promise<Tensor>
}

function parts(): DomainParts<Pruning> {
  return {
    modules: MODULES,
    programs,
    chunk,
    whole: { program: 'wholePrune', modules: MODULES },
    calls: {
      prune: {
        options: 1,
        plan: ([tensors, options]) => prunePlan(tensors as Prunable, options as PruneOptions),
        take: ([tensors, options]) => {
          const { sources, arrange } = preparePrune(tensors as Prunable, options as PruneOptions)
          return takeFrom({ tensors: sources, put: (owned) => [arrange([...owned] as never[]), options] })
        }
      },
      applyMask: {
        options: 2,
        plan: ([tensor, mask, options]) => {
          checkRunOptions('applyMask', options)
          return applyMaskPlan(tensor as TensorLike, mask as Bitmask)
        },
        take: ([tensor, mask]) =>
          takeFrom({ tensors: [readTensor('applyMask', 'tensor', tensor)], put: ([owned]) => [owned, mask] })
      }
    }
  }
}

/** Pruning in a pool: `prune`, `applyMask`. */
export const pruning: Domain<Pruning> = { name: 'pruning', parts } as OwnDomain<Pruning>
