/**
 * The ABI of decompositions and solvers, beside that of products. Arguments: outputs, inputs, sizes, scalars, scratch.
 */
export { randomSigns, randomUniforms } from '../../common/random'
export { accumulatePanelsF32, multiplyRowsF32 } from '../accumulate'
export { scaleColumnsF32, scaleColumnsF64, topColumnsF32, topColumnsF64 } from '../columns'
export { inverseIteration } from '../inverse'
export { identityDefect, orthonormaliser } from '../orthonormal'
export { tridiagonalise } from '../tridiagonal'
export { fromPanels, implicitQl, reverseTridiagonal, toPanels } from '../ql'
export { jacobiSweeps } from '../jacobi'
export { screenedSweeps } from '../screen'
export {
  completeBasis,
  diagonalRatio,
  dropNegligible,
  fixSigns,
  gatherRows,
  lowerFactor,
  normaliseColumns,
  orderBySize,
  rowMaxima,
  scatterRows,
  sortDescending,
  takeColumns
} from '../order'
export { choleskyF64, choleskyWork, clearUpper, isAsymmetric, pivotedCholeskyF64 } from '../cholesky'
export { factorQrF64, formQF64, qrWork, signColumns } from '../blocked'
export { applyQ, factorPanelF64, unitReflectors } from '../reflectors'
export { factorPivotedQrF64 } from '../pivotedQr'
export { solveTriangleF64, triangularWork } from '../triangular'
