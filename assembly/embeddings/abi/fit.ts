/** The ABI of fitting, beside those of searching and of codecs. Arguments: outputs, inputs, sizes, scalars, scratch. */
export { randomUniforms } from '../../common/random'
export { endsRowsF32, magnitudesF32, meanRowsF32 } from '../codec/center'
export { errorsByNumberF32, meansByNumberF32, sumByNumberF32 } from '../codec/kmeans'
export { subtractByNumberF32 } from '../codec/residual'
