/** The ABI of the core: kernels over linear memory. Arguments: outputs, inputs, sizes, scalars, scratch. */
export { packBits } from './common/bits'
export { randomSigns, randomUniforms } from './common/random'
export { rangeClear, rangeColumns, rangeRows } from './quantize/range'
export { scalesFromRange, scalesWiden } from './quantize/scales'
export { encodeColumns, encodeRows } from './quantize/encode'
export { decodeColumns, decodeRows } from './quantize/decode'
export { insideColumns, insideLimit, insideRows } from './quantize/inside'
export { packNibbles, unpackNibbles } from './quantize/nibbles'
export { decodeBF16, decodeF16, encodeBF16, encodeF16 } from './quantize/half'
export { bracketMagnitudes, magnitudeHistogram, selectMagnitude } from './prune/select'
export { applyBits, countBits, maskMagnitudes } from './prune/mask'
export { keepPattern } from './prune/pattern'
export { gatherKept, scatterKept } from './prune/compact'
export { softmaxF32 } from './distill/softmax'
export { logSoftmaxF32 } from './distill/logSoftmax'
export { distillRows } from './distill/loss'
export { finiteF32, finiteF64 } from './linalg/finite'
export { multiplyF32, multiplyF64, multiplyPackedF32, multiplyPackedF64, multiplyWork } from './linalg/multiply'
export { accumulatePanelsF32, multiplyRowsF32 } from './linalg/accumulate'
export {
  scaleColumnsF32,
  scaleColumnsF64,
  squaresF32,
  squaresF64,
  topColumnsF32,
  topColumnsF64
} from './linalg/columns'
export { inverseIteration } from './linalg/inverse'
export { identityDefect, orthonormaliser } from './linalg/orthonormal'
export { multiplyPanelsF32, multiplyPanelsF64 } from './linalg/product'
export { packAcrossF32, packAcrossF64, packAlongF32, packAlongF64 } from './linalg/pack'
export { exponentF32, exponentF64, placeRows, scaleByPower, scaleF32, takeRows, unitExponent } from './linalg/matrix'
export { tridiagonalise } from './linalg/tridiagonal'
export { fromPanels, implicitQl, reverseTridiagonal, toPanels } from './linalg/ql'
export { jacobiSweeps } from './linalg/jacobi'
export {
  gramPanels,
  greatestBitsF32,
  packLower,
  packRowsF32,
  shiftPanels,
  sumPanels,
  gramF64,
  gramWork,
  mirrorF64
} from './linalg/gram'
export { screenedSweeps } from './linalg/screen'
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
} from './linalg/order'
export { choleskyF64, choleskyWork, clearUpper, isAsymmetric, pivotedCholeskyF64 } from './linalg/cholesky'
export { factorQrF64, formQF64, qrWork, signColumns } from './linalg/blocked'
export { applyQ, factorPanelF64, factorPivotedQrF64, unitReflectors } from './linalg/reflectors'
export { scaleRowsF64, shiftRowsF64, sumRowsF64 } from './linalg/center'
export { solveTriangleF64, triangularWork } from './linalg/triangular'
export { differences, differencesF64, log10F64, residualSquares, sqrtF64 } from './linalg/compare'
export { rotateRows, unrotateRows } from './embeddings/codec/rotate'
export {
  errorsByNumberF32,
  meansByNumberF32,
  nearestF32,
  packCentroidsF32,
  sumByNumberF32
} from './embeddings/codec/kmeans'
export { clearBytes, placeColumns, placeStrips, takeColumnsOf, takeStrips } from './embeddings/scan/blocks'
export { addTerms, finishScores } from './embeddings/scan/finish'
export { addScaledF32, buildByteQuery, scanBytes } from './embeddings/scan/scanBytes'
export { scanFloats, scanHalves } from './embeddings/scan/scanFloats'
export { scanSigns, spreadBytes } from './embeddings/scan/scanSigns'
export { joinDigits, scanTables, scanThreeBits } from './embeddings/scan/scanTables'
export { scoreOf, selectScores, takeBest } from './embeddings/scan/select'
export { buildScalarTables, buildSubspaceTables, copyPadded } from './embeddings/scan/tables'
export {
  endsRowsF32,
  magnitudesF32,
  meanRowsF32,
  productF32,
  shiftRowsF32,
  sumF32,
  timesF32
} from './embeddings/codec/center'
export { decodeUniform } from './embeddings/codec/planes'
export { decodeAffine, encodeAffine, encodeSymmetric } from './embeddings/codec/int8'
export { buildSignedTables, encodeOsq, osqWork } from './embeddings/codec/osq'
export { encodeRabitq, rabitqWork } from './embeddings/codec/rabitq'
export { decodeSigns, encodeSigns } from './embeddings/codec/signs'
export { beamStepF32, subtractByNumberF32 } from './embeddings/codec/residual'
export { distanceRows, dotRows, subtractRow, unitRows } from './embeddings/scan/rows'
export { decodeTurbo, encodeTurbo, turboWork } from './embeddings/codec/turbo'
export { scanLookup, scanLookupUnit } from './embeddings/scan/lookup'
export { lookUpRowsF32, pairF32, productTableF32, rowSquaresF32 } from './embeddings/codec/product'

/** The first byte that the caller may use. */
export function heapBase(): usize {
  return __heap_base
}
