import type { Source, Tensor, TensorLike } from '../../core/tensor.js'
import { MODULES } from '../../linalg/decompositionEngine.js'
import type { Floats } from '../../linalg/matrix.js'
import { prepareProcrustes, type Procrustes, type ProcrustesOptions } from '../../linalg/procrustes.js'
import { prepareRidge, type Ridge, type RidgeOptions } from '../../linalg/ridge.js'
import { prepareTriangular, type SolveTriangularOptions } from '../../linalg/triangular.js'
import { chunk } from '#worker/solvers'
import { ofParts, type Arguments, type Call, type Replaceable } from '../call.js'
import type { Domain, DomainParts, OwnDomain } from '../domain.js'
import type { Whole } from '../plans/whole.js'
import { programs } from '../programs/solvers.js'
import type { Run } from '../run.js'

/** The verbs of {@link solving}. */
export interface Solving {
  solveTriangular(triangle: TensorLike, b: TensorLike, options?: Run<SolveTriangularOptions>): Promise<Tensor<Floats>>
  ridge(x: TensorLike, y: TensorLike, options?: Run<RidgeOptions>): Promise<Ridge>
  procrustes(a: TensorLike, b: TensorLike, options?: Run<ProcrustesOptions>): Promise<Procrustes>
}

const whole: Whole = { program: 'wholeSolvers', modules: MODULES }

/** A verb of two matrices. */
function ofTwo(verb: string, prepare: (args: Arguments) => readonly Source[]): Call {
  return ofParts(whole, verb, 2, (args) => ({ tensors: prepare(args), put: (owned) => [...owned, args[2]] }))
}

function ridgeTensors([x, y, options]: Arguments): Replaceable {
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

function parts(): DomainParts<Solving> {
  return {
    modules: MODULES,
    programs,
    chunk,
    whole,
    calls: {
      solveTriangular: ofTwo('solveTriangular', ([triangle, b, options]) =>
        prepareTriangular(triangle, b, options as SolveTriangularOptions)
      ),
      ridge: ofParts(whole, 'ridge', 2, ridgeTensors),
      procrustes: ofTwo('procrustes', ([a, b, options]) => prepareProcrustes(a, b, options as ProcrustesOptions))
    }
  }
}

/** Solvers of linear systems and fits in a pool: `solveTriangular`, `ridge`, `procrustes`. */
export const solving: Domain<Solving> = { name: 'solving', parts } as OwnDomain<Solving>
