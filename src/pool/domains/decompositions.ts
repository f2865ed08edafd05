import type { Source, TensorLike } from '../../core/tensor.js'
import { prepareCholesky, type Cholesky, type CholeskyOptions } from '../../linalg/cholesky.js'
import { MODULES } from '../../linalg/decompositionEngine.js'
import { prepareQr, type Qr, type QrOptions } from '../../linalg/qr.js'
import type { Svd, SvdOptions } from '../../linalg/svd.js'
import { prepareTruncatedSvd, type TruncatedSvd, type TruncatedSvdOptions } from '../../linalg/truncatedSvd.js'
import { chunk } from '#worker/decompositions'
import { ofTensor, type Arguments, type Call } from '../call.js'
import type { Domain, DomainParts, OwnDomain } from '../domain.js'
import { svdPlan } from '../plans/decompositions.js'
import { wholePlan, type Whole } from '../plans/whole.js'
import { programs } from '../programs/decompositions.js'
import { asTensor } from '../transfer.js'
import type { Run } from '../run.js'

/** The verbs of {@link decomposing}. */
export interface Decomposing {
  qr(matrix: TensorLike, options?: Run<QrOptions>): Promise<Qr>
  cholesky(matrix: TensorLike, options?: Run<CholeskyOptions>): Promise<Cholesky>
  svd(matrix: TensorLike, options?: Run<SvdOptions>): Promise<Svd>
  truncatedSvd(matrix: TensorLike, options: Run<TruncatedSvdOptions>): Promise<TruncatedSvd>
}

const whole: Whole = { program: 'wholeDecompositions', modules: MODULES }

/** A verb of one matrix that one thread does as a whole. */
function ofMatrix(verb: string, name: string, prepare: (args: Arguments) => Source): Call {
  return ofTensor(verb, name, (args) => wholePlan(whole, verb, [asTensor(prepare(args)), args[1]]))
}

function parts(): DomainParts<Decomposing> {
  return {
    modules: MODULES,
    programs,
    chunk,
    whole,
    calls: {
      qr: ofMatrix('qr', 'matrix', ([matrix, options]) => prepareQr(matrix, options as QrOptions)),
      cholesky: ofMatrix('cholesky', 'matrix', ([matrix, options]) =>
        prepareCholesky(matrix, options as CholeskyOptions)
      ),
      svd: ofTensor('svd', 'matrix', ([matrix, options]) => svdPlan(matrix as TensorLike, options as SvdOptions)),
      truncatedSvd: ofMatrix('truncatedSvd', 'source', ([matrix, options]) =>
        prepareTruncatedSvd(matrix as TensorLike, options as TruncatedSvdOptions)
      )
    }
  }
}

/** Decompositions of matrices in a pool: `svd`, `truncatedSvd`, `qr`, `cholesky`. */
export const decomposing: Domain<Decomposing> = { name: 'decomposing', parts } as OwnDomain<Decomposing>
