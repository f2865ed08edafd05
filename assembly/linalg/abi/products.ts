/** The ABI of products, second moments and differences. Arguments: outputs, inputs, sizes, scalars, scratch. */
export * from '../../common/shared'
export { log10F64 } from '../../common/scalars'
export { finiteF32, finiteF64 } from '../finite'
export { multiplyF32, multiplyF64, multiplyPackedF32, multiplyPackedF64, multiplyWork } from '../multiply'
export { packAcrossF32, packAcrossF64, packAlongF32, packAlongF64 } from '../pack'
export { exponentF32, exponentF64, placeRows, scaleByPower, scaleF32, takeRows, unitExponent } from '../matrix'
export { squaresF32, squaresF64 } from '../columns'
export {
  gramF64,
  gramPanels,
  gramWork,
  greatestBitsF32,
  mirrorF64,
  packLower,
  packRowsF32,
  shiftPanels,
  sumPanels
} from '../gram'
export { scaleRowsF64, shiftRowsF64, sumRowsF64 } from '../center'
export { differences, differencesF64, residualSquares } from '../compare'
