import { procrustes } from '../../linalg/procrustes.js'
import { ridge } from '../../linalg/ridge.js'
import { solveTriangular } from '../../linalg/triangular.js'
import type { Program } from '../plan.js'
import { runWhole, type WholeChunk } from '../plans/whole.js'

/** The program of solvers, by the name that plans ask for. */
export const programs: Readonly<Record<string, Program>> = {
  wholeSolvers: (chunk: WholeChunk) => runWhole({ procrustes, ridge, solveTriangular }, chunk)
}
