import { readTensor, type Tensor, type TensorLike } from '../../core/tensor.js'
import type { Comparison } from '../../linalg/compare.js'
import { openParts, type Gram, type GramOptions } from '../../linalg/gram.js'
import { MODULES } from '../../linalg/decompositionEngine.js'
import type { MatmulOptions } from '../../linalg/matmul.js'
import type { Floats } from '../../linalg/matrix.js'
import { chunk } from '#worker/products'
import { checkRunOptions, ofTensor, takeFrom } from '../call.js'
import type { Domain, DomainParts, OwnDomain } from '../domain.js'
import { matmulPlan } from '../plans/matmul.js'
import { comparePlan, gramPlan } from '../plans/products.js'
import { programs } from '../programs/products.js'
import type { Run, RunOptions } from '../run.js'

/** The verbs of {@link multiplying}. */
export interface Multiplying {
  gram(rows: TensorLike, options?: Run<GramOptions>): Promise<Gram>
  matmul<T extends Floats>(
    a: TensorLike,
    b: TensorLike,
    options: Run<MatmulOptions<T> & { out: T }>
  ): Promise<Tensor<T>>
  matmul(a: TensorLike, b: TensorLike, options?: Run<MatmulOptions>): Promise<Tensor<Floats>>
  compare(reference: TensorLike, other: TensorLike, options?: RunOptions): Promise<Comparison>
}

function parts(): DomainParts<Multiplying> {
  return {
    // Those of decompositions as well, by which a sketch is summed.
    modules: MODULES,
    programs,
    chunk,
    whole: { program: 'wholeProducts', modules: MODULES },
    calls: {
      gram: {
        ...ofTensor('gram', 'rows', ([rows, options]) => gramPlan(rows as TensorLike, options as GramOptions)),
        finish: openParts
      },
      compare: {
        options: 2,
        plan: ([reference, other, options]) => {
          checkRunOptions('compare', options)
          return comparePlan(reference as TensorLike, other as TensorLike)
        },
        take: ([reference, other]) =>
          takeFrom({
            tensors: [readTensor('compare', 'reference', reference), readTensor('compare', 'other', other)],
            put: (owned) => [...owned]
          })
      },
      matmul: {
        options: 2,
        plan: ([a, b, options]) => matmulPlan(a as TensorLike, b as TensorLike, options as MatmulOptions),
        take: ([a, b, options]) =>
          takeFrom({
            tensors: [readTensor('matmul', 'a', a), readTensor('matmul', 'b', b)],
            put: (owned) => [...owned, options]
          })
      }
    }
  }
}

/** Products of matrices in a pool, and the sums that stand on them: `matmul`, `gram`, `compare`. */
export const multiplying: Domain<Multiplying> = { name: 'multiplying', parts } as OwnDomain<Multiplying>
