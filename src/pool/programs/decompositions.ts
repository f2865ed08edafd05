import { cholesky } from '../../linalg/cholesky.js'
import { qr } from '../../linalg/qr.js'
import { svd } from '../../linalg/svd.js'
import { truncatedSvd } from '../../linalg/truncatedSvd.js'
import type { Program } from '../plan.js'
import { svdProgram } from '../plans/decompositions.js'
import { runWhole, type WholeChunk } from '../plans/whole.js'

/** The programs of decompositions, by the names that plans ask for. */
export const programs: Readonly<Record<string, Program>> = {
  svd: svdProgram,
  wholeDecompositions: (chunk: WholeChunk) => runWhole({ cholesky, qr, svd, truncatedSvd }, chunk)
}
