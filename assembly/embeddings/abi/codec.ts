/**
 * The ABI of codecs, beside that of searching: rows to codes and back. Arguments: outputs, inputs, sizes, scalars,
 * scratch.
 */
export { packNibbles } from '../../quantize/nibbles'
export { encodeF16 } from '../../quantize/half'
export { decodeUniform } from '../codec/planes'
export { decodeAffine, encodeAffine, encodeSymmetric } from '../codec/int8'
export { encodeOsq, osqWork } from '../codec/osq'
export { encodeRabitq, rabitqWork } from '../codec/rabitq'
export { decodeSigns } from '../codec/signs'
export { beamStepF32 } from '../codec/residual'
export { decodeTurbo, encodeTurbo, turboWork } from '../codec/turbo'
export { lookUpRowsF32 } from '../codec/product'
export { nearestF32 } from '../codec/kmeans'
export { unrotateRows } from '../codec/rotate'
